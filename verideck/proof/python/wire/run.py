"""What the execution of one card came to, and the words in which a process tells it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum


class End(StrEnum):
    """How the process of a card came to its end."""

    BY_ITSELF = "by itself"
    TIME = "time"
    OUTPUT = "output"
    DISK = "disk"
    PROCESSES = "processes"


@dataclass(frozen=True, slots=True)
class Run:
    """A process that is over."""

    lines: tuple[str, ...]
    """Its report (see `child`), as far as it came."""
    end: End
    how: str
    """Its exit status or signal, and the last it wrote to standard error."""
    stack: tuple[tuple[str, int], ...] = ()
    """Where it was when it was ended or crashed: files and lines, the innermost first."""


class ExecutorError(Exception):
    """Whoever executes cards cannot; the text says why."""


class NobodyError(ExecutorError):
    """Not one card of the run can be executed."""


class StoppedError(Exception):
    """The whole run is being broken off."""


def how(status: int, last_words: str) -> str:
    """An exit status, negative for a signal, with the last line of standard error."""
    said = f"exit status {status}" if status >= 0 else f"signal {_named(-status)}"
    return f"{said}: {last_words}" if last_words else said


def _named(number: int) -> str:
    """A signal's name; those for programs' own use have none."""
    names = {int(each): each.name for each in signal.Signals}
    return names.get(number, str(number))
