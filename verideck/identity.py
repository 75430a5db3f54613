"""What makes a note the same note in every build: its id, its guid, and the ids that follow."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Collection, Container, Iterable, Mapping

from verideck.model import Card

_EARLIEST = 1_000_000_000_000
_SPAN = 600_000_000_000
"""Anki's ids are moments in milliseconds: these lie between September 2001 and September 2020."""
_LETTERS = 8
_SHORT = 60


def key(card: Card) -> str:
    """What two cards may not share: the id that the author wrote, or else the question's text."""
    return f"#{card.id}" if card.id else f"?{one_line(card.question.text)}"


def one_line(text: str) -> str:
    """Text in which white space makes no difference."""
    return " ".join(text.split())


def short(text: str) -> str:
    """As much of a text as tells a person which card is meant."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def chosen(question: str, taken: Collection[str]) -> str:
    """An id for a card whose author wrote none: it follows from its question."""
    for attempt in itertools.count():
        digest = hashlib.sha256(f"{question}{attempt or ''}".encode()).digest()
        found = base64.b32encode(digest).decode().lower()[:_LETTERS]
        if found not in taken:
            return found
    raise AssertionError


def guid(namespace: str, identity: str, taken: Container[str] = ()) -> str:
    """A note's guid. It follows from the project's namespace and the card's id, nothing else.

    Unless it is taken: an id that another card had before it got a new one is free, its guid never.
    """
    for attempt in itertools.count():
        again = f"\x1f{attempt}" if attempt else ""
        digest = hashlib.sha256(f"{namespace}\x1f#{identity}{again}".encode()).digest()
        found = base64.urlsafe_b64encode(digest[:12]).decode()
        if found not in taken:
            return found
    raise AssertionError


def moments(guids: Iterable[str]) -> Mapping[str, int]:
    """Note ids that follow from the guids: positive, in the past, unique in the package.

    A learner who deleted a note and imports it again gets its old reviews back, because Anki
    finds them by the ids. Ids leave room for the ids of the note's cards behind them.
    """
    taken: set[int] = set()
    found: dict[str, int] = {}
    for each in sorted(guids):
        digest = hashlib.sha256(each.encode()).digest()
        moment = _EARLIEST + int.from_bytes(digest[:8]) % _SPAN
        while moment in taken:
            moment += 1
        taken.add(moment)
        found[each] = moment
    return found
