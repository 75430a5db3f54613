"""Files that are written whole or not at all: under a random name first, in an open folder."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

from verideck.storage.folders import Folder, opened_folder
from verideck.storage.reading import (
    OUTSIDE,
    Limit,
    UnusableFileError,
    content,
    require_regular,
    within,
)

if sys.platform != "win32":
    import fcntl

WRITTEN = "all was written"
"""The note of a KeyboardInterrupt that came after all files were written."""


def write_together(contents: Mapping[Path, bytes], root: Path) -> None:
    """Write several files: all of them or none.

    All contents are written to temporary files before the first is renamed. Signals wait until the
    last is renamed, and a failure restores the files that were renamed before it. A process that is
    killed between two renames, or a power cut, leaves the first files new and the others as they
    were: put those files first from which the others can be made again.

    Folders that are missing are made. Nothing is written through a link below the project's folder
    `root`, nor in the place of one. Removes the temporary files of processes that were killed.
    Raises OSError with the name of the file if one cannot be written. A KeyboardInterrupt that came
    after the first rename has the note WRITTEN.
    """
    done: list[_Target] = []
    try:
        with contextlib.ExitStack() as stack, _blockable_signals() as block_signals:
            targets = [
                stack.enter_context(_target(file, text, root)) for file, text in contents.items()
            ]
            temporaries = [stack.enter_context(_temporary(each)) for each in targets]
            former = [each.former() for each in targets[:-1]]  # nothing can fail after the last
            block_signals()
            try:
                for target, temporary in zip(targets, temporaries, strict=True):
                    _rename(target, temporary)
                    done.append(target)
            except OSError:
                for target, text in zip(done, former, strict=False):
                    _restore(target, text)
                raise
    except KeyboardInterrupt as interruption:
        if done:
            interruption.add_note(WRITTEN)
        raise


def write_whole(file: Path, text: bytes, root: Path) -> None:
    """Write a file atomically: to a temporary file, which is then renamed; see `write_together`.

    A reader sees the former content or the new one, never a part. If writing fails or is
    interrupted, the former content stays, and no temporary file is left. Raises OSError.
    """
    with _target(file, text, root) as target, _temporary(target) as temporary:
        _rename(target, temporary)


def own_path(file: Path, root: Path) -> Path:
    """The path of a file that the author may have linked: to it no link leads from `root`.

    Raises UnusableFileError for a file of the project that is outside after links are followed.
    """
    real, top = (Path(os.path.realpath(each)) for each in (file, root))
    if real.is_relative_to(top):
        return root / real.relative_to(top)
    if within(file, root):
        raise UnusableFileError(OUTSIDE, file)
    return real


class _Target:
    """A file to be written, and its folder, which is open."""

    def __init__(self, file: Path, text: bytes, folder: Folder) -> None:
        """Look at what stands there. Raises OSError for what is no regular file."""
        self.file = file
        self.name = file.name
        self.text = text
        self.folder = folder
        status = folder.status(self.name)
        if status is not None:
            require_regular(status, file)
        self.mode = None if status is None else stat.S_IMODE(status.st_mode) & 0o777

    def former(self) -> bytes | None:
        """What the file holds; None where there is none. Raises OSError."""
        if self.mode is None:
            return None
        with _named(self.file):
            descriptor = self.folder.open(self.name)
            try:
                require_regular(os.fstat(descriptor), self.file)
                return content(descriptor, Limit.DATA, self.file)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def _target(file: Path, text: bytes, root: Path) -> Iterator[_Target]:
    with contextlib.ExitStack() as stack:
        with _named(file):
            folder = stack.enter_context(opened_folder(file.parent, root, make=True))
            _remove_leftovers(folder, file.name)
            target = _Target(file, text, folder)
        yield target


@contextlib.contextmanager
def _named(file: Path) -> Iterator[None]:
    """Name the file in an error, whatever name its temporary has, or its folder."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise


def _rename(target: _Target, temporary: str) -> None:
    with _named(target.file):
        target.folder.rename(temporary, target.name)
    target.folder.sync()


def _restore(target: _Target, former: bytes | None) -> None:
    if former is None:
        target.folder.remove(target.name)
        return
    target.text = former
    with _temporary(target) as temporary:
        _rename(target, temporary)


# Temporary files

_TAKEN_FROM_NAME = 40
"""Characters of a file's name in its temporary's: names have at most 255 bytes."""


def _beginning(name: str) -> str:
    return f".{name[:_TAKEN_FROM_NAME]}.verideck-"


@contextlib.contextmanager
def _temporary(target: _Target) -> Iterator[str]:
    """Yield a temporary file in the same folder, with the content on the disk; then remove it."""
    name, descriptor = "", -1
    try:
        with _named(target.file):
            name, descriptor = _created(target)
            _fill(descriptor, target)
        if sys.platform == "win32":  # where no file is renamed that is open
            os.close(descriptor)
            descriptor = -1
        yield name
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        if name:
            target.folder.remove(name)


def _created(target: _Target) -> tuple[str, int]:
    """A new temporary file that is held, so that no other process takes it for a leftover."""
    while True:
        name = _beginning(target.name) + secrets.token_hex(8)
        descriptor = target.folder.create(name)
        if _is_held(descriptor, wait=True) and target.folder.status(name) is None:
            os.close(descriptor)  # another process was faster, and has removed it
            continue
        return name, descriptor


def _fill(descriptor: int, target: _Target) -> None:
    left = memoryview(target.text)
    while left:
        left = left[os.write(descriptor, left) :]
    if target.mode is not None and os.chmod in os.supports_fd:
        os.chmod(descriptor, target.mode)
    os.fsync(descriptor)


def _is_held(descriptor: int, *, wait: bool) -> bool:
    """Hold a file until it is closed, or the process ends. Returns False if another one does."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held; or a file system on which nothing is
        return False
    return True


def _remove_leftovers(folder: Folder, name: str) -> None:
    """Remove what killed processes left: regular files with a temporary's name that none holds."""
    with contextlib.suppress(OSError):  # leftovers harm nobody
        pattern = re.compile(re.escape(_beginning(name)) + r"[0-9a-f]{16}")
        for each in filter(pattern.fullmatch, folder.names()):
            _remove_leftover(folder, each)


def _remove_leftover(folder: Folder, name: str) -> None:
    status = folder.status(name)
    if status is None or not stat.S_ISREG(status.st_mode):
        return
    descriptor = folder.open(name)
    try:
        if _is_held(descriptor, wait=False):
            folder.remove(name)
    finally:
        os.close(descriptor)


# Signals


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
        yield partial(_block, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
