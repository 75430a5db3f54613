"""Finds the notes of cards without a known id: by their question, else by their likeness.

Each card and each note that may belong together are a pair with a likeness. A pair is matched if
its likeness is clearly higher than that of any other pair of its card and any other pair of its
note. Each match removes pairs, which can make others clear. The author decides about the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from itertools import islice
from typing import TypeVar

from verideck.history.likeness import Features, alike, features, sketch, sketched
from verideck.history.lock import Entry
from verideck.model import Card, Place, one_line

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

ENOUGH = 0.5
"""The least likeness of a card and a note with different questions."""
_CLEARLY = 0.1
"""By how much the likeness of a pair must exceed that of other pairs of its card or its note."""
_FULL_WEIGHT = 12
"""The number of features from which an answer weighs as much as a question."""
_COMPARED = 24
"""With how many notes a card is compared: those that share the most of its rare features."""

_SAME_QUESTION = 2.0
"""Likeness of a pair with equal questions, above that of any other pair. The values below decide
between several such pairs."""
_SAME_PLACE = 0.5
"""In the same file and the same deck."""
_SAME_FILE_OR_DECK = 0.35
_NEW_ID = -0.25
"""An author who gives a card a new id may mean a new card."""
_RETIRED = -0.2


@dataclass(frozen=True, slots=True)
class Pair:
    """A card and a note that may belong together."""

    likeness: float
    card: Card
    entry: Entry


def matched(
    cards: Sequence[Card], entries: Sequence[Entry], is_gone: Callable[[Entry], bool]
) -> tuple[dict[Place, Entry], list[Pair]]:
    """Return the entries of cards that are clear, by the cards' places, and the unclear pairs.

    `is_gone` returns whether the card of a note is no longer at its place. Only such a note can
    match a card with a different question.
    """
    if not entries:
        return {}, []
    clear = _the_only_ones(cards, entries)
    if len(clear) == len(cards):
        return clear, []
    left, free = _without(clear, cards, entries)
    for key_of in _SURE:
        sure = _by_key(left, free, key_of)
        clear |= sure
        left, free = _without(sure, left, free)
    twins = _repeated([entry.identity.question for entry in entries])
    twins |= _repeated([one_line(card.question.text) for card in cards])
    more, same = _resolved(list(_with_the_same_question(left, free, twins)))
    clear |= more
    left, free = _without(more, left, free)
    more, unclear = _resolved([*same, *_alike(left, free, is_gone)])
    return clear | more, unclear


def _without(
    matches: Mapping[Place, Entry], cards: Sequence[Card], entries: Sequence[Entry]
) -> tuple[list[Card], list[Entry]]:
    """Return the cards without a match, and the entries whose notes no card matched."""
    taken = {entry.identity.guid for entry in matches.values()}
    left = [card for card in cards if card.place not in matches]
    return left, [entry for entry in entries if entry.identity.guid not in taken]


def _the_only_ones(cards: Sequence[Card], entries: Sequence[Entry]) -> dict[Place, Entry]:
    """Return the entries of cards whose question one entry and no other card has.

    These are most cards of most builds. Notes with several lines in the lock are left out: all
    their pairs must be compared.
    """
    of_guid = _unique([entry.identity.guid for entry in entries], entries)
    of_question = _unique([entry.identity.question for entry in entries], entries)
    asking = _unique([one_line(card.question.text) for card in cards], cards)
    return {
        card.place: entry
        for question, card in asking.items()
        if (entry := of_question.get(question))
        and entry.identity.guid in of_guid
        and _may_be(card, entry)
    }


def _by_key(
    cards: Sequence[Card], entries: Sequence[Entry], key_of: Callable[[_Asked], Hashable]
) -> dict[Place, Entry]:
    """Return the entries of cards that have a key in common, and no other card or entry has it."""
    asking = [card for card in cards if not card.id]
    asked = [entry for entry in entries if not entry.retired]
    of_entries = _unique([key_of(_Asked.by_entry(each)) for each in asked], asked)
    of_cards = _unique([key_of(_Asked.by_card(each)) for each in asking], asking)
    return {
        card.place: entry
        for key, card in of_cards.items()
        if key is not None and (entry := of_entries.get(key)) and _may_be(card, entry)
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a card asks, where, and what it answers."""

    question: str
    answer: str
    """Its sketch."""
    path: str
    deck: str

    @staticmethod
    def by_card(card: Card) -> _Asked:
        answer = card.sketch or (sketch(card.answer.text) if card.answer else "")
        return _Asked(one_line(card.question.text), answer, card.place.path, card.deck)

    @staticmethod
    def by_entry(entry: Entry) -> _Asked:
        return _Asked(entry.identity.question, entry.identity.answer, entry.path, entry.deck)

    def and_answers_much(self) -> tuple[str, str] | None:
        """The question and an answer that is long enough to be no other's by chance."""
        is_long = len(sketched(self.answer)) >= _FULL_WEIGHT
        return (self.question, self.answer) if is_long else None


