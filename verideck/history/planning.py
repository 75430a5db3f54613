"""Plans a push: what an import would do to what a learner has, and what no import does.

What of a learner's note is its author's and what is the learner's own follows from stamps: Anki
gives a note that it imports the package's stamp, and a note that is edited the present.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import unescape

from verideck.history.diff import Difference, differences, plain
from verideck.history.identity import guid as guid_of
from verideck.history.lock import Entry
from verideck.history.stamp import RETIRED
from verideck.model import ChangeKind, DeckContents, Note, NoteType, Packaged, content_of
from verideck.push_plan import (
    Basis,
    CardThere,
    Collection,
    FieldThere,
    Move,
    NoteFate,
    NoteThere,
    NoteTypeThere,
    Plan,
    PlannedNote,
    Refusal,
    RetiredNote,
    Spared,
    folded,
)


def plan(basis: Basis, there: Collection) -> Plan:
    """Return what a push of the deck is to do in a learner's collection, and why it is refused."""
    refusals = [*_of_profiles(basis, there), *_of_types(basis, there), *_of_notes(basis, there)]
    moves, spared = _moves(basis, there)
    return Plan(
        basis,
        there.profile,
        () if refusals else tuple(_notes(basis, there)),
        moves,
        spared,
        tuple(_retired(basis, there)),
        tuple(_styles(basis.contents, there)),
        tuple(refusals),
        there.in_review,
    )


# Why a push is refused


def _of_profiles(basis: Basis, there: Collection) -> Iterator[Refusal]:
    wanted = basis.choices.profile
    if wanted and wanted != there.profile:
        message = f"the profile that is open is {there.profile}, and not {wanted}"
        yield Refusal(message, "open it in Anki (File, Switch Profile), or name the other one")
    elif not wanted and len(there.profiles) > 1 and not there.notes:
        names = ", ".join(there.profiles)
        message = f"there are several profiles ({names}), and {there.profile} has none of this deck"
        yield Refusal(message, "name the one that is meant by --profile")


def _of_types(basis: Basis, there: Collection) -> Iterator[Refusal]:
    for kind in dict.fromkeys(note.kind for note in basis.contents.notes):
        ours = basis.contents.note_types[kind]
        theirs = there.note_types.get(ours.id)
        if theirs:
            yield from _of_type(ours, theirs, there, basis.contents)


def _of_type(
    ours: NoteType, theirs: NoteTypeThere, there: Collection, contents: DeckContents
) -> Iterator[Refusal]:
    stamps = {note.identity.guid: note.mod for note in contents.notes}
    notes = [
        each
        for guid, each in there.notes.items()
        if each.note_type == ours.id and each.is_read and each.mod < stamps.get(guid, 0)
    ]
    names = _names(ours, theirs.fields)
    added = [each.name for each in theirs.fields if each.name not in names]
    lacking = [name for name, _ in ours.fields if name not in names.values()]
    for name in added:
        filled = sum(bool(each.fields.get(name)) for each in notes)
        yield Refusal(
            f"the note type {theirs.name} has a field of your own, {name}: an import would empty "
            f"it on each note that it updates ({filled} of {len(notes)} now hold text in it)",
            "move it to a note type of your own, or import the package by hand with a backup",
        )
    for name in lacking:
        yield Refusal(
            f"the note type {theirs.name} lacks the field {name}: an import would update no note, "
            "and the next sync would have to replace one whole collection by the other",
            f"add the field {name} again, in Anki: Tools, Manage Note Types, Fields",
        )
    if added or lacking or there.takes_other_types:
        return
    order = [names[each.name] for each in theirs.fields]
    if order != [name for name, _ in ours.fields] or len(theirs.templates) != len(ours.templates):
        yield Refusal(
            f"the note type {theirs.name} has other templates, or its fields in another order: an "
            "import would update no note, and make a second note type",
            "push into a running Anki, by AnkiConnect, which merges them",
        )


