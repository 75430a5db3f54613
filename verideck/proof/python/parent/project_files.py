"""The files of a project that the parent looks at because a report, or the cache, names them.

A name is heeded only if it leads, through all links, to a regular file or a folder in the project,
and not into what git or verideck keeps there. Nothing else is opened, whatever a report says.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from verideck.proof.python.wire.messages import Claims, DependsOn, replace
from verideck.proof.python.wire.versions import ABSENT, claims, content
from verideck.storage.files import Lines, decoded
from verideck.storage.kept import FOLDER
from verideck.storage.reading import Limit, hash_of, read

_HIDDEN = frozenset({FOLDER, ".git"})
_SOURCE = ".py"


class ProjectFiles:
    """The files in one project's folder. What a name leads to is looked up once in a run."""

    def __init__(self, root: Path) -> None:
        """Look at nothing yet."""
        self._root = root
        self._folder = os.path.realpath(root)
        self._found: dict[str, Path | None] = {}

    def begin(self) -> None:
        """Begin a run: links may lead elsewhere now."""
        self._found.clear()

    def text(self, name: str) -> str:
        """The text of a regular file of the project; none of any other, or of too large a one."""
        file = self._inside(name)
        try:
            return "" if file is None else decoded(read(file, Limit.TEXT), "replace")
        except OSError:
            return ""

    def line(self, name: str, number: int) -> str | None:
        """A line of a regular file of the project; None of any other, and where there is none."""
        file = self._inside(name)
        try:
            return None if file is None else _lines(file, _stamp(file)).at(number)
        except OSError:
            return None

    def checked(self, found: DependsOn) -> DependsOn:
        """What a run depended on, without files that must not be looked at.

        If it names one of these, it is `unseen`: nobody could tell when it changes.
        """
        files = {name: known for name, known in found.files.items() if self._may_depend_on(name)}
        modules = {name: asked for name, asked in found.modules.items() if self._inside(name)}
        if len(files) == len(found.files) and len(modules) == len(found.modules):
            return found
        return replace(found, files=files, modules=modules, unseen=True)

    def are_as(self, files: Mapping[str, str], unlisted: str) -> bool:
        """Whether files and folders have the contents that are known by hash."""
        return all(
            (file := self._may_depend_on(name)) is not None and _content(file, unlisted) == known
            for name, known in files.items()
        )

    def offer_as(self, modules: Mapping[str, Claims]) -> bool:
        """Whether folders offer for some modules what they offered."""
        return all(
            (folder := self._inside(name)) is not None
            and tuple(claims(folder, set(asked.names))) == asked.found
            for name, asked in modules.items()
        )

    def _may_depend_on(self, name: str) -> Path | None:
        return self._inside(name) or self._looked_up(name, _library)

    def _inside(self, name: str) -> Path | None:
        return self._looked_up(name, self._resolved)

    def _looked_up(self, name: str, look: Callable[[str], Path | None]) -> Path | None:
        key = f"{look.__name__} {name}"
        if key not in self._found:
            try:
                self._found[key] = look(name)
            except (OSError, ValueError):  # a name that the system does not accept
                self._found[key] = None
        return self._found[key]

    def _resolved(self, name: str) -> Path | None:
        """The file or folder of the project that a name leads to, or a name in it that is free."""
        path = os.path.realpath(os.path.join(self._root, name))  # noqa: PTH118 - of every cached proof
        inside = path == self._folder or path.startswith(os.path.join(self._folder, ""))  # noqa: PTH118 - as above
        hidden = _HIDDEN.intersection(path[len(self._folder) :].split(os.sep))  # noqa: PTH206 - as above
        return Path(path) if inside and not hidden and _is_plain(path) else None


@lru_cache(maxsize=8)
def _lines(file: Path, stamp: tuple[int, ...]) -> Lines:
    """The lines of a file: a report names many. Raises OSError."""
    del stamp
    return Lines(decoded(read(file, Limit.TEXT), "replace"))


def _stamp(file: Path) -> tuple[int, ...]:
    """What changes when a file does."""
    seen = file.stat()
    return seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino


def _library(name: str) -> Path | None:
    """A module's file, outside of the project, in a folder from which this process imports, too."""
    path = os.path.realpath(name)
    folders = {os.path.realpath(each) for each in sys.path if os.path.isabs(each)}  # noqa: PTH117 - few, as text
    known = any(str(each) in folders for each in Path(path).parents)
    right = os.path.isabs(name) and path.endswith(_SOURCE) and known and os.path.isfile(path)  # noqa: PTH113, PTH117 - as above
    return Path(path) if right else None


def _content(file: Path, unlisted: str) -> str:
    """The hash of what a stored run read, as `versions.content` gives it."""
    try:
        return hash_of(file, Limit.DATA)
    except IsADirectoryError:
        return content(file, unlisted)
    except OSError:
        return ABSENT


def _is_plain(path: str) -> bool:
    """Whether a path is free, or that of a regular file or a folder: no device, and no pipe."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - of every cached proof
    except (FileNotFoundError, NotADirectoryError):
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
