"""What a process started, and what that started: found, adopted and ended (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_SUBREAPER = 36
_PATIENCE = 1.0
"""Seconds in which another process takes leave of those that it lost."""


def adopt() -> None:
    """Be the parent of whatever loses its own below (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)


def of(pid: int) -> Iterator[int]:
    """The processes that a process started or adopted, and theirs (proc_pid_task(5))."""
    waiting = [pid]
    while waiting:
        for each in _children(waiting.pop()):
            yield each
            waiting.append(each)


def _children(pid: int) -> list[int]:
    """Those of all threads of a process; none where it has ended, also while it is looked at."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - looked at often
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
                found += map(int, text.split())
    return found


def bury(but: int) -> None:
    """Let go of adopted processes that have ended, but one: nobody else waits for them."""
    for pid in _children(os.getpid()):
        if pid != but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_own() -> None:
    """End whatever this process started or adopted."""
    while left := list(of(os.getpid())):
        _kill(left)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def end(pid: int) -> None:
    """End whatever another process started or adopted, which takes leave of them itself."""
    deadline = time.monotonic() + _PATIENCE
    while (left := list(of(pid))) and time.monotonic() < deadline:
        _kill(left)
        time.sleep(0.001)


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
