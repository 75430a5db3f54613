"""What is kept between runs: one SQLite file, which may be deleted at any time.

A row has a kind, a key and the hash of its own content, which takes a key that only this user has:
what was damaged, or written by anybody else, is as good as none. Runs may be under way at once:
each row is written whole. What recent runs did not use goes.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from hmac import compare_digest
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

import msgspec

from verideck.storage.cache_key import key_of_process
from verideck.storage.kept import FILE, FOLDER, make_folder, remove_database

__all__ = ["FILE", "FOLDER", "Rows", "Store", "encoded", "key", "opened", "together"]

Row = TypeVar("Row")

_SCHEMA = """
    create table if not exists rows (
        kind text, key text, content blob, hash blob, used integer, primary key (kind, key)
    )
"""
_JOURNAL = f"{FILE}-journal"
_END_OF_NAME = bytes.fromhex("d9d505f920a163d7")
"""Ends a rollback journal that names another file (SQLite file format, 3): one of several databases
that are written together. SQLite removes the named file. Our store is one database."""
_PATIENCE = 10.0
"""Seconds in which another run has written what it writes."""
_LARGEST = 1_000_000_000
"""Bytes of a file that is begun anew. In one run it may grow to twice as many."""
_PAGE = 4096
"""Bytes of a page of a database that SQLite makes, unless it is told otherwise."""
_DAY = 24 * 3600
_TOGETHER = 256
"""Rows that are written together."""
_KEPT_FOR = 30
"""Days after which a row goes that no run has used."""


class Store:
    """Rows of all kinds; none where there is no folder, or where it cannot be written."""

    def __init__(self, folder: Path | None, hash_key: bytes = b"") -> None:
        """Open nothing yet. The file is made when the first row is kept.

        Only rows that were kept with the same `hash_key` are found; without one, those of this
        process.
        """
        self._folder = folder
        self._hash_key = hash_key or key_of_process()
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._used: set[tuple[str, str]] = set()
        """Rows that a former day used last."""

    def find(self, kind: str, key: str) -> bytes | None:
        """Return the content that was kept last under a key, unless it was damaged since."""
        with self._lock:
            row = self._row(kind, key)
        if row is None or not compare_digest(row[1], self._hash(kind, key, row[0])):
            return None
        if row[2] != _today():
            self._used.add((kind, key))
        return row[0]

    def keep(self, kind: str, contents: Mapping[str, bytes]) -> None:
        """Keep contents by their keys, all together. What cannot be written is not kept."""
        today = _today()
        rows = [
            (kind, key, content, self._hash(kind, key, content), today)
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

    def _hash(self, kind: str, key: str, content: bytes) -> bytes:
        named = f"{kind} {key} ".encode()
        return hashlib.blake2b(named + content, key=self._hash_key).digest()

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
                        remove_database(self._folder)
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
            make_folder(self._folder)  # SQLite follows links; this refuses them
            if _names_a_file(self._folder / _JOURNAL) or _size(file) > _LARGEST:
                remove_database(self._folder)
            connection = sqlite3.connect(file, timeout=_PATIENCE, check_same_thread=False)
            self._connection = connection
            if not _is_ours(connection):
                self._let_go()
                remove_database(self._folder)
                return self._connected(make=make)
            connection.execute(f"pragma max_page_count = {2 * _LARGEST // _PAGE}")
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

    def keep_encoded(self, rows: Mapping[str, bytes]) -> None:
        """Keep several rows that are encoded already."""
        self._store.keep(self._kind, rows)

    def keep_all(self, rows: Mapping[str, Row]) -> None:
        """Keep several rows, of which few are in memory at once as the store has them."""
        left = iter(rows.items())
        while some := list(islice(left, _TOGETHER)):
            self._store.keep(self._kind, {key: self._encode(row) for key, row in some})


@contextmanager
def opened(folder: Path | None, hash_key: bytes = b"") -> Iterator[Store]:
    """A store that is closed in the end."""
    store = Store(folder, hash_key)
    try:
        yield store
    finally:
        store.close()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _names_a_file(journal: Path) -> bool:
    """Whether a journal would make SQLite read and remove a file that it names."""
    try:
        descriptor = os.open(journal, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return True
        file.seek(max(os.fstat(descriptor).st_size - len(_END_OF_NAME), 0))
        return file.read() == _END_OF_NAME


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Whether a database has no table yet, or only ours: a view of that name could never end."""
    return _tables(connection) in ([], _our_tables())


@cache
def _our_tables() -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(_SCHEMA)
        return _tables(connection)


def _tables(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    found = connection.execute("select type, name, tbl_name, sql from sqlite_master order by name")
    return found.fetchall()


def encoded(row: object) -> bytes:
    """Return a row as the store has it."""
    return msgspec.msgpack.encode(row)


def together(content: bytes) -> list[bytes]:
    """Return rows that were encoded by themselves, and then as one list."""
    return msgspec.msgpack.decode(content, type=list[bytes])


def key(*parts: object) -> str:
    """The key of values, whichever these are: the same values give the same key."""
    return hashlib.sha256(msgspec.msgpack.encode(parts, order="deterministic")).hexdigest()


def _today() -> int:
    """Return the number of the day: a project may be open for many."""
    return int(time.time() / _DAY)
