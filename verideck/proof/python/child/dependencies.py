"""What a run depends on besides its own code. It is stored with the proof and checked later."""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
import tokenize
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from verideck.proof.python.child import beside
from verideck.proof.python.child import imports as modules_here
from verideck.proof.python.child.imports import INSTALLED, Imports, is_installed
from verideck.proof.python.child.untouched import Untouched, use_own_builtins
from verideck.proof.python.wire import versions
from verideck.proof.python.wire.messages import MOST_FILES, NOT_ASKED, Claims, DependsOn
from verideck.proof.python.wire.versions import claims, content, stamp
from verideck.proof.sandbox.readable import is_hidden

use_own_builtins(globals())

Seen = TypeVar("Seen")

_OPENS = {"open", "sqlite3.connect", "ctypes.dlopen"}
_LISTS = {"os.listdir", "os.scandir"}
_STARTS = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system",
    "subprocess.Popen", "cpython.PyInterpreterState_New",
}  # fmt: skip
"""What Python calls it when a process starts another one, or an interpreter inside of it."""
_HEARD = _OPENS | _LISTS | _STARTS | beside.HEARD
_LOOKS_FOR_MODULES = ("importlib.", "_frozen_importlib", versions.__name__)
"""Modules that list folders only to find modules: `Imports` knows which of them count."""


class Dependencies:
    """Watches what a card's process opens and imports.

    A file is hashed when the card has ended. If its stamp is no longer that of the first time it
    was opened, the card may have read something else, and the proof must not be stored.
    """

    def __init__(self, root: Path, own: set[str], unlisted: str, *, sandboxed: bool) -> None:
        """Watch from now on; what is opened inside of the project is remembered.

        Python itself reads the card's `own` files to show a line of them; the code is part of the
        proof's key anyway. `unlisted` is a name that does not count in a folder. In the sandbox
        nothing depends on hidden files, which are not read.
        """
        self.root = root
        self._sandboxed = sandboxed
        self._content = partial(content, unlisted=unlisted)
        self._stamp = partial(stamp, unlisted=unlisted)
        self._known = (str(root), *INSTALLED)
        self._own = own
        self._opened: dict[str, object] = dict(modules_here.outside())
        self._listed: dict[str, str] = {}
        self._unseen = False
        self._over = False
        self._untouched = Untouched((builtins,))
        self._untouched.remember()
        self.on_event: Callable[[str, tuple[object, ...]], None] = lambda *_: None
        """Called with an event that may name something beside the note, before it happens."""
        sys.addaudithook(self._heard)
        with contextlib.suppress(ImportError):  # Windows has another door, and it tells
            import _posixsubprocess  # noqa: PLC0415

            _posixsubprocess.fork_exec = self._unheard(_posixsubprocess.fork_exec)

    def _unheard(self, starts: Callable[..., int]) -> Callable[..., int]:
        """Wrap a function that starts a program without an audit event, as multiprocessing does."""

        def started(*arguments: object) -> int:
            self._unseen = True
            return starts(*arguments)

        return started

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._over or event not in _HEARD:
            return
        with self._untouched:  # this may be in the midst of the author's code
            if event in beside.HEARD:
                self.on_event(event, arguments)
            self._note(event, arguments)

    def read(self, file: Path) -> None:
        """Remember a file of the project, or a folder whose names count, that the card may read."""
        if file.is_dir():
            self._remember(str(file), self._listed, self._content)
        else:
            self._remember_file(str(file))

    def _remember_file(self, name: str) -> None:
        if not (self._sandboxed and is_hidden(name, str(self.root))):
            self._remember(name, self._opened, self._stamp)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _OPENS:
            if arguments[0] in self._own and _opener() == tokenize.__name__:
                return
            self._opens(arguments[0])
        elif event in _LISTS:
            if not _opener().startswith(_LOOKS_FOR_MODULES):
                self._remember(self._named(arguments[0] or os.curdir), self._listed, self._content)
        elif event in _STARTS:
            self._unseen = True

    def _opens(self, path: object) -> None:
        name = self._named(path)
        if name not in self._opened and self._holds_files(name):
            self._unseen = True  # what is opened below it has no event with the whole path
        else:
            self._remember_file(name)

    def _named(self, path: object) -> str:
        """The absolute path of a file; empty if it is a descriptor."""
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

    def found(self, imports: Imports) -> DependsOn:
        """All that the run depended on. Watching ends."""
        self._over = True
        modules = set(modules_here.uninstalled())
        opened = {Path(name): seen for name, seen in self._opened.items()}
        listed = {Path(name): seen for name, seen in self._listed.items() if self._is_mine(name)}
        mine = {
            file: seen for file, seen in opened.items() if file in modules or self._is_mine(file)
        }
        contents = {file: self._content(file) for file in [*mine, *modules, *listed]}
        asked = imports.asked()
        changed = (
            any(self._stamp(file) != seen for file, seen in mine.items())
            or any(contents[folder] != seen for folder, seen in listed.items())
            or any(claims(folder, names.keys()) != _all(names) for folder, names in asked.items())
        )
        for name in imports.sources.imported:  # no finder is asked for what is imported already
            asked.setdefault(self.root, {}).setdefault(name, claims(self.root, {name}))
        if max(len(contents), len(asked), *map(len, asked.values()), 0) > MOST_FILES:
            return NOT_ASKED
        return DependsOn(
            files={imports.sources.name(file): hashed for file, hashed in sorted(contents.items())},
            modules={
                imports.sources.name(folder): Claims(tuple(sorted(names)), tuple(_all(names)))
                for folder, names in sorted(asked.items())
            },
            loaded=tuple(modules_here.in_use(imports.sources.imported)),
            unseen=self._unseen or changed,
        )

    def _is_mine(self, file: Path | str) -> bool:
        file = Path(file)
        return file.is_relative_to(self.root) and not is_installed(file, self.root)


def _opener() -> str:
    """The module that opens or lists something: it is the caller of the audit hook."""
    return str(sys._getframe(3).f_globals.get("__name__"))  # noqa: SLF001


def _is_loose_module(name: str) -> bool:
    """Whether a file is a module outside of every installation."""
    return name.endswith(".py") and not name.startswith(INSTALLED)


def _all(names: dict[str, list[str]]) -> list[str]:
    return sorted(each for found in names.values() for each in found)
