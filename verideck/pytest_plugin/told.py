"""How pytest shows what is wrong with a card: in verideck's words, with pytest's colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from verideck import Problem, inert
from verideck.cli.report import format_problem


class CardFailedError(Exception):
    """A card does not hold, or a file: these are its errors."""

    def __init__(self, problems: Sequence[Problem], root: Path) -> None:
        """Hold errors of a project in a folder."""
        super().__init__("\n".join(format_problem(each, root) for each in problems))
        self.problems = tuple(problems)
        self.root = root


class Writer(Protocol):
    """What pytest gives to whoever shows a failure."""

    def line(self, s: str = "", **markup: bool) -> None:
        """Write a line."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The line of a failure, as pytest's summary and its reports want it."""

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lineno}: {self.message}"


@dataclass(frozen=True, slots=True)
class Told:
    """A failure. pytest calls `toterminal`, and reads `reprcrash`."""

    lines: tuple[tuple[str, str], ...]
    """Each with its kind: `error`, `source`, `values` or `hint`."""
    reprcrash: Crash

    @classmethod
    def of(cls, error: CardFailedError) -> Self:
        """Tell the errors, one under the other."""
        lines: list[tuple[str, str]] = []
        for number, problem in enumerate(error.problems):
            text = format_problem(problem, error.root).split("\n")
            lines += [("", "")] if number else []
            lines += [(_kind(at, line), line) for at, line in enumerate(text)]
        first = error.problems[0]
        message = inert.line(f"{first.message.splitlines()[0]} [{first.code}]")
        return cls(
            tuple(lines), Crash(str(error.root / first.place.path), first.place.line, message)
        )

    @classmethod
    def restored(cls, saved: tuple[object, object]) -> Self:
        """Take back what `saved` gave, also after it was JSON."""
        lines, crash = saved
        assert isinstance(lines, Sequence)
        assert isinstance(crash, Sequence)
        return cls(tuple((str(kind), str(line)) for kind, line in lines), Crash(*crash))

    def saved(self) -> tuple[object, object]:
        """Plain values, which pytest-xdist takes from one process to another."""
        crash = self.reprcrash
        return self.lines, (crash.path, crash.lineno, crash.message)

    def toterminal(self, tw: Writer) -> None:
        """Show it, in the colours in which pytest shows its own failures."""
        for kind, line in self.lines:
            tw.line(line, **_MARKUP.get(kind, {}))

    def __str__(self) -> str:
        return "\n".join(line for _, line in self.lines)


_MARKUP = {
    "error": {"red": True, "bold": True},
    "values": {"red": True},
    "hint": {"yellow": True},
}


def _kind(at: int, line: str) -> str:
    if at == 0:
        return "error"
    margin = line.lstrip()
    if margin.startswith("= hint:"):
        return "hint"
    return "values" if margin.startswith("|") else "source"
