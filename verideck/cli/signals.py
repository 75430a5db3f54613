"""What ends a command from outside: its exit code is the one that a shell expects."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from verideck.cli import printing

INTERRUPTED = 128 + signal.SIGINT
"""What a shell expects of a command that Ctrl-C ended."""


def hold() -> None:
    """End this process in order at a signal that would end it at once, as Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP, and `nohup` has it ignored
        sent = getattr(signal, name, None)
        if sent and signal.getsignal(sent) != signal.SIG_IGN:
            signal.signal(sent, _end)


def interrupted(told: str = "Interrupted") -> NoReturn:
    """Say that Ctrl-C ended the command, without a traceback, and end it."""
    printing.err(told)
    sys.exit(INTERRUPTED)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
