"""Names that a card's process and its starter share; processes that end with their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""The variables that name the folder for temporary files."""
PAGES = "GLIBC_TUNABLES"
"""The variable that lays out a warm parent's memory; no card sees it."""
TELL_STACK = getattr(signal, "SIGUSR1", None)
"""The signal on which a process writes its stack, before it is ended."""
LAST_CHANCE = 0.3
"""Seconds that a process then has to write its stack."""


def die_with_parent(by: signal.Signals | None = None, parent: int | None = None) -> None:
    """End this process when its parent ends (Linux: prctl(2), PR_SET_PDEATHSIG).

    The signal is SIGKILL, unless the process has a handler for another one. `parent` is the
    parent's number, if it is known: the system sends nothing for one that has ended before.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, by or signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), by or signal.SIGKILL)
