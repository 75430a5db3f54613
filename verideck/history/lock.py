"""`cards.lock`: which note each card is to Anki, and what was built of it last.

The file holds a line of JSON for each note, sorted by id, so that git merges what two branches add.
Its first line names the version; its last line shows that nothing was cut off. It is committed with
the cards. Where branches were merged line by line, a note can have two lines: the later one counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from verideck.model import FIELDS, SEPARATOR, Identity, Kind, LastBuilt, Place
from verideck.problems import Code, Problem, Problems
from verideck.storage.reading import Limit, hint_of
from verideck.storage.reading import read as read_file

NAME = "cards.lock"
_VERSION = 1
_HEAD = f"# cards.lock, version {_VERSION}: written by `verideck build`, committed with the cards"
_END = "# the end"
_CONFLICT_MARKERS = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the lock remembers of one note."""

    identity: Identity
    kind: Kind
    path: str
    """The file in which its card stood last."""
    deck: str
    content: str
    """The hash of the fields and tags that were built last."""
    mod: int
    """When the content changed last, in Unix seconds."""
    retired: bool = False
    last: LastBuilt | None = None
    """Of a note that is retired or was left out of the last package, if a former one had it."""
    stood: tuple[str, ...] = ()
    """Decks in which its cards stood in former builds, the last one behind: out of these alone a
    push moves them, for another deck is the learner's own choice."""


@dataclass(frozen=True, slots=True)
class NoteTypeState:
    """What the lock remembers of a note type: the hash of its templates and CSS."""

    content: str
    mod: int
    """When the content changed last, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The content of `cards.lock`."""

    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    """By guid."""
    note_types: Mapping[Kind, NoteTypeState] = field(default_factory=lambda: MappingProxyType({}))
    merged: tuple[Entry, ...] = ()
    """Earlier lines of notes that have several. A card that fits one of them is recognised, too."""
    read_from: bytes | None = field(default=None, repr=False, compare=False)
    """The content of the file, if the lock was read from one."""

    @property
    def lines(self) -> list[Entry]:
        """Every line of a note; of a note that has several, the one that counts comes last."""
        return [*self.merged, *self.entries.values()]

    @property
    def build_time(self) -> int:
        """When anything changed last, in Unix seconds; 0 for an empty lock."""
        of_entries = (each.mod for each in self.entries.values())
        of_note_types = (each.mod for each in self.note_types.values())
        return max(chain(of_entries, of_note_types), default=0)


_Word = Annotated[str, Meta(pattern=r"\A\S+\Z")]
"""Text without white space: a blank divides tags, and U+001F divides fields."""
_DAY = 24 * 3600
"""Seconds by which clocks may differ."""
_Time = Annotated[int, Meta(ge=0, lt=2**40)]
"""Unix seconds. The bound is a time that no clock shows, so a damaged number is noticed."""
MOST_STOOD = 20
"""How many former decks of a note are remembered."""
_Numbers = dict[Annotated[int, Meta(ge=1, lt=2**16)], str]
"""What each cloze deletion hides, by its number. Anki counts the cards of a note in 16 bits."""


class _LastBuiltLine(msgspec.Struct, forbid_unknown_fields=True):
    fields: dict[str, Annotated[str, Meta(pattern=rf"\A[^{SEPARATOR}]*\Z")]]
    tags: list[_Word]

    def __post_init__(self) -> None:
        if self.fields.keys() != set(FIELDS):
            raise ValueError("a note has all of the fields, and no others")


