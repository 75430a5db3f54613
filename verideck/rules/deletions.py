"""Rules for the deletions of a cloze card."""

from __future__ import annotations

from collections.abc import Iterator

from verideck.rules.length import MEANING, units
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card


@of_each_card
def many(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Hide little in one text (R11). SuperMemo's rule 5: cloze deletion.

    A third number in a note is an error. Deletions with one number are one card.
    """
    seen: set[object] = set()
    for deletion in card.card.deletions:
        seen.add(object() if deletion.number is None else deletion.number)
        if len(seen) > limit.soft:
            yield Finding(
                card.card,
                deletion.place,
                f"this text hides more than {limit.soft:g} things",
                "make several texts of it, or number alike what is recalled together",
                limit.weight(len(seen)),
            )
            return


@of_each_card
def long(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Hide a few words at a time (R11). SuperMemo's rule 5.

    More than 12 units (12 汉字, 8 English words) are an error.
    """
    for deletion in card.card.deletions:
        length = units(deletion.text)
        if severity := limit.weight(length):
            yield Finding(
                card.card,
                deletion.place,
                f"what this hides is {length:g} units long",
                f"hide {limit.soft:g} at most: {MEANING}",
                severity,
            )
