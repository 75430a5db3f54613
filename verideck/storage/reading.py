"""The door through which files are read that a project names.

What counts is what was opened, not what its path led to a moment before: a regular file, inside the
folders that it may be in after links are followed, and no larger than its kind may be. A device is
not even opened, nor is a FIFO waited for.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import BinaryIO

if sys.platform == "darwin":
    import fcntl

OUTSIDE = "outside the project"
"""Why a file is not read that lies outside. It takes the place of the file's hash, too."""
HIDDEN = "hidden in the project"
"""Why a file is not read of which a name begins with a dot: snippets do not see it either."""
_NEVER = frozenset({".git", ".verideck"})


class Limit(IntEnum):
    """The bytes that a file may have, by its kind."""

    TEXT = 10_000_000
    """Markdown, code, and `pyproject.toml`."""
    MEDIA = 100_000_000
    """An image or a sound."""
    DATA = 1_000_000_000
    """`cards.lock`, a package, and what a snippet reads."""


class UnusableFileError(OSError):
    """A file that is neither read nor written, for what it is. `strerror` says why."""

    def __init__(self, why: str, file: Path | str, hint: str = "") -> None:
        """Name the file, and say what may be done."""
        super().__init__(errno.EINVAL, why, str(file))
        self.hint = hint


def hint_of(error: OSError) -> str:
    """What may be done where a file cannot be used; empty if nobody knows."""
    return error.hint if isinstance(error, UnusableFileError) else ""


def within(file: Path, root: Path) -> tuple[Path, ...]:
    """The folders that a file must be in: the project's, if it is named as one of its files.

    A file outside of the project is named by the caller, who may name any.
    """
    named, folder = (
        os.path.normcase(os.path.abspath(each))  # noqa: PTH100 - keeps links
        for each in (file, root)
    )
    is_below = named == folder or named.startswith(folder.rstrip(os.sep) + os.sep)
    return (root,) if is_below else ()


def read(
    file: Path, limit: Limit, inside: Sequence[Path] = (), *, follow_links: bool = True
) -> bytes:
    """Return what a file holds.

    It must be in one of the folders `inside`, if there are any, after links are followed, and not
    hidden there. Without `follow_links` it must be no link itself. Raises OSError;
    UnusableFileError for what is no regular file, outside, hidden, or larger than the limit.
    """
    descriptor = _opened(file, limit, inside, follow_links=follow_links)
    try:
        return content(descriptor, limit, file)
    finally:
        os.close(descriptor)


@contextmanager
def opened(file: Path, limit: Limit, inside: Sequence[Path] = ()) -> Iterator[BinaryIO]:
    """A file that is open for reading; see `read`. What it gives is not bounded if it grows."""
    with os.fdopen(_opened(file, limit, inside, follow_links=True), "rb") as stream:
        yield stream


def hash_of(file: Path, limit: Limit, inside: Sequence[Path] = ()) -> str:
    """The SHA-256 of a file, of which little is in memory at once; see `read`."""
    total, digest = 0, hashlib.sha256()
    with opened(file, limit, inside) as stream:
        while piece := stream.read(_PIECE):
            total += len(piece)
            _require_size(total, limit, file)
            digest.update(piece)
    return digest.hexdigest()


def names_in(folder: Path, inside: Sequence[Path]) -> list[str]:
    """Return the names in a folder, in order. It must be where a file must be; see `read`.

    Raises OSError.
    """
    if os.listdir not in os.supports_fd:
        _require_inside(os.path.realpath(folder), folder, inside)
        return sorted(os.listdir(folder))  # noqa: PTH208 - as below
    with _as_named(folder, inside):
        descriptor = os.open(folder, _LISTING)
    try:
        _require_inside(_real_path(descriptor, os.fstat(descriptor), folder), folder, inside)
        return sorted(os.listdir(descriptor))  # noqa: PTH208 - in what is open
    finally:
        os.close(descriptor)


_PIECE = 1 << 20
_LEAST = (1 << 16) - 1
"""Bytes that are read at once at least: the kernel's own files say that they have none."""


def content(descriptor: int, limit: Limit, file: Path) -> bytes:
    """What an open file holds, from where it stands. Raises OSError, also if it has grown."""
    size = os.fstat(descriptor).st_size
    pieces: list[bytes] = []
    total = 0
    while piece := os.read(descriptor, min(max(size - total, _LEAST), limit) + 1):
        pieces.append(piece)
        total += len(piece)
        _require_size(total, limit, file)
    return b"".join(pieces)


def flags(flag: str, *more: str) -> int:
    """The flags of `os.open` by their names, as far as this system has them."""
    return reduce(or_, (getattr(os, name, 0) for name in (flag, *more)))


_READING = flags("O_RDONLY", "O_CLOEXEC", "O_NOCTTY", "O_NONBLOCK", "O_BINARY")
_LISTING = flags("O_RDONLY", "O_CLOEXEC", "O_DIRECTORY")
_NO_LINK = flags("O_NOFOLLOW")
_PATH = flags("O_PATH")
_HANDLE = _PATH | flags("O_CLOEXEC")
_DESCRIPTORS = "/proc/self/fd"


