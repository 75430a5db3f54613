"""The descendants of a process: found, adopted and ended (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

_SUBREAPER = 36
_PATIENCE = 1.0
"""Seconds in which another process waits for the children that were ended."""


def adopt() -> None:
    """Become the parent of descendants that lose theirs (prctl(2), PR_SET_CHILD_SUBREAPER).

    Only Linux can do so; elsewhere they are left to the system.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1)


def of(pid: int) -> Iterator[int]:
    """The children of a process, started or adopted, and their descendants (proc_pid_task(5))."""
    waiting = [pid]
    while waiting:
        for each in _children(waiting.pop()):
            yield each
            waiting.append(each)


def _children(pid: int) -> list[int]:
    """The children of all threads of a process; none if it has ended, even during this call."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - looked at often
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
                found += map(int, text.split())
    return found


def bury(but: int) -> None:
    """Wait for children that have ended, except one: an adopted process has no other parent."""
    for pid in _children(os.getpid()):
        if pid != but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_own(but: AbstractSet[int] = frozenset()) -> None:
    """End all descendants of this process, except some of its children and theirs."""
    while left := [
        pid for child in _children(os.getpid()) if child not in but for pid in (child, *of(child))
    ]:
        _kill(left)
        for pid in left:
            with contextlib.suppress(ChildProcessError):  # another one's, until it is adopted
                os.waitpid(pid, os.WNOHANG)


def end(pid: int) -> None:
    """End all descendants of another process, which waits for them itself."""
    deadline = time.monotonic() + _PATIENCE
    while (left := list(of(pid))) and time.monotonic() < deadline:
        _kill(left)
        time.sleep(0.001)


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
