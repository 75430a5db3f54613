"""The differences between a former package and this build, as an import would apply them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from html import unescape

from verideck.history.changes import classify
from verideck.history.lock import Entry, Lock
from verideck.history.stamp import RETIRED
from verideck.model import ChangeKind, DeckContents, Kind, Note, Packaged, Place, content_of

_TOKEN = re.compile(r"[^\W\u3400-\u9fff]+|\s+|.", re.DOTALL)
_NO_TEXT = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<!--.*?-->", re.DOTALL)
_BREAKS = re.compile(r"</(?:p|li|pre|div|tr|h\d|figure|summary)>|<br\b[^>]*>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CONTEXT = 5
"""How many unchanged words are shown on each side of a change."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes that an import would make to a note."""

    kinds: tuple[ChangeKind, ...]
    id: str
    question: str
    place: Place | None
    """The place of its card; None if it has lost its card."""
    edits: tuple[tuple[str, str], ...] = ()
    """The changed fields, each with a text that shows `[-removals-]` and `{+additions+}`."""
    arrives: bool = True
    """False if Anki keeps its own version, because the new stamp is not later."""


def differences(
    contents: DeckContents, before: Lock, after: Lock, former: Mapping[str, Packaged]
) -> Iterator[Difference]:
    """Yield the difference of each note of the build, then of notes of the former package alone.

    `former` has the notes of the former package by their guids. `before` and `after` are the lock
    before and after the build; they have what a package does not contain. A note that is retired is
    left out if the former package has it as retired, or does not have it.
    """
    for note in contents.notes:
        guid = note.identity.guid
        had, entry = former.get(guid), after.entries[guid]
        if not note.retired or (had and RETIRED not in had.tags):
            yield _of_one(note, had, before.entries.get(guid), entry)
    here = {note.identity.guid for note in contents.notes}
    for guid, each in former.items():
        if guid not in here and RETIRED not in each.tags:
            question = plain(each.fields["Question"])
            yield Difference((ChangeKind.UNTAGGED,), unescape(each.fields["Id"]), question, None)


def _of_one(
    note: Note, former: Packaged | None, remembered: Entry | None, entry: Entry
) -> Difference:
    was = _entry(former, note, remembered, entry) if former else None
    kinds = tuple(dict.fromkeys(each.kind for each in classify(was, entry)))
    edits = tuple(_edits(note, former)) if former else ()
    changes = any(kind not in {ChangeKind.MOVED, ChangeKind.UNTOUCHED} for kind in kinds)
    return Difference(
        kinds,
        note.identity.id,
        plain(note.fields["Question"]),
        None if note.retired else note.place,
        edits,
        former is None or not changes or note.mod > former.mod,
    )


def _entry(former: Packaged, note: Note, remembered: Entry | None, entry: Entry) -> Entry:
    """Return the lock's entry of a former note, as far as its package shows it.

    A package has the question and the answer of some cloze cards in one field, and lacks the deck
    and the numbers of a note without cards. These come from the `remembered` entry if it is of the
    same content.
    """
    content = content_of(former.fields, [tag for tag in former.tags if tag != RETIRED])
    retired = RETIRED in former.tags
    plain_card = set() if note.kind is Kind.CLOZE else {1}
    numbers = tuple((number, "") for number in sorted(former.numbers - plain_card))
    question = plain(former.fields["Question"])
    if remembered and remembered.content == content:
        question = remembered.identity.question
    elif former.fields["Question"] == note.fields["Question"]:
        question = entry.identity.question
    if retired:
        numbers = remembered.identity.numbers if remembered else ()
    deck = former.deck or (remembered or entry).deck
    identity = replace(entry.identity, question=question, numbers=numbers)
    return replace(
        entry, identity=identity, deck=deck, content=content, mod=former.mod, retired=retired
    )


def _edits(note: Note, former: Packaged) -> Iterator[tuple[str, str]]:
    for name, text in note.fields.items():
        if name != "Id" and text != former.fields[name]:
            yield name, words(plain(former.fields[name]), plain(text))
    if not note.retired and sorted(note.tags) != sorted(former.tags):
        yield "Tags", words(" ".join(sorted(former.tags)), " ".join(sorted(note.tags)))


def plain(html: str) -> str:
    """Return the text of a field without tags, one line for each block."""
    text = _TAG.sub("", _BREAKS.sub("\n", _NO_TEXT.sub("", html)))
    return "\n".join(line.strip() for line in unescape(text).split("\n") if line.strip())


def words(old: str, new: str) -> str:
    """Return the difference of two texts, by words and Han characters.

    Shows `[-removals-]` and `{+additions+}`. Long unchanged stretches are shortened. If the texts
    are equal, the fields differ in their marks alone, and the result says so.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[str] = []
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for step, start, stop, now, until in steps:
        if step == "equal":
            last = stop == len(before)
            pieces.append(_shortened(before[start:stop], first=not pieces, last=last))
            continue
        removed, added = "".join(before[start:stop]), "".join(after[now:until])
        pieces += [f"[-{removed}-]"] if removed else []
        pieces += [f"{{+{added}+}}"] if added else []
    return "".join(pieces) if old != new else "(its marks alone)"


def _shortened(same: list[str], *, first: bool, last: bool) -> str:
    if len(same) <= 2 * _CONTEXT:
        return "".join(same)
    before = "" if first else "".join(same[:_CONTEXT])
    after = "" if last else "".join(same[-_CONTEXT:])
    return f"{before}…{after}"
