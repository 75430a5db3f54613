"""The folder of one card's process: where it works, what it has written, and how much it may."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from verideck.proof.python.wire.messages import Limits
from verideck.proof.python.wire.run import End

MEGABYTE = 1_000_000

_FRAME = re.compile(r'^  File "(.{0,4096})", line ([0-9]{1,8}) ', re.MULTILINE)
"""A card can write whatever it likes where its stack is written."""
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4}))")
_MOST_FRAMES = 100
"""As many as Python's faulthandler writes."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - no file of ours is made there
"""Where Linux keeps the shared memory and the semaphores of all processes."""
_LAST_WORDS = 2000
MOST_SAID = 10_000
"""Bytes of the end of a stream, of which a person reads the last lines."""
_MOST_SHARED = 1_000_000
"""Bytes of the names of what a card has made in shared memory."""
_LONGEST_PATH = 4096
"""Bytes of the longest path that Linux takes, and one more (PATH_MAX)."""
_DEEPEST = 100_000
"""Characters of the longest path at which it is looked for what a card has written."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_STACK = 100_000
"""Bytes of a stack that are read: a hundred frames with long names."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A file that a card writes, opened before the card begins.

    If the card puts a link or a pipe at that path later, the link or pipe is not read.
    """

    path: Path
    descriptor: int

    @classmethod
    def opened(cls, path: Path) -> Stream:
        """Open a file; it is made if it does not exist."""
        return cls(
            path, os.open(path, os.O_RDONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        )

    @property
    def size(self) -> int:
        """How many bytes have been written."""
        return os.fstat(self.descriptor).st_size

    def read(self, start: int = 0) -> bytes:
        """The bytes from a position to the end.

        A fork shares the position in the file: only one process reads.
        """
        os.lseek(self.descriptor, start, os.SEEK_SET)
        return os.read(self.descriptor, max(self.size - start, 0))

    def end(self, most: int) -> bytes:
        """The last bytes that were written, `most` of them at most."""
        return self.read(max(self.size - most, 0))[:most]


@dataclass(frozen=True, slots=True)
class Scratch:
    """The files and folders that a card's process is given. They are removed when the card ends."""

    folder: Path
    stdout: Stream
    stderr: Stream
    stack: Stream
    """Python's faulthandler writes the line at which the card was into it."""

    @classmethod
    def of(cls, folder: Path) -> Scratch:
        """The files and folders of a card, below the card's own folder."""
        streams = (Stream.opened(folder / name) for name in ("stdout", "stderr", "stack"))
        return cls(folder, *streams)

    @property
    def work(self) -> Path:
        """The empty folder in which the card runs."""
        return self.folder / "work"

    @property
    def temporary(self) -> Path:
        """Where the card's temporary files go."""
        return self.folder / "temporary"

    @property
    def shared(self) -> Path:
        """The file with the names of what the card has made in shared memory."""
        return self.folder / "shared"

    def remove_shared(self) -> None:
        """Remove what the card has left in shared memory, where that is a folder (Linux).

        The names are not trusted: call it only if the card could have removed all of them itself.
        Nor is the file, in whose place the card may put another kind of one.
        """
        with contextlib.suppress(OSError):
            names = read_regular(self.shared, _MOST_SHARED).decode("utf-8", "surrogateescape")
            for name in names.split("\n"):
                if name and "/" not in name:
                    with contextlib.suppress(OSError, ValueError):
                        (SHARED_MEMORY / name).unlink()

    def exceeded(self, limits: Limits) -> End | None:
        """The limit that is exceeded by what the card has written; None if none is."""
        printed = self.stdout.size + self.stderr.size
        if printed > limits.max_output:
            return End.OUTPUT
        if _size_of_all(self.folder) - printed > limits.disk * MEGABYTE:
            return End.DISK
        return None

    def last_words(self) -> str:
        """The last line that was written to standard error."""
        written = self.stderr.end(_LAST_WORDS)
        return written.decode("utf-8", "replace").strip().split("\n")[-1]

    def said(self) -> dict[str, str]:
        """The end of what was printed, and of what was written to standard error, by stream."""
        ends = {"stdout": self.stdout.end(MOST_SAID), "stderr": self.stderr.end(MOST_SAID)}
        return {name: end.decode("utf-8", "backslashreplace") for name, end in ends.items()}

    def frames(self) -> tuple[tuple[str, int], ...]:
        """The files and lines of the stack that was written last, the innermost first."""
        text = self.stack.end(_STACK).decode("utf-8", "replace")
        last = text.rpartition("(most recent call first)")[2]
        found = itertools.islice(_FRAME.finditer(last), _MOST_FRAMES)
        return tuple((_unescaped(each[1]), int(each[2])) for each in found)

    def close(self) -> None:
        """Close the files."""
        for each in (self.stdout, self.stderr, self.stack):
            os.close(each.descriptor)


