"""The folder of one card's process: where it works, what it wrote, and how much that may be."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from verideck.model import Limits
from verideck.verifiers.python.run import End

MEGABYTE = 1_000_000

_FRAME = re.compile(r'^  File "(.*)", line (\d+)', re.MULTILINE)
_ESCAPED = re.compile(r"\\(?:x(?=[0-9a-f]{2})|u(?=[0-9a-f]{4})|U(?=[0-9a-f]{8}))([0-9a-f]{2,8})")
_LAST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Scratch:
    """The files and folders that a card's process is given. All of it goes when the card ends."""

    folder: Path

    @property
    def work(self) -> Path:
        """The empty folder in which the card runs."""
        return self.folder / "work"

    @property
    def temporary(self) -> Path:
        """Where the card's temporary files go."""
        return self.folder / "temporary"

    @property
    def printed(self) -> Path:
        """What the card prints."""
        return self.folder / "stdout"

    @property
    def told(self) -> Path:
        """What the card writes to standard error."""
        return self.folder / "stderr"

    @property
    def stack(self) -> Path:
        """Where Python's faulthandler tells at which line the card was."""
        return self.folder / "stack"

    def exceeded(self, limits: Limits) -> End | None:
        """The limit that what was written breaks, if it breaks one."""
        printed = _size(self.printed) + _size(self.told)
        if printed > limits.max_output:
            return End.OUTPUT
        if _size_of_all(self.folder) - printed > limits.disk * MEGABYTE:
            return End.DISK
        return None

    def last_words(self) -> str:
        """The last line that was written to standard error."""
        try:
            said = self.told.read_bytes()[-_LAST_WORDS:]
        except OSError:
            return ""
        return said.decode("utf-8", "replace").strip().split("\n")[-1]

    def frames(self) -> tuple[tuple[str, int], ...]:
        """The files and lines of the stack that was told last, the innermost first."""
        try:
            text = self.stack.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ()
        last = text.rpartition("(most recent call first)")[2]
        return tuple((_unescaped(file), int(line)) for file, line in _FRAME.findall(last))


def run_folder() -> Path:
    """Make a folder for all that a run leaves on the disk, for whoever survives to remove."""
    return Path(tempfile.mkdtemp(prefix="verideck-")).resolve()


def remove(folder: Path) -> None:
    """Remove a folder with all that cards left there; also while another does."""
    shutil.rmtree(folder, onerror=_opened)


@contextmanager
def scratch(beneath: Path | None = None) -> Iterator[Scratch]:
    """Make the folder of a card, maybe in that of its run, and remove it with all that is in it."""
    folder = tempfile.mkdtemp(prefix="card-", dir=beneath) if beneath else run_folder()
    made = Scratch(Path(folder))
    try:
        made.work.mkdir()
        made.temporary.mkdir()
        yield made
    finally:
        remove(made.folder)


def _opened(remove: object, path: str, _: object) -> None:
    """Remove what a card has made unwritable."""
    try:
        os.chmod(os.path.dirname(path), 0o700)  # noqa: PTH101, PTH120 - as rmtree hands it over
        os.chmod(path, 0o700)  # noqa: PTH101
        if remove in {os.unlink, os.remove}:
            os.unlink(path)  # noqa: PTH108
        else:
            shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _size_of_all(folder: Path) -> int:
    """Bytes that stand below a folder; links count as themselves."""
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
