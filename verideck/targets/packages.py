"""What a package holds that verideck wrote, read back."""

from __future__ import annotations

import json
import sqlite3
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from verideck.model import FIELDS, SEPARATOR, LastBuilt, Packaged


class NoPackageError(Exception):
    """The file is not a package that verideck wrote; the text says why."""


_DAMAGES = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, MemoryError, sqlite3.Error,
    AttributeError, KeyError, TypeError, ValueError,
)  # fmt: skip
"""What reading an archive, its database and what stands in it may end in."""


def read(file: Path) -> dict[str, Packaged]:
    """The notes of a package by their guids. Raises NoPackageError or OSError."""
    try:
        with zipfile.ZipFile(file) as archive:
            content = archive.read("collection.anki2")
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content)
            return _notes(connection)
    except _DAMAGES as error:
        raise NoPackageError(f"this is no package that verideck wrote: {error}") from error


def _notes(connection: sqlite3.Connection) -> dict[str, Packaged]:
    (decks,) = connection.execute("select decks from col").fetchone()
    names = {int(number): str(deck["name"]) for number, deck in json.loads(decks).items()}
    cards: dict[int, list[tuple[int, str]]] = {}
    for note, number, deck in connection.execute("select nid, ord, did from cards"):
        cards.setdefault(note, []).append((number + 1, names.get(deck, "")))
    found = {}
    for number, guid, mod, tags, fields in connection.execute(
        "select id, guid, mod, tags, flds from notes"
    ):
        own = cards.get(number, [])
        found[guid] = Packaged(
            dict(zip(FIELDS, fields.split(SEPARATOR), strict=True)),
            tuple(tags.split()),
            int(mod),
            own[0][1] if own else "",
            frozenset(number for number, _ in own),
        )
    return found


def former_notes(files: Iterable[Path]) -> dict[str, list[LastBuilt]]:
    """The notes of former packages by their guids, as far as these are there."""
    found: dict[str, list[LastBuilt]] = defaultdict(list)
    for file in dict.fromkeys(files):
        with suppress(OSError, NoPackageError):
            for guid, each in read(file).items():
                found[guid].append(LastBuilt(each.fields, each.tags))
    return found
