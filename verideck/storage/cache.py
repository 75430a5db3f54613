"""What is kept between runs, by its key, in files that may be deleted at any time.

An entry is written whole or not at all, so builds may run at once; one that was damaged is as good
as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from verideck.storage.store import mark

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
            mark(self._folder)
            descriptor, beside = tempfile.mkstemp(dir=file.parent)
            try:
                with os.fdopen(descriptor, "wb") as writing:
                    writing.write(_hash(key, content) + b"\n" + content)
                Path(beside).replace(file)
            except OSError:
                Path(beside).unlink(missing_ok=True)

    def _file(self, folder: Path, key: str) -> Path:
        return folder / self._kind / key[:2] / key[2:]


def _hash(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).hexdigest().encode()
