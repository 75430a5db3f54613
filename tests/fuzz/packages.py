"""Packages: files that are said to be a deck, for `verideck diff` and for a deck's own history."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from random import Random

from fuzz.area import Area, Check
from fuzz.changes import ODD_NUMBERS, ODD_TEXTS, changed_bytes, changed_json
from projects import MOMENT

from verideck.history.diff import differences
from verideck.history.lock import Lock
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.history.stamp import stamp
from verideck.model import FIELDS, DeckContents, LastBuilt, Packaged, ProvenCard, Source
from verideck.problems import Problems
from verideck.render.fields import rendered
from verideck.render.highlight import Highlighter
from verideck.render.look import note_of
from verideck.render.note_types import note_types
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig
from verideck.targets import packages
from verideck.targets.apkg import package

_PATH = "cards/any.md"
_TEXT = """\
## What is one? {#one}

A number, `1`.

## What is {{c1::two}}? {#two .cloze}

## Who is four? {#four .reversed}

The fourth, $4$.
"""
_MEMBER = "collection.anki2"
_BOMB = 200_000_000
"""Bytes that a small archive unpacks to."""
_LONGEST_VALUE = 5_000_000
_SCHEMA = tuple(
    line.strip()
    for line in """\
    drop table cards
    drop table notes
    delete from col
    delete from cards
    alter table notes drop column flds
    create view v as select * from notes
    vacuum
    pragma user_version = 99
    insert into col select * from col
    drop table cards; create view cards as select id nid, 0 ord, 1 did from notes
    drop table cards; create view cards as with recursive c(x) as (select 1 union all \
select x + 1 from c) select x nid, 0 ord, 1 did from c limit 100000000
    drop table notes; create view notes as select 1 id, 'g' guid, 1 mod, '' tags, \
zeroblob(300000000) flds
    drop table notes; create view notes as select 1 id, hex(randomblob(100000000)) guid, 1 mod, \
