"""Names, hashes and atomic writes of files."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

Value = TypeVar("Value")

WRITTEN = "all was written"
"""The note of a KeyboardInterrupt that came after all files were written."""
OUTSIDE = "outside the project"
"""Takes the place of the hash of a file that is outside the project, and so is not read."""


def hashed(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def decoded(content: bytes, errors: str = "strict") -> str:
    """Return UTF-8 as text whose lines end with a newline; `errors` is that of `bytes.decode`."""
    return content.decode("utf-8-sig", errors).replace("\r\n", "\n").replace("\r", "\n")


class FileCache(Generic[Value]):
    """What follows from the content of files; computed again if a file's stamp has changed."""

    def __init__(self, compute: Callable[[bytes], Value]) -> None:
        """Begin with an empty cache of what `compute` returns."""
        self._compute = compute
        self._cached: dict[Path, tuple[tuple[int, ...], Value]] = {}

    def of(self, file: Path) -> Value:
        """Return what follows from a file's content. Raises OSError if it cannot be read."""
        status = file.stat()
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        cached = self._cached.get(file)
        if cached and cached[0] == stamp:
            return cached[1]
        new = self._compute(file.read_bytes())
        if time.time_ns() - max(stamp[:2]) > _SETTLED:
            self._cached[file] = stamp, new
        return new


class FileHashes:
    """The hashes of a project's files, by their paths as written."""

    def __init__(self, root: Path) -> None:
        """Read files of the project in `root` only."""
        self._root = root
        self._hashes = FileCache(hashed)

    def of(self, path: str) -> str:
        """Return the hash of a file, or the reason if it must not or cannot be read."""
        file = self._root / path
        try:
            return self._hashes.of(file) if is_inside(file, self._root) else OUTSIDE
        except OSError as error:
            return error.strerror or ""


_SETTLED = 2_000_000_000
"""Nanoseconds after which another change of a file changes its stamp, on any file system."""


def place_name(file: Path, root: Path) -> str:
    """Return a file's path for a `Place`: relative to the project, or absolute outside of it."""
    whole, folder = absolute(file), absolute(root)
    return (whole.relative_to(folder) if whole.is_relative_to(folder) else whole).as_posix()


def absolute(path: Path) -> Path:
    """Return the absolute path without `..`."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps them, `resolve` ends links


def resolved(path: Path) -> Path:
    """Return a path without links. A link in a circle stays; `Path.resolve` may raise there."""
    return Path(os.path.realpath(path))


def is_inside(file: Path, folder: Path) -> bool:
    """Return whether a file is in a folder after links are followed."""
    return resolved(file).is_relative_to(resolved(folder))


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files: all of them or none.

    All contents are written to temporary files before the first is renamed. Signals wait until the
    last is renamed, and a failure restores the files that were renamed before it. A process that is
    killed between two renames, or a power cut, leaves the first files new and the others as they
    were: put those files first from which the others can be made again.

    Removes the temporary files of processes that were killed. Raises OSError if a file cannot be
    written. A KeyboardInterrupt that came after the first rename has the note WRITTEN.
    """
    for file in contents:
        for temporary in file.parent.glob(f".{glob.escape(file.name)}.[0-9]*"):
            if not _is_in_use(temporary):
                temporary.unlink(missing_ok=True)
    former = {file: file.read_bytes() for file in contents if file.exists()}
    done: list[Path] = []
    try:
        with contextlib.ExitStack() as stack, _blockable_signals() as block_signals:
            temporaries = {
                file: stack.enter_context(_temporary(file, content))
                for file, content in contents.items()
            }
            block_signals()
            try:
                for file, temporary in temporaries.items():
                    temporary.replace(file)
                    done.append(file)
                    _fsync_folder(file.parent)
            except OSError:
                for file in done:
                    _restore(file, former.get(file))
                raise
    except KeyboardInterrupt as interruption:
        if done:
            interruption.add_note(WRITTEN)
        raise


def _is_in_use(temporary: Path) -> bool:
    """Return whether the process that wrote a temporary file may still be running."""
    if not hasattr(os, "getpgid"):  # Windows
        return True
    try:
        os.getpgid(int(temporary.suffix[1:]))
    except (ProcessLookupError, ValueError):
        return False
    return True


def _restore(file: Path, former: bytes | None) -> None:
    if former is None:
        file.unlink(missing_ok=True)
    else:
        write_whole(file, former)


def _block(signals: AbstractSet[int]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)


@contextlib.contextmanager
def _blockable_signals() -> Iterator[Callable[[], None]]:
    """Yield a function that makes signals wait until the end; it does nothing on Windows."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield lambda: None
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield partial(_block, {signal.SIGINT, signal.SIGTERM})
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def write_whole(file: Path, content: bytes) -> None:
    """Write a file atomically: to a temporary file, which is then renamed.

    A reader sees the former content or the new one, never a part. If writing fails or is
    interrupted, the former content stays, and no temporary file is left. Raises OSError.
    """
    with _temporary(file, content) as temporary:
        temporary.replace(file)
        _fsync_folder(file.parent)


def _fsync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk: `fsync` of a file does not write its name."""
    with contextlib.suppress(OSError):  # not every system or disk can: Windows opens no folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _temporary(file: Path, content: bytes) -> Iterator[Path]:
    """Yield a temporary file in the same folder, with the content on the disk; then remove it."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        if file.exists():
            temporary.chmod(file.stat().st_mode)
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
