"""What a run depended on, besides its own code: kept with its proof, and looked at again later."""

from __future__ import annotations

import contextlib
import os
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from verideck.proof.python.child import imports as modules_here
from verideck.proof.python.child.imports import INSTALLED, Imports, is_installed
from verideck.proof.python.wire import versions
from verideck.proof.python.wire.versions import claims, content, stamp

Seen = TypeVar("Seen")

_OPENS = {"open", "sqlite3.connect", "ctypes.dlopen"}
_LISTS = {"os.listdir", "os.scandir"}
_STARTS = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system",
    "subprocess.Popen", "cpython.PyInterpreterState_New",
}  # fmt: skip
"""What Python calls it when a process starts another one, or an interpreter inside of it."""
_LOOKS_FOR_MODULES = ("importlib.", "_frozen_importlib", versions.__name__)
"""Whoever lists folders only to find modules: which of them count, `Imports` knows better."""


class Dependencies:
    """Watches what a card's process opens and imports.

    A file is hashed when the card is over. It is the one that the card met if its stamp is still
    that of the first time it was opened; else the proof must not be kept.
    """

    def __init__(self, root: Path, own: set[str]) -> None:
        """Watch from now on; what is opened inside of the project is remembered.

        Python itself reads the card's `own` files to tell a line of them, which stands in the key.
        """
        self.root = root
        self._known = (str(root), *INSTALLED)
        self._own = own
        self._opened: dict[str, object] = dict(modules_here.outside())
        self._listed: dict[str, str] = {}
        self._unseen = False
        self._over = False
        sys.addaudithook(self._heard)
        with contextlib.suppress(ImportError):  # Windows has another door, and it tells
            import _posixsubprocess  # noqa: PLC0415

            _posixsubprocess.fork_exec = self._unheard(_posixsubprocess.fork_exec)

    def _unheard(self, starts: Callable[..., int]) -> Callable[..., int]:
        """What starts a program without an audit event: multiprocessing asks it directly."""

        def started(*arguments: object) -> int:
            self._unseen = True
            return starts(*arguments)

        return started

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._over:
            return
        if event in _OPENS:
            if arguments[0] in self._own and _opener() == tokenize.__name__:
                return
            self._opens(arguments[0])
        elif event in _LISTS:
            if not _opener().startswith(_LOOKS_FOR_MODULES):
                self._remember(self._named(arguments[0] or os.curdir), self._listed, content)
        elif event in _STARTS:
            self._unseen = True

    def _opens(self, path: object) -> None:
        name = self._named(path)
        if name not in self._opened and self._holds_files(name):
            self._unseen = True  # what is opened from there is told by no more than its own name
        else:
            self._remember(name, self._opened, stamp)

    def _named(self, path: object) -> str:
        """Where a file of that path is; nothing if it is open already, and has no path."""
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str | os.PathLike):
            return ""
        if str(path).startswith("file:"):  # to sqlite3 a path with options
            self._unseen = True
        name = os.path.abspath(path)  # noqa: PTH100 - called for every open
        # A link may lead into the project.
        return name if name.startswith(self._known) else os.path.realpath(name)

    def _holds_files(self, name: str) -> bool:
        """Whether a name is a folder of the project, or one above it."""
        root = str(self.root)
        near = name != "" and (name.startswith(root) or root.startswith(name))
        return near and Path(name).is_dir()

    def _remember(
        self, name: str, remembered: dict[str, Seen], look: Callable[[Path], Seen]
    ) -> None:
        mine = name.startswith(str(self.root))
        if name not in remembered and (mine or _is_loose_module(name)):
            remembered[name] = look(Path(name))

    def told(self, imports: Imports) -> dict[str, object]:
        """The project's files with their contents' hashes, and the distributions in use.

        Also which files could stand for the names that were asked for in imports; and whether
        something was read that nobody saw as it was.
        """
        self._over = True
        modules = set(modules_here.uninstalled())
        opened = {Path(name): seen for name, seen in self._opened.items()}
        listed = {Path(name): seen for name, seen in self._listed.items() if self._is_mine(name)}
        kept = {file: seen for file, seen in opened.items() if self._is_mine(file)}
        kept |= {file: seen for file, seen in opened.items() if file in modules}
        contents = {file: content(file) for file in [*kept, *modules, *listed]}
        asked = imports.asked()
        changed = (
            any(stamp(file) != seen for file, seen in kept.items())
            or any(contents[folder] != seen for folder, seen in listed.items())
            or any(claims(folder, names.keys()) != _all(names) for folder, names in asked.items())
        )
        for name in imports.sources.imported:  # what was imported before nobody asked for
            asked.setdefault(self.root, {}).setdefault(name, claims(self.root, {name}))
        return {
            "files": {
                imports.sources.name(file): hashed for file, hashed in sorted(contents.items())
            },
            "modules": {
                imports.sources.name(folder): [sorted(names), _all(names)]
                for folder, names in sorted(asked.items())
            },
            "loaded": modules_here.in_use(),
            "unseen": self._unseen or changed,
        }

    def _is_mine(self, file: Path | str) -> bool:
        file = Path(file)
        return file.is_relative_to(self.root) and not is_installed(file, self.root)


def _opener() -> str:
    """The module that opens or lists something, which is heard two frames above."""
    return str(sys._getframe(2).f_globals.get("__name__"))  # noqa: SLF001


def _is_loose_module(name: str) -> bool:
    """Whether a file is a module that no installation answers for."""
    return name.endswith(".py") and not name.startswith(INSTALLED)


def _all(names: dict[str, list[str]]) -> list[str]:
    return sorted(each for found in names.values() for each in found)
