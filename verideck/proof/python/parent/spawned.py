"""Executes each card in an interpreter of its own, for systems on which forks are not safe.

On Linux a `host.holder` counts and ends the processes that a card starts. On other systems they are
not counted, and a process that leaves the card's session outlives it. On Windows the memory is not
limited.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from threading import Event

from verideck.proof.python.parent import interpreter
from verideck.proof.python.wire import descendants
from verideck.proof.python.wire.messages import Finished, Request, encoded, longest_report
from verideck.proof.python.wire.process import LAST_CHANCE, TELL_STACK
from verideck.proof.python.wire.run import End, StoppedError, complete_lines, how
from verideck.proof.python.wire.scratch import Scratch, scratch
from verideck.proof.sandbox import kernel

_GLANCE = 0.02
"""Seconds between two looks at the limits."""
_HOLDS = sys.platform == "linux"


class Spawns:
    """An engine (see `engine.Engine`): slower than forks, with the same results."""

    is_here = True
    width = os.cpu_count() or 1

    def __init__(self, stop: Event) -> None:
        """Take the event that breaks off a run."""
        self._stop = stop

    def begin(self) -> None:
        """Nothing is left of another run."""

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Do nothing: every interpreter starts cold."""

    def run(self, request: Request) -> Finished:
        """Execute one card."""
        return run(request, self._stop)

    def close(self) -> None:
        """Do nothing: every process ends with its card."""


def run(request: Request, stop: Event) -> Finished:
    """Execute one card. Raises StoppedError once `stop` is set.

    The report comes through the interpreter's standard output; the snippets are given another one.
    """
    with scratch() as folder:
        process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            interpreter.command("holder", str(folder.folder), str(os.getpid())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder.work,
            env=interpreter.environment(request.hash_seed),
            start_new_session=True,
        )
        try:
            report, end = _watch(process, request, folder, stop)
        finally:
            _end(process)
            if request.may_share:
                folder.remove_shared()
        return Finished(
            () if end is End.REPORT else complete_lines(report),
            end,
            how(process.returncode, folder.last_words()),
            folder.frames(),
            sandbox=kernel.available(asked=request.sandbox),
            **folder.said(),
        )


def _watch(
    process: subprocess.Popen[bytes], request: Request, folder: Scratch, stop: Event
) -> tuple[bytes, End]:
    limits = request.limits
    deadline = time.monotonic() + limits.timeout
    pending: bytes | None = encoded(request)
    while True:
        try:
            report, _ = process.communicate(pending, timeout=_GLANCE)
        except subprocess.TimeoutExpired as glance:
            pending = None
            so_far = glance.output or b""
        else:
            end = End.REPORT if len(report) > longest_report(limits) else End.BY_ITSELF
            return report, folder.exceeded(limits) or end
        if stop.is_set():
            raise StoppedError
        broken = folder.exceeded(limits) or (End.TIME if time.monotonic() > deadline else None)
        if _HOLDS and sum(1 for _ in descendants.of(process.pid)) > limits.processes:
            broken = End.PROCESSES
        if len(so_far) > longest_report(limits):
            broken = End.REPORT
        if broken:
            if TELL_STACK:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(TELL_STACK)
                last_chance = time.monotonic() + LAST_CHANCE
                while time.monotonic() < last_chance and not folder.frames():
                    time.sleep(_GLANCE)
            return so_far, broken


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started, also if it has ended before them."""
    if sys.platform == "win32":
        process.kill()
    else:
        if _HOLDS:  # before it ends: later they cannot be found
            descendants.end(process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
