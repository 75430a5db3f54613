"""Forks a process for one card after the other, watches it, and ends it with all that it started.

Runs in a fork of the warm parent. It adopts the processes that a card leaves behind, daemons too,
so that none of them outlives the card.
"""

from __future__ import annotations

import contextlib
import os
import resource  # noqa: F401 - for `process_env.limit`, so that no fork imports it
import select
import signal
import socket
import time
import traceback
from pathlib import Path

from verideck.proof.python.child import child, process_env
from verideck.proof.python.wire import descendants
from verideck.proof.python.wire.channel import receive, send
from verideck.proof.python.wire.messages import (
    REQUEST,
    Finished,
    Limits,
    Refused,
    Reply,
    Request,
    longest_report,
)
from verideck.proof.python.wire.process import LAST_CHANCE
from verideck.proof.python.wire.run import End, StoppedError, complete_lines, how
from verideck.proof.python.wire.scratch import Scratch, scratch
from verideck.proof.sandbox import kernel

_GLANCE = 0.05
"""Seconds between two looks at the limits."""


def serve(channel: socket.socket, folder: Path) -> None:
    """Execute the requests that come through a channel, in a folder, until the channel is closed.

    If the system refuses something to this process, and not to the card, the reply says so.
    """
    descendants.adopt()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while request := receive(channel, REQUEST):
        try:
            reply: Reply = execute(request, channel, folder)
        except StoppedError:
            return
        except OSError as error:
            descendants.end_own()
            reply = Refused(f"{type(error).__name__}: {error}")
        try:
            send(channel, reply)
        except OSError:  # the other side is gone
            return


def execute(request: Request, channel: socket.socket, beneath: Path) -> Finished:
    """Execute one card in a fork. Raises StoppedError if the channel is closed meanwhile."""
    if request.sandbox:
        kernel.survey(Path(request.root))
    with scratch(beneath) as folder:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            channel.close()
            _be(request, writing, folder)
        os.close(writing)
        watch = _Watch(pid, reading, channel.fileno(), folder, request.limits)
        try:
            end, status = watch.until_the_end()
        finally:
            os.close(reading)
            if request.may_share:
                folder.remove_shared()
        return Finished(
            lines=() if end is End.REPORT else complete_lines(bytes(watch.report)),
            end=end,
            how=how(status, folder.last_words()),
            stack=folder.frames(),
            sandbox=kernel.available(asked=request.sandbox),
            **folder.said(),
        )


def _be(request: Request, writing: int, folder: Scratch) -> None:
    """Be the card's process; never returns."""
    try:
        os.setsid()
        child.run(request, process_env.report_on(writing), folder)
    except BaseException:  # noqa: BLE001 - it is on standard error, and the report has no epilogue
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
        os._exit(1)
    child.leave()


class _Watch:
    """The process of a card and its descendants."""

    def __init__(
        self, pid: int, reading: int, channel: int, folder: Scratch, limits: Limits
    ) -> None:
        self.pid = pid
        self.reading = reading
        self.channel = channel
        self.folder = folder
        self.limits = limits
        self.report = bytearray()
        self._longest = longest_report(limits)
        os.set_blocking(reading, False)

    def until_the_end(self) -> tuple[End, int]:
        """Wait for the process, or end it; returns how it ended, and its exit status.

        Raises StoppedError if the channel is closed meanwhile.
        """
        descriptor = os.pidfd_open(self.pid)
        try:
            end = self._ended(descriptor)
            if end is not End.BY_ITSELF:
                self._ask_for_stack(descriptor)
        finally:
            status = self._end_all()
            os.close(descriptor)
        self._read()
        return End.REPORT if len(self.report) > self._longest else end, status

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
        if len(self.report) > self._longest:
            return End.REPORT
        descendants.bury(but=self.pid)
        if sum(1 for _ in descendants.of(os.getpid())) > self.limits.processes:
            return End.PROCESSES
        return self.folder.exceeded(self.limits)

    def _read(self) -> bool:
        """Read what has been reported; False at the end of the report."""
        while True:
            try:
                piece = os.read(self.reading, 1 << 20)
            except BlockingIOError:
                return True
            if not piece:
                return False
            self.report += piece
            if len(self.report) > self._longest:
                return True

    def _ask_for_stack(self, descriptor: int) -> None:
        """Have the process write its stack; it may also end by the signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + LAST_CHANCE
        while time.monotonic() < deadline and not self.folder.frames():
            if select.select([descriptor], [], [], 0.01)[0]:
                return

    def _end_all(self) -> int:
        """End the process and all that it started; returns its exit status."""
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        descendants.end_own()
        return os.waitstatus_to_exitcode(status)
