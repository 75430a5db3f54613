"""What of the project a build reads: whose card it would have seen, if there were one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from verideck.history.lock import Entry
from verideck.model import Card, Unanswered


@dataclass(frozen=True, slots=True)
class Scope:
    """Files by their names in places, and what is in them: all is there once the cards are."""

    root: Path
    whole: bool
    """Whether all of the project's cards are built."""
    built: set[str] = field(default_factory=set)
    """The files whose cards are built."""
    beside: set[str] = field(default_factory=set)
    """The files of other cards, read for these not to be taken for what is built."""
    others: list[Card] = field(default_factory=list)
    """The cards of those."""
    unanswered: list[Unanswered] = field(default_factory=list)

    def includes(self, entry: Entry) -> bool:
        """Whether a note's card would be built, if there were one."""
        return entry.path in self.built or (self.whole and self._is_no_more(entry))

    def is_missing(self, entry: Entry) -> bool:
        """Whether the card of a note that no card is known by is not where it stood."""
        read = entry.path in self.built or entry.path in self.beside
        return (read or self._is_no_more(entry)) and not self.is_unanswered(entry)

    def is_unanswered(self, entry: Entry) -> bool:
        """Whether a note's card is a draft now."""
        known = entry.identity
        return any(
            draft.id == known.id
            if draft.id and known.written
            else (draft.place.path, draft.question) == (entry.path, known.question)
            for draft in self.unanswered
        )

    def _is_no_more(self, entry: Entry) -> bool:
        return not (self.root / entry.path).is_file()
