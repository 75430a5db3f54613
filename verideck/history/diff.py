"""What an import of this build would do to somebody who has an older package."""

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
"""Words around a change that are shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would do to a note."""

    kinds: tuple[ChangeKind, ...]
    id: str
    question: str
    place: Place | None
    """Of its card; None where there is none any more."""
    edits: tuple[tuple[str, str], ...] = ()
    """Fields that change, each with what is `[-taken out-]` and `{+put in+}`."""
    arrives: bool = True
    """False where Anki leaves what it has, because the new stamp is no later."""


def differences(
    contents: DeckContents, before: Lock, after: Lock, former: Mapping[str, Packaged]
) -> Iterator[Difference]:
    """What would become of each note, in the package's order; then what is in the former alone.

    What is retired and was so already, or never was there, is not told: nothing becomes of it. The
    locks, before the edition and after it, tell what a package does not.
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
    """What a lock would remember of a packaged note.

    A package does not tell a question from an answer that hides something, nor what is known of a
    note that has no card; if it is the last one, the lock does.
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
    """The text of a field, a line for each block."""
    text = _TAG.sub("", _BREAKS.sub("\n", _NO_TEXT.sub("", html)))
    return "\n".join(line.strip() for line in unescape(text).split("\n") if line.strip())


def words(old: str, new: str) -> str:
    """A difference by words and Han characters; long stretches that are the same are left out."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[str] = []
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for what, start, stop, now, until in steps:
        if what == "equal":
            last = stop == len(before)
            pieces.append(_shortened(before[start:stop], first=not pieces, last=last))
            continue
        gone, come = "".join(before[start:stop]), "".join(after[now:until])
        pieces += [f"[-{gone}-]"] if gone else []
        pieces += [f"{{+{come}+}}"] if come else []
    return "".join(pieces) if old != new else "(its marks alone)"


def _shortened(same: list[str], *, first: bool, last: bool) -> str:
    if len(same) <= 2 * _CONTEXT:
        return "".join(same)
    before = "" if first else "".join(same[:_CONTEXT])
    after = "" if last else "".join(same[-_CONTEXT:])
    return f"{before}…{after}"