'' tags, '' flds
    alter table cards add column x as (hex(zeroblob(100000000)))
    create virtual table x using fts5(a)
    drop table cards; create virtual table cards using fts5(nid, ord, did)
    """.splitlines()
    if line.strip()
)
"""What a database may be in place of tables of notes and cards."""


def _history(folder: Path) -> tuple[DeckContents, Lock]:
    """A small deck, and the lock that remembers it."""
    cards = cards_of(Source(_PATH, _TEXT), SourceConfig(folder, "Deck")).cards
    scope = Scope(folder, is_whole=True, files=frozenset({_PATH}))
    known = recognise(cards, Lock(), scope, "fuzz", Problems())
    highlighter = Highlighter(None)
    looks = [(card, rendered(ProvenCard(card, ()), folder, highlighter)) for card in known.values()]
    notes = [note_of(card, look, {}) for card, look in looks]
    return stamp(notes, Lock(), scope, dict, MOMENT, note_types())


@cache
def _package() -> bytes:
    return package(_history(Path("/nowhere"))[0])


def _seeds(_: Path) -> Sequence[bytes]:
    return [_package(), _zipped(random=None, content=_database(_package()))]


def _database(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(_MEMBER) as member:
        return member.read(5_000_000)


def _zipped(random: Random | None, content: bytes) -> bytes:
    """An archive of a database: as verideck writes it, or as nobody does."""
    made = io.BytesIO()
    stored = random and random.random() < 0.5
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    if random and random.random() < 0.1:
        method = random.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr(_MEMBER, content)
        if random and random.random() < 0.2:
            archive.writestr(random.choice(("media", "../x", "collection.anki21b")), b"{}")
    return made.getvalue()


def _value(random: Random) -> object:
    text = random.choice((*ODD_TEXTS, "1", "", "a\x1fb", "\x1f".join(["a"] * len(FIELDS))))
    number = random.choice((*ODD_NUMBERS[:10], 2**63 - 1, -(2**63)))
    return random.choice((None, text, number, 0.5, float("inf"), b"\xff\xfe", b"", "x" * 5000))


def _changed_database(random: Random, content: bytes) -> bytes:
    if random.random() < 0.2:
        return changed_bytes(random, content)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        with suppress(
            sqlite3.Error, ArithmeticError, LookupError, TypeError, ValueError, MemoryError
        ):
            connection.deserialize(content)
            _change(random, connection)
            connection.commit()
            return connection.serialize()
    return content


def _change(random: Random, connection: sqlite3.Connection) -> None:
    kind = random.randrange(10)
    if kind == 0:
        connection.executescript(random.choice(_SCHEMA))
    elif kind < 4:
        (decks,) = connection.execute("select decks from col").fetchone()
        changed = json.dumps(changed_json(random, json.loads(decks)))
        connection.execute("update col set decks = ?", [changed])
    else:
        table, columns = random.choice(
            (("notes", "id guid mod tags flds mid"), ("cards", "nid ord did id"), ("col", "decks"))
        )
        column = random.choice(columns.split())
        rows = connection.execute(f"select rowid from {table}").fetchall()  # noqa: S608 - ours
        statement = f"update {table} set {column} = ? where rowid = ?"  # noqa: S608 - names of ours
        connection.execute(statement, [_value(random), random.choice(rows)[0]])


def _made(random: Random) -> bytes:
    kind = random.randrange(12)
    if kind == 0:
        return _zipped(random, bytes(random.choice((10, 5_000_000, _BOMB))))
    if kind == 1:
        return random.choice((b"", b"PK", b"SQLite format 3\x00", b"PK\x05\x06" + bytes(18)))
    if kind == 2:
        return _zipped(random, random.randbytes(random.choice((0, 1, 99, 5000))))
    if kind == 3:
        content = _database(_package())
        return _zipped(random, content[: random.randint(0, len(content))])
    content = _database(_package())
    for _ in range(random.choice((1, 1, 2, 4))):
        content = _changed_database(random, content)
    return _zipped(random, content)


def _changed(random: Random, data: bytes) -> bytes:
    if random.random() < 0.4:
        return changed_bytes(random, data)
    try:
        content = _database(data)
    except Exception:  # noqa: BLE001 - it is no archive any more
        return changed_bytes(random, data)
    return _zipped(random, _changed_database(random, content))


def _check(folder: Path) -> Check:
    contents, after = _history(folder)
    file = folder / "any.apkg"

    def check(data: bytes) -> None:
        file.write_bytes(data)
        try:
            found = packages.read(file)
        except (packages.NoPackageError, OSError):
            return
        for guid, each in found.items():
            _check_note(guid, each)
        for before in (Lock(), after):
            for difference in differences(contents, before, after, found):
                assert all(isinstance(text, str) for _, text in difference.edits)
        _check_returned(found, folder)

    return check


def _check_note(guid: str, each: Packaged) -> None:
    """Hold what was read to its types: what follows from it is written into a lock."""
    assert isinstance(guid, str), "a guid is no text"
    assert tuple(each.fields) == FIELDS
    assert all(isinstance(text, str) for text in each.fields.values())
    assert all(isinstance(tag, str) for tag in each.tags)
    assert isinstance(each.mod, int)
    assert isinstance(each.deck, str)
    assert all(isinstance(number, int) for number in each.numbers), "a number is none"


def _check_returned(found: dict[str, Packaged], folder: Path) -> None:
    """Hold a note that has lost its card to what is written of it: the lock can be read again."""
    contents, lock = _history(folder)
    scope = Scope(folder, is_whole=True, files=frozenset({_PATH}))
    former = {guid: [LastBuilt(each.fields, each.tags)] for guid, each in found.items()}
    again, after = stamp(contents.notes[:1], lock, scope, lambda: former, MOMENT + 1, note_types())
    _check_lock(after, folder)
    package(again)


def _check_lock(after: Lock, folder: Path) -> None:
    from verideck.history import lock  # noqa: PLC0415 - its name is that of a value here

    (folder / lock.NAME).write_bytes(lock.text(after).encode())
    assert lock.read(folder, Problems()) == after, "a lock that is written is not read"


AREA = Area(".apkg", _seeds, _made, _changed, _check)
