"""ShownDeck -> JSON, for programs that take cards elsewhere, as docs/deck.schema.json says."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable

from verideck.model import Passage, ShownDeck, ShownNote
from verideck.problems import Problems
from verideck.targets.target import ReadersTarget, begins_with

VERSION = 1
"""Of the form. A key that is added leaves it as it is; raise it where one changes or goes."""


def content(deck: ShownDeck, _: Problems) -> bytes:
    """Return the file: a line for each note, and one for each picture or sound."""
    media = {each.name: each.content for shown in deck.notes for each in shown.note.media}
    head = {"deck": deck.name, "language": deck.language, "css": deck.css}
    lines = [
        f'{{"verideck": {VERSION}, {_text(head)[1:-1]},',
        '"notes": [',
        ",\n".join(_text(_note(shown)) for shown in deck.notes),
        '], "media": {',
        ",\n".join(_entries((name, b64encode(media[name]).decode()) for name in sorted(media))),
        "}}",
    ]
    return "\n".join([*filter(None, lines), ""]).encode()


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _entries(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"{_text(name)}: {_text(value)}" for name, value in pairs)


def _note(shown: ShownNote) -> dict[str, object]:
    note, card = shown.note, shown.card
    fields = note.fields
    return {
        "id": note.identity.id,
        "guid": note.identity.guid,
        "deck": note.deck,
        "type": note.kind,
        "language": card.language,
        "tags": list(note.tags),
        "question": {"markdown": _markdown(card.question), "html": fields["Question"]},
        "answer": {"markdown": _markdown(card.answer), "html": fields["Answer"]},
        "extra": fields["Extra"],
        "hint": {"markdown": _markdown(card.hint), "html": fields["Hint"]},
        "source": {"markdown": _markdown(card.source), "html": fields["Source"]},
        "proof": fields["Proof"],
        "reversed": card.reverse,
        "media": [each.name for each in note.media],
        "path": note.place.path,
        "line": note.place.line,
    }


def _markdown(passage: Passage | None) -> str:
    return passage.text if passage else ""


TARGET = ReadersTarget(content, begins_with(b'{"verideck": '), shows_cards=False)
