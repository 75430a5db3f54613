"""The kinds of steps, how a card's process ends, and the errors of those that execute cards."""

from __future__ import annotations

import signal
from enum import StrEnum


class StepKind(StrEnum):
    """How a step is executed."""

    CODE = "code"
    INCLUDE = "include"
    """As a module of the project."""
    VALUE = "value"
    """As an expression."""
    SESSION = "session"
    """As examples behind prompts, each with what it prints."""


class Part(StrEnum):
    """What a step is to the reader of the card."""

    SHOWN = "shown"
    CHECK = "check"
    """Folded into the proof."""
    BEHIND = "behind"
    """Not on the card, or no code of its own."""


class End(StrEnum):
    """How the process of a card came to its end."""

    BY_ITSELF = "by itself"
    TIME = "time"
    OUTPUT = "output"
    DISK = "disk"
    PROCESSES = "processes"
    REPORT = "report"
    """It reported more than any card has to."""


class ExecutorError(Exception):
    """A card cannot be executed; the text says why."""


class NobodyError(ExecutorError):
    """No card of the run can be executed."""


class StoppedError(Exception):
    """The run is being broken off."""


_MOST_LINES = 100_000
"""More than a card has steps."""


def complete_lines(report: bytes) -> tuple[str, ...]:
    """The lines of a report that end with a line feed; of too many, the last one is all others."""
    complete, ended, _ = report.rpartition(b"\n")
    return tuple(complete.decode("utf-8", "replace").split("\n", _MOST_LINES)) if ended else ()


def how(status: int, last_words: str) -> str:
    """An exit status, negative for a signal, with the last line of standard error."""
    ended = f"exit status {status}" if status >= 0 else f"signal {_signal_name(-status)}"
    return f"{ended}: {last_words}" if last_words else ended


def _signal_name(number: int) -> str:
    """A signal's name; the number of one that has no name."""
    names = {int(each): each.name for each in signal.Signals}
    return names.get(number, str(number))
