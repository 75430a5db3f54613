"""What `verideck explain` tells of a problem's code. tests/explained.py writes it of the manual."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from verideck.problems import suggestion

_FILE = Path(__file__).with_name("explained.json")


@dataclass(frozen=True, slots=True)
class Example:
    """A small project, and what is told of it."""

    heading: str
    files: Sequence[tuple[str, str]]
    """Paths, and what these files hold."""
    told: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What a code means."""

    code: str
    means: str
    case: Example
    """That causes it."""
    mended: Example | None
    """That does not; None where the hint of the case says all."""


def explained() -> Mapping[str, Explained]:
    """Return all codes, in the order in which they are defined."""
    known = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        code: Explained(
            code,
            each["means"],
            Example(**each["case"]),
            Example(**each["mended"]) if each["mended"] else None,
        )
        for code, each in known.items()
    }


def format_codes(every: Iterable[Explained]) -> str:
    """Return a line for each code."""
    return "\n".join(f"{each.code}: {each.means}" for each in every)


def format_explained(each: Explained) -> str:
    """Return what a code means, an example that causes it, and one that mends it."""
    lines = [f"{each.code}: {each.means}", "", f"For example: {each.case.heading[:1].lower()}"]
    lines[-1] += each.case.heading[1:]
    lines += [*_shown(each.case), "", "It is told as:", *_indented(each.case.told)]
    if each.mended:
        lines += ["", "It is mended so:", *_shown(each.mended)]
    return "\n".join(lines)


def unknown(code: str, known: Iterable[str]) -> str:
    """Return what is said of a code that there is not."""
    hint = suggestion(code, frozenset(known), "`verideck explain` lists all")
    return f"there is no problem called {code}: {hint}"


def _shown(example: Example) -> Iterator[str]:
    for path, text in example.files:
        yield from ("", f"  {path}", *_indented(text))


def _indented(text: str) -> Iterator[str]:
    yield from (f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))
