"""Executes cards in forks of a warm parent, several at a time: the client of `host.warm`."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import queue
import select
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event, Lock

from verideck.proof.python.parent import interpreter, needs
from verideck.proof.python.wire.channel import receive, send
from verideck.proof.python.wire.messages import (
    REPLY,
    STATE,
    Finished,
    KnowPackages,
    NewRun,
    NewWorker,
    Preload,
    Refused,
    Reply,
    Request,
)
from verideck.proof.python.wire.run import ExecutorError, StoppedError
from verideck.proof.python.wire.scratch import remove, run_folder

_GLANCE = 100
"""Milliseconds between two looks at whether the run is broken off."""
_FAREWELL = 3
"""Seconds in which a warm parent ends its workers, before it is ended itself."""
_BUSY = 1000
"""Milliseconds in which a warm parent answers that has nothing else to do."""
_OF_DISTRIBUTIONS = (".dist-info", ".egg-info")
_TRIES = 2
"""How many workers a card may lose: the system may have killed the first one."""


class Forks:
    """An engine (see `engine.Engine`): a warm parent, and workers that are forked from it.

    Each worker executes one card at a time. What is to be hashed by another seed is executed by an
    engine of its own, which is started when it is needed and ends with the run.
    """

    is_here = True
    width = os.cpu_count() or 1

    def __init__(
        self, root: Path, stop: Event, folder: Path | None = None, hash_seed: int = 0
    ) -> None:
        """Start nothing before it is needed. The folder takes what cards leave on the disk."""
        self._hash_seed = hash_seed
        self._others: dict[int, Forks] = {}
        """By hash seed: the engines of other ones."""
        self._root = root
        self._stop = stop
        self._folder = folder
        self._lock = Lock()
        self._closed = False
        self._parent: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._surroundings: object = None
        self._knows_packages = False
        self._modules: set[str] = set()
        self._words: set[str] = set()
        self._idle: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._channels: set[socket.socket] = set()
        self._current: set[socket.socket] = set()
        """The channels of workers that were forked after the last import."""

    def begin(self) -> None:
        """Begin a run; the warm parent is ended if a fork of it could give other results."""
        with self._lock:
            self._end_others()
            if self._parent and self._is_outdated():
                self._end_all()

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Have modules imported. Does not wait until they are."""
        with self._lock:
            control = self._started()
            fresh = tuple(name for name in modules if name not in self._modules)
            used = tuple(sorted(set(words) - self._words))
            self._words.update(used)
            if fresh:
                self._modules.update(fresh)
                self._current.clear()
            if fresh or used:
                with contextlib.suppress(OSError):
                    send(control, Preload(fresh, used))

    def run(self, request: Request) -> Finished:
        """Execute one card, in an idle worker.

        A card whose worker is killed is given another one.
        """
        if request.hash_seed != self._hash_seed:
            return self._other(request.hash_seed).run(request)
        for _ in range(_TRIES):
            match self._reply(request):
                case Finished() as finished:
                    return finished
                case Refused(why=why):
                    raise ExecutorError(f"it cannot be executed here: {why}")
        raise ExecutorError(
            f"the process that executes it was killed {_TRIES} times: by the card, or for "
            "want of memory"
        )

    def close(self) -> None:
        """End the parent, its workers and their cards, and remove their files."""
        with self._lock:
            self._closed = True
            self._end_others()
            self._end_all()

    def _other(self, hash_seed: int) -> Forks:
        """The engine of another hash seed, which has imported what this one has."""
        with self._lock:
            self._heed_stop()
            if hash_seed not in self._others:
                self._others[hash_seed] = Forks(self._root, self._stop, hash_seed=hash_seed)
            other, modules, words = self._others[hash_seed], tuple(self._modules), set(self._words)
        other.warm(modules, words)
        return other

    def _end_others(self) -> None:
        while self._others:
            _, other = self._others.popitem()
            other.close()

    def _is_outdated(self) -> bool:
        """Whether the warm parent has imported what a card would not find now."""
        claimed = needs.any_of_project(self._modules, self._root)
        return claimed or self._surroundings != _surroundings() or not self._is_current()

    def _is_current(self) -> bool:
        """Ask the warm parent whether the modules that it has imported are as they were."""
        assert self._control
        with contextlib.suppress(OSError):
            send(self._control, NewRun(len(self._channels)))
            if _readable(self._control, _BUSY):
                state = receive(self._control, STATE)
                return state is not None and not state.outdated
        return False

    def _reply(self, request: Request) -> Reply | None:
        """A worker's reply to a request; None if the worker was killed."""
        channel = self._worker()
        try:
            send(channel, request)
            while not _readable(channel, _GLANCE):
                self._heed_stop()
            reply = receive(channel, REPLY)
        except OSError:
            reply = None
        except StoppedError:
            self._forget(channel)
            raise
        if reply is None:
            self._forget(channel)
        else:
            self._idle.put(channel)
        self._heed_stop()
        return reply

    def _heed_stop(self) -> None:
        if self._stop.is_set() or self._closed:
            raise StoppedError

    def _worker(self) -> socket.socket:
        """The channel of an idle worker; of a new one, if none is idle that has all modules."""
        with self._lock:
            self._heed_stop()
            with contextlib.suppress(queue.Empty):
                while channel := self._idle.get_nowait():
                    if channel in self._current:
                        return channel
                    self._drop(channel)
            try:
                channel = self._new_worker()
            except OSError:  # the parent was killed: the next one has to import everything again
                self._end_parent()
                channel = self._new_worker()
            self._channels.add(channel)
            self._current.add(channel)
            return channel

    def _new_worker(self) -> socket.socket:
        """Have a worker forked; returns the channel to it."""
        control = self._started()
        if not self._knows_packages:  # it is still importing: there is time to look them up
            packages = importlib.metadata.packages_distributions()
            send(control, KnowPackages({name: tuple(of) for name, of in packages.items()}))
            self._knows_packages = True
        ours, theirs = socket.socketpair()
        with theirs:
            send(control, NewWorker())
            socket.send_fds(control, [b"w"], [theirs.fileno()])
        return ours

    def _forget(self, channel: socket.socket) -> None:
        with self._lock:
            self._drop(channel)

    def _drop(self, channel: socket.socket) -> None:
        """Close a channel: its worker ends."""
        self._channels.discard(channel)
        self._current.discard(channel)
        channel.close()

    def _started(self) -> socket.socket:
        """The control socket of the warm parent, which is started if there is none."""
        if self._closed:
            raise StoppedError
        if self._parent is None or self._control is None:
            self._folder = self._folder or run_folder()
            self._surroundings = _surroundings()
            self._knows_packages = False
            ours, theirs = socket.socketpair()
            with theirs:
                self._parent = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
                    interpreter.command("warm", str(theirs.fileno()), str(self._folder)),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=interpreter.to_fork_from(self._hash_seed),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._control = ours
        return self._control

    def _end_all(self) -> None:
        """End the warm parent, its workers and their cards, and remove the folder."""
        for channel in self._channels:  # a thread that waits for a reply closes its own
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(queue.Empty):
            while True:
                self._drop(self._idle.get_nowait())
        self._end_parent()
        if self._folder:
            remove(self._folder)
        self._folder = None

    def _end_parent(self) -> None:
        """End the warm parent; its workers end when their channels are closed."""
        if self._parent and self._control:
            self._control.close()
            try:
                self._parent.wait(_FAREWELL)
            except subprocess.TimeoutExpired:
                self._parent.kill()
                self._parent.wait()
        self._parent = self._control = None
        self._modules.clear()
        self._words.clear()


def _readable(channel: socket.socket, milliseconds: int) -> bool:
    """Whether something comes through a channel, or it is closed, within a time."""
    waiting = select.poll()
    waiting.register(channel, select.POLLIN)
    return bool(waiting.poll(milliseconds))


def _surroundings() -> object:
    """A value that changes with what is installed and with the variables of a warm parent."""
    return interpreter.to_fork_from(), sys.prefix, tuple(_installations())


def _installations() -> Iterator[tuple[str, int]]:
    """The folders that hold distributions, with the times of their last changes."""
    for folder in sys.path:
        with contextlib.suppress(OSError):
            if any(name.endswith(_OF_DISTRIBUTIONS) for name in os.listdir(folder)):  # noqa: PTH208 - many names
                yield folder, os.stat(folder).st_mtime_ns  # noqa: PTH116 - as above
