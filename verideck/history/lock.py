"""`cards.lock`: which note each card is to Anki, and what was last told of it.

A line of JSON for each note, sorted by id, so that git merges what two branches add; a head that
names the version and a last line, so that a part is not taken for the whole. It is committed with
the cards. Where branches were joined line by line, a note may stand here twice: its later line
counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from verideck.model import FIELDS, SEPARATOR, Identity, Kind, LastBuilt, Place
from verideck.problems import Code, Problem, Problems

NAME = "cards.lock"
_VERSION = 1
_NO_MOMENT = 2**40
"""Seconds that no clock tells."""
_HIGHEST = 2**16 - 1
"""Anki counts the cards of a note in sixteen bits."""
_HEAD = f"# cards.lock, version {_VERSION}: written by `verideck build`, committed with the cards"
_LAST = "# the end"
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of a note."""

    identity: Identity
    kind: Kind
    path: str
    """Where its card stood last."""
    deck: str
    content: str
    """The hash of its fields and tags, as Anki was told them last."""
    mod: int
    """When that changed, in Unix seconds."""
    retired: bool = False
    last: LastBuilt | None = None
    """Of a retired note, if its former package was there to take it from."""


@dataclass(frozen=True, slots=True)
class NoteTypeState:
    """What is remembered of a note type: the hash of its templates and CSS."""

    content: str
    mod: int


@dataclass(frozen=True, slots=True)
class Lock:
    """All that is remembered."""

    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    """By guid."""
    styles: Mapping[Kind, NoteTypeState] = field(default_factory=lambda: MappingProxyType({}))
    merged: tuple[Entry, ...] = ()
    """Other lines of the same notes, of branches that were joined: these too they are known by."""
    read_from: str = field(default="", repr=False, compare=False)
    """The text that says so, if it was read."""

    @property
    def build_time(self) -> int:
        """When anything last changed; 0 where nothing is remembered."""
        of_entries = (each.mod for each in self.entries.values())
        of_styles = (each.mod for each in self.styles.values())
        return max(chain(of_entries, of_styles), default=0)


def read(root: Path, problems: Problems, known: Lock | None = None) -> Lock | None:
    """Read a project's lock; see `_read`."""
    for each in _read(root, known):
        if isinstance(each, Problem):
            problems.report(each)
            return None
        return each
    return None


