"""`cards.lock`: what a stranger, or a merge, left in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzz.area import Area, Check, check_problems
from fuzz.changes import ODD_TEXTS, changed_bytes, changed_json, changed_text
from fuzz.material import lock_lines
from projects import MOMENT

from verideck.history import lock
from verideck.history.changes import changes
from verideck.history.lock import Lock
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.history.stamp import stamp
from verideck.model import FIELDS, Card, LastBuilt, ProvenCard, Source
from verideck.problems import Code, Problems
from verideck.render.fields import rendered
from verideck.render.highlight import Highlighter
from verideck.render.look import note_of
from verideck.render.note_types import note_types
from verideck.source.cards import cards_of
from verideck.source.config import SourceConfig

_PATH = "cards/any.md"
_TEXT = """\
## What is one? {#one}

A number.

## What is {{c1::two}} and {{c2::three}}? {.cloze}

Two numbers.

## Who is four? {.reversed}

The fourth.
"""
_HEAD = lock_lines()[0]
_END = b"# the end\n"
_PIECES = (
    *ODD_TEXTS, "<<<<<<< HEAD", "=======", ">>>>>>> other", "|||||||", "# the end", "# ", "\r\n",
    "# cards.lock, version 1: x", "# cards.lock, version 2: x", "{}", "[]", "null", '{"notetype": ',
    '"basic"', '"cloze"', '"typed"', '"mod": -1', '"mod": 1099511627776', '"retired": true', "\n",
    "\\ud800", "\\u0000", "\\u001f", '"id": ""', '"cards": {"1": "a"}', '"cards": {"70000": "a"}',
)  # fmt: skip


def _note(random: Random) -> dict[str, object]:
    """A line of a note, of a card that is there or of one that is gone."""
    name = random.choice(("one", "two", "four", "what-is-one", "x", "é", "a b", "\x1f", "x" * 300))
    text = random.choice(("one", "What is one?", "Who is four?", "", "{{c1::two}}", "a\nb", "$"))
    line: dict[str, object] = {
        "id": name,
        "written": random.random() < 0.5,
        "guid": random.choice((name, "g", "g2", "verideck")),
        "kind": random.choice(("basic", "typed", "cloze")),
        "path": random.choice((_PATH, "cards/other.md", "../x", "/dev/null", "\x00", "")),
        "deck": random.choice(("Deck", "Deck::a", "", "::")),
        "question": text,
        "answer": random.choice(("", "0123456789abcdef", "x")),
        "content": random.choice(("0" * 20, "")),
        "mod": random.choice((0, 1, 1_700_000_000, 2**40 - 1, 2**40)),
    }
    for key in ("cards", "dropped"):
        if random.random() < 0.4:
            line[key] = {str(random.choice((1, 2, 3, 499, 500, 501, 65535))): text}
    if random.random() < 0.3:
        line["retired"] = True
    if random.random() < 0.3:
        line["last"] = {"fields": dict.fromkeys(FIELDS, text), "tags": [name]}
    return line


def _made(random: Random) -> bytes:
    lines = [json.dumps(_note(random)) for _ in range(random.randint(0, 5))]
    if random.random() < 0.3:
        kind, mod = random.choice(("basic", "cloze", "x")), random.choice((0, 5, 2**39))
        lines.append(json.dumps({"notetype": kind, "content": "c", "mod": mod}))
    return b"\n".join([_HEAD, *(line.encode() for line in lines), _END])


def _changed(random: Random, data: bytes) -> bytes:
    kind = random.randrange(6)
    if kind == 0:
        return changed_bytes(random, data)
    if kind == 1:
        text = data.decode("utf-8", "replace")
        return changed_text(random, text, _PIECES).encode("utf-8", "surrogatepass")
    lines = data.split(b"\n")
    number = random.randrange(len(lines))
    if kind == 2:
        lines[number:number] = [random.choice(lines)] * random.choice((1, 1, 2))
        return b"\n".join(lines)
    try:
        value = json.loads(lines[number])
        lines[number] = json.dumps(changed_json(random, value)).encode()
    except (ValueError, RecursionError):
        return changed_bytes(random, data)
    return b"\n".join(lines)


def _seeds(_: Path) -> Sequence[bytes]:
    lines = lock_lines()
    notes = lines[1:-2]
    some = [notes[start : start + 4] for start in range(0, len(notes), 40)]
    return [b"\n".join([_HEAD, *each, _END]) for each in some]


def _check(folder: Path) -> Check:
    cards = cards_of(Source(_PATH, _TEXT), SourceConfig(folder, "Deck")).cards
    assert len(cards) == 3
    file = folder / lock.NAME
    (folder / _PATH).parent.mkdir(exist_ok=True)
    (folder / _PATH).write_text(_TEXT, "utf-8")

    def check(data: bytes) -> None:
        file.write_bytes(data)
        problems = Problems()
        found = lock.read(folder, problems)
        assert file.read_bytes() == data, "the lock was written over"
        if found is None:
            assert [each.code for each in problems] == [Code.LOCK_INVALID]
            check_problems(list(problems), {lock.NAME: data.decode("utf-8", "replace")})
            return
        assert not len(problems)
        _check_kept(found, folder)
        _check_used(found, cards, folder)

    return check


def _check_kept(found: Lock, folder: Path) -> None:
    """Hold a lock to what is read back after it was written: the same, and no byte changes."""
    text = lock.text(found)
    (folder / lock.NAME).write_text(text, "utf-8", newline="")
    problems = Problems()
    again = lock.read(folder, problems)
    assert again is not None, f"what was written is no lock: {list(problems)}"
    assert (again.entries, again.note_types) == (found.entries, found.note_types), "another lock"
    assert lock.text(again) == text, "another text"
    assert not lock.lock_file(folder, again, again)


def _check_used(found: Lock, cards: Sequence[Card], folder: Path) -> None:
    """Hold what a build makes of a lock: each card is one note, and the lock after it holds."""
    problems = Problems()
    scope = Scope(folder, is_whole=True, files=frozenset({_PATH}))
    known = recognise(cards, found, scope, "fuzz", problems)
    check_problems(list(problems), {_PATH: _TEXT})
    identities = [each.identity for each in known.values() if each.identity]
    assert len({each.guid for each in identities}) == len(identities), "two cards are one note"
    assert len({each.id for each in identities}) == len(identities), "two cards have one id"
    highlighter = Highlighter(None)
    notes = []
    for card in known.values():
        look = rendered(ProvenCard(card, ()), folder, highlighter)
        if not look.problems:
            notes.append(note_of(card, look, {}))
    former = {guid: [LastBuilt(dict.fromkeys(FIELDS, ""), ())] for guid in found.entries}
    contents, after = stamp(notes, found, scope, lambda: former, MOMENT, note_types())
    assert len(contents.notes) >= len(notes)
    list(changes(found, after, scope))
    if not problems.has_errors:
        _check_kept(after, folder)


AREA = Area(".lock", _seeds, _made, _changed, _check)