def read_regular(file: Path, most: int) -> bytes:
    """The first bytes of a regular file, not through a link. Raises OSError for any other."""
    how = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(file, how | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def run_folder(beneath: Path | None = None) -> Path:
    """Make a folder for the files of a run, or of a card of it. The caller removes it."""
    return Path(tempfile.mkdtemp(prefix="verideck-", dir=beneath)).resolve()


@contextmanager
def scratch(beneath: Path | None = None) -> Iterator[Scratch]:
    """Make the folder of a card, maybe in that of its run; at the end it is removed."""
    folder = run_folder(beneath)
    made = Scratch.of(folder)
    try:
        made.work.mkdir()
        made.temporary.mkdir()
        yield made
    finally:
        made.close()
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, also while another process does.

    The contents of an inner folder are moved up before the inner folder is removed. So no path gets
    too long for the system, and no depth of folders is too deep for recursion.
    """
    moved = (folder / f"moved-{number}" for number in itertools.count())
    while _emptied(folder, moved):
        pass
    with contextlib.suppress(OSError):
        folder.rmdir()


def _emptied(folder: Path, moved: Iterator[Path]) -> bool:
    """Remove the entries of a folder and move up what is deeper. False if nothing could be done."""
    done = False
    for entry in _entries(str(folder)):
        for each in _entries(entry.path) if entry.is_dir(follow_symlinks=False) else ():
            with contextlib.suppress(OSError):
                os.rename(each.path, next(moved))  # noqa: PTH104 - many, as all of these
                done = True
        remove = os.rmdir if entry.is_dir(follow_symlinks=False) else os.unlink
        with contextlib.suppress(OSError):
            remove(entry.path)
            done = True
    return done


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)  # noqa: PTH101 - the card may have shut it
        with os.scandir(folder) as entries:
            return list(entries)
    return []


def _size_of_all(folder: Path) -> int:
    """The bytes of all files below a folder; a link counts by its own size.

    Below the deepest folder that is looked into nothing can be told: that counts as endless.
    """
    size, waiting = 0, [str(folder)]
    while waiting:
        inner = waiting.pop()
        if len(inner) > _DEEPEST:
            return sys.maxsize
        try:
            with _listed(inner, folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{inner}/{entry.name}")
                    size += entry.stat(follow_symlinks=False).st_size
        except OSError:  # it is being deleted, or made unreadable
            continue
    return size


@contextmanager
def _listed(folder: str, top: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
    """The entries of a folder, also of one whose path is longer than the system takes at once.

    Where there was a folder, the card may have put a link since then: what is open must be below
    `top`. Raises OSError if it is not.
    """
    if os.scandir not in os.supports_fd:
        with os.scandir(folder) as entries:
            yield entries
        return
    descriptor = None
    try:
        for piece in _pieces(folder.split("/")):
            inner = os.open(piece, _FOLDER, dir_fd=descriptor)
            if descriptor is not None:
                os.close(descriptor)
            descriptor = inner
            _require_below(top, descriptor)
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _require_below(top: Path, descriptor: int) -> None:
    """Raise OSError if an open folder is outside of another one, as far as the system tells."""
    try:
        path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - many
    except OSError as error:
        if error.errno in {errno.ENAMETOOLONG, errno.ENOENT}:  # deeper than any other; no Linux
            return
        raise
    if path != str(top) and not path.startswith(f"{top}/"):
        raise OSError(errno.ELOOP, "a link leads outside", path)


def _pieces(names: Iterable[str]) -> Iterator[str]:
    """The names of a path, joined as far as the system takes them."""
    piece = ""
    for name in names:
        if len(os.fsencode(f"{piece}{name}")) >= _LONGEST_PATH:
            yield piece
            piece = ""
        piece += f"{name}/"
    yield piece


def _unescaped(name: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code[1] or code[2] or code[3], 16)), name)