_SURE: tuple[Callable[[_Asked], Hashable], ...] = (
    lambda it: it,
    lambda it: (it.question, it.answer, it.path),
    lambda it: (it.question, it.answer, it.deck),
    _Asked.and_answers_much,
)
"""What tells cards apart that ask the same: the one that has all of it in common with a note is its
card, and need not be compared. A deck may have a thousand cards that ask for a summary."""


def _unique(keys: Sequence[Key], values: Sequence[Value]) -> Mapping[Key, Value]:
    """Return the values by their keys, without those whose key another has, too."""
    by_key = dict(zip(keys, values, strict=True))
    if len(by_key) == len(keys):
        return by_key
    counts = Counter(keys)
    return {key: value for key, value in by_key.items() if counts[key] == 1}


def _repeated(questions: Iterable[str]) -> set[str]:
    return {question for question, count in Counter(questions).items() if count > 1}


def _resolved(pairs: list[Pair]) -> tuple[dict[Place, Entry], list[Pair]]:
    """Return the entries of cards that are clear among the pairs, and the pairs that are left."""
    matches: dict[Place, Entry] = {}
    while clear := list(_clear(pairs)):
        matches |= {pair.card.place: pair.entry for pair in clear}
        taken = {pair.entry.identity.guid for pair in clear}
        pairs = [
            pair
            for pair in pairs
            if pair.card.place not in matches and pair.entry.identity.guid not in taken
        ]
    return matches, pairs