def _names(ours: NoteType, theirs: Sequence[FieldThere]) -> Mapping[str, str]:
    """Return our names of a learner's fields, by theirs: a field may be renamed.

    Where Anki tells no ids, a field that is called otherwise is another one.
    """
    by_id = {number: name for name, number in ours.fields}
    if all(each.id is not None for each in theirs):
        return {each.name: by_id[each.id] for each in theirs if each.id in by_id}
    known = dict(ours.fields)
    return {each.name: each.name for each in theirs if each.name in known}


def _of_notes(basis: Basis, there: Collection) -> Iterator[Refusal]:
    """A note under the number of one of ours that is not it: nobody may say what becomes of it."""
    for guid, note in there.notes.items():
        if not note.is_read:  # nothing is done to it
            continue
        entry, ours = basis.after.entries[guid], basis.contents.note_types
        kind = ours[entry.kind]
        question = entry.identity.question
        if note.note_type != kind.id:
            theirs = there.note_types.get(note.note_type)
            other = f"is {theirs.name} now" if theirs else "is another one now"
            yield Refusal(
                f"the note type of {entry.identity.id} ({question}) {other}, and not {kind.name}: "
                "an import would not update it",
                f"in Anki's browser, search nid:{note.id}, and change its note type back",
            )
        elif not _is_confirmed(basis, guid, _own_fields(kind, note, there).get("Id", "")):
            yield Refusal(
                f"the note that should be {entry.identity.id} ({question}) has another Id: it may "
                "not be that note",
                f"in Anki's browser, search nid:{note.id}; its field Id should be "
                f"{entry.identity.id}",
            )


def _is_confirmed(basis: Basis, guid: str, html: str) -> bool:
    """Tell whether a note with this field `Id` is the one of a guid.

    A card may have got another id since: then the guid follows from the one that it had at first.
    """
    identity = unescape(html)
    locks = (basis.after, basis.before)
    lines = (each for lock in locks for each in (lock.entries.get(guid), *lock.merged) if each)
    known = {each.identity.id for each in lines if each.identity.guid == guid}
    return identity in known or guid_of(basis.namespace, identity) == guid


def _own_fields(kind: NoteType, note: NoteThere, there: Collection) -> Mapping[str, str]:
    """Return a learner's fields by our names."""
    theirs = there.note_types.get(kind.id)
    names = _names(kind, theirs.fields) if theirs else {}
    return {names[name]: text for name, text in note.fields.items() if name in names}


# What an import does


def _notes(basis: Basis, there: Collection) -> Iterator[PlannedNote]:
    """Yield each note of the deck that has a card."""
    contents = basis.contents
    former: dict[str, Packaged] = {}
    changed: list[Note] = []
    fates: dict[str, PlannedNote] = {}
    for note in contents.notes:
        if note.retired:
            continue
        guid = note.identity.guid
        theirs = there.notes.get(guid)
        if theirs is None:
            fates[guid] = _planned(NoteFate.NEW, note)
            continue
        if not theirs.is_read:
            fates[guid] = _planned(NoteFate.UNTOUCHED, note)
            continue
        had = _packaged(_own_fields(contents.note_types[note.kind], theirs, there), theirs)
        if _is_same(note, had):
            fates[guid] = _planned(NoteFate.UNTOUCHED, note)
        else:
            former[guid] = had
            changed.append(note)
    stamps = {each.mod for each in basis.before.entries.values()}
    part = replace(contents, notes=tuple(changed))
    for each, note in zip(
        differences(part, basis.before, basis.after, former), changed, strict=True
    ):
        entry = basis.before.entries.get(each.guid)
        fates[each.guid] = _changed(note, each, former[each.guid], entry, stamps)
    yield from (fates[n.identity.guid] for n in contents.notes if n.identity.guid in fates)


def _packaged(fields: Mapping[str, str], note: NoteThere) -> Packaged:
    deck = note.cards[0].deck if note.cards else ""
    return Packaged(fields, note.tags, note.mod, deck, frozenset())


def _is_same(note: Note, had: Packaged) -> bool:
    same = all(text == had.fields[name] for name, text in note.fields.items() if name != "Id")
    return same and sorted(note.tags) == sorted(had.tags)