def _read(root: Path, known: Lock | None = None) -> Iterator[Lock | Problem]:
    """Read a project's lock; without one, nothing is remembered.

    Whatever is wrong with it is a problem at its line, and then there is no lock: what cannot be
    read must not be overwritten. A lock that is `known` is not read again if it has not changed.
    """
    try:
        text = (root / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        yield Lock()
        return
    except (OSError, UnicodeDecodeError) as error:
        yield _invalid(f"{NAME} cannot be read: {error}", 1)
        return
    if known and known.read_from == text:
        yield known
        return
    lines = text.split("\n")
    if objection := _framed(lines):
        yield objection
        return
    entries: dict[str, Entry] = {}
    styles: dict[Kind, NoteTypeState] = {}
    owners: dict[str, str] = {}
    merged: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        try:
            read_line = _understood(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            yield _invalid("this line is damaged", number)
            return
        if isinstance(read_line, Entry):
            identity = read_line.identity
            if owners.setdefault(identity.id, identity.guid) != identity.guid:
                yield _invalid(f"two notes have the id {identity.id}", number)
                return
            lines_of_one = [*filter(None, [entries.get(identity.guid)]), read_line]
            *others, entries[identity.guid] = sorted(lines_of_one, key=lambda each: each.mod)
            merged += others
        else:
            kind, style = read_line
            former = styles.get(kind, style)
            styles[kind] = style if style.mod >= former.mod else former
    yield Lock(MappingProxyType(entries), MappingProxyType(styles), tuple(merged), text)


def text(lock: Lock) -> str:
    """The lock as it is written. The same memories give the same text."""
    styles = [
        {"notetype": kind, "content": style.content, "mod": style.mod}
        for kind, style in sorted(lock.styles.items())
    ]
    entries = sorted(lock.entries.values(), key=lambda each: each.identity.id)
    lines = [json.dumps(each, ensure_ascii=False) for each in [*styles, *map(_told, entries)]]
    return "\n".join([_HEAD, *lines, _LAST, ""])


def lock_file(root: Path, before: Lock, after: Lock) -> dict[Path, bytes]:
    """The file that remembers a build, with its content; none where it stands there already."""
    in_order = [each.identity.id for each in before.entries.values()]
    if before.read_from and before == after and in_order == sorted(in_order):
        return {}
    return {root / NAME: text(after).encode()}


def _framed(lines: list[str]) -> Problem | None:
    """What is wrong with the lock as a whole."""
    for number, line in enumerate(lines, start=1):
        if line.startswith(_CONFLICT):
            return _invalid("here two versions of it were not merged", number)
    head = lines[0].split(":")[0]
    if not head.startswith("# cards.lock, version "):
        return _invalid("this is no lock of verideck's", 1)
    version = head.removeprefix("# cards.lock, version ")
    if version != str(_VERSION):
        message = f"it is of version {version}, which a newer verideck wrote"
        return _invalid(message, 1, "update verideck")
    if lines[-2:] != [_LAST, ""]:
        return _invalid("its end is missing", len(lines))
    return None


_RECOVER = "take it from your last commit (git checkout), or mend it by hand"


def _invalid(message: str, line: int, advice: str = _RECOVER) -> Problem:
    hint = f"nothing was overwritten; {advice}"
    return Problem(Code.LOCK_INVALID, message, Place(NAME, line), hint)


def _told(entry: Entry) -> dict[str, Any]:
    """An entry as its line has it; what says nothing is left out."""
    identity = entry.identity
    line: dict[str, Any] = {
        "id": identity.id,
        "written": identity.written,
        "guid": identity.guid,
        "kind": entry.kind,
        "path": entry.path,
        "deck": entry.deck,
        "question": identity.question,
        "answer": identity.answer,
    }
    for name, numbers in (("cards", identity.numbers), ("dropped", identity.dropped)):
        if numbers:
            line[name] = {str(number): hidden for number, hidden in numbers}
    line |= {"content": entry.content, "mod": entry.mod}
    if entry.retired:
        line["retired"] = True
    if entry.last:
        line["last"] = {"fields": dict(entry.last.fields), "tags": list(entry.last.tags)}
    return line


def _understood(line: Mapping[str, Any]) -> Entry | tuple[Kind, NoteTypeState]:
    """What a line remembers. Raises one of several errors where it says nothing clear."""
    if "notetype" in line:
        return Kind(line["notetype"]), NoteTypeState(_str(line["content"]), _moment(line["mod"]))
    numbers, dropped = (_numbers(line.get(name, {})) for name in ("cards", "dropped"))
    if dict(numbers).keys() & dict(dropped).keys():
        raise ValueError
    identity = Identity(
        _word(line["id"]),
        _bool(line["written"]),
        _word(line["guid"]),
        _str(line["question"]),
        _str(line["answer"]),
        numbers,
        dropped,
    )
    return Entry(
        identity,
        Kind(line["kind"]),
        _str(line["path"]),
        _str(line["deck"]),
        _str(line["content"]),
        _moment(line["mod"]),
        _bool(line.get("retired", False)),
        _last(line["last"]) if "last" in line else None,
    )


def _numbers(told: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
    found = tuple((int(number), _str(hidden)) for number, hidden in told.items())
    if [str(number) for number, _ in found] != list(told) or any(
        not 1 <= number <= _HIGHEST for number, _ in found
    ):
        raise ValueError
    return found


def _last(told: Mapping[str, Any]) -> LastBuilt:
    fields = {name: _str(content) for name, content in told["fields"].items()}
    if fields.keys() != set(FIELDS) or any(SEPARATOR in each for each in fields.values()):
        raise ValueError
    if not isinstance(told["tags"], list):
        raise TypeError
    return LastBuilt(fields, tuple(map(_word, told["tags"])))


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # a lone surrogate is a ValueError
    return value


def _word(value: object) -> str:
    """Text that holds something, and no blank: those divide tags, and U+001F fields."""
    text = _str(value)
    if text.split() != [text]:
        raise ValueError
    return text


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _moment(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _NO_MOMENT:
        raise TypeError
    return value
