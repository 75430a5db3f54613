"""`multiprocessing` in a card's process: what it leaves in shared memory, and what cannot work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, NoReturn

from verideck.proof.python.child.failures import Refusal
from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_MOST_SENT = 256
"""Descriptors that a process keeps for others at once; a process may have 1024 of them."""


def on_import(made: Path, *, sandboxed: bool) -> dict[str, Callable[[Any], None]]:
    """By module of `multiprocessing`: what is done with it as soon as it is imported.

    What the card makes in shared memory is written into the file `made`, a name a line.
    """

    def note(name: str) -> None:
        with made.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{name.removeprefix('/')}\n")

    def shared_memory(module: Any) -> None:  # noqa: ANN401 - no annotations fit a patched module
        module._posixshmem = _Noting(module._posixshmem, note)  # noqa: SLF001

    def synchronize(module: Any) -> None:  # noqa: ANN401 - as above
        make = module.SemLock._make_name  # noqa: SLF001

        def named() -> str:
            name: str = make()
            note(f"sem.{name.removeprefix('/')}")
            return name

        module.SemLock._make_name = staticmethod(named)  # noqa: SLF001

    found: dict[str, Callable[[Any], None]] = {
        "multiprocessing.shared_memory": shared_memory,
        "multiprocessing.synchronize": synchronize,
        "multiprocessing.spawn": _refuse_spawn,
    }
    if sandboxed:
        found["multiprocessing.resource_sharer"] = _share_by_path
        found["multiprocessing.managers"] = _refuse_manager
    return found


class _Noting(ModuleType):
    """The module `_posixshmem`, with names noted of what is opened to be made."""

    def __init__(self, module: Any, note: Callable[[str], None]) -> None:  # noqa: ANN401 - of C
        super().__init__(module.__name__)
        self._opens, self._note = module.shm_open, note
        self.shm_unlink = module.shm_unlink

    def shm_open(self, path: str, flags: int, mode: int = 0o777) -> int:
        """Open shared memory, as the system does."""
        if flags & os.O_CREAT:
            self._note(path)
        opened: int = self._opens(path, flags, mode)
        return opened


def _refuse_spawn(module: Any) -> None:  # noqa: ANN401 - as above
    module.get_preparation_data = _refusing(
        "a card cannot spawn processes: each would execute the card's Markdown as Python",
        'fork them: multiprocessing.get_context("fork"), or start_method="fork"',
    )


def _refuse_manager(module: Any) -> None:  # noqa: ANN401 - as above
    module.BaseManager.start = _refusing(
        "a manager listens on a socket, and the sandbox of cards has none",
        "share by a Queue, a Pipe, a Value or an Array of multiprocessing",
    )


def _refusing(message: str, hint: str) -> Callable[..., NoReturn]:
    """What takes the place of a function that cannot work in a card."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise Refusal("exception-raised", message, hint)

    return refuse


class _Sent:
    """A descriptor that another process of the card opens by its path; no socket is needed.

    The sender keeps it open until it has sent many others.
    """

    kept: ClassVar[list[int]] = []

    def __init__(self, descriptor: int) -> None:
        import fcntl  # noqa: PLC0415 - not on Windows, where there is no sandbox

        copy = os.dup(descriptor)
        self.kept.append(copy)
        if len(self.kept) > _MOST_SENT:
            os.close(self.kept.pop(0))
        self._path = f"/proc/{os.getpid()}/fd/{copy}"
        self._mode = fcntl.fcntl(copy, fcntl.F_GETFL) & os.O_ACCMODE

    def detach(self) -> int:
        """The receiver's own descriptor."""
        return os.open(self._path, self._mode)


def _share_by_path(module: Any) -> None:  # noqa: ANN401 - as above
    module.DupFd = _Sent
