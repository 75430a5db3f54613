"""Executes requests (see `child`), several at a time.

In forks of a warm parent where this system forks safely, else each in an interpreter of its own; or
on a cluster.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Lock
from typing import Protocol

from verideck.verifiers.python import imports, spawned, warm, world
from verideck.verifiers.python.cluster import Cluster
from verideck.verifiers.python.run import End, Run, StoppedError
from verideck.verifiers.python.wire import Message, receive, send

_FAREWELL = 3
"""Seconds in which a warm parent ends its workers, before it is ended itself."""


class Engine(Protocol):
    """Whatever executes cards."""

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""

    @property
    def is_here(self) -> bool:
        """Whether cards are executed on this machine."""

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Get ready for cards that import these modules and use these words."""

    def run(self, request: Message) -> Run:
        """Execute one card.

        Raises StoppedError when the whole run is being broken off, ExecutorError when there is
        nobody to execute the card.
        """

    def close(self) -> None:
        """End whatever runs."""


def engine(executor: str, root: Path, stop: Event) -> Engine:
    """Whoever an executor's name means: `fork`, `spawn` or a cluster's address.

    By default, forks on Linux; on macOS a fork of a process that has used its libraries is not
    safe, on Windows there is none.
    """
    if "://" in executor:
        return Cluster(executor, root, stop)
    forks = executor == "fork" or (not executor and sys.platform == "linux")
    return Forks(stop) if forks else Spawns(stop)


class _Here:
    """What is executed on this machine."""

    is_here = True
    width = os.cpu_count() or 1


class Spawns(_Here):
    """A fresh interpreter for every card: slower, and the same results."""

    def __init__(self, stop: Event) -> None:
        """End what runs when `stop` is set."""
        self._stop = stop

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Every interpreter starts cold."""

    def run(self, request: Message) -> Run:
        """Execute one card."""
        return spawned.run(request, self._stop)

    def close(self) -> None:
        """Nothing outlives its card."""


class Forks(_Here):
    """A warm parent, and workers that fork from it; each executes one card at a time."""

    def __init__(self, stop: Event) -> None:
        """Start nothing before it is needed."""
        self._stop = stop
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
            rehearsals = [name for name in warm.REHEARSALS if name in words]
            fresh_rehearsals = [name for name in rehearsals if f"({name})" not in self._warmed]
            if fresh or fresh_rehearsals:
                self._warmed |= {*fresh, *(f"({name})" for name in fresh_rehearsals)}
                with contextlib.suppress(OSError):
                    send(control, {"import": fresh, "rehearse": fresh_rehearsals})

    def run(self, request: Message) -> Run:
        """Execute one card, in a worker that has nothing else to do."""
        channel = self._worker()
        reply: Message | None = None
        with contextlib.suppress(OSError):
            send(channel, request)
            reply = receive(channel)
        if self._stop.is_set():
            raise StoppedError
        if reply is None:
            self._forget(channel)
            return Run((), End.BY_ITSELF, "its worker was killed")
        self._idle.put(channel)
        return Run(
            tuple(reply["lines"]),
            End(reply["end"]),
            reply["how"],
            tuple((file, line) for file, line in reply["stack"]),
        )

    def close(self) -> None:
        """End the parent, its workers and what they run."""
        with self._lock:
            for channel in [*self._channels, *filter(None, [self._control])]:
                with contextlib.suppress(OSError):
                    channel.shutdown(socket.SHUT_RDWR)
            self._end_parent()
            for channel in self._channels:
                channel.close()
            self._channels.clear()

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
            send(control, {"packages": imports.packages()})
        return warm.ask_for_worker(control)

    def _forget(self, channel: socket.socket) -> None:
        with self._lock:
            self._channels.discard(channel)
            channel.close()

    def _started(self) -> socket.socket:
        if self._parent is None or self._control is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._parent = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
                    world.interpreter(warm, str(theirs.fileno())),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=world.environment(),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._control = ours
        return self._control
