"""Rules that compare the cards of a deck with each other."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, islice

from verideck.model import one_line
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit

_NO_LETTER = re.compile(r"[\W_]+")
_GRAM = 3
_COMPARED = 1000
"""With how many cards that share a rare run of letters a question is compared. Only a deck that is
made for it has more of them."""

Grams = frozenset[str]


def questions_alike(cards: Sequence[Reading], limit: Limit) -> Iterator[Finding]:
    """Ask nothing in almost the words of another card (R7). SuperMemo: combat interference.

    Reports questions that share more than 60 % of their runs of three letters or Han characters
    (Jaccard's index). Each card is reported once, with the first similar card above it. Code on
    the question's side counts as part of the question.
    """
    sets = [_grams(each) for each in cards]
    for later, earlier, share in _pairs(sets, limit.soft):
        card, other = cards[later].card, cards[earlier].card
        yield Finding(
            card,
            card.place,
            f"this asks in almost the words of the card at {other.place} ({share:.0%})",
            "name in each what sets it apart from the other, or make them one card",
            limit.weight(share),
            other,
        )


def _grams(card: Reading) -> Grams:
    front = "".join(each.code for each in card.card.snippets if each.options.front)
    text = _NO_LETTER.sub("", f"{card.card.question.text}{front}").casefold()
    return frozenset(text[start : start + _GRAM] for start in range(max(len(text) - _GRAM + 1, 1)))


def _pairs(sets: Sequence[Grams], least: float) -> Iterator[tuple[int, int, float]]:
    """Yield the index of each set that is like an earlier one, the index of that, and the share.

    Of several earlier sets the first is yielded. The share is Jaccard's index; it is above `least`.
    Two sets that share so much have one of their rarest grams in common; so only those grams are
    looked up (the prefix filter of set similarity joins: Chaudhuri, Ganti and Kaushik, A primitive
    operator for similarity joins, 2006).
    """
    common = Counter(gram for each in sets for gram in each)
    holding: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(sets):
        rarest = sorted(each, key=lambda gram: (common[gram], gram))
        prefix = rarest[: len(rarest) - math.ceil(least * len(rarest)) + 1]
        sharing = (one for one, _ in groupby(merge(*(holding[gram] for gram in prefix))))
        for earlier in islice(sharing, _COMPARED):
            other = sets[earlier]
            if min(len(each), len(other)) < least * max(len(each), len(other)):
                continue
            share = len(each & other) / len(each | other)
            if share > least:
                yield number, earlier, share
                break
        for gram in prefix:
            holding[gram].append(number)


def answers_alike(cards: Sequence[Reading], _: Limit) -> Iterator[Finding]:
    """Do not give the answer of another card (R7). SuperMemo: combat interference.

    Reports answers that differ in nothing but white space.
    """
    first: dict[str, Reading] = {}
    for card in cards:
        answer = one_line(card.card.answer.text) if card.card.answer else ""
        if not answer:
            continue
        other = first.setdefault(answer, card).card
        if other is not card.card:
            yield Finding(
                card.card,
                card.answer.at(0),
                f"this answers just as the card at {other.place}",
                "if both ask the same, one of them is enough",
                other=other,
            )


def orphan(cards: Sequence[Reading], limit: Limit) -> Iterator[Finding]:
    """Give a card neighbours (R8). Nielsen: no orphan questions; Quantum Country.

    Reports a card that shares its tags with fewer than two others, where there are two others.
    """
    least = math.ceil(limit.soft)
    tagged: Mapping[str, int] = Counter(tag for each in cards for tag in each.card.tags)
    holders: dict[str, set[int]] = defaultdict(set)
    for number, each in enumerate(cards):
        for tag in each.card.tags:
            if tagged[tag] <= least:
                holders[tag].add(number)
    for number, card in enumerate(cards if len(cards) > least else ()):
        if any(tagged[tag] > least for tag in card.card.tags):
            continue
        others = set[int]().union(*(holders[tag] for tag in card.card.tags)) - {number}
        if severity := limit.weight(len(others)):
            yield Finding(
                card.card,
                card.card.place,
                _message(card, len(others)),
                "tag it with its topic, and write the cards that belong beside it",
                severity,
            )


def _message(card: Reading, others: int) -> str:
    if not card.card.tags:
        return "this card has no tag"
    counted = {0: "no other", 1: "one other"}.get(others, f"{others} others")
    return f"this card shares a tag with {counted}"
