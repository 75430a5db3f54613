"""A problem as a terminal shows it: in colours, with a caret under its column."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import TextIO

from verideck import inert
from verideck.cli.report import format_problem
from verideck.problems import Problem
from verideck.source_line import source_line

CHOICES = ("auto", "always", "never")
_RED, _YELLOW, _CYAN, _BOLD, _DIM, _PLAIN = (f"\x1b[{code}m" for code in (31, 33, 36, 1, 2, 0))
_FIRST = re.compile(r"(?P<place>.*?: )(?P<severity>error|warning)(?P<rest>: .*)", re.DOTALL)
_CUT = "…"


def are_wanted(choice: str, stream: TextIO | None) -> bool:
    """Return whether what is printed to a stream has colours, by the word of `--color`.

    Without one, a terminal has them that can show them, unless `NO_COLOR` is set (no-color.org).
    """
    if choice != "auto":
        return choice == "always"
    is_terminal = stream is not None and stream.isatty()
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(problem: Problem, root: Path) -> str:
    """Return a problem as `format_problem` does, with a caret under its column, in colours."""
    first, *more = format_problem(problem, root).split("\n")
    source = source_line(problem, root)
    shows_source = bool(source) and bool(more) and more[0].endswith(inert.line(source))
    below = [_painted(line) for line in more]
    if shows_source and (caret := _caret(source, problem.place.column)):
        margin = " " * len(f"{problem.place.line:>5}")
        below.insert(1, f"{_DIM}{margin} |{_PLAIN} {_weight(problem)}{caret}{_PLAIN}")
    found = _FIRST.fullmatch(first)
    assert found, first
    head = f"{_BOLD}{found['place']}{_weight(problem)}{found['severity']}{_PLAIN}{found['rest']}"
    return "\n".join([head, *below])


def _weight(problem: Problem) -> str:
    return _RED if problem.severity == "error" else _YELLOW


def _caret(source: str, column: int) -> str:
    """The line under a source line; empty where the column is not in what is shown of it."""
    if source.startswith(_CUT) or not 0 < column <= len(source):
        return ""
    before = inert.line(source[: column - 1])
    return "".join("\t" if each == "\t" else " " * _width(each) for each in before) + "^"


def _width(character: str) -> int:
    """How many cells of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _painted(line: str) -> str:
    """A line below the first one: its margin stands back, a hint stands out."""
    margin, bar, text = line.partition("|")
    if bar and not margin.strip(" 0123456789"):
        return f"{_DIM}{margin}|{_PLAIN}{text}"
    before, hint, text = line.partition("= hint:")
    return f"{before}{_CYAN}{hint}{_PLAIN}{text}" if hint else line
