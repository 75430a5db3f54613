"""A collection that no Anki has open, by Anki's own library: the one door to it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anki.collection
from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.errors import AnkiException

from verideck.model import SEPARATOR
from verideck.push_plan import (
    CardThere,
    Collection,
    FieldThere,
    NoteThere,
    NoteTypeThere,
    PushError,
)
from verideck.targets.anki.receiver import Asked

_SUSPENDED = -1
"""The queue of a suspended card."""
_VALUES = 500
"""Values in one query. SQLite takes some 32,000."""


class Closed:
    """A closed collection: it is open here until `close`, and nowhere else."""

    def __init__(self, file: Path) -> None:
        """Open it. Raises PushError for what is no collection of Anki's, or is open elsewhere."""
        self._file = file.absolute()
        _require_same_schema(self._file)
        with _told("it cannot be opened"):
            self._opened = anki.collection.Collection(str(self._file))

    @property
    def name(self) -> str:
        """What it is."""
        return f"the closed collection {self._file}"

    @property
    def taken_back(self) -> str:
        """Anki forgets what could be undone when a collection is closed."""
        return "in Anki, File, Switch Profile, Open Backup"

    def read(self, asked: Asked) -> Collection:
        """Return what the learner has. Notes are known by their guids."""
        with _told("it cannot be read"):
            return self._read(asked)

    def _read(self, asked: Asked) -> Collection:
        query = "select guid, id, mid, mod, tags, flds from notes where guid in "
        rows = [row for row in self._rows(query, asked.guids) if row[0] in asked.guids]
        cards = self._cards([row[1] for row in rows])
        types = {each: self._note_type(each) for each in dict.fromkeys(row[2] for row in rows)}
        notes = {row[0]: self._note(row, types, cards) for row in rows if cards[row[1]]}
        for each in set(asked.note_types) - types.keys():
            if self._opened.models.get(each):  # type: ignore[arg-type] # a number of its own type
                types[each] = self._note_type(each)
        retired = [c.id for guid in asked.retired if guid in notes for c in notes[guid].cards]
        query = "select cid, count() from revlog where cid in {} group by cid"
        decks = {name: self._opened.decks.id_for_name(name) for name in asked.decks}
        is_filtered = self._opened.decks.is_filtered
        return Collection(
            self._file.parent.name,
            (),
            notes,
            types,
            {row[0]: row[1] for row in self._rows(query, retired)},
            frozenset(name for name, number in decks.items() if number and is_filtered(number)),
        )

    def _rows(self, query: str, values: Any) -> Iterator[Sequence[Any]]:  # noqa: ANN401 - ids or texts
        """The rows of a query for any number of values, which stand at its `{}` or its end."""
        assert self._opened.db
        every = list(values)
        for start in range(0, len(every), _VALUES):
            part = every[start : start + _VALUES]
            marks = f"({','.join('?' * len(part))})"
            asked = query.replace("{}", marks) if "{}" in query else query + marks
            yield from self._opened.db.all(asked, *part)

    def _cards(self, notes: Sequence[int]) -> dict[int, list[CardThere]]:
        found: dict[int, list[CardThere]] = defaultdict(list)
        decks = self._opened.decks
        names: dict[int, tuple[str, bool]] = {}
        query = "select nid, id, did, odid, queue from cards where nid in {} order by nid, ord"
        for note, card, deck, home, queue in self._rows(query, notes):
            if deck not in names:
                names[deck] = decks.name(deck), decks.is_filtered(deck)
            name, filtered = names[deck]
            found[note].append(CardThere(card, name, filtered or bool(home), queue == _SUSPENDED))
        return found

    def _note(
        self,
        row: Sequence[Any],
        types: dict[int, NoteTypeThere],
        cards: dict[int, list[CardThere]],
    ) -> NoteThere:
        _, number, note_type, mod, tags, fields = row
        names = [each.name for each in types[note_type].fields]
        texts = dict(zip(names, fields.split(SEPARATOR), strict=False))
        return NoteThere(number, note_type, texts, tuple(tags.split()), mod, tuple(cards[number]))

    def _note_type(self, number: int) -> NoteTypeThere:
        found = self._opened.models.get(number)  # type: ignore[arg-type] # a number of its own type
        if found is None:
            raise PushError("a note of this collection has no note type", _CHECK)
        fields = tuple(FieldThere(each["name"], each.get("id")) for each in found["flds"])
        templates = tuple(each["name"] for each in found["tmpls"])
        return NoteTypeThere(found["name"], fields, templates, found["css"], found["mod"])

    def sync(self) -> None:
        """Raise PushError: who syncs is the learner's Anki, which knows the account."""
        raise PushError("a closed collection is not synced", "sync in Anki before you close it")

    def backup(self) -> str:
        """Make a backup beside the collection, where Anki looks for them."""
        folder = self._file.parent / "backups"
        with _told("no backup could be made"):
            folder.mkdir(exist_ok=True)
            self._opened.create_backup(
                backup_folder=str(folder), force=True, wait_for_completion=True
            )
        return str(folder)

    def bring(self, package: Path) -> None:
        """Import a package with Anki's default options."""
        request = ImportAnkiPackageRequest(
            package_path=str(package), options=ImportAnkiPackageOptions()
        )
        with _told("the package could not be imported"):
            conflicting = self._opened.import_anki_package(request).log.conflicting
            self._reopen()
        if conflicting:
            count = len(conflicting)
            raise PushError(f"Anki has left out {count} notes, whose note type is another", _CHECK)

    def _reopen(self) -> None:
        """Open it anew: what Anki remembers of note types is from before the import."""
        self._opened.close()
        self._opened = anki.collection.Collection(str(self._file))

    def suspend(self, cards: Sequence[int]) -> None:
        """Suspend cards."""
        with _told("cards could not be suspended"):
            self._opened.sched.suspend_cards(cards)  # type: ignore[arg-type] # see `_note_type`

    def delete(self, notes: Sequence[int]) -> None:
        """Delete notes."""
        with _told("notes could not be deleted"):
            self._opened.remove_notes(notes)  # type: ignore[arg-type] # see `_note_type`

    def move(self, cards: Sequence[int], deck: str) -> None:
        """Put cards into a deck, which is made if it is not there."""
        with _told("cards could not be moved"):
            number = self._opened.decks.id(deck)
            assert number
            self._opened.set_deck(cards, number)  # type: ignore[arg-type] # see `_note_type`

    def refresh(self, deck: str) -> None:
        """Nothing shows a closed collection."""

    def close(self) -> None:
        """Close it: Anki can open it again."""
        self._opened.close()


