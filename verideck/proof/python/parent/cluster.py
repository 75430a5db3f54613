"""Executes requests on a Dask cluster: the project is sent to its machines (see `cluster_worker`).

Dask itself unpickles what its scheduler sends: whoever names a scheduler trusts it like a program
that they run. So only the caller names one (see `caller`). What we send and believe is plain data:
a reply is our own JSON, which is validated like that of a process here.

Dask gives a task that was on a lost machine to another one. A card is proved by the report of its
own process and by nothing else.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event, Lock
from typing import Any
from uuid import uuid4

from verideck.proof.python.parent.cluster_worker import end_here, identity, run_here
from verideck.proof.python.wire.messages import REPLY, Finished, Refused, Request, encoded
from verideck.proof.python.wire.run import ExecutorError, NobodyError, StoppedError
from verideck.proof.sandbox.kernel import extra
from verideck.storage.reading import Limit, read

SCHEME = "dask://"

_PATIENCE = 8
"""Seconds in which a scheduler answers."""
_GLANCE = 0.2
"""Seconds between two looks at whether the run is broken off."""
_LARGEST = 50_000_000
"""Bytes of a project that are sent."""
_LEFT_AT_HOME = {"dist", "build", "__pycache__", "node_modules"}


class _LostError(ExecutorError):
    """The machine that executed a card, or that held its project, is gone."""


class Cluster:
    """An engine (see `engine.Engine`) that executes cards on other machines.

    It stays connected between runs. Each run sends the project anew, and starts new engines on the
    machines: what is installed there cannot be watched from here.
    """

    is_here = False

    def __init__(self, address: str, root: Path, stop: Event) -> None:
        """Take the scheduler's address, `dask://host:port`. Connects when it is needed."""
        self._address = address
        self._root = root.resolve()
        self._stop = stop
        self._lock = Lock()
        self._client: Any = None
        self._failed = ""
        self._files: Any = None
        self._run = uuid4().hex
        """Names the engines on the machines, so that they end with the run."""
        self._closed = False
        self._warmed: tuple[dict[str, None], dict[str, None]] = ({}, {})

    @property
    def width(self) -> int:
        """As many cards at a time as the cluster has threads."""
        try:
            threads: dict[str, int] = self._connected().nthreads()
        except (ExecutorError, StoppedError):
            return 1
        return max(sum(threads.values()), 1)

    def begin(self) -> None:
        """Begin a run: the engines of the last one end, and the project is sent anew."""
        with self._lock:
            self._failed = ""
            self._end_run()

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Remember what cards import: a machine imports it before its first card."""
        for warmed, more in zip(self._warmed, (modules, words), strict=True):
            warmed.update(dict.fromkeys(more))

    def run(self, request: Request) -> Finished:
        """Execute one card, on any machine; again, if its machine was lost."""
        name, files = self._sent()
        try:
            return self._run_with(name, files, request)
        except _LostError:
            return self._run_with(*self._sent(instead_of=files), request)

    def close(self) -> None:
        """End what the cluster executes for this engine, and disconnect."""
        with self._lock:
            self._closed = True
            self._end_run()
            if self._client is not None:
                self._client.close()
                self._client = None

    def _end_run(self) -> None:
        if self._client is not None and self._files is not None:
            self._client.run(end_here, self._run, on_error="ignore")
        self._files = None
        self._run = uuid4().hex

    def _sent(self, instead_of: object = None) -> tuple[str, object]:
        """The run's name and its project on the cluster; sent again if that may be lost."""
        client = self._connected()
        with self._lock:
            if self._files is None or self._files is instead_of:
                files = dict(_files(self._root))
                # Dask would take the names of a mapping, or a hash, for the same data as before.
                (self._files,) = client.scatter([files], hash=False, broadcast=True)
            return self._run, self._files

    def _run_with(self, name: str, files: object, request: Request) -> Finished:
        warmed = [list(each) for each in self._warmed]
        client = self._connected()
        future = client.submit(run_here, name, files, warmed, encoded(request), pure=False)
        # Dask's own waiting loses a result that comes while its time runs out: it is asked once.
        done = Event()
        future.add_done_callback(lambda _: done.set())
        while not self._is_stopped():
            if not done.wait(_GLANCE):
                continue
            try:
                reply = future.result()
            except Exception as error:
                if self._is_stopped():
                    break
                raise _LostError(f"the cluster lost this card: {error!r}") from error
            if self._is_stopped():
                break
            return _finished(reply)
        with self._lock:
            if name == self._run:  # the first card that stops ends the others too
                self._end_run()
        raise StoppedError

    def _is_stopped(self) -> bool:
        return self._stop.is_set() or self._closed

    def _connected(self) -> Any:  # noqa: ANN401 - Dask's client is untyped
        with self._lock:
            if self._is_stopped():
                raise StoppedError
            if self._failed:
                raise NobodyError(self._failed)
            if self._client is None:
                try:
                    dict(_files(self._root))  # a project that is too large is told before
                    self._client = connected(self._address)
                except ExecutorError as error:
                    self._failed = str(error)
                    raise NobodyError(self._failed) from error
            return self._client


def _finished(reply: object) -> Finished:
    """What a machine replies. Raises ExecutorError if it says why not, or what is no reply."""
    try:
        message = REPLY.from_text(reply) if isinstance(reply, bytes) else None
    except ValueError:
        message = None
    match message:
        case Finished():
            return message
        case Refused(why=why):
            raise ExecutorError(why)
    raise ExecutorError("the cluster replied what no verideck replies")


def connected(address: str) -> Any:  # noqa: ANN401 - Dask's client is untyped
    """Connect to the scheduler at an address.

    Raises ExecutorError if there is none, if it has no workers, or if one of them would give other
    proofs than this machine.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExecutorError(f"dask is not installed, {extra('dask')}") from error
    connect: Any = Client
    host, _, port = address.removeprefix(SCHEME).rpartition(":")
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()  # Dask would insist
        client = connect(address.replace(SCHEME, "tcp://"), timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutorError(f"there is no Dask scheduler at {address}") from error
    identities: dict[str, str] = client.run(identity)
    here = identity()
    others = [f"{worker} has {there}" for worker, there in identities.items() if there != here]
    if others or not identities:
        client.close()
        address = address.replace(SCHEME, "tcp://")
        nobody = (
            f"the Dask scheduler at {address} has no workers: start one by dask worker {address}"
        )
        raise ExecutorError(f"{others[0]}, here is {here}" if others else nobody)
    return client


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    """The files that snippets may import, include or read, without what is made from them."""
    size = 0
    for name, file in _found(root):
        content = read(file, Limit.DATA, (root,))
        size += len(content)
        if size > _LARGEST:
            raise ExecutorError(f"this project has more than the {_LARGEST:,} bytes that are sent")
        yield name, content


def _found(folder: Path) -> Iterator[tuple[str, Path]]:
    for each in sorted(folder.iterdir()):
        hidden = each.name.startswith(".") or each.name in _LEFT_AT_HOME or each.is_symlink()
        if hidden or (each / "pyvenv.cfg").exists():
            continue
        if each.is_dir():
            yield from ((f"{each.name}/{name}", file) for name, file in _found(each))
        elif each.is_file():
            yield each.name, each
