"""What of a project a run reads: it decides whether a note without a card has lost its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from verideck.history.lock import Entry
from verideck.model import Card, Unanswered


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
    unanswered: tuple[Unanswered, ...] = ()
    """Questions without an answer, in all of these files."""

    def includes(self, entry: Entry) -> bool:
        """Tell whether a note's card would be built, if it existed."""
        return entry.path in self.files or (self.is_whole and self._has_no_file(entry))

    def is_missing(self, entry: Entry) -> bool:
        """Tell whether the card of a note that has none is gone from where it stood."""
        is_read = entry.path in self.files or entry.path in self.context_files
        return (is_read or self._has_no_file(entry)) and not self.is_unanswered(entry)

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
        return not (self.root / entry.path).is_file()
