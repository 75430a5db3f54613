"""Anki's package format, by genanki: the one door to it.

genanki leaves to chance what must not be: ids from the clock, the order of cloze cards, dates in
the archive, a temporary file. So the database is filled in memory by its public `write_to_db`,
with ids of our own, and the archive is made here.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import genanki

from verideck.model import FIELDS, DeckContents, Kind, Note, NoteType
from verideck.targets.ids import ids_of

_OLDEST_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip archive can name."""

_SQLITE_VERSION = slice(96, 100)
"""Bytes of a database file that name the library that wrote it (SQLite file format, 1.3.19)."""


class _Model(genanki.Model):  # type: ignore[misc] # genanki has no annotations
    """A note type whose fields and templates have ids, so that Anki sees a renaming as one."""

    def __init__(self, kind: NoteType, mod: int) -> None:
        self.mod = mod
        super().__init__(
            kind.id,
            kind.name,
            fields=[{"name": name, "id": number} for name, number in kind.fields],
            templates=[
                {"name": each.name, "id": each.id, "qfmt": each.front, "afmt": each.back}
                for each in kind.templates
            ],
            css=kind.css,
            model_type=genanki.Model.CLOZE if kind.is_cloze else genanki.Model.FRONT_BACK,
        )

    def to_json(self, _: float, deck_id: int) -> dict[str, Any]:
        """The note type, stamped with when it changed rather than with when it is packaged."""
        told: dict[str, Any] = super().to_json(self.mod, deck_id)
        return told


class _Note(genanki.Note):  # type: ignore[misc] # genanki has no annotations
    """A note whose cards come in the order of their numbers, nested deletions among them."""

    def __init__(self, note: Note, model: _Model, due: int) -> None:
        self.mod = note.mod
        self._retired = note.retired
        super().__init__(
            model=model,
            fields=[note.fields[name] for name in FIELDS],
            tags=sorted(note.tags),
            guid=note.identity.guid,
            due=due,
        )

    def write_to_db(self, cursor: sqlite3.Cursor, _: float, *more: Any) -> None:  # noqa: ANN401
        """Write the note, stamped with when it changed rather than with when it is packaged."""
        super().write_to_db(cursor, self.mod, *more)

    @cached_property
    def cards(self) -> list[genanki.Card]:
        """None for a retired note: who has it keeps the cards, and who has not gets none."""
        return [] if self._retired else super().cards

    def _cloze_cards(self) -> list[genanki.Card]:
        numbers = {int(number) for number in re.findall(r"\{\{c(\d+)::", self.fields[0])}
        return [genanki.Card(number - 1) for number in sorted(numbers)]

    def _check_invalid_html_tags_in_fields(self) -> None:
        """Fields are our own, escaped HTML; the check takes quadratic time."""


class _Deck(genanki.Deck):  # type: ignore[misc] # genanki has no annotations
    """A deck that writes its notes; the package lists it, with all others at once."""

    def __init__(self, name: str) -> None:
        super().__init__(_deck_id(name), name)

    def write_to_db(self, cursor: sqlite3.Cursor, timestamp: float, ids: Iterator[int]) -> None:
        """Write the deck's notes."""
        for note in self.notes:
            self.add_model(note.model)
            note.write_to_db(cursor, timestamp, self.deck_id, ids)


class _Package(genanki.Package):  # type: ignore[misc] # genanki has no annotations
    """Decks whose entries in the collection's lists are written once.

    genanki reads and writes both lists, of decks and of note types, for every deck. Where each file
    of a folder is a deck of its own, that takes the square of their number.
    """

    def write_to_db(self, cursor: sqlite3.Cursor, timestamp: float, ids: Iterator[int]) -> None:
        """Write all notes, then the lists: genanki's own entries, and those of these decks."""
        super().write_to_db(cursor, timestamp, ids)
        decks, models = map(json.loads, cursor.execute("select decks, models from col").fetchone())
        for deck in self.decks:
            decks[str(deck.deck_id)] = deck.to_json()
            for model in deck.models.values():
                models[str(model.model_id)] = model.to_json(timestamp, deck.deck_id)
        lists = (json.dumps(decks), json.dumps(models))
        cursor.execute("update col set decks = ?, models = ?", lists)


def package(contents: DeckContents) -> bytes:
    """The content of an .apkg file."""
    media = {media.name: media.content for note in contents.notes for media in note.media}
    names = sorted(media)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package_file:
        _add(package_file, "collection.anki2", _database(contents))
        listed = {str(number): name for number, name in enumerate(names)}
        _add(package_file, "media", json.dumps(listed, ensure_ascii=False).encode())
        for number, name in enumerate(names):
            _add(package_file, str(number), media[name])
    return archive.getvalue()


def _add(package_file: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _OLDEST_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    package_file.writestr(entry, content)


def _database(contents: DeckContents) -> bytes:
    models = {kind: _Model(contents.note_types[kind], contents.styles[kind]) for kind in Kind}
    decks: dict[str, _Deck] = {}
    for due, note in enumerate(contents.notes):
        # A note without cards needs a deck to be listed under, but none of its own.
        name = contents.notes[0].deck if note.retired else note.deck
        if name not in decks:
            decks[name] = _Deck(name)
        decks[name].add_note(_Note(note, models[note.kind], due))
    in_order = [decks[name] for name in sorted(decks)]
    connection = sqlite3.connect(":memory:")
    try:
        _Package(in_order).write_to_db(connection.cursor(), contents.build_time, _ids(in_order))
        connection.commit()
        content = bytearray(connection.serialize())
    finally:
        connection.close()
    content[_SQLITE_VERSION] = bytes(4)
    return bytes(content)


def _ids(decks: Sequence[genanki.Deck]) -> Iterator[int]:
    """The ids that genanki asks for: each note's, then its cards', all following from guids."""
    notes = [note for deck in decks for note in deck.notes]
    note_ids = ids_of(note.guid for note in notes)
    card_ids = ids_of(_card_name(note, card) for note in notes for card in note.cards)
    for note in notes:
        yield note_ids[note.guid]
        for card in note.cards:
            yield card_ids[_card_name(note, card)]


def _card_name(note: _Note, card: Any) -> str:  # noqa: ANN401 - genanki has no annotations
    return f"{note.guid}\x1f{card.ord}"


def _deck_id(name: str) -> int:
    """A link inside the file only: Anki matches decks by name."""
    digest = hashlib.sha256(name.encode()).digest()
    return 1_000_000_000_000 + int.from_bytes(digest[:5])
