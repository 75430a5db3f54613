"""A stranger's database, opened so that reading it costs no more than its length.

A database is a program, too: a view can count for ever, a generated column can be any size, and
pages that point at one page make a small file a large table. None of that is in a package that
verideck wrote.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

_STEPS_A_BYTE = 10
"""Of SQLite's machine. A row takes about ten, and more than ten bytes."""
_STEPS = 100_000
"""Of any database: its schema is read first."""
_AT_ONCE = 1000
"""Steps between two looks at how many there were."""
_SMALLEST_LIMIT = 10_000
"""Bytes that a value may have in any database: SQLite reads its schema by statements of its own."""
_TABLES = ("col", "notes", "cards")


@contextmanager
def confined(content: bytes) -> Iterator[sqlite3.Connection]:
    """Open a database's file in memory.

    Raises ValueError unless what is read of it are tables that hold what they show. Afterwards
    sqlite3.Error is raised where reading takes too long, or a value is larger than the file.
    """
    steps = iter(range((_STEPS + _STEPS_A_BYTE * len(content)) // _AT_ONCE))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(len(content), _SMALLEST_LIMIT))
        connection.set_progress_handler(lambda: next(steps, None) is None, _AT_ONCE)
        connection.deserialize(content)
        connection.execute("pragma trusted_schema = off")
        for name in _TABLES:
            _require_plain(connection, name)
        yield connection


def _require_plain(connection: sqlite3.Connection, name: str) -> None:
    """Raise ValueError unless a table stores all that it shows."""
    found = connection.execute(
        "select 1 from sqlite_master where name = ? and type = 'table' and rootpage > 0", [name]
    ).fetchall()
    computed = connection.execute("select 1 from pragma_table_xinfo(?) where hidden", [name])
    if len(found) != 1 or computed.fetchall():
        raise ValueError(f"{name} is no table")


def rows(
    connection: sqlite3.Connection, table: str, columns: Mapping[str, type], size: int
) -> Iterator[tuple[Any, ...]]:
    """The values of some columns of a table, row by row; `size` is that of the database's file.

    Raises ValueError for a value of another type, and where there are more than the file can hold.
    """
    left = size
    for row in connection.execute(f"select {', '.join(columns)} from {table}"):  # noqa: S608 - names of ours
        for value, kind in zip(row, columns.values(), strict=True):
            if type(value) is not kind:
                raise ValueError(f"{table} has a value of another type")
            left -= len(value) if isinstance(value, str) else 1
        if left < 0:
            raise ValueError(f"{table} has more than its file can hold")
        yield row
