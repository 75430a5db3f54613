"""A run as workflow commands of GitHub, which annotate the lines of a pull request."""

from __future__ import annotations

from pathlib import Path

from verideck import inert
from verideck.cli.formats.told import Told
from verideck.cli.report import relative, replaced
from verideck.model import Place, Rewritten
from verideck.problems import Problem


def run(told: Told) -> str:
    """Return a line for each problem, and one for the summary."""
    lines = [annotation(each, told.root) for each in told.problems]
    lines += [usage(told.usage)] if told.usage else []
    lines += [notice(told.summary)] if told.summary else []
    return "".join(f"{line}\n" for line in lines)


def annotation(problem: Problem, root: Path) -> str:
    """Return a problem as a command that annotates its line."""
    text = "\n".join(filter(None, [problem.message, problem.hint]))
    return _annotation(problem.severity, problem.code, text, problem.place, root)


def rewritten(each: Rewritten, root: Path) -> str:
    """Return what an update replaced as a command that annotates its line."""
    return _annotation("notice", "updated", replaced(each), each.place, root)


def notice(summary: str) -> str:
    """Return a summary as a command that annotates the run, not a line."""
    return f"::notice::{_escaped(summary)}"


def usage(message: str) -> str:
    """Return what is wrong with the command line as a command that annotates the run."""
    return f"::error title=usage::{_escaped(message)}"


def _annotation(command: str, title: str, text: str, place: Place, root: Path) -> str:
    properties = {
        "file": relative(root / place.path),
        "line": str(place.line),
        "col": str(place.column),
        "title": title,
    }
    listed = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{command} {listed}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    text = inert.data(text)
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
