"""Which note a card is, where no id tells: by its question, else by what it says.

Every card and note that could be one are a pair with a likeness. A pair is taken if it is clearly
liker than any other pair of its card and any other pair of its note; what is taken makes others
clear. What stays unclear is left to the author.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from verideck.history.likeness import Features, alike, features, sketched
from verideck.history.lock import Entry
from verideck.model import Card, Place, one_line

ENOUGH = 0.5
"""The likeness from which a card may be a note whose question is another one."""
_CLEARLY = 0.1
"""How much liker a pair must be than any other pair of either of the two."""
_TELLING = 12
"""An answer of so many features tells as much as a question; a shorter one tells less."""
_COMPARED = 24
"""With how many notes a card is compared: those with which it shares most that is rare."""

_SAME_QUESTION = 2.0
"""More than any likeness of what is not the same; what follows decides between several."""
_SAME_FILE = 0.5
_NEW_ID = -0.25
"""Whoever gives a card a new id may mean a new card."""
_RETIRED = -0.2


@dataclass(frozen=True, slots=True)
class Pair:
    """A card and a note that could be one."""

    likeness: float
    card: Card
    entry: Entry


def matched(
    cards: Sequence[Card], entries: Sequence[Entry], is_gone: Callable[[Entry], bool]
) -> tuple[dict[Place, Entry], list[Pair]]:
    """What is clear, by the cards' places, and the pairs that are not.

    `is_gone` tells whether the card of a note is no longer where it stood: only then may another
    card be it whose question is not the same.
    """
    found = _the_only_ones(cards, entries)
    if len(found) == len(cards):
        return found, []
    left, free = _without(found, cards, entries)
    more, same = _resolved(list(_with_the_same_question(left, free)))
    found |= more
    left, free = _without(more, left, free)
    more, unclear = _resolved([*same, *_alike(left, free, is_gone)])
    return found | more, unclear


def _without(
    found: Mapping[Place, Entry], cards: Sequence[Card], entries: Sequence[Entry]
) -> tuple[list[Card], list[Entry]]:
    """The cards that were not found, and the entries of notes that no card was found to be."""
    taken = {entry.identity.guid for entry in found.values()}
    left = [card for card in cards if card.place not in found]
    return left, [entry for entry in entries if entry.identity.guid not in taken]


def _the_only_ones(cards: Sequence[Card], entries: Sequence[Entry]) -> dict[Place, Entry]:
    """Cards whose question one entry has, and no other card: most cards of most builds.

    A note with several lines in the lock is left to the comparison of all its pairs.
    """
    guids = Counter(entry.identity.guid for entry in entries)
    of_entries: dict[str, Entry | None] = {}
    for entry in entries:
        question = entry.identity.question
        is_only_one = question not in of_entries and guids[entry.identity.guid] == 1
        of_entries[question] = entry if is_only_one else None
    of_cards: dict[str, Card | None] = {}
    for card in cards:
        question = one_line(card.question.text)
        of_cards[question] = None if question in of_cards else card
    found: dict[Place, Entry] = {}
    for question, asking in of_cards.items():
        only = of_entries.get(question)
        if asking and only and _may_be(asking, only):
            found[asking.place] = only
    return found


def _resolved(pairs: list[Pair]) -> tuple[dict[Place, Entry], list[Pair]]:
    """What is clear among some pairs, and the pairs that are left."""
    found: dict[Place, Entry] = {}
    while clear := list(_clear(pairs)):
        found |= {pair.card.place: pair.entry for pair in clear}
        taken = {pair.entry.identity.guid for pair in clear}
        pairs = [
            pair
            for pair in pairs
            if pair.card.place not in found and pair.entry.identity.guid not in taken
        ]
    return found, pairs


def _clear(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs that are clearly the best of both their card and their note."""
    of_card: dict[Place, list[Pair]] = defaultdict(list)
    of_entry: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of_card[pair.card.place].append(pair)
        of_entry[pair.entry.identity.guid].append(pair)
    for its in of_card.values():
        best = max(its, key=lambda each: each.likeness)
        others = [*its, *of_entry[best.entry.identity.guid]]
        if all(_is_one(each, best) or _is_clear(best, each) for each in others):
            yield best


def _is_clear(best: Pair, other: Pair) -> bool:
    return other.likeness + _CLEARLY <= best.likeness


def _is_one(pair: Pair, other: Pair) -> bool:
    """Whether two pairs are of the same card and note, of which a lock may have several lines."""
    same_note = pair.entry.identity.guid == other.entry.identity.guid
    return same_note and pair.card.place == other.card.place


def _may_be(card: Card, entry: Entry) -> bool:
    """A card with an id of its own is no note whose id stood in the text, and none of another kind.

    No note becomes another kind: whoever gives a new id begins anew.
    """
    return not (card.id and (entry.identity.written or entry.kind is not card.kind))


def _with_the_same_question(cards: Sequence[Card], entries: Sequence[Entry]) -> Iterator[Pair]:
    by_question: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_question[entry.identity.question].append(entry)
    for card in cards:
        same = by_question.get(one_line(card.question.text), ())
        here = [entry for entry in same if _may_be(card, entry)]
        for entry in here:
            likeness = _SAME_QUESTION + _SAME_FILE * (entry.path == card.place.path)
            likeness += _NEW_ID * bool(card.id) + _RETIRED * entry.retired
            if len(here) > 1:
                likeness += _Said.of_card(card).likeness(_Said.of_entry(entry))
            yield Pair(likeness, card, entry)


def _alike(
    cards: Sequence[Card], entries: Sequence[Entry], is_gone: Callable[[Entry], bool]
) -> Iterator[Pair]:
    """Pairs with another question; each card is compared with a few notes at most."""
    said = [(entry, _Said.of_entry(entry)) for entry in entries if is_gone(entry)]
    having: dict[str, list[int]] = defaultdict(list)
    for number, (_, each) in enumerate(said):
        for feature in each.features:
            having[feature].append(number)
    for card in cards if said else ():
        if card.id:
            continue
        mine, question = _Said.of_card(card), one_line(card.question.text)
        shared: Counter[int] = Counter()
        for feature in sorted(mine.features, key=lambda each: len(having.get(each, ()))):
            if sum(shared.values()) > _COMPARED**2:
                break
            shared.update(having.get(feature, ()))
        for number, _ in shared.most_common(_COMPARED):
            entry, theirs = said[number]
            likeness = mine.likeness(theirs) + _RETIRED * entry.retired
            if likeness >= ENOUGH and entry.identity.question != question:
                yield Pair(likeness, card, entry)


@dataclass(frozen=True)
class _Said:
    """What a card or a note says."""

    question: Features
    answer: Features

    @staticmethod
    def of_card(card: Card) -> _Said:
        return _Said(
            features(card.question.text), features(card.answer.text if card.answer else "")
        )

    @staticmethod
    def of_entry(entry: Entry) -> _Said:
        return _Said(features(entry.identity.question), sketched(entry.identity.answer))

    @cached_property
    def features(self) -> Features:
        return self.question | self.answer

    def likeness(self, other: _Said) -> float:
        """How alike question and answer are together, from 0 to 1."""
        telling = min(len(self.answer), len(other.answer), _TELLING) / _TELLING
        weighed = alike(self.question, other.question) + telling * alike(self.answer, other.answer)
        return weighed / (1 + telling)
