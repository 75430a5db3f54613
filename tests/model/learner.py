"""A learner with a collection of the real Anki."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anki.collection import (
    Collection,
    ImportAnkiPackageOptions,
    ImportAnkiPackageRequest,
    ImportLogWithChanges,
)

from anki.cards import CardId  # isort: skip - alone, and before anki.collection, they go in a circle

from anki.scheduler.v3 import Scheduler

if TYPE_CHECKING:  # alone, and before anki.collection, they go in a circle
    from anki.cards import Card
    from anki.notes import Note

FINE = ("Database rebuilt and optimized.", True)
"""What `fix_integrity` answers where it finds nothing to fix."""


class Learner:
    """Somebody's collection, empty at first."""

    def __init__(self, folder: Path) -> None:
        """Begin a collection in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.collection = Collection(str(folder / "collection.anki2"))

    def bring(self, package: Path) -> ImportLogWithChanges:
        """Import a package with the default options; returns what Anki says of it."""
        return self.collection.import_anki_package(
            ImportAnkiPackageRequest(package_path=str(package), options=ImportAnkiPackageOptions())
        )

    def take(self, package: Path) -> Mapping[str, int]:
        """Import a package with the default options; returns how many notes met which fate."""
        log = self.bring(package).log
        assert self.collection.fix_integrity() == FINE
        fates = {
            "new": len(log.new),
            "updated": len(log.updated),
            "duplicate": len(log.duplicate),
            "conflicting": len(log.conflicting),
        }
        assert sum(fates.values()) == log.found_notes
        return {fate: number for fate, number in fates.items() if number}

    def notes(self) -> dict[str, Note]:
        """The notes by their id, as the author wrote it."""
        notes = [self.collection.get_note(each) for each in self.collection.find_notes("")]
        found = {note["Id"]: note for note in notes}
        assert len(found) == len(notes)
        return found

    def cards(self, identity: str = "") -> list[Card]:
        """All cards, or those of one note, in the order in which they are to be learnt."""
        cards = [self.collection.get_card(each) for each in self.collection.find_cards("")]
        chosen = [each for each in cards if identity in {"", each.note()["Id"]}]
        return sorted(chosen, key=lambda each: (each.due, each.ord))

    def days(self, deck: str) -> Iterator[list[Card]]:
        """Yield the new cards that whoever clicks a deck is asked on each day, in their order.

        They are those of the scheduler's own queue, under Anki's default options. A card that was
        asked is suspended, and so out of the way of the next day's.
        """
        chosen = self.collection.decks.id_for_name(deck)
        assert chosen is not None, deck
        self.collection.decks.select(chosen)
        scheduler = self.collection.sched
        assert isinstance(scheduler, Scheduler)
        while queued := scheduler.get_queued_cards(fetch_limit=1000).cards:
            cards = [self.collection.get_card(CardId(each.card.id)) for each in queued]
            yield cards
            scheduler.suspend_cards([each.id for each in cards])

    def study(self, identity: str) -> Card:
        """Show a note's first card and find it easy; returns the card as it is then."""
        shown = self.cards(identity)[0]
        judge(self.collection, shown, 4)
        return self.collection.get_card(shown.id)


def judge(collection: Collection, shown: Card, ease: int) -> None:
    """Say how easy a card was.

    Anki names a review after its millisecond, and one that comes too soon after the next free one.
    Many of those run ahead of the clock into another second than the card remembers, and
    `fix_integrity` finds something to fix.
    """
    time.sleep(0.002)
    shown.start_timer()
    collection.sched.answerCard(shown, ease)  # type: ignore[arg-type]
