"""Executes cards in forks of a warm parent, several at a time: the client's side of `warm`."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Lock

from verideck.proof.python.parent import interpreter
from verideck.proof.python.wire import versions
from verideck.proof.python.wire.channel import Message, receive, send
from verideck.proof.python.wire.run import End, ExecutorError, Run, StoppedError
from verideck.proof.python.wire.scratch import remove, run_folder

_FAREWELL = 3
"""Seconds in which a warm parent ends its workers, before it is ended itself."""
_TRIES = 2
"""How many workers a card may lose: the first may have been the system's to kill."""


class Forks:
    """A warm parent, and workers that fork from it; each executes one card at a time."""

    is_here = True
    width = os.cpu_count() or 1

    def __init__(self, stop: Event, folder: Path | None = None) -> None:
        """Start nothing before it is needed; whoever ends last removes the folder of the run."""
        self._stop = stop
        self._folder = folder
        self._lock = Lock()
        self._parent: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._warmed: set[str] = set()
        self._idle: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._channels: set[socket.socket] = set()

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Have modules imported, while whoever asks goes on with something else."""
        with self._lock:
            control = self._started()
            fresh = [name for name in modules if name not in self._warmed]
            used = sorted({name for name in words if f"({name})" not in self._warmed})
            if fresh or used:
                self._warmed |= {*fresh, *(f"({name})" for name in used)}
                with contextlib.suppress(OSError):
                    send(control, {"import": fresh, "words": used})

    def run(self, request: Message) -> Run:
        """Execute one card, in a worker that has nothing else to do.

        A worker that is killed tells nothing of its card, which gets another one.
        """
        replies = (self._reply(request) for _ in range(_TRIES))
        reply = next(filter(None, replies), None)
        if reply is None:
            raise ExecutorError(
                f"the process that executes it was killed {_TRIES} times: by the card, or for "
                "want of memory"
            )
        if "refused" in reply:
            raise ExecutorError(f"it cannot be executed here: {reply['refused']}")
        return Run(
            tuple(reply["lines"]),
            End(reply["end"]),
            reply["how"],
            tuple((file, line) for file, line in reply["stack"]),
        )

    def _reply(self, request: Message) -> Message | None:
        """What a worker says of a card; None where it was killed."""
        channel = self._worker()
        reply: Message | None = None
        with contextlib.suppress(OSError):
            send(channel, request)
            reply = receive(channel)
        if self._stop.is_set():
            raise StoppedError
        if reply is None:
            self._forget(channel)
        else:
            self._idle.put(channel)
        return reply

    def close(self) -> None:
        """End the parent, its workers and what they run, and remove what they left."""
        with self._lock:
            for channel in [*self._channels, *filter(None, [self._control])]:
                with contextlib.suppress(OSError):
                    channel.shutdown(socket.SHUT_RDWR)
            self._end_parent()
            for channel in self._channels:
                channel.close()
            self._channels.clear()
            if self._folder:
                remove(self._folder)

    def _end_parent(self) -> None:
        if self._parent and self._control:
            with contextlib.suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)
            self._control.close()
            try:
                self._parent.wait(_FAREWELL)
            except subprocess.TimeoutExpired:
                self._parent.kill()
                self._parent.wait()
        self._parent = self._control = None

    def _worker(self) -> socket.socket:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        with self._lock:
            if self._stop.is_set():
                raise StoppedError
            try:
                channel = self._asked()
            except OSError:  # the parent was killed: another one, as cold as it is
                self._end_parent()
                channel = self._asked()
            self._channels.add(channel)
            return channel

    def _asked(self) -> socket.socket:
        """Have a worker forked from a parent that knows what there is to know."""
        control = self._started()
        if not self._channels:  # it is still importing: there is time to look
            send(control, {"packages": versions.packages()})
        return _ask_for_worker(control)

    def _forget(self, channel: socket.socket) -> None:
        with self._lock:
            self._channels.discard(channel)
            channel.close()

    def _started(self) -> socket.socket:
        if self._parent is None or self._control is None:
            self._folder = self._folder or run_folder()
            ours, theirs = socket.socketpair()
            with theirs:
                self._parent = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
                    interpreter.command("warm", str(theirs.fileno()), str(self._folder)),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=interpreter.to_fork_from(),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._control = ours
        return self._control


def _ask_for_worker(control: socket.socket) -> socket.socket:
    """Have another worker forked; returns the socket through which it is asked."""
    ours, theirs = socket.socketpair()
    with theirs:
        send(control, {"worker": True})
        socket.send_fds(control, [b"w"], [theirs.fileno()])
    return ours
