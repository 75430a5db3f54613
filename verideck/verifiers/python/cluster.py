"""Executes requests on a Dask cluster: the same engine, on machines that have the project sent.

Dask gives a task that was on a lost machine to another one. Nothing is taken for proven but what a
child reported.
"""

from __future__ import annotations

import hashlib
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from verideck.verifiers.python import imports
from verideck.verifiers.python.run import ExecutorError, Run, StoppedError
from verideck.verifiers.python.wire import Message

if TYPE_CHECKING:
    from verideck.verifiers.python.engine import Engine

SCHEME = "dask://"

_GLANCE = 0.2
"""Seconds between two looks at whether the run was broken off."""
_LARGEST = 50_000_000
"""Bytes of a project that are sent."""
_LEFT_AT_HOME = {"dist", "build", "__pycache__", "node_modules"}


class Cluster:
    """An engine (see `engine.Engine`) whose cards are executed elsewhere."""

    is_here = False

    def __init__(self, address: str, root: Path, stop: Event) -> None:
        """Connect to the scheduler at `dask://host:port`.

        Raises ExecutorError if there is none, or if it is not the same verideck.
        """
        self._stop = stop
        self._client = _connected(address)
        self._warmed: tuple[list[str], list[str]] = ([], [])
        files = _files(root)
        self._version = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        self._files = self._client.scatter(files, broadcast=False, hash=True)

    @property
    def width(self) -> int:
        """As many cards at a time as the cluster has threads."""
        threads: dict[str, int] = self._client.nthreads()
        return max(sum(threads.values()), 1)

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Remember what cards import: whoever executes the first one imports it."""
        for known, more in zip(self._warmed, (modules, words), strict=True):
            known.extend(each for each in more if each not in known)

    def run(self, request: Message) -> Run:
        """Execute one card, wherever there is room."""
        from distributed import TimeoutError as LateError  # noqa: PLC0415 - an extra

        future = self._client.submit(
            run_here, self._version, self._files, self._warmed, request, pure=False
        )
        while not self._stop.is_set():
            try:
                run: Run = future.result(timeout=_GLANCE)
            except (LateError, TimeoutError):
                continue
            except (Exception, CancelledError) as error:
                raise ExecutorError(f"the cluster lost this card: {error!r}") from error
            return run
        future.cancel()
        raise StoppedError

    def close(self) -> None:
        """Leave the cluster; what it still runs is cancelled."""
        self._client.close()


def _connected(address: str) -> Any:  # noqa: ANN401 - dask ships no annotations that help
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExecutorError("dask is not installed: pip install 'verideck[dask]'") from error
    try:
        connect: Any = Client  # untyped
        host, _, port = address.removeprefix(SCHEME).rpartition(":")
        socket.create_connection((host, int(port)), 10).close()  # dask would go on knocking
        client = connect(address.replace(SCHEME, "tcp://"), timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutorError(f"there is no Dask scheduler at {address}: {error}") from error
    ours = _identity()
    for worker, theirs in client.run(_identity).items():
        if theirs != ours:
            client.close()
            raise ExecutorError(f"{worker} has {theirs}, here is {ours}")
    return client


def _identity() -> str:
    return f"verideck {version('verideck')} on Python {sys.version.split()[0]}"


def _files(root: Path) -> dict[str, bytes]:
    """What snippets may import, include or read: the project without what is made from it."""
    files = {name: file.read_bytes() for name, file in _found(root.resolve())}
    size = sum(map(len, files.values()))
    if size > _LARGEST:
        raise ExecutorError(f"this project has {size:,} bytes; {_LARGEST:,} can be sent")
    return files


def _found(root: Path) -> Iterator[tuple[str, Path]]:
    for each in sorted(root.iterdir()):
        if each.name.startswith(".") or each.name in _LEFT_AT_HOME or each.is_symlink():
            continue
        if (each / "pyvenv.cfg").exists():
            continue
        if each.is_dir():
            yield from ((f"{each.name}/{name}", file) for name, file in _found(each))
        elif each.is_file():
            yield each.name, each


def run_here(
    version: str, files: dict[str, bytes], warmed: tuple[list[str], list[str]], request: Message
) -> Run:
    """Execute a card in a worker of the cluster. A machine keeps the project and its engine."""
    with _STARTING:
        root, engine = _started(version, _Files(files))
    engine.warm(*warmed)
    return engine.run({**request, "root": root})


_STARTING = Lock()


class _Files(dict[str, bytes]):
    """Files that the cache below tells apart by the version beside them."""

    def __hash__(self) -> int:  # type: ignore[override]
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Files)


@cache
def _started(version: str, files: _Files) -> tuple[str, Engine]:
    from verideck.verifiers.python import engine  # noqa: PLC0415 - which knows this module

    root = Path(tempfile.mkdtemp(prefix=f"verideck-{version[:8]}-")).resolve()
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    imports.packages()
    return str(root), engine.engine("", root, Event())
