"""The folder of one card's process: where it works, what it has written, and how much it may."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from verideck.proof.python.wire.messages import Limits
from verideck.proof.python.wire.run import End

MEGABYTE = 1_000_000

_FRAME = re.compile(r'^  File "(.*)", line (\d+)', re.MULTILINE)
_ESCAPED = re.compile(r"\\(?:x(?=[0-9a-f]{2})|u(?=[0-9a-f]{4})|U(?=[0-9a-f]{8}))([0-9a-f]{2,8})")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - no file of ours is made there
"""Where Linux keeps the shared memory and the semaphores of all processes."""
_LAST_WORDS = 2000
MOST_SAID = 10_000
"""Bytes of the end of a stream, of which a person reads the last lines."""
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
        """
        with contextlib.suppress(OSError):
            for name in self.shared.read_text("utf-8", "surrogateescape").split("\n"):
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
        return tuple((_unescaped(file), int(line)) for file, line in _FRAME.findall(last))

    def close(self) -> None:
        """Close the files."""
        for each in (self.stdout, self.stderr, self.stack):
            os.close(each.descriptor)


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
    """The bytes of all files below a folder; a link counts by its own size."""
    size, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    size += entry.stat(follow_symlinks=False).st_size
        except OSError:  # it is being deleted, or made unreadable
            continue
    return size


def _unescaped(name: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), name)
