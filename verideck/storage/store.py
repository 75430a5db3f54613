"""What is kept between runs: one SQLite file, which may be deleted at any time.

A row has a kind, a key and the hash of its own content, so that what was damaged is as good as
none. Runs may be under way at once: each row is written whole. What recent runs did not use goes.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

import msgspec

Row = TypeVar("Row")

FOLDER = ".verideck"
"""The folder in the project's that holds the store and the build lock."""
FILE = "store.sqlite"
_SCHEMA = """
    create table if not exists rows (
        kind text, key text, content blob, hash blob, used integer, primary key (kind, key)
    )
"""
_PATIENCE = 10.0
"""Seconds in which another run has written what it writes."""
_DAY = 24 * 3600
_KEPT_FOR = 30
"""Days after which a row goes that no run has used."""


class Store:
    """Rows of all kinds; none where there is no folder, or where it cannot be written."""

    def __init__(self, folder: Path | None) -> None:
        """Open nothing yet. The file is made when the first row is kept."""
        self._folder = folder
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._used: set[tuple[str, str]] = set()
        """Rows that a former day used last."""

    def find(self, kind: str, key: str) -> bytes | None:
        """Return the content that was kept last under a key, unless it was damaged since."""
        with self._lock:
            row = self._row(kind, key)
        if row is None or row[1] != _hash(kind, key, row[0]):
            return None
        if row[2] != _today():
            self._used.add((kind, key))
        return row[0]

    def keep(self, kind: str, contents: Mapping[str, bytes]) -> None:
        """Keep contents by their keys, all together. What cannot be written is not kept."""
        today = _today()
        rows = [
            (kind, key, content, _hash(kind, key, content), today)
            for key, content in contents.items()
        ]
        if rows:
            self._write("insert or replace into rows values (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Mark the rows that were used, remove those not used for long, and close the file."""
        with self._lock:
            if self._connection is None:
                return
            if self._used:
                today = _today()
                used = [(today, kind, key) for kind, key in sorted(self._used)]
                self._write("update rows set used = ? where kind = ? and key = ?", used)
                self._write("delete from rows where used < ?", [(today - _KEPT_FOR,)])
                self._used.clear()
            self._let_go()

    def _row(self, kind: str, key: str) -> tuple[bytes, bytes, int] | None:
        try:
            if connection := self._connected(make=False):
                statement = "select content, hash, used from rows where kind = ? and key = ?"
                row = connection.execute(statement, (kind, key)).fetchone()
                if row and [*map(type, row)] == [bytes, bytes, int]:
                    return row[0], row[1], row[2]
        except sqlite3.OperationalError:
            self._wait_no_more()
        except (sqlite3.Error, OSError):
            return None
        return None

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._folder is None:
            return
        with self._lock:
            for _ in range(2):
                try:
                    if connection := self._connected(make=True):
                        with connection:
                            connection.executemany(statement, rows)
                except sqlite3.OperationalError:  # read-only, full, or held by another run
                    self._wait_no_more()
                    return
                except (sqlite3.DatabaseError, OSError):  # no database any more: begin anew
                    self._let_go()
                    with suppress(OSError):
                        _remove(self._folder)
                else:
                    return

    def _wait_no_more(self) -> None:
        """Fail at once from now on if another run holds the file, else each row would wait."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.execute("pragma busy_timeout = 0")

    def _connected(self, *, make: bool) -> sqlite3.Connection | None:
        if self._folder is None:
            return None
        if self._connection is None:
            file = self._folder / FILE
            if not make and not file.exists():
                return None
            make_folder(self._folder)
            connection = sqlite3.connect(file, timeout=_PATIENCE, check_same_thread=False)
            self._connection = connection
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute(_SCHEMA)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


class Rows(Generic[Row]):
    """Rows of one kind, each a value of one type."""

    def __init__(
        self,
        store: Store,
        kind: str,
        decode: Callable[[bytes], Row],
        encode: Callable[[Row], bytes],
    ) -> None:
        """Read and write rows of a type; one that does not have its form is as good as none.

        `decode` raises ValueError where the content has not.
        """
        self._store = store
        self._kind = kind
        self.decode = decode
        self._encode = encode

    @classmethod
    def of(cls, store: Store, kind: str, row: type[Row]) -> Rows[Row]:
        """Rows as msgspec's MessagePack has them: of dataclasses, text and numbers."""
        return cls(store, kind, msgspec.msgpack.Decoder(row).decode, encoded)

    def find(self, key: str) -> Row | None:
        """Return the row that was kept last under a key; None where there is none.

        A row that does not have the form of its type counts as none.
        """
        content = self._store.find(self._kind, key)
        if content is None:
            return None
        try:
            return self.decode(content)
        except (ValueError, RecursionError):
            return None

    def keep(self, key: str, row: Row) -> None:
        """Keep a row."""
        self._store.keep(self._kind, {key: self._encode(row)})

    def keep_all(self, rows: Mapping[str, Row]) -> None:
        """Keep several rows together."""
        self._store.keep(self._kind, {key: self._encode(row) for key, row in rows.items()})


@contextmanager
def opened(folder: Path | None) -> Iterator[Store]:
    """A store that is closed in the end."""
    store = Store(folder)
    try:
        yield store
    finally:
        store.close()


def forget(folder: Path) -> bool:
    """Remove all that is kept but the build lock's file. Returns whether there was anything."""
    kept = [each for each in folder.glob("*") if each.is_dir()]
    for each in kept:
        shutil.rmtree(each, ignore_errors=True)
    return _remove(folder) or bool(kept)


def _remove(folder: Path) -> bool:
    """Remove the file, and what SQLite has put beside it."""
    there = [file for file in folder.glob(f"{FILE}*") if file.is_file()]
    for file in there:
        file.unlink(missing_ok=True)
    return bool(there)


def encoded(row: object) -> bytes:
    """Return a row as the store has it."""
    return msgspec.msgpack.encode(row)


def key(*parts: object) -> str:
    """The key of values, whichever these are: the same values give the same key."""
    return hashlib.sha256(msgspec.msgpack.encode(parts, order="deterministic")).hexdigest()


def _today() -> int:
    """Return the number of the day: a project may be open for many."""
    return int(time.time() / _DAY)


def _hash(kind: str, key: str, content: bytes) -> bytes:
    return hashlib.sha256(f"{kind} {key} ".encode() + content).digest()


def make_folder(folder: Path) -> None:
    """Make the folder, and tell git and backups to leave it out, as other tools' caches do."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (".gitignore", "*\n"),
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
    ):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="ascii")