def _opened(file: Path, limit: Limit, inside: Sequence[Path], *, follow_links: bool) -> int:
    with _as_named(file, inside):
        return _checked(file, limit, inside, 0 if follow_links else _NO_LINK)


@contextmanager
def _as_named(file: Path, inside: Sequence[Path]) -> Iterator[None]:
    """Raise what is wrong with a file under the name that it was given."""
    try:
        yield
    except UnusableFileError:
        raise
    except OSError as error:
        if inside:  # nobody is told what there is outside
            _require_inside(os.path.realpath(file), file, inside)
        raise OSError(error.errno, error.strerror, str(file)) from error
    except ValueError:  # a NUL, or half of a surrogate pair
        raise UnusableFileError("no name of a file", file) from None


def _checked(file: Path, limit: Limit, inside: Sequence[Path], no_link: int) -> int:
    """Open a file of which all is checked.

    Linux gives a handle that only stands for a file, and opens the very same file by that. Other
    systems open the file by its path, and look at what they have opened.
    """
    if not _PATH or not _has_descriptors():
        require_regular(os.stat(file, follow_symlinks=not no_link), file)  # noqa: PTH116 - read often
        return _found(os.open(file, _READING | no_link), file, limit, inside)
    handle = os.open(file, _HANDLE | no_link)
    try:
        _require_fit(handle, file, limit, inside)
        return os.open(f"{_DESCRIPTORS}/{handle}", _READING)
    finally:
        os.close(handle)


def _found(descriptor: int, file: Path, limit: Limit, inside: Sequence[Path]) -> int:
    try:
        _require_fit(descriptor, file, limit, inside)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_fit(descriptor: int, file: Path, limit: Limit, inside: Sequence[Path]) -> None:
    status = os.fstat(descriptor)
    if inside:
        _require_inside(_real_path(descriptor, status, file), file, inside)
    require_regular(status, file)
    _require_size(status.st_size, limit, file)


def _require_inside(real: str, file: Path, inside: Sequence[Path]) -> None:
    for folder in inside:
        above = _real_folder(folder)
        if real == above or real.startswith(above.rstrip(os.sep) + os.sep):
            _require_shown(real[len(above) :].split(os.sep), file)  # noqa: PTH206 - read often
            return
    raise UnusableFileError(OUTSIDE, file, "copy it into the project")


def _require_shown(names: Iterable[str], file: Path) -> None:
    """Raise UnusableFileError for what is hidden in a project, unless it was named as it is.

    A link with a harmless name must not lead there, where `.env` and the like are; nor may any name
    lead to what git keeps, where the tokens of CI are.
    """
    hidden = {each for each in names if each.startswith(".")}
    if hidden - set(file.parts) or not _NEVER.isdisjoint(map(str.casefold, hidden)):
        raise UnusableFileError(HIDDEN, file, "a name that begins with a dot hides it")


def _real_folder(folder: Path) -> str:
    """The path of a folder without links: where it can be, the kernel is asked once."""
    if not (_PATH and _has_descriptors()):
        return os.path.realpath(folder)
    try:
        handle = os.open(folder, _HANDLE)
    except OSError:  # it is not there: nothing is inside
        return os.path.realpath(folder)
    try:
        return os.readlink(f"{_DESCRIPTORS}/{handle}")  # noqa: PTH115 - read often
    finally:
        os.close(handle)


def require_regular(status: os.stat_result, file: Path) -> None:
    """Raise OSError for what is no regular file."""
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if kind != stat.S_IFREG:
        raise UnusableFileError(kind_of(status), file, "put a regular file in its place")


def kind_of(status: os.stat_result) -> str:
    """What something is that is neither a regular file nor a folder."""
    return _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")


_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO, no regular file",
    stat.S_IFSOCK: "a socket, no regular file",
    stat.S_IFCHR: "a device, no regular file",
    stat.S_IFBLK: "a device, no regular file",
}


def _require_size(size: int, limit: Limit, file: Path) -> None:
    if size > limit:
        hint = "split it, or make it smaller"
        raise UnusableFileError(f"larger than {int(limit):,} bytes", file, hint)


def _real_path(descriptor: int, status: os.stat_result, file: Path) -> str:
    """The path of what is open, without links."""
    if _has_descriptors():
        return os.readlink(f"{_DESCRIPTORS}/{descriptor}")  # noqa: PTH115 - read often
    if sys.platform == "darwin":
        path = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
        return os.fsdecode(path.rstrip(b"\0"))
    real = os.path.realpath(file)
    if not os.path.samestat(os.lstat(real), status):
        raise UnusableFileError("another file than a moment before", file)
    return real


@cache
def _has_descriptors() -> bool:
    """Whether the system tells the paths of open files, as Linux does where `/proc` is mounted."""
    return sys.platform == "linux" and os.path.isdir(_DESCRIPTORS)  # noqa: PTH112 - as above
