"""The folder in a project's that verideck keeps things in: what is its own there, by name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from verideck.storage.folders import Folder, opened_folder
from verideck.storage.reading import UnusableFileError, kind_of

FOLDER = ".verideck"
"""The folder in the project's that holds the store and the build lock."""
FILE = "store.sqlite"
HELD = "building"
"""The file that a build holds."""
_DATABASE = (FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal")
"""The store, and what SQLite puts beside it."""
_MARKS = {
    ".gitignore": b"*\n",
    "CACHEDIR.TAG": b"Signature: 8a477f597d28d172789f06886806bc55\n",
}
"""What tells git and backups to leave the folder out, as other tools' caches do."""
_FORMER = ("proofs", "audits")
"""Folders in which the first edition kept what is in the store now."""


def require_own(folder: Path) -> None:
    """Raise UnusableFileError if the folder, or what is kept in it, is a link or no regular file.

    What cannot be reached, or is a file or a folder in the other's place, keeps nothing, and harms
    nobody.
    """
    every = (HELD, *_DATABASE, *_MARKS, *_FORMER)
    for path in (folder, *(folder / name for name in every)):
        if what := foreign(path):
            raise UnusableFileError(what, path, "remove it: verideck makes its own")


def foreign(path: Path) -> str:
    """What stands at a path that is neither a file nor a folder, as `a link`; empty otherwise."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return ""
    return kind_of(status)


def make_folder(folder: Path) -> None:
    """Make the folder, and mark it as what can be made again. Raises OSError."""
    require_own(folder)
    with opened_folder(folder, folder.parent, make=True) as made:
        for name, text in _MARKS.items():
            if made.status(name) is None:
                with suppress(FileExistsError):
                    _write(made, name, text)


def _write(folder: Folder, name: str, text: bytes) -> None:
    descriptor = folder.create(name)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


def forget(folder: Path) -> bool:
    """Remove all that verideck keeps but the build lock's file. Returns whether there was anything.

    What has another name stays, and no link is followed. Raises UnusableFileError, and removes
    nothing, if the folder or what is kept in it is a link or no regular file.
    """
    require_own(folder)
    try:
        with opened_folder(folder, folder.parent) as there:
            return any([*_forgotten_files(there), *_forgotten_folders(there)])
    except (FileNotFoundError, NotADirectoryError):
        return False


def remove_database(folder: Path) -> None:
    """Remove the store's file, and what SQLite has put beside it. Raises OSError."""
    with opened_folder(folder, folder.parent) as there:
        list(_forgotten_files(there))


def _forgotten_files(folder: Folder) -> Iterator[bool]:
    for name in _DATABASE:
        status = folder.status(name)
        if status is not None and stat.S_ISREG(status.st_mode):
            folder.remove(name)
            yield True


def _forgotten_folders(folder: Folder) -> Iterator[bool]:
    for name in _FORMER:
        status = folder.status(name)
        if status is not None and stat.S_ISDIR(status.st_mode):
            folder.remove_tree(name)
            yield True
