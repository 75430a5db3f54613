"""What a package holds that verideck wrote, read back."""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from verideck.model import FIELDS, SEPARATOR, LastBuilt, Packaged
from verideck.storage.reading import Limit, opened, within
from verideck.targets.confined import confined, rows


class NoPackageError(ValueError):
    """The file is not a package that verideck wrote; the text says why."""


_DAMAGES = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, MemoryError, sqlite3.Error,
    AttributeError, KeyError, TypeError, ValueError,
)  # fmt: skip
"""What reading an archive, its database and what stands in it may end in."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DENSEST = 200
"""Bytes of a database that a byte of an archive may stand for. Decks have 3, and 100 cards of one
word that is repeated 10,000 times have 116."""
_SMALLEST = 1_000_000
"""Bytes that the database of any package may have. One without cards has 80,000, mostly zeros."""
_CARD = {"nid": int, "ord": int, "did": int}
_NOTE = {"id": int, "guid": str, "mod": int, "tags": str, "flds": str}


def read(file: Path, inside: Sequence[Path] = ()) -> dict[str, Packaged]:
    """The notes of a package by their guids. Raises NoPackageError or OSError."""
    with _database(file, inside) as (connection, size):
        return _notes(connection, size)


def require_ours(file: Path) -> None:
    """Raise NoPackageError for a file that is no package of verideck's, and OSError for no file."""
    with _database(file) as (connection, size):
        [(models,)] = rows(connection, "col", {"models": str}, size)
        fields = [[each["name"] for each in model["flds"]] for model in json.loads(models).values()]
        if any(names != list(FIELDS) for names in fields):
            raise ValueError("it has other note types")


@contextmanager
def _database(file: Path, inside: Sequence[Path] = ()) -> Iterator[tuple[sqlite3.Connection, int]]:
    """The database of a package, in memory, and its size in bytes.

    Raises NoPackageError for damage, found here or by whoever reads on, and OSError for a file that
    cannot be read.
    """
    try:
        with opened(file, Limit.DATA, inside) as stream, zipfile.ZipFile(stream) as archive:
            content = _unpacked(archive, os.fstat(stream.fileno()).st_size)
        with confined(content) as connection:
            yield connection, len(content)
    except _DAMAGES as error:
        raise NoPackageError(f"this is no package that verideck wrote: {error}") from error


def _unpacked(archive: zipfile.ZipFile, size: int) -> bytes:
    """The database's file. A bomb unpacks to no more than a package of its size may."""
    if archive.getinfo("collection.anki2").compress_type not in _METHODS:
        raise ValueError("its database is packed as verideck packs none")
    most = _SMALLEST + _DENSEST * size
    with archive.open("collection.anki2") as database:
        content = database.read(most + 1)
    if len(content) > most:
        raise ValueError("its database is packed more densely than cards can be")
    return content


def _notes(connection: sqlite3.Connection, size: int) -> dict[str, Packaged]:
    [(decks,)] = rows(connection, "col", {"decks": str}, size)
    names = {int(number): str(deck["name"]) for number, deck in json.loads(decks).items()}
    cards: dict[int, list[tuple[int, str]]] = {}
    for note, number, deck in rows(connection, "cards", _CARD, size):
        cards.setdefault(note, []).append((number + 1, names.get(deck, "")))
    found = {}
    for number, guid, mod, tags, fields in rows(connection, "notes", _NOTE, size):
        own = cards.get(number, [])
        found[guid] = Packaged(
            dict(zip(FIELDS, fields.split(SEPARATOR), strict=True)),
            tuple(tags.split()),
            mod,
            own[0][1] if own else "",
            frozenset(number for number, _ in own),
        )
    return found


def former_notes(files: Iterable[Path], root: Path) -> dict[str, list[LastBuilt]]:
    """The notes of former packages by their guids, as far as these are there."""
    found: dict[str, list[LastBuilt]] = defaultdict(list)
    for file in dict.fromkeys(files):
        with suppress(OSError, NoPackageError):
            for guid, each in read(file, within(file, root)).items():
                found[guid].append(LastBuilt(each.fields, each.tags))
    return found
