"""Forks a process for one card after the other, watches it, ends it with all that it started.

Runs in a fork of the warm parent. It adopts what its cards leave behind, so that nothing outlives
its card, also not what became a daemon.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource  # noqa: F401 - for `world.limit`, so that no fork imports it
import select
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from verideck.model import Limits
from verideck.verifiers.python import child, world
from verideck.verifiers.python.run import End, StoppedError, how
from verideck.verifiers.python.scratch import Scratch, scratch
from verideck.verifiers.python.wire import Message, receive, send

_SUBREAPER = 36
_GLANCE = 0.05
"""Seconds between two looks at the limits."""
_LAST_CHANCE = 0.3
"""Seconds that a process has to tell where it is, before it is ended."""
_LONGEST_REPORT = 100_000_000


def serve(channel: socket.socket) -> None:
    """Execute what is asked for, until nobody asks any more."""
    adopt()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(StoppedError, OSError):
        while request := receive(channel):
            send(channel, execute(request, channel))


def adopt() -> None:
    """Be the parent of whatever loses its own below (Linux: prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)


def execute(request: Message, channel: socket.socket) -> Message:
    """Execute one card in a fork; it ends when the other side of the channel goes away."""
    with scratch() as folder:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            channel.close()
            _be(request, writing, folder)
        os.close(writing)
        watch = _Watch(pid, reading, channel.fileno(), folder, Limits(**request["limits"]))
        try:
            end, status = watch.until_the_end()
        finally:
            os.close(reading)
        return {
            "lines": watch.lines(),
            "end": end,
            "how": how(status, folder.last_words()),
            "stack": folder.frames(),
        }


def _be(request: Message, writing: int, folder: Scratch) -> None:
    """Be the card's process; never returns."""
    try:
        os.setsid()
        child.run(request, world.report_on(writing), folder)
    except BaseException:  # noqa: BLE001 - told on standard error, and by the missing last line
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
        os._exit(1)
    child.leave()


class _Watch:
    """One process and what descends from it."""

    def __init__(
        self, pid: int, reading: int, channel: int, folder: Scratch, limits: Limits
    ) -> None:
        self.pid = pid
        self.reading = reading
        self.channel = channel
        self.folder = folder
        self.limits = limits
        self.report = bytearray()
        os.set_blocking(reading, False)

    def until_the_end(self) -> tuple[End, int]:
        """Wait for the process, or end it; returns how it ended, and its exit status.

        Raises StoppedError when the other side of the channel is gone.
        """
        descriptor = os.pidfd_open(self.pid)
        try:
            end = self._ended(descriptor)
            if end is not End.BY_ITSELF:
                self._ask_where_it_is(descriptor)
        finally:
            status = self._end_all()
            os.close(descriptor)
        self._read()
        return end, status

    def lines(self) -> list[str]:
        """The lines of the report that are whole."""
        complete, _, _ = bytes(self.report).rpartition(b"\n")
        return complete.decode("utf-8", "replace").split("\n") if complete else []

    def _ended(self, descriptor: int) -> End:
        deadline = time.monotonic() + self.limits.timeout
        events = select.poll()
        for each in (descriptor, self.reading, self.channel):
            events.register(each, select.POLLIN)
        look = time.monotonic() + _GLANCE
        while True:
            now = time.monotonic()
            ready = {each for each, _ in events.poll(max(min(look, deadline) - now, 0) * 1000)}
            if self.channel in ready:
                raise StoppedError
            if self.reading in ready and not self._read():
                events.unregister(self.reading)
            if descriptor in ready:
                return self.folder.exceeded(self.limits) or End.BY_ITSELF
            if time.monotonic() >= look:
                look = time.monotonic() + _GLANCE
                if broken := self._broken():
                    return broken
            if time.monotonic() >= deadline:
                return End.TIME

    def _broken(self) -> End | None:
        if len(self.report) > _LONGEST_REPORT:
            return End.OUTPUT
        _bury(self.pid)
        if sum(1 for _ in _descendants(os.getpid())) > self.limits.processes:
            return End.PROCESSES
        return self.folder.exceeded(self.limits)

    def _read(self) -> bool:
        """Take what has been reported; False when nobody will report any more."""
        while True:
            try:
                piece = os.read(self.reading, 1 << 20)
            except BlockingIOError:
                return True
            if not piece:
                return False
            self.report += piece
            if len(self.report) > _LONGEST_REPORT:
                return True

    def _ask_where_it_is(self, descriptor: int) -> None:
        """Let the process write its stack, and end by it if it does not heed the signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + _LAST_CHANCE
        while time.monotonic() < deadline and not self.folder.frames():
            if select.select([descriptor], [], [], 0.01)[0]:
                return

    def _end_all(self) -> int:
        """End the process and all that it started; returns its exit status."""
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        end_descendants()
        return os.waitstatus_to_exitcode(status)


def end_descendants() -> None:
    """End whatever this process started or adopted."""
    while left := list(_descendants(os.getpid())):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _bury(but: int) -> None:
    """Let go of adopted processes that have ended: nobody else waits for them."""
    for pid in _children(os.getpid()):
        if pid != but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _descendants(pid: int) -> Iterator[int]:
    """The processes that a process started or adopted, and theirs."""
    waiting = [pid]
    while waiting:
        for each in _children(waiting.pop()):
            yield each
            waiting.append(each)


def _children(pid: int) -> Iterator[int]:
    """The processes that a process started or adopted (Linux: proc_pid_task(5))."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended
            yield from map(int, children.read_text(encoding="ascii").split())
