"""What runs on the machines of a cluster: an engine for each run, on a copy of the project.

What comes and what goes is plain data, texts and bytes: requests and replies are our own JSON.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock

from verideck.proof.python.parent import local
from verideck.proof.python.parent.engine import Engine
from verideck.proof.python.wire.messages import (
    REQUEST,
    Finished,
    Refused,
    Request,
    encoded,
    replace,
)
from verideck.proof.python.wire.run import ExecutorError, StoppedError
from verideck.proof.python.wire.scratch import remove, run_folder

_ENGINES: dict[str, tuple[Path, Engine, Event]] = {}
"""By run: the project as it was sent, and what executes its cards."""
_ENDED: set[str] = set()
"""Runs that have ended: a task of theirs that comes late must not start anything."""
_STARTING = Lock()


def identity() -> str:
    """The versions that this machine executes cards with."""
    return _versions()


def _versions() -> str:
    return f"verideck {version('verideck')} on Python {sys.version.split()[0]}"


def run_here(
    run: str, files: Mapping[str, bytes], warmed: list[list[str]], request: bytes
) -> bytes:
    """Execute a card in a worker of the cluster, which keeps its engine until the run ends.

    Takes a `Request` and returns a `Reply`, as JSON. Raises StoppedError if the run has ended.
    """
    try:
        return encoded(_finished(run, files, warmed, REQUEST.from_text(request)))
    except ExecutorError as error:
        return encoded(Refused(str(error)))


def _finished(
    run: str, files: Mapping[str, bytes], warmed: list[list[str]], request: Request
) -> Finished:
    with _STARTING:
        if run in _ENDED:
            raise StoppedError
        if run not in _ENGINES:
            _ENGINES[run] = _started(files)
        root, engine, _ = _ENGINES[run]
    engine.warm(*warmed)
    finished = engine.run(replace(request, root=str(root)))
    # The stack names files of this machine; the project's are named as they are at home.
    stack = tuple((_moved(file, root, request.root), line) for file, line in finished.stack)
    return replace(finished, stack=stack)


def end_here(run: str) -> None:
    """End what a run executes in this worker, and remove its project."""
    with _STARTING:
        _ENDED.add(run)
        root, engine, stop = _ENGINES.pop(run, (None, None, None))
    if root and engine and stop:
        stop.set()
        engine.close()
        remove(root.parent)


def _moved(file: str, root: Path, there: str) -> str:
    """The path of a file of the project where the project came from."""
    inside = Path(file).is_relative_to(root)
    return str(Path(there, Path(file).relative_to(root))) if inside else file


def _started(files: Mapping[str, bytes]) -> tuple[Path, Engine, Event]:
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
    return root, local.opened("", root, stop, folder), stop


@atexit.register
def _leave() -> None:
    for run in list(_ENGINES):
        end_here(run)
