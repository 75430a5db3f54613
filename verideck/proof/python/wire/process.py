"""What both sides of a card's process know of it."""

from __future__ import annotations

import ctypes
import signal
import sys

TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""The variables that name the folder for temporary files."""
PAGES = "GLIBC_TUNABLES"
"""The variable by which a warm parent's memory is laid out; no card sees it."""
TELL_STACK = getattr(signal, "SIGUSR1", None)
"""The signal on which a process writes its stack, before it is ended."""


def die_with_parent(by: signal.Signals | None = None) -> None:
    """Leave no orphan, even where the parent is killed (Linux: prctl(2), PR_SET_PDEATHSIG).

    The signal is SIGKILL, unless another one is to be heeded first.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, by or signal.SIGKILL)
