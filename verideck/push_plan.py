"""What a push into Anki is planned from, what it is to do, and what came of it: frozen values."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from verideck.history.diff import plain
from verideck.history.lock import Lock
from verideck.history.scope import Scope
from verideck.model import ChangeKind, DeckContents, Place
from verideck.push_choices import Choices, Retired


class PushError(Exception):
    """A push went no further, and why. What was done before it is done."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Take what is wrong, and what to do about it."""
        super().__init__(message)
        self.hint = hint


# What the learner has


def folded(deck: str) -> str:
    """Return a deck's name as Anki compares it."""
    return unicodedata.normalize("NFC", deck).casefold()


@dataclass(frozen=True, slots=True)
class CardThere:
    """A card of a learner's."""

    id: int
    deck: str
    filtered: bool
    """Whether it is in a filtered deck now, which a move would take it out of."""
    suspended: bool


@dataclass(frozen=True, slots=True)
class NoteThere:
    """A note of a learner's that has cards."""

    id: int
    note_type: int
    fields: Mapping[str, str]
    """HTML by the names that the learner's note type has; nothing where it was not read."""
    tags: tuple[str, ...]
    mod: int
    cards: tuple[CardThere, ...]

    @property
    def is_read(self) -> bool:
        """Whether more is known of it than its stamp, which is ours."""
        return bool(self.fields)


@dataclass(frozen=True, slots=True)
class FieldThere:
    """A field of a learner's note type."""

    name: str
    id: int | None
    """None where Anki does not tell it, or knows none."""


@dataclass(frozen=True, slots=True)
class NoteTypeThere:
    """A note type of a learner's."""

    name: str
    fields: tuple[FieldThere, ...]
    """In the learner's order."""
    templates: tuple[str, ...]
    css: str
    mod: int | None
    """None where Anki does not tell it."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A learner's collection, as far as it concerns a deck."""

    profile: str
    profiles: tuple[str, ...]
    """All of the learner's profiles, as far as they are known."""
    notes: Mapping[str, NoteThere]
    """The deck's notes, by their guids."""
    note_types: Mapping[int, NoteTypeThere]
    """By id."""
    reviews: Mapping[int, int]
    """How many reviews each card of a retired note has."""
    filtered_decks: frozenset[str] = frozenset()
    """Of the decks of the deck's notes, those that are filtered ones here."""
    in_review: bool = False
    """Whether a card is being asked."""
    takes_other_types: bool = False
    """Whether its import updates notes whose type has other templates, or its fields in another
    order. Otherwise it makes a second note type, and updates none."""


# What is to be done


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan follows from, besides the learner's collection."""

    contents: DeckContents
    before: Lock
    after: Lock
    """The lock before and after the build."""
    scope: Scope
    namespace: str
    build_time: int
    """The moment that stamps what has changed, in Unix seconds."""
    output: Path
    """The package that is built before anything is sent."""
    choices: Choices

    @property
    def guids(self) -> frozenset[str]:
        """The notes that the learner is asked about."""
        here = {note.identity.guid for note in self.contents.notes}
        return frozenset(here | self.retired.keys())

    @property
    def retired(self) -> Mapping[str, str]:
        """The guids of notes that the lock knows to have lost their cards, with what they asked."""
        return {
            guid: entry.identity.question
            for guid, entry in self.after.entries.items()
            if entry.retired and self.scope.includes(entry)
        }


class NoteFate(StrEnum):
    """What an import makes of a note of the learner's."""

    NEW = "new"
    UPDATED = "updated"
    OVERWRITTEN = "overwritten"
    """The learner's own edit is older than the author's, and is lost."""
    KEPT = "kept"
    """The learner's own edit is newer, and stays."""
    UNTOUCHED = "untouched"


WRITES = frozenset({NoteFate.NEW, NoteFate.UPDATED, NoteFate.OVERWRITTEN})
"""The fates of notes that an import writes."""


@dataclass(frozen=True, slots=True)
class PlannedNote:
    """A note of the deck, and what an import makes of it."""

    fate: NoteFate
    guid: str
    id: str
    asked: str = field(repr=False)
    """The HTML of its question."""
    place: Place
    edits: tuple[tuple[str, str], ...] = ()
    """The fields that differ, each with a text that shows `[-removals-]` and `{+additions+}`."""
    changes: tuple[ChangeKind, ...] = ()
    is_doubtful: bool = False
    """Whether it was changed before the last build, so that nobody can tell by whom."""

    @property
    def question(self) -> str:
        """What it asks, as text. Most notes of a large deck are untouched, and are not told."""
        return plain(self.asked)


