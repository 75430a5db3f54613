"""What takes a push: a running Anki, or a closed collection."""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import dataclass
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
    decks: Some[str] = frozenset()
    """Decks into which cards may be moved."""
    note_types: Some[int] = frozenset()
    """The ids of its note types."""

    @classmethod
    def of(cls, basis: Basis) -> Self:
        """Return what a collection is asked about to plan a push into it."""
        entries = basis.after.entries
        notes = basis.contents.notes
        moved = {note.deck for note in notes if entries[note.identity.guid].stood}
        types = frozenset(each.id for each in basis.contents.note_types.values())
        return cls(basis.guids, basis.retired.keys(), moved, types)


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
