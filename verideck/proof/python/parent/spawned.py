"""A card in an interpreter of its own, for systems on which a process must not fork as it likes.

On Linux that interpreter holds the card: it forks it before anything is imported, and adopts what
the card leaves behind, so that it can be counted and ended. Elsewhere the processes that a card
starts are not counted, and what leaves its session outlives it; on Windows its memory is not
limited.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from threading import Event

from verideck.model import Limits
from verideck.proof.python.parent import interpreter
from verideck.proof.python.wire import descendants
from verideck.proof.python.wire.channel import Message
from verideck.proof.python.wire.process import TELL_STACK
from verideck.proof.python.wire.run import End, Run, StoppedError, how
from verideck.proof.python.wire.scratch import Scratch, scratch

_GLANCE = 0.02
"""Seconds between two looks at the limits."""
_LAST_CHANCE = 0.3
"""Seconds that a process has to tell where it is, before it is ended."""
_HOLDS = sys.platform == "linux"


class Spawns:
    """A fresh interpreter for every card: slower than a fork, and the same results."""

    is_here = True
    width = os.cpu_count() or 1

    def __init__(self, stop: Event) -> None:
        """End what runs when `stop` is set."""
        self._stop = stop

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Every interpreter starts cold."""

    def run(self, request: Message) -> Run:
        """Execute one card."""
        return run(request, self._stop)

    def close(self) -> None:
        """Nothing outlives its card."""


def run(request: Message, stop: Event) -> Run:
    """Execute one card. Raises StoppedError once `stop` is set.

    The report comes through the interpreter's standard output, which the child keeps to itself
    before it gives the snippets another one.
    """
    with scratch() as folder:
        process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            interpreter.command("holder", str(folder.folder), str(os.getpid())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder.work,
            env=interpreter.environment(),
            start_new_session=True,
        )
        try:
            report, end = _watch(process, request, folder, stop)
        finally:
            _end(process)
        complete, _, _ = report.rpartition(b"\n")
        return Run(
            tuple(complete.decode("utf-8", "replace").splitlines()),
            end,
            how(process.returncode, folder.last_words()),
            folder.frames(),
        )


def _watch(
    process: subprocess.Popen[bytes], request: Message, folder: Scratch, stop: Event
) -> tuple[bytes, End]:
    limits = Limits(**request["limits"])
    deadline = time.monotonic() + limits.timeout
    pending: bytes | None = json.dumps(request).encode()
    while True:
        try:
            report, _ = process.communicate(pending, timeout=_GLANCE)
        except subprocess.TimeoutExpired as glance:
            pending = None
            so_far = glance.output or b""
        else:
            return report, folder.exceeded(limits) or End.BY_ITSELF
        if stop.is_set():
            raise StoppedError
        broken = folder.exceeded(limits) or (End.TIME if time.monotonic() > deadline else None)
        if _HOLDS and sum(1 for _ in descendants.of(process.pid)) > limits.processes:
            broken = End.PROCESSES
        if broken:
            if TELL_STACK:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(TELL_STACK)
                last_chance = time.monotonic() + _LAST_CHANCE
                while time.monotonic() < last_chance and not folder.frames():
                    time.sleep(_GLANCE)
            return so_far, broken


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started, also when it is gone and they are not."""
    if sys.platform == "win32":
        process.kill()
    else:
        if _HOLDS:  # before it ends, and nobody knows them any more
            descendants.end(process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