@dataclass(frozen=True, slots=True)
class Move:
    """Cards of a note that are in a deck in which it stood."""

    guid: str
    id: str
    question: str
    cards: tuple[int, ...]
    before: str
    deck: str


@dataclass(frozen=True, slots=True)
class Spared:
    """Cards of a note that are in another deck, and stay there."""

    id: str
    question: str
    deck: str
    why: str


@dataclass(frozen=True, slots=True)
class RetiredNote:
    """A note of the learner's that has lost its card."""

    guid: str
    id: str
    question: str
    note: int
    cards: tuple[int, ...]
    unsuspended: tuple[int, ...]
    """Those of its cards that are not suspended."""
    reviews: int
    is_tagged: bool
    """Whether the import has nothing to tell of it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a push is refused, and what to do about it."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push does. It is made by `history.planning.plan`."""

    basis: Basis = field(repr=False)
    profile: str
    notes: tuple[PlannedNote, ...]
    moves: tuple[Move, ...]
    """All that could be made; they are only made where `choices.moves` says so."""
    spared: tuple[Spared, ...]
    retired: tuple[RetiredNote, ...]
    styles: tuple[str, ...]
    """The note types whose look the import replaces, by their names."""
    refusals: tuple[Refusal, ...]
    in_review: bool

    @property
    def choices(self) -> Choices:
        """What the learner wants."""
        return self.basis.choices

    @property
    def imports(self) -> bool:
        """Whether the package has anything new for this learner."""
        writes = any(each.fate in WRITES for each in self.notes)
        return writes or bool(self.styles) or any(not each.is_tagged for each in self.retired)

    @property
    def moved(self) -> tuple[Move, ...]:
        """The moves that are wanted."""
        return self.moves if self.choices.moves else ()

    @property
    def suspended(self) -> tuple[int, ...]:
        """The cards that are to be suspended."""
        wanted = self.choices.retired is Retired.SUSPEND
        return tuple(c for each in self.retired for c in each.unsuspended) if wanted else ()

    @property
    def deleted(self) -> tuple[RetiredNote, ...]:
        """The notes that are to be deleted. None while a card is asked: it could be one of them."""
        wanted = self.choices.retired is Retired.DELETE and not self.in_review
        return self.retired if wanted else ()

    @property
    def writes_cards(self) -> bool:
        """Whether it changes more than text: what another device has not synced may be lost."""
        return bool(self.moved or self.suspended or self.deleted)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.imports or self.writes_cards)

    @property
    def sent(self) -> DeckContents:
        """What is packaged: without the retired notes that this learner does not have."""
        had = {each.guid for each in self.retired}
        every = self.basis.contents
        kept = [each for each in every.notes if not each.retired or each.identity.guid in had]
        if len(kept) == len(every.notes):
            return every
        return type(every)(tuple(kept), every.styles, every.build_time, every.note_types)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a push."""

    plan: Plan
    """What was done, or nothing."""
    left: Plan
    """What is still to be done: the plan of what the collection holds now."""
    told: tuple[str, ...] = ()
    """What was not done, and why."""
    backup: str = ""
    """The folder in which Anki made a backup before."""

    @property
    def arrived(self) -> tuple[PlannedNote, ...]:
        """The notes that were written, and are there now."""
        left = self._still_to_write
        return tuple(each for each in self._written if each.guid not in left)

    @property
    def missing(self) -> tuple[PlannedNote, ...]:
        """The notes that were written, and are not there as they should be."""
        left = self._still_to_write
        return tuple(each for each in self._written if each.guid in left)

    @property
    def moved(self) -> frozenset[int]:
        """The cards that were moved, and are there now."""
        left = {card for each in self.left.moves for card in each.cards}
        return frozenset(card for each in self.plan.moved for card in each.cards) - left

    @property
    def suspended(self) -> frozenset[int]:
        """The cards that were suspended, and are so now."""
        left = {card for each in self.left.retired for card in each.unsuspended}
        return frozenset(self.plan.suspended) - left

    @property
    def deleted(self) -> tuple[RetiredNote, ...]:
        """The notes that were deleted, and are not there now."""
        left = {each.guid for each in self.left.retired}
        return tuple(each for each in self.plan.deleted if each.guid not in left)

    @property
    def _written(self) -> tuple[PlannedNote, ...]:
        return tuple(each for each in self.plan.notes if each.fate in WRITES)

    @property
    def _still_to_write(self) -> frozenset[str]:
        return frozenset(each.guid for each in self.left.notes if each.fate in WRITES)

    @classmethod
    def nothing(cls, plan: Plan) -> Self:
        """The outcome of a plan that has nothing to do."""
        return cls(plan, plan)
