"""The differences between a former package and this build, as an import would apply them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from html import unescape

from verideck.history.changes import classify
from verideck.history.lock import Entry, Lock
from verideck.history.stamp import RETIRED
from verideck.model import ChangeKind, DeckContents, Kind, Note, Packaged, Place, content_of

_TOKEN = re.compile(r"[^\W\u3400-\u9fff]+|\s+|.", re.DOTALL)
_OPENS_NO_TEXT = re.compile(r"<(?:(?:style|script)\b|!--)")
_CLOSES_NO_TEXT = {"<style": "</style>", "<script": "</script>", "<!--": "-->"}
_BREAKS = re.compile(r"</(?:p|li|pre|div|tr|h\d|figure|summary)>|<br\b[^<>]*>")
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
    guid: str = ""


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
            identity = unescape(each.fields["Id"])
            yield Difference((ChangeKind.UNTAGGED,), identity, question, None, guid=guid)


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
        note.identity.guid,
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
    text = _TAG.sub("", _BREAKS.sub("\n", "".join(_texts(html))))
    return "\n".join(line.strip() for line in unescape(text).split("\n") if line.strip())


def _texts(html: str) -> Iterator[str]:
    """The pieces of a field around its styles, scripts and comments.

    The field may be a stranger's: what one kind begins and does not close is looked for once.
    """
    done, unclosed = 0, set[str]()
    for opening in _OPENS_NO_TEXT.finditer(html):
        closing = _CLOSES_NO_TEXT[opening.group()]
        if opening.start() < done or closing in unclosed:
            continue
        end = html.find(closing, opening.end())
        if end < 0:
            unclosed.add(closing)
            continue
        yield html[done : opening.start()]
        done = end + len(closing)
    yield html[done:]


def words(old: str, new: str) -> str:
    """Return the difference of two texts, by words and Han characters.

    Shows `[-removals-]` and `{+additions+}`. Long unchanged stretches are shortened. If the texts
    are equal, the fields differ in their marks alone, and the result says so.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[str] = []
    for step, start, stop, now, until in _steps(before, after):
        if step == "equal":
            last = stop == len(before)
            pieces.append(_shortened(before[start:stop], first=not pieces, last=last))
            continue
        removed, added = "".join(before[start:stop]), "".join(after[now:until])
        pieces += [f"[-{removed}-]"] if removed else []
        pieces += [f"{{+{added}+}}"] if added else []
    return "".join(pieces) if old != new else "(its marks alone)"


_Step = tuple[str, int, int, int, int]
_COMPARED = 250_000
"""Pairs of words that are looked for in each other: those of two texts of 500 that have nothing in
common at either end. It takes more than the square of their number."""


def _steps(before: Sequence[str], after: Sequence[str]) -> list[_Step]:
    """What becomes of one text in the other, as difflib tells it."""
    most = min(len(before), len(after))
    pairs = zip(before, after, strict=False)
    first = next((n for n, (old, new) in enumerate(pairs) if old != new), most)
    pairs = zip(reversed(before), reversed(after), strict=False)
    same = next((n for n, (old, new) in enumerate(pairs) if old != new), most)
    last = min(same, most - first)
    stop, until = len(before) - last, len(after) - last
    if (stop - first) * (until - first) <= _COMPARED:
        middle = SequenceMatcher(None, before[first:stop], after[first:until], autojunk=False)
        inner = [
            (step, first + start, first + end, first + now, first + then)
            for step, start, end, now, then in middle.get_opcodes()
        ]
    else:
        inner = [("replace", first, stop, first, until)]
    beginning = [("equal", 0, first, 0, first)] if first else []
    end = [("equal", stop, len(before), until, len(after))] if last else []
    return [*beginning, *inner, *end]


def _shortened(same: list[str], *, first: bool, last: bool) -> str:
    if len(same) <= 2 * _CONTEXT:
        return "".join(same)
    before = "" if first else "".join(same[:_CONTEXT])
    after = "" if last else "".join(same[-_CONTEXT:])
    return f"{before}…{after}"
