"""What takes a push: a running Anki, or a closed collection."""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from verideck.push_plan import Basis, Collection


@dataclass(frozen=True, slots=True)
class Asked:
    """What a learner's collection is asked about."""

    guids: Some[str]
    """The notes of a deck."""
    retired: Some[str] = frozenset()
    """Those of them whose reviews are counted."""
    moved: Some[str] = frozenset()
    """Those of them whose cards may stand in another deck."""
    stamps: Mapping[str, int] = field(default_factory=dict)
    """What their stamps are here: one that has the same there needs not be read, unless it is one
    of the two above."""
    decks: Some[str] = frozenset()
    """Decks into which cards may be moved."""
    note_types: Some[int] = frozenset()
    """The ids of its note types."""

    @classmethod
    def of(cls, basis: Basis) -> Self:
        """Return what a collection is asked about to plan a push into it."""
        entries = basis.after.entries
        moved = [note for note in basis.contents.notes if entries[note.identity.guid].stood]
        return cls(
            basis.guids,
            basis.retired.keys(),
            frozenset(note.identity.guid for note in moved),
            {note.identity.guid: note.mod for note in basis.contents.notes},
            frozenset(note.deck for note in moved),
            frozenset(each.id for each in basis.contents.note_types.values()),
        )


class Receiver(Protocol):
    """A learner's collection. Every method may raise PushError; what was done before is done."""

    @property
    def name(self) -> str:
        """What it is, as it is told before anything happens."""

    @property
    def taken_back(self) -> str:
        """How a push into it is taken back."""

    def read(self, asked: Asked) -> Collection:
        """Return what the learner has. Writes nothing."""

    def sync(self) -> None:
        """Sync, and return when all that other devices have sent is there."""

    def backup(self) -> str:
        """Make a backup; return its folder, or nothing where Anki makes its own."""

    def bring(self, package: Path) -> None:
        """Import a package."""

    def suspend(self, cards: Sequence[int]) -> None:
        """Suspend cards that are there and are not suspended."""

    def delete(self, notes: Sequence[int]) -> None:
        """Delete notes that are there, with their cards."""

    def move(self, cards: Sequence[int], deck: str) -> None:
        """Put cards that are there, and are in no filtered deck, into a deck."""

    def refresh(self, deck: str) -> None:
        """Have open windows show what is there now. The deck exists."""

    def close(self) -> None:
        """Let go of the collection."""
