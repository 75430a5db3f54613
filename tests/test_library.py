"""What docs/library.md says of the library: its program runs, and every name on it is there."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import verideck
from verideck import checking, events, findings, model, push_plan, result
from verideck.problems import BuildFailedError
from verideck.rules.lint import Linted

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/library.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Named:
    """A name that the page explains."""

    subject: str
    """What the heading above it names."""
    name: str
    parameters: tuple[str, ...] | None
    """None where it is no call."""

    def __str__(self) -> str:
        return f"{self.subject}.{self.name}"


def block(language: str) -> str:
    """The only fence of a language."""
    (found,) = re.findall(rf"^(`{{3,}}){language}\n(.*?)^\1$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found[1])


def named() -> Iterator[Named]:
    """Every name in the first column of a table."""
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        subject = section.split("`")[1]
        rows = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
        assert rows, subject
        for text in re.findall(r"`(.*?)`", " ".join(rows)):
            name, call, parameters = text.partition("(")
            words = tuple(filter(None, parameters.rstrip(")").split(", ")))
            yield Named(subject, name, words if call else None)


NAMED = list(named())


@cache
def subject(name: str) -> object:
    """What a heading names; an object of it where only objects have its attributes."""
    if name == "Project":
        return verideck.Project.open(ROOT)
    if name == "Checking":
        return verideck.Project.open(ROOT).checking()
    if name == "BuildFailedError":
        return BuildFailedError(())
    if name == "verideck.events":
        return events
    if name == "Linted":
        return Linted
    rooms = (verideck, model, result, findings, checking, push_plan)
    return next(getattr(room, name) for room in rooms if hasattr(room, name))


def test_the_program_on_the_page_prints_what_the_page_says(tmp_path: Path) -> None:
    """The project, the program and what it prints are taken from the page as they are."""
    (tmp_path / "cards").mkdir()
    (tmp_path / "pyproject.toml").write_text(block("toml"), encoding="utf-8")
    (tmp_path / "cards/sums.md").write_text(block("markdown"), encoding="utf-8")
    (tmp_path / "program.py").write_text(block("python"), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert run.stderr == ""
    assert run.stdout == block("text")
    assert (tmp_path / "arithmetic.apkg").exists()


@pytest.mark.parametrize("found", NAMED, ids=str)
def test_every_name_on_the_page_is_there(found: Named) -> None:
    """An attribute exists, and a call has just the parameters that the page names."""
    value = getattr(subject(found.subject), found.name)
    if found.parameters is not None:
        parameters = tuple(inspect.signature(value).parameters)
        assert tuple(each for each in parameters if each != "self") == found.parameters


@pytest.mark.parametrize("name", ["Problem", "Place", "Severity", "Result"])
def test_the_page_explains_all_of_a_public_value(name: str) -> None:
    """A value that `import verideck` offers has no attribute that the page leaves out.

    But for what a result holds for the build that follows, and for the page.
    """
    value = getattr(verideck, name)
    inner = {"scope", "lock", "known"} if name == "Result" else set()
    every = {*value.__members__} if name == "Severity" else {each.name for each in fields(value)}
    explained = {each.name for each in NAMED if each.subject == name}
    assert every - inner <= explained
    assert not inner & explained


def test_the_page_explains_all_events() -> None:
    """A listener that knows the page knows every event."""
    explained = {each.name for each in NAMED if each.subject == "verideck.events"}
    assert explained == {each.__name__ for each in get_args(events.Event)}


def test_the_page_names_what_can_be_imported() -> None:
    """The line that imports the public names imports all of them."""
    (line,) = re.findall(r"`from verideck import (.*?)`", PAGE)
    assert sorted(line.split(", ")) == sorted(verideck.__all__)