def _clear(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Yield the pairs that are clearly the best pair of their card and of their note."""
    of_card: dict[Place, list[Pair]] = defaultdict(list)
    of_entry: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of_card[pair.card.place].append(pair)
        of_entry[pair.entry.identity.guid].append(pair)
    for its in of_card.values():
        best = max(its, key=lambda each: each.likeness)
        others = [*its, *of_entry[best.entry.identity.guid]]
        if all(
            _is_same(each, best) or _is_clear(best, each) or _is_repeated(best, each)
            for each in others
        ):
            yield best


def _is_clear(best: Pair, other: Pair) -> bool:
    return other.likeness + _CLEARLY <= best.likeness


def _is_same(pair: Pair, other: Pair) -> bool:
    """Return whether two pairs have the same card and note. A lock may have two lines of a note."""
    same_note = pair.entry.identity.guid == other.entry.identity.guid
    return same_note and pair.card.place == other.card.place


def _is_repeated(first: Pair, pair: Pair) -> bool:
    """Return whether a card says again what the first one says in the same file and deck.

    A build refuses it; `verideck id` gives it an id, and it does not matter which one is the note.
    """
    card, again = first.card, pair.card
    return (
        first.entry is pair.entry
        and card.place < again.place
        and _Asked.by_card(card) == _Asked.by_card(again)
    )


def _may_be(card: Card, entry: Entry) -> bool:
    """Return whether a card and a note may belong together.

    A card with an id in the text cannot match a note whose id stood in the text: a changed id means
    a new card. Nor can it match a note of another kind, because a note cannot change its kind.
    """
    return not (card.id and (entry.identity.written or entry.kind is not card.kind))


def _with_the_same_question(
    cards: Sequence[Card], entries: Sequence[Entry], twins: AbstractSet[str]
) -> Iterator[Pair]:
    """Yield pairs with the same question.

    Where several cards ask it, or did, that alone makes no pair: a card in another file and another
    deck, with an answer that is unlike, is another card.
    """
    by_question: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_question[entry.identity.question].append(entry)
    for card in cards:
        question = one_line(card.question.text)
        here = [entry for entry in by_question.get(question, ()) if _may_be(card, entry)]
        for entry in _nearest(card, here):
            nearness = _nearness(card, entry)
            likeness = _SAME_QUESTION + nearness
            likeness += _NEW_ID * bool(card.id) + _RETIRED * entry.retired
            if question in twins:
                mine, its = _Content.of_card(card), _Content.of_entry(entry)
                if not nearness and alike(mine.answer, its.answer) < ENOUGH:
                    continue
                likeness += mine.likeness(its)
            yield Pair(likeness, card, entry)


def _nearest(card: Card, entries: list[Entry]) -> list[Entry]:
    """Return the few entries with which a card is compared."""
    if len(entries) <= _COMPARED:
        return entries
    answer = _Asked.by_card(card).answer
    return nlargest(
        _COMPARED,
        entries,
        lambda entry: _nearness(card, entry) + _SAME_PLACE * (entry.identity.answer == answer),
    )


def _nearness(card: Card, entry: Entry) -> float:
    same = (entry.path == card.place.path) + (entry.deck == card.deck)
    return (0.0, _SAME_FILE_OR_DECK, _SAME_PLACE)[same]


def _alike(
    cards: Sequence[Card], entries: Sequence[Entry], is_gone: Callable[[Entry], bool]
) -> Iterator[Pair]:
    """Yield similar pairs with different questions. Each card is compared with a few notes only."""
    gone = [(entry, _Content.of_entry(entry)) for entry in entries if is_gone(entry)]
    having: dict[str, list[int]] = defaultdict(list)
    for number, (_, each) in enumerate(gone):
        for feature in each.features:
            having[feature].append(number)
    for card in cards if gone else ():
        if card.id:
            continue
        mine, question = _Content.of_card(card), one_line(card.question.text)
        shared: Counter[int] = Counter()
        for feature in sorted(mine.features, key=lambda each: len(having.get(each, ()))):
            if sum(shared.values()) > _COMPARED**2:
                break
            shared.update(islice(having.get(feature, ()), _COMPARED**2))
        for number, _ in shared.most_common(_COMPARED):
            entry, theirs = gone[number]
            likeness = mine.likeness(theirs) + _RETIRED * entry.retired
            if likeness >= ENOUGH and entry.identity.question != question:
                yield Pair(likeness, card, entry)


@dataclass(frozen=True)
class _Content:
    """The features of a card or a note."""

    question: Features
    answer: Features

    @staticmethod
    def of_card(card: Card) -> _Content:
        return _Content(
            features(card.question.text), features(card.answer.text if card.answer else "")
        )

    @staticmethod
    def of_entry(entry: Entry) -> _Content:
        return _Content(features(entry.identity.question), sketched(entry.identity.answer))

    @cached_property
    def features(self) -> Features:
        return self.question | self.answer

    def likeness(self, other: _Content) -> float:
        """Return the weighted mean of the likeness of questions and of answers, from 0 to 1."""
        weight = min(len(self.answer), len(other.answer), _FULL_WEIGHT) / _FULL_WEIGHT
        weighed = alike(self.question, other.question) + weight * alike(self.answer, other.answer)
        return weighed / (1 + weight)