_CHECK = "in Anki, Tools, Check Database"


@contextmanager
def _told(what: str) -> Iterator[None]:
    """What Anki's library raises is told as what was not possible."""
    try:
        yield
    except (AnkiException, sqlite3.Error, OSError) as error:
        said = str(error)
        is_open = "already open" in said
        hint = "close Anki, and wait until it has synced media" if is_open else ""
        raise PushError(f"{what}: {said}", hint) from error


def _require_same_schema(file: Path) -> None:
    """Raise PushError for a file whose schema is not that of the library.

    A collection that is not there would be made, and that of another Anki brought up to where the
    learner's own could not open it any more.
    """
    if not file.is_file():
        raise PushError(f"there is no collection {file}", "it is called collection.anki2")
    theirs = _schema(file)
    with tempfile.TemporaryDirectory(prefix="verideck-anki-") as folder:
        empty = Path(folder) / "collection.anki2"
        with _told("Anki's library makes no collection"):
            anki.collection.Collection(str(empty)).close()
        ours = _schema(empty)
    if theirs != ours:
        version = anki.buildinfo.version
        raise PushError(
            f"{file} is of another Anki (schema {theirs}) than the library here ({version}, "
            f"schema {ours})",
            "install the anki package of the version of your Anki: its window tells it under Help",
        )


def _schema(file: Path) -> int:
    """The number of a collection's schema. Raises PushError for what is none."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            ((number,),) = opened.execute("select ver from col").fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise PushError(f"{file} is no collection of Anki's: {error}") from error
    return int(number)
