"""Names, texts and hashes of files, and what follows from their content."""

from __future__ import annotations

import hashlib
import os
import time
from array import array
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from verideck.storage.reading import OUTSIDE, Limit, read

Value = TypeVar("Value")


def hashed(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def decoded(content: bytes, errors: str = "strict") -> str:
    """Return UTF-8 as text whose lines end with a newline; `errors` is that of `bytes.decode`."""
    text = content.removeprefix(BOM_UTF8).decode("utf-8", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class Lines:
    """The lines of a text, each looked for only when it is asked for: there may be millions."""

    def __init__(self, text: str) -> None:
        """Look for none of them yet."""
        self._text = text
        self._starts = array("L", [0])
        """Where the lines begin, down to the last that was asked for and the one below it."""

    def at(self, number: int) -> str | None:
        """The line of a number, counted from 1; None if there is none."""
        starts, end = self._starts, len(self._text)
        while len(starts) <= number and (found := self._text.find("\n", starts[-1])) >= 0:
            starts.append(found + 1)
        if not 0 < number <= len(starts):
            return None
        below = starts[number] if number < len(starts) else end + 1
        return self._text[starts[number - 1] : below - 1]


class FileCache(Generic[Value]):
    """What follows from the content of files; computed again if a file's stamp has changed."""

    def __init__(self, compute: Callable[[bytes], Value], limit: Limit = Limit.TEXT) -> None:
        """Begin with an empty cache of what `compute` returns, for files of a kind."""
        self._compute = compute
        self._limit = limit
        self._cached: dict[Path, tuple[tuple[int, ...], Value]] = {}

    def of(self, file: Path, inside: Sequence[Path] = ()) -> Value:
        """Return what follows from a file's content. Raises OSError as `reading.read` does."""
        try:
            status = file.stat()
        except (OSError, ValueError):  # no file, or no name of one: `read` says so
            return self._compute(read(file, self._limit, inside))
        times = (status.st_mtime_ns, status.st_ctime_ns)
        stamp = (*times, status.st_size, status.st_ino, status.st_dev)
        cached = self._cached.get(file)
        if cached and cached[0] == stamp:
            return cached[1]
        new = self._compute(read(file, self._limit, inside))
        if min(abs(time.time_ns() - each) for each in times) > _SETTLED:  # also if it is to come
            self._cached[file] = stamp, new
        return new


class FileHashes:
    """The hashes of a project's files, by their paths as written."""

    def __init__(self, root: Path) -> None:
        """Read files of the project in `root` only."""
        self._root = root
        self._hashes = FileCache(hashed, Limit.MEDIA)

    def of(self, path: str) -> str:
        """Return the hash of a file, or the reason if it must not or cannot be read."""
        file = self._root / path
        try:
            if not is_inside(file, self._root):  # a cached file may have been inside before
                return OUTSIDE
            return self._hashes.of(file, (self._root,))
        except OSError as error:
            return error.strerror or ""


_SETTLED = 2_000_000_000
"""Nanoseconds after which another change of a file changes its stamp, on any file system."""


def place_name(file: Path, root: Path) -> str:
    """Return a file's path for a `Place`: relative to the project, or absolute outside of it."""
    whole, folder = (os.path.abspath(each) for each in (file, root))  # noqa: PTH100 - keeps links
    if os.path.normcase(whole) == os.path.normcase(folder):
        return "."
    above = folder.rstrip(os.sep) + os.sep
    is_below = os.path.normcase(whole).startswith(os.path.normcase(above))
    return (whole[len(above) :] if is_below else whole).replace(os.sep, "/")


def name_as_text(path: Path) -> str:
    """Return the last name of a path as text that can be written: a byte that is none is U+FFFD."""
    return path.name.encode(errors="surrogateescape").decode(errors="replace")


def absolute(path: Path) -> Path:
    """Return the absolute path without `..`."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps them, `resolve` ends links


def resolved(path: Path) -> Path:
    """Return a path without links. A link in a circle stays; `Path.resolve` may raise there."""
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """Return whether there is a folder. A name that no file can have is none; `Path` may raise."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_file(path: Path) -> bool:
    """Return whether there is a file. A name that no file can have is none; `Path` may raise."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_inside(file: Path, folder: Path) -> bool:
    """Return whether a file is in a folder after links are followed."""
    try:
        return resolved(file).is_relative_to(resolved(folder))
    except ValueError:  # no name of a file: `read` says so
        return True
