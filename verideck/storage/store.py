"""What is kept between runs, by its key, in files that may be deleted at any time.

An entry is written whole or not at all, so builds may run at once; one that was damaged is as good
as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

FOLDER = ".verideck"
"""In the project's folder."""
_HELD = "building"
"""The file that a build holds there."""

Entry = dict[str, Any]


class Cache:
    """Entries of one kind, or none where there is no folder."""

    def __init__(self, folder: Path | None, kind: str) -> None:
        """Nothing is made before the first entry is kept."""
        self._folder = folder
        self._kind = kind

    def find(self, key: str) -> Entry | None:
        """The entry that was kept last under a key, unless it was damaged since."""
        if self._folder is None:
            return None
        try:
            hashed, _, content = self._file(self._folder, key).read_bytes().partition(b"\n")
            entry: object = json.loads(content) if hashed == _hash(key, content) else None
        except (OSError, ValueError, RecursionError):
            return None
        return entry if isinstance(entry, dict) else None

    def keep(self, key: str, entry: Entry) -> None:
        """Keep an entry. A folder that cannot be written keeps nothing, and nobody is bothered."""
        if self._folder is None:
            return
        content = json.dumps(entry).encode()
        file = self._file(self._folder, key)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            _mark(self._folder)
            descriptor, beside = tempfile.mkstemp(dir=file.parent)
            try:
                with os.fdopen(descriptor, "wb") as writing:
                    writing.write(_hash(key, content) + b"\n" + content)
                Path(beside).replace(file)
            except OSError:
                Path(beside).unlink(missing_ok=True)

    def _file(self, folder: Path, key: str) -> Path:
        return folder / self._kind / key[:2] / key[2:]


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Let no other build of the project run in between: they wait for each other.

    Where the folder cannot be written there is nothing to hold: nobody else can write there either.
    """
    held = FileLock(folder / _HELD)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        _mark(folder)
        held.acquire()
    try:
        yield
    finally:
        held.release()


def forget(folder: Path) -> bool:
    """Remove all that is kept; whether there was anything. What builds wait by stays."""
    kept = [each for each in folder.glob("*") if each.is_dir()]
    for each in kept:
        shutil.rmtree(each, ignore_errors=True)
    return bool(kept)


def _mark(folder: Path) -> None:
    """Keep git and backups out of it, as other tools' caches do."""
    for name, text in (
        (".gitignore", "*\n"),
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
    ):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="ascii")


def key(*parts: object) -> str:
    """The key of whatever JSON can say."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _hash(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).hexdigest().encode()
