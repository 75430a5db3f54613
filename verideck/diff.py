"""What an import of this build would do to somebody who has an older package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import unescape

from verideck.model import Edition, Fate, Kind, Note, Place
from verideck.packages import Packaged
from verideck.stamp import RETIRED

_TOKEN = re.compile(r"[^\W\u3400-\u9fff]+|\s+|.", re.DOTALL)
_NO_TEXT = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<!--.*?-->", re.DOTALL)
_BREAKS = re.compile(r"</(?:p|li|pre|div|tr|h\d|figure|summary)>|<br\b[^>]*>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_CONTEXT = 5
"""Words around a change that are shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would do to a note."""

    fates: tuple[Fate, ...]
    id: str
    question: str
    place: Place | None
    """Of its card; None where there is none any more."""
    edits: tuple[tuple[str, str], ...] = ()
    """Fields that change, each with what is `[-taken out-]` and `{+put in+}`."""
    arrives: bool = True
    """False where Anki leaves what it has, because the new stamp is no later."""


def differences(edition: Edition, former: Mapping[str, Packaged]) -> Iterator[Difference]:
    """What would become of each note, in the package's order; then what is in the former alone."""
    for note in edition.notes:
        yield _of_one(note, former.get(note.identity.guid))
    here = {note.identity.guid for note in edition.notes}
    for guid, each in former.items():
        if guid not in here and RETIRED not in each.tags:
            question = plain(each.fields["Question"])
            yield Difference((Fate.RETIRED,), unescape(each.fields["Id"]), question, None)


def _of_one(note: Note, former: Packaged | None) -> Difference:
    place = None if note.retired else note.place
    identity, question = note.identity.id, plain(note.fields["Question"])
    if former is None:
        fate = Fate.UNTOUCHED if note.retired else Fate.NEW
        return Difference((fate,), identity, question, place)
    edits = tuple(_edits(note, former))
    fates = tuple(_fates(note, former, dict(edits)))
    changes = any(fate not in {Fate.MOVED, Fate.UNTOUCHED} for fate in fates)
    return Difference(fates, identity, question, place, edits, not changes or note.mod > former.mod)


def _fates(note: Note, former: Packaged, edits: Mapping[str, str]) -> Iterator[Fate]:
    was_retired = RETIRED in former.tags
    if note.retired:
        yield Fate.UNTOUCHED if was_retired else Fate.RETIRED
        return
    found = []
    if was_retired:
        found.append(Fate.RETURNED)
    elif edits or sorted(note.tags) != sorted(former.tags):
        found.append(Fate.REWORDED if "Question" in edits else Fate.CHANGED)
    if former.deck and former.deck != note.deck:
        found.append(Fate.MOVED)
    plain_card = set() if note.kind is Kind.CLOZE else {1}
    if former.numbers - plain_card - dict(note.identity.numbers).keys():
        found.append(Fate.EMPTIED)
    yield from found or [Fate.UNTOUCHED]


def _edits(note: Note, former: Packaged) -> Iterator[tuple[str, str]]:
    for name, text in note.fields.items():
        if name != "Id" and text != former.fields[name]:
            yield name, words(plain(former.fields[name]), plain(text))


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
