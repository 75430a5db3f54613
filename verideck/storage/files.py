"""Files: how they are called in a place, and how they are written whole or not at all."""

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

WRITTEN = "all was written"
"""The note of an interruption that came too late."""


def hashed(content: bytes) -> str:
    """The hash by which a file's content is known again."""
    return hashlib.sha256(content).hexdigest()


class FileHashes:
    """The hashes of files, each computed again only where the file's stamp has changed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}

    def of(self, file: Path) -> str:
        """The hash of a file's content; empty where it cannot be read."""
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            known = self._known.get(file)
            if known and known[0] == stamp:
                return known[1]
            found = hashed(file.read_bytes())
        except OSError:
            return ""
        if time.time_ns() - max(stamp[:2]) > _SETTLED:
            self._known[file] = stamp, found
        return found


_SETTLED = 2_000_000_000
"""Nanoseconds after which another change of a file changes its stamp, on any file system."""


def place_name(file: Path, root: Path) -> str:
    """How a file is called in a `Place`: relative to the project if it is inside of it."""
    whole = absolute(file)
    inside = whole.is_relative_to(root.absolute())
    return (whole.relative_to(root.absolute()) if inside else whole).as_posix()


def absolute(path: Path) -> Path:
    """The path from the top, without any `..` in it."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps them, `resolve` ends links


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files, all of them or none.

    All are written beside their places before the first is renamed, and a failure takes back what
    was renamed; a signal waits. A process killed between two renames, or a power cut, leaves the
    first files new and the others as they were: let the first be those from which the others can be
    made again.
    What processes that were killed have left beside the files goes. Raises OSError; a
    KeyboardInterrupt that had to wait says so by a note, WRITTEN.
    """
    for file in contents:
        for left in file.parent.glob(f".{glob.escape(file.name)}.[0-9]*"):
            if not _is_somebodys(left):
                left.unlink(missing_ok=True)
    former = {file: file.read_bytes() for file in contents if file.exists()}
    done: list[Path] = []
    try:
        with contextlib.ExitStack() as beside, _undisturbed() as undisturbed:
            ready = {
                file: beside.enter_context(_beside(file, content))
                for file, content in contents.items()
            }
            undisturbed()
            try:
                for file, written in ready.items():
                    written.replace(file)
                    done.append(file)
                    _settle(file.parent)
            except OSError:
                for file in done:
                    _take_back(file, former.get(file))
                raise
    except KeyboardInterrupt as interruption:
        if done:
            interruption.add_note(WRITTEN)
        raise


def _is_somebodys(beside: Path) -> bool:
    """Whether the process that writes a file beside another's place may still be there."""
    if not hasattr(os, "getpgid"):  # Windows
        return True
    try:
        os.getpgid(int(beside.suffix[1:]))
    except (ProcessLookupError, ValueError):
        return False
    return True


def _take_back(file: Path, former: bytes | None) -> None:
    if former is None:
        file.unlink(missing_ok=True)
    else:
        write_whole(file, former)


def _let_wait(signals: AbstractSet[int]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)


@contextlib.contextmanager
def _undisturbed() -> Iterator[Callable[[], None]]:
    """Yields what lets signals wait from then on, where the system knows how."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield lambda: None
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield partial(_let_wait, {signal.SIGINT, signal.SIGTERM})
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def write_whole(file: Path, content: bytes) -> None:
    """Write the content beside the file's place, then rename it.

    Whoever reads the file finds the former content or the new one, never a part; where writing
    fails or is interrupted, the former stands and nothing is left beside it. Raises OSError.
    """
    with _beside(file, content) as written:
        written.replace(file)
        _settle(file.parent)


def _settle(folder: Path) -> None:
    """Wait until a folder's names are on the disk: they do not come there with the contents."""
    with contextlib.suppress(OSError):  # not every system or disk can: Windows opens no folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _beside(file: Path, content: bytes) -> Iterator[Path]:
    """The content on the disk, in a file beside another one's place; gone in the end."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        if file.exists():
            beside.chmod(file.stat().st_mode)
        yield beside
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
