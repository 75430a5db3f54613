"""The rule about the order in which a learner meets the decks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from verideck.model import Card
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit


def by_name(cards: Sequence[Reading], _: Limit) -> Iterator[Finding]:
    """Let the names of decks sort as the files do (R16).

    Whoever studies a deck meets the new cards of the decks below it in the order of their names:
    Anki gathers new cards by deck, unless the learner sets it otherwise, and a card's place in the
    files counts within its deck alone (measured, `tests/test_path.py`).

    Reports the first card of a deck whose name sorts before that of the deck begun last, where both
    are below one top deck.
    """
    first: dict[str, Card] = {}
    for card in sorted((each.card for each in cards), key=_stands):
        first.setdefault(card.deck, card)
    for (above, earlier), (deck, later) in pairwise(first.items()):
        before, here = sorted_as(above), sorted_as(deck)
        if before[0] == here[0] and here < before:
            yield Finding(
                later,
                later.place,
                f"Anki asks the new cards of “{deck}” before those of “{above}”, which stand above",
                "decks are asked in the order of their names: number them, “01 …”, “02 …”",
                other=earlier,
            )


def _stands(card: Card) -> tuple[list[str], int]:
    """Return where a card stands among all of the project, whichever were named to `lint`."""
    return card.place.path.split("/"), card.place.line


def sorted_as(deck: str) -> tuple[str, ...]:
    """Return what Anki sorts a deck's name by: without case, a deck before those below it."""
    return tuple(part.casefold() for part in deck.split("::"))
