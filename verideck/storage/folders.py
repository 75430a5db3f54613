"""Folders that are open: what is done in one is done there, whatever its path leads to by then."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verideck.storage.reading import UnusableFileError, flags, kind_of

_FOLDER = (flags("O_PATH") or os.O_RDONLY) | flags("O_DIRECTORY", "O_CLOEXEC")
_NEW = flags("O_WRONLY", "O_CREAT", "O_EXCL", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
_FORMER = flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. Names in it are never followed where they are links."""

    path: Path
    descriptor: int | None
    """None where the system opens no folders, as Windows: then all goes by the path."""

    def status(self, name: str) -> os.stat_result | None:
        """What stands under a name; None if nothing does."""
        try:
            return os.stat(self._named(name), **self._here(), follow_symlinks=False)  # noqa: PTH116 - in an open folder
        except FileNotFoundError:
            return None

    def create(self, name: str) -> int:
        """Open a new file for writing. Raises OSError if there is anything under the name."""
        return os.open(self._named(name), _NEW, 0o666, **self._here())

    def open(self, name: str) -> int:
        """Open a regular file for reading. Raises OSError for anything else."""
        return os.open(self._named(name), _FORMER, **self._here())

    def rename(self, old: str, new: str) -> None:
        """Give a file the name of another, in whose place it is then."""
        if self.descriptor is None:
            (self.path / old).replace(self.path / new)
        else:
            os.replace(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, or a link itself; nothing happens if there is none."""
        with suppress(FileNotFoundError):
            os.unlink(self._named(name), **self._here())

    def remove_tree(self, name: str) -> None:
        """Remove a folder and what is below it, and nothing that a link leads to."""
        shutil.rmtree(self._named(name), ignore_errors=True, **self._here())

    def names(self) -> list[str]:
        """All names in the folder."""
        if self.descriptor is None:
            return os.listdir(self.path)  # noqa: PTH208 - as below
        with self._readable() as descriptor:
            return os.listdir(descriptor)  # noqa: PTH208 - as below

    def sync(self) -> None:
        """Write the names to the disk: `fsync` of a file does not write its name."""
        with suppress(OSError), self._readable() as descriptor:  # not every system or disk can
            os.fsync(descriptor)

    def inner(self, name: str, *, make: bool) -> Folder:
        """Open a folder in this one, which may be made. Raises OSError, also if it is a link."""
        status = self.status(name)
        if status is None and make:
            with suppress(FileExistsError):
                os.mkdir(self._named(name), **self._here())  # noqa: PTH102 - in an open folder
            status = self.status(name)
        path = self.path / name
        if status and not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            raise UnusableFileError(kind_of(status), path, "put a folder in its place")
        if self.descriptor is None:
            if status is None or not path.is_dir():
                raise NotADirectoryError(20, "Not a directory", str(path))
            return Folder(path, None)
        return Folder(path, os.open(name, _FOLDER | flags("O_NOFOLLOW"), **self._here()))

    def close(self) -> None:
        """Let go of the folder."""
        if self.descriptor is not None:
            os.close(self.descriptor)

    def _named(self, name: str) -> str:
        return name if self.descriptor is not None else str(self.path / name)

    def _here(self) -> dict[str, Any]:
        return {} if self.descriptor is None else {"dir_fd": self.descriptor}

    @contextmanager
    def _readable(self) -> Iterator[int]:
        descriptor = os.open(self._named("."), os.O_RDONLY, **self._here())
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def opened_folder(path: Path, root: Path, *, make: bool = False) -> Iterator[Folder]:
    """A folder of a project, to which no link leads from the project's own folder `root`.

    A folder elsewhere is named by the caller, and links to it are followed. With `make`, folders
    that are missing are made. Raises OSError, where a link or no folder is in the way.
    """
    named, start = (Path(os.path.abspath(each)) for each in (path, root))  # noqa: PTH100 - keeps links
    parts: tuple[str, ...] = ()
    if named.is_relative_to(start):
        parts = named.relative_to(start).parts
    else:
        start = named
        if make:
            named.mkdir(parents=True, exist_ok=True)
    opened = os.open in os.supports_dir_fd
    folder = Folder(start, os.open(start, _FOLDER) if opened else None)
    try:
        for part in parts:
            outer, folder = folder, folder.inner(part, make=make)
            outer.close()
        yield folder
    finally:
        folder.close()
