"""Note -> DeckContents. Stamps the notes that changed.

Anki takes a note from a package only if its stamp is later than that of the note it has, and then
overwrites the learner's edits. So the stamp of a note changes only when its content does. The same
holds for note types.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from verideck.history.lock import MOST_STOOD, Entry, Lock, NoteTypeState
from verideck.history.scope import Scope
from verideck.model import DeckContents, Kind, LastBuilt, Note, NoteType, Place, content_of

RETIRED = "verideck::retired"
"""The tag of notes that have lost their cards."""

_PACKAGED_FOR = 180 * 24 * 3600
"""For how many seconds, by the stamps in the lock, retired notes are packaged. Then the lock drops
their text."""


Former = Callable[[], Mapping[str, Sequence[LastBuilt]]]
"""Returns the notes of former packages by their guids."""


def stamp(
    notes: Sequence[Note],
    lock: Lock,
    scope: Scope,
    former: Former,
    build_time: int,
    note_types: Mapping[Kind, NoteType],
) -> tuple[DeckContents, Lock]:
    """Return the contents of the package, with stamps, and the lock that remembers them.

    Notes and note types that changed since `lock` get the stamp `build_time`, in Unix seconds, or
    one second after their last stamp if the clock was set back. A note in `scope` that has lost its
    card is retired: it is packaged as it was built last, with a tag. While a card does not
    hold, it waits, for it may be that card's; the lock remembers how it was built last, as this
    package will not. `former` is called only if a note has no card.
    """
    entries = dict(lock.entries)
    stamped: list[Note] = []
    for note in notes:
        entry = _entry(note, lock.entries.get(note.identity.guid), build_time)
        entries[note.identity.guid] = entry
        stamped.append(replace(note, mod=entry.mod))
    here = {note.identity.guid for note in notes}
    gone = [
        entry
        for guid, entry in lock.entries.items()
        if guid not in here and not entry.retired
        if scope.includes(entry) and not scope.is_unanswered(entry)
    ]
    last = former() if gone else {}
    for entry in gone:
        of_entry = last.get(entry.identity.guid, ())
        entries[entry.identity.guid] = (
            _retired(entry, of_entry, build_time) if scope.holds else _waiting(entry, of_entry)
        )
    styles = {
        kind: _style(note_types[kind], lock.note_types.get(kind), build_time) for kind in Kind
    }
    remembered = _without_old_texts(Lock(MappingProxyType(entries), MappingProxyType(styles)))
    retired = sorted(_retired_notes(remembered, scope), key=lambda note: note.identity.id)
    mods = {kind: style.mod for kind, style in styles.items()}
    contents = DeckContents((*stamped, *retired), mods, remembered.build_time, note_types)
    return contents, remembered


def _entry(note: Note, former: Entry | None, build_time: int) -> Entry:
    """Return the lock's entry of a note; the `former` object itself if nothing changed."""
    content = note.content or content_of(note.fields, note.tags)
    changed = former is None or former.retired or former.content != content
    mod = _next(former, build_time) if changed or former is None else former.mod
    stood = _stood(note.deck, former)
    entry = Entry(note.identity, note.kind, note.place.path, note.deck, content, mod, stood=stood)
    return former if former == entry else entry


def _stood(deck: str, former: Entry | None) -> tuple[str, ...]:
    """Return the decks in which a note stood before it came into this one."""
    if former is None or former.deck == deck:
        return former.stood if former else ()
    others = dict.fromkeys(each for each in former.stood if each not in {deck, former.deck})
    return (*others, former.deck)[-MOST_STOOD:]


def _retired(entry: Entry, former: Iterable[LastBuilt], build_time: int) -> Entry:
    return replace(_waiting(entry, former), retired=True, mod=_next(entry, build_time))


def _waiting(entry: Entry, former: Iterable[LastBuilt]) -> Entry:
    """Return the entry with the note as it was built last, if it is at hand."""
    same = (each for each in former if content_of(each.fields, each.tags) == entry.content)
    last = next(same, entry.last)
    return entry if last == entry.last else replace(entry, last=last)


def _next(former: Entry | NoteTypeState | None, build_time: int) -> int:
    """Return the build time, or the next second after the former stamp, if that is later."""
    return max(build_time, former.mod + 1) if former else build_time


def _style(note_type: NoteType, former: NoteTypeState | None, build_time: int) -> NoteTypeState:
    templates = (text for each in note_type.templates for text in (each.front, each.back))
    content = _hash([note_type.css, *templates])
    if former and former.content == content:
        return former
    return NoteTypeState(content, _next(former, build_time))


def _without_old_texts(lock: Lock) -> Lock:
    oldest = lock.build_time - _PACKAGED_FOR
    entries = {
        guid: replace(entry, last=None) if entry.last and entry.mod < oldest else entry
        for guid, entry in lock.entries.items()
    }
    return replace(lock, entries=MappingProxyType(entries))


def _retired_notes(lock: Lock, scope: Scope) -> Iterator[Note]:
    """Yield the retired notes in scope whose text is known, with the tag of retired notes."""
    for entry in lock.entries.values():
        if entry.retired and entry.last and scope.includes(entry):
            yield Note(
                kind=entry.kind,
                deck=entry.deck,
                fields=entry.last.fields,
                tags=(*entry.last.tags, RETIRED),
                media=(),
                place=Place(entry.path),
                identity=entry.identity,
                mod=entry.mod,
                retired=True,
            )


def _hash(parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
