"""The ids that Obsidian_to_Anki writes into its cards, in whichever form these are written."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from verideck.source.syntaxes import Page, RawCard, Written

_ID = re.compile(r"<!--[ \t]*ID:[ \t]*(?P<id>\d+)[ \t]*-->")


def identified(page: Page, cards: Iterable[RawCard]) -> tuple[RawCard, ...]:
    """Return the cards of a page, each with the id in its lines if no other is known.

    Where several stand in a card, they are of several notes of that tool, and it is none of these.
    One that its form has read belongs to the card that has it, also where two stand in a line.
    """
    if "ID:" not in page.source.text:
        return tuple(cards)
    cards = tuple(cards)
    code = page.solid()
    known = {each.id.place for each in cards if each.id}
    written = (
        (number, Written(match["id"], page.place(number, match.start("id"))))
        for number, line in enumerate(page.written)
        if number not in code
        for match in _ID.finditer(line)
    )
    found = [(number, each) for number, each in written if each.place not in known]
    return tuple(each if each.id else replace(each, id=_of(each, found)) for each in cards)


def _of(card: RawCard, found: Sequence[tuple[int, Written]]) -> Written | None:
    first = bisect_left(found, card.lines.start, key=lambda each: each[0])
    inside = [each for line, each in found[first : first + 2] if line < card.lines.stop]
    return inside[0] if len(inside) == 1 else None