def _planned(fate: NoteFate, note: Note) -> PlannedNote:
    identity = note.identity
    return PlannedNote(fate, identity.guid, identity.id, note.fields["Question"], note.place)


def _changed(
    note: Note, each: Difference, had: Packaged, entry: Entry | None, stamps: set[int]
) -> PlannedNote:
    """Return what becomes of a note that says something else at the learner's than here."""
    if note.mod <= had.mod:
        fate = NoteFate.KEPT
    else:
        fate = NoteFate.OVERWRITTEN if _is_own(had, entry) else NoteFate.UPDATED
    is_doubtful = fate is NoteFate.UPDATED and had.mod not in stamps
    changes = tuple(kind for kind in each.kinds if kind in _TOLD)
    planned = _planned(fate, note)
    return replace(planned, edits=each.edits, changes=changes, is_doubtful=is_doubtful)


_TOLD = {ChangeKind.RETURNED}
"""What is told of a note besides its words. Of its cards, a package has what a collection lacks."""


def _is_own(had: Packaged, entry: Entry | None) -> bool:
    """Tell whether the learner has changed a note since the last build but this one."""
    if entry is None or had.mod > entry.mod:
        return True
    tags = [tag for tag in had.tags if tag != RETIRED]
    return had.mod == entry.mod and content_of(had.fields, tags) != entry.content


def _styles(contents: DeckContents, there: Collection) -> Iterator[str]:
    """Yield the learner's note types that have another look, and an older one."""
    used = dict.fromkeys(note.kind for note in contents.notes)
    for kind in used:
        theirs = there.note_types.get(contents.note_types[kind].id)
        if theirs and theirs.mod is not None and theirs.mod < contents.styles[kind]:
            yield theirs.name


# What no import does


def _moves(basis: Basis, there: Collection) -> tuple[tuple[Move, ...], tuple[Spared, ...]]:
    """Return the cards that stand where their note stood before, and those that stand elsewhere."""
    moves: list[Move] = []
    spared: list[Spared] = []
    filtered = {folded(name) for name in there.filtered_decks}
    for note in basis.contents.notes:
        theirs = there.notes.get(note.identity.guid)
        if note.retired or theirs is None:
            continue
        wanted = folded(note.deck)
        stood = {folded(name) for name in basis.after.entries[note.identity.guid].stood}
        elsewhere: dict[str, list[CardThere]] = defaultdict(list)
        for card in theirs.cards:
            if folded(card.deck) != wanted:
                elsewhere[card.deck].append(card)
        for deck, cards in elsewhere.items():
            identity, question = note.identity, plain(note.fields["Question"])
            if why := _why_spared(deck, cards, stood, into_filtered=wanted in filtered):
                spared.append(Spared(identity.id, question, deck, why))
                continue
            numbers = tuple(card.id for card in cards)
            where = (deck, note.deck)
            moves.append(Move(identity.guid, identity.id, question, numbers, *where))
    return tuple(moves), tuple(spared)


def _why_spared(
    deck: str, cards: Sequence[CardThere], stood: set[str], *, into_filtered: bool
) -> str:
    """Return why cards are not moved out of a deck; empty if they are."""
    if any(card.filtered for card in cards):
        return "it is in a filtered deck"
    if into_filtered:
        return "the deck that it should be in is a filtered one here"
    return "" if folded(deck) in stood else "it was put there by yourself"


def _retired(basis: Basis, there: Collection) -> Iterator[RetiredNote]:
    """Yield the notes that the lock knows to have lost their cards, and that the learner has."""
    packaged = {note.identity.guid: note for note in basis.contents.notes if note.retired}
    for guid, question in sorted(basis.retired.items()):
        note = there.notes.get(guid)
        if note is None:
            continue
        ours = packaged.get(guid)
        cards = tuple(card.id for card in note.cards)
        yield RetiredNote(
            guid,
            basis.after.entries[guid].identity.id,
            question,
            note.id,
            cards,
            tuple(card.id for card in note.cards if not card.suspended),
            sum(there.reviews.get(card, 0) for card in cards),
            ours is None or RETIRED in note.tags or ours.mod <= note.mod,
        )