class _NoteLine(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line of a note. Its keys are written in this order; one that has its default is not."""

    id: _Word
    written: bool
    guid: _Word
    kind: Kind
    path: str
    deck: str
    stood: Annotated[tuple[str, ...], Meta(max_length=MOST_STOOD)] = ()
    question: str
    answer: str
    cards: _Numbers | UnsetType = UNSET
    dropped: _Numbers | UnsetType = UNSET
    content: str
    mod: _Time
    retired: bool = False
    last: _LastBuiltLine | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.cards and self.dropped and not self.cards.keys().isdisjoint(self.dropped):
            raise ValueError("a number is in use, or dropped")


class _NoteTypeLine(msgspec.Struct, forbid_unknown_fields=True):
    """A line of a note type."""

    notetype: Kind
    content: str
    mod: _Time


_NOTE_DECODER = msgspec.json.Decoder(_NoteLine)
_NOTE_TYPE_DECODER = msgspec.json.Decoder(_NoteTypeLine)
_ENCODER = msgspec.json.Encoder()


def read(root: Path, problems: Problems, known: Lock | None = None) -> Lock | None:
    """Read a project's lock. A project without one has an empty lock.

    A damaged lock is reported at its first damaged line, and None is returned: it must not be
    overwritten. If the file still has the text that `known` was read from, `known` is returned.
    """
    try:
        written = read_file(root / NAME, Limit.DATA, (root,), follow_links=False)
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        message = f"{NAME} cannot be read: {error.strerror or error}"
        problems.report(_invalid(message, 1, hint_of(error) or _RECOVER))
        return None
    if known and known.read_from == written:
        return known
    lines = written.replace(b"\r\n", b"\n").split(b"\n")
    found = _damaged_frame(lines) or _parsed(lines, written)
    if isinstance(found, Problem):
        problems.report(found)
        return None
    return found


def text(lock: Lock) -> str:
    """The text of a lock's file. Equal locks have equal texts."""
    note_types: Iterable[msgspec.Struct] = (
        _NoteTypeLine(kind, state.content, state.mod)
        for kind, state in sorted(lock.note_types.items())
    )
    entries = sorted(lock.entries.values(), key=lambda each: each.identity.id)
    lines = map(_json, chain(note_types, map(_line, entries)))
    return "\n".join([_HEAD, *lines, _END, ""])


def lock_file(root: Path, before: Lock, after: Lock) -> dict[Path, bytes]:
    """The file that remembers a build, with its content; none where it stands there already."""
    in_order = [each.identity.id for each in before.entries.values()]
    if before.read_from and before == after and in_order == sorted(in_order):
        return {}
    return {root / NAME: text(after).encode()}


def _damaged_frame(lines: list[bytes]) -> Problem | None:
    """What is wrong with the lock as a whole: a conflict, another version, no end."""
    for number, line in enumerate(lines, start=1):
        if line.startswith(_CONFLICT_MARKERS):
            return _invalid("here two versions of it were not merged", number)
    head = lines[0].decode(errors="replace").split(":")[0]
    if not head.startswith("# cards.lock, version "):
        return _invalid("this is no lock of verideck's", 1)
    version = head.removeprefix("# cards.lock, version ")
    if version != str(_VERSION):
        message = f"it is of version {version}, which a newer verideck wrote"
        return _invalid(message, 1, "update verideck")
    if lines[-2:] != [_END.encode(), b""]:
        return _invalid("its end is missing", len(lines))
    return None


_RECOVER = "take it from your last commit (git checkout), or mend it by hand"


def _invalid(message: str, line: int, advice: str = _RECOVER) -> Problem:
    hint = f"nothing was overwritten; {advice}"
    return Problem(Code.LOCK_INVALID, message, Place(NAME, line), hint)


def _parsed(lines: Iterable[bytes], written: bytes) -> Lock | Problem:
    """The lock of these lines, or what is wrong with the first damaged one.

    Of two lines of a note, the one that was stamped last counts.
    """
    entries: dict[str, Entry] = {}
    note_types: dict[Kind, NoteTypeState] = {}
    owners: dict[str, str] = {}
    merged: list[Entry] = []
    latest = time.time() + _DAY
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith(b"#"):
            continue
        try:
            parsed = _parsed_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _invalid("this line is damaged", number)
        if parsed.mod > latest:
            advice = f"set its mod to {int(time.time())} if a clock was wrong"
            message = "its stamp is in the future: Anki would take no later version until then"
            return _invalid(message, number, advice)
        if isinstance(parsed, _NoteTypeLine):
            other = note_types.get(parsed.notetype)
            if other is None or parsed.mod >= other.mod:
                note_types[parsed.notetype] = NoteTypeState(parsed.content, parsed.mod)
            continue
        if owners.setdefault(parsed.id, parsed.guid) != parsed.guid:
            return _invalid(f"two notes have the id {parsed.id}", number)
        entry = _entry(parsed)
        if former := entries.get(parsed.guid):
            earlier, entry = sorted((former, entry), key=lambda each: each.mod)
            merged.append(earlier)
        entries[parsed.guid] = entry
    return Lock(MappingProxyType(entries), MappingProxyType(note_types), tuple(merged), written)


def _parsed_line(line: bytes) -> _NoteLine | _NoteTypeLine:
    try:
        return _NOTE_DECODER.decode(line)
    except msgspec.ValidationError:
        return _NOTE_TYPE_DECODER.decode(line)


def _entry(line: _NoteLine) -> Entry:
    identity = Identity(
        line.id,
        line.written,
        line.guid,
        line.question,
        line.answer,
        tuple(line.cards.items()) if line.cards else (),
        tuple(line.dropped.items()) if line.dropped else (),
    )
    last = line.last
    return Entry(
        identity,
        line.kind,
        line.path,
        line.deck,
        line.content,
        line.mod,
        line.retired,
        LastBuilt(last.fields, tuple(last.tags)) if last else None,
        line.stood,
    )


def _line(entry: Entry) -> _NoteLine:
    identity = entry.identity
    last = entry.last
    return _NoteLine(
        id=identity.id,
        written=identity.written,
        guid=identity.guid,
        kind=entry.kind,
        path=entry.path,
        deck=entry.deck,
        stood=entry.stood,
        question=identity.question,
        answer=identity.answer,
        cards=dict(identity.numbers) or UNSET,
        dropped=dict(identity.dropped) or UNSET,
        content=entry.content,
        mod=entry.mod,
        retired=entry.retired,
        last=_LastBuiltLine(dict(last.fields), list(last.tags)) if last else UNSET,
    )


def _json(line: msgspec.Struct) -> str:
    """A line as it is written, with a blank behind each comma and colon."""
    return msgspec.json.format(_ENCODER.encode(line), indent=0).decode()
