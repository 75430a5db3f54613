"""What of a project a run reads: it decides whether a note without a card has lost its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from verideck.history.lock import Entry
from verideck.model import Card, Place, UnreadCard
from verideck.storage.files import is_file


@dataclass(frozen=True, slots=True)
class Scope:
    """The files that a run reads, as places name them, and the cards that it does not build."""

    root: Path
    is_whole: bool
    """Whether all of the project's cards are built."""
    files: frozenset[str] = frozenset()
    """The files whose cards are built."""
    context_files: frozenset[str] = frozenset()
    """Files that are read and not built, so that no card is taken for one of theirs."""
    context_cards: tuple[Card, ...] = ()
    """The cards of the context files."""
    unanswered: tuple[UnreadCard, ...] = ()
    """Questions without an answer, in all of these files."""
    doubtful: frozenset[Place] = frozenset()
    """The places of cards that may not be what their author means, though they could be read."""
    is_complete: bool = True
    """Whether every card to be built could be read. Otherwise one that could not may be the note
    that another card is like."""
    holds: bool = True
    """Whether every card to be built holds. Otherwise no note is known to have lost its card."""

    def includes(self, entry: Entry) -> bool:
        """Tell whether a note's card would be built, if it existed."""
        return entry.path in self.files or (self.is_whole and self._has_no_file(entry))

    def is_missing(self, entry: Entry) -> bool:
        """Tell whether the card of a note that has none is gone from where it stood.

        Where not every card could be read, it may be.
        """
        is_read = entry.path in self.files or entry.path in self.context_files
        may_be = is_read or not self.is_complete or self._has_no_file(entry)
        return may_be and not self.is_unanswered(entry)

    def is_unanswered(self, entry: Entry) -> bool:
        """Tell whether a note's card is a question without an answer now."""
        known = entry.identity
        return any(
            each.id == known.id
            if each.id and known.written
            else (each.place.path, each.question) == (entry.path, known.question)
            for each in self.unanswered
        )

    def _has_no_file(self, entry: Entry) -> bool:
        return not is_file(self.root / entry.path)
