"""Executes requests on a Dask cluster: the same engine, on machines that have the project sent.

Dask gives a task that was on a lost machine to another one. Nothing is taken for proven but what a
card's own process reported.
"""

from __future__ import annotations

import atexit
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from verideck.proof.python.wire.channel import Message
from verideck.proof.python.wire.run import ExecutorError, NobodyError, Run, StoppedError
from verideck.proof.python.wire.scratch import remove, run_folder
from verideck.proof.sandbox.kernel import extra

if TYPE_CHECKING:
    from verideck.proof.python.parent.engine import Engine

SCHEME = "dask://"

_PATIENCE = 8
"""Seconds in which a scheduler answers."""
_GLANCE = 0.2
"""Seconds between two looks at whether the run was broken off."""
_LARGEST = 50_000_000
"""Bytes of a project that are sent."""
_LEFT_AT_HOME = {"dist", "build", "__pycache__", "node_modules"}


class _LostError(ExecutorError):
    """A card was on a machine that is gone, or its project was."""


class Cluster:
    """An engine (see `engine.Engine`) whose cards are executed elsewhere."""

    is_here = False

    def __init__(self, address: str, root: Path, stop: Event) -> None:
        """Take the scheduler's address, `dask://host:port`."""
        self._address = address
        self._root = root.resolve()
        self._stop = stop
        self._lock = Lock()
        self._client: Any = None
        self._failed = ""
        self._files: Any = None
        self._run = uuid4().hex
        """Names the engines that this run starts, so that they end with it."""
        self._warmed: tuple[dict[str, None], dict[str, None]] = ({}, {})

    @property
    def width(self) -> int:
        """As many cards at a time as the cluster has threads."""
        try:
            threads: dict[str, int] = self._connected().nthreads()
        except ExecutorError:
            return 1
        return max(sum(threads.values()), 1)

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Remember what cards import: whoever executes the first one imports it."""
        for known, more in zip(self._warmed, (modules, words), strict=True):
            known.update(dict.fromkeys(more))

    def run(self, request: Message) -> Run:
        """Execute one card, wherever there is room; twice, if a machine was lost in between."""
        files = self._sent()
        try:
            return self._run_with(files, request)
        except _LostError:
            return self._run_with(self._sent(instead_of=files), request)

    def _sent(self, instead_of: object = None) -> object:
        """The project on the cluster; anew, if the only machine that had it may be gone."""
        client = self._connected()
        with self._lock:
            if self._files is instead_of:
                files = dict(_files(self._root))
                self._files = client.scatter(files, hash=False, broadcast=True)
            return self._files

    def _run_with(self, files: object, request: Message) -> Run:
        warmed = [list(each) for each in self._warmed]
        client = self._connected()
        future = client.submit(run_here, self._run, files, warmed, request, pure=False)
        # Dask's own waiting loses a result that comes while its time runs out: it is asked once.
        done = Event()
        future.add_done_callback(lambda _: done.set())
        while not self._stop.is_set():
            if not done.wait(_GLANCE):
                continue
            try:
                run: Run = future.result()
            except ExecutorError:
                raise
            except Exception as error:
                if self._stop.is_set():
                    break
                raise _LostError(f"the cluster lost this card: {error!r}") from error
            return run
        raise StoppedError

    def close(self) -> None:
        """End what the cluster still runs of this, and leave it."""
        with self._lock:
            if self._client is not None:
                self._client.run(end_here, self._run, on_error="ignore")
                self._client.close()
                self._client = None

    def _connected(self) -> Any:  # noqa: ANN401 - Dask's client is untyped
        with self._lock:
            if self._stop.is_set():
                raise StoppedError
            if self._failed:
                raise NobodyError(self._failed)
            if self._client is None:
                try:
                    files = dict(_files(self._root))
                    self._client = connected(self._address)
                except ExecutorError as error:
                    self._failed = str(error)
                    raise NobodyError(self._failed) from error
                self._files = self._client.scatter(files, hash=True, broadcast=True)
            return self._client


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
    others = [f"{worker} has {has}" for worker, has in identities.items() if has != _identity()]
    if others or not identities:
        client.close()
        address = address.replace(SCHEME, "tcp://")
        nobody = (
            f"the Dask scheduler at {address} has no workers: start one by dask worker {address}"
        )
        raise ExecutorError(f"{others[0]}, here is {_identity()}" if others else nobody)
    return client


def identity() -> str:
    """What a machine would execute cards with."""
    return _identity()


def _identity() -> str:
    return f"verideck {version('verideck')} on Python {sys.version.split()[0]}"


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    """What snippets may import, include or read: the project without what is made from it."""
    size = 0
    for name, file in _found(root):
        content = file.read_bytes()
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


# What follows runs on the cluster's machines.

_ENGINES: dict[str, tuple[Path, Engine, Event]] = {}
"""By run: the project as it was sent, and who executes its cards."""
_ENDED: set[str] = set()
"""Runs of which a late task must not start anything again."""
_STARTING = Lock()


def run_here(
    run: str, files: Mapping[str, bytes], warmed: list[list[str]], request: Message
) -> Run:
    """Execute a card in a worker of the cluster, which keeps its engine until the run ends."""
    with _STARTING:
        if run in _ENDED:
            raise StoppedError
        if run not in _ENGINES:
            _ENGINES[run] = _started(files)
        root, engine, _ = _ENGINES[run]
    engine.warm(*warmed)
    found = engine.run({**request, "root": str(root)})
    # A stack is told in files of this machine; whoever asked knows those of theirs.
    stack = [(_moved(file, root, request["root"]), line) for file, line in found.stack]
    return replace(found, stack=tuple(stack))


def _moved(file: str, root: Path, there: str) -> str:
    """The file of a project as it is called where the project came from."""
    inside = Path(file).is_relative_to(root)
    return str(Path(there, Path(file).relative_to(root))) if inside else file


def end_here(run: str) -> None:
    """End what a run still executes in this worker, and forget its project."""
    with _STARTING:
        _ENDED.add(run)
        root, engine, stop = _ENGINES.pop(run, (None, None, None))
    if root and engine and stop:
        stop.set()
        engine.close()
        remove(root.parent)


def _started(files: Mapping[str, bytes]) -> tuple[Path, Engine, Event]:
    from verideck.proof.python.parent import engine  # noqa: PLC0415 - which knows this module

    folder = run_folder()
    root = folder / "project"
    try:
        root.mkdir()
        for name, content in files.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        remove(folder)
        raise ExecutorError(f"the project cannot be written on this machine: {error}") from error
    stop = Event()
    return root, engine.engine("", root, stop, folder), stop


@atexit.register
def _leave() -> None:
    for run in list(_ENGINES):
        end_here(run)
