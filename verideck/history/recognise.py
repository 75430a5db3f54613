"""Between stages 3 and 4: gives each card that holds the identity of the note that it is.

A card is known again by its id, else by its question, else by what it says (`matching`). What is
not clear is asked and never guessed: a learner's reviews hang on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from verideck.history.identity import chosen, guid
from verideck.history.likeness import sketch
from verideck.history.lock import Entry, Lock
from verideck.history.matching import Pair, matched
from verideck.history.numbering import Past, numbered, past
from verideck.history.scope import Scope
from verideck.model import Card, Identity, Kind, Place, ProvenCard, one_line, short
from verideck.problems import Code, Problem

REVERSE = 2
"""The number of the card that asks for the question."""


def recognise(
    proven: Iterable[ProvenCard], cards: Sequence[Card], lock: Lock, scope: Scope, namespace: str
) -> Iterator[ProvenCard | Problem]:
    """Give every card that holds its identity.

    `cards` are all that there are, once the first of them is proven: a card that does not hold is
    known again too, so that no other card is taken for it. A card that could be several notes, or
    whose note is of another kind, is a problem.
    """
    waiting = iter(proven)
    first = list(islice(waiting, 1))  # by now the cards are there
    known, problems = identified(cards, lock, scope, namespace)
    for each in chain(first, waiting):
        if each.card.place in known:
            yield replace(each, card=known[each.card.place])
    yield from problems


def identified(
    cards: Sequence[Card], lock: Lock, scope: Scope, namespace: str
) -> tuple[dict[Place, Card], list[Problem]]:
    """The cards with their identities, by their places; and what is not clear.

    Those of files that are read and not built are known too, for nobody to be taken for them.
    """
    cards = [*cards, *scope.others]
    lines = [*lock.merged, *lock.entries.values()]
    by_id = {line.identity.id: line for line in lines}
    lines_found: dict[Place, Entry] = {}
    taken: set[str] = set()
    for card in cards:
        line = by_id.get(card.id)
        if line and line.identity.guid not in taken:  # merged lines may name one note twice
            taken.add(line.identity.guid)
            lines_found[card.place] = line
    more, unclear = matched(
        [card for card in cards if card.place not in lines_found],
        [line for line in lines if line.identity.guid not in taken],
        scope.is_missing,
    )
    found = {
        place: lock.entries[line.identity.guid] for place, line in (lines_found | more).items()
    }
    problems = list(_ambiguous(unclear))
    asked = {problem.place for problem in problems}
    ids = {*by_id, *(card.id for card in cards)}
    guids = set(lock.entries)
    known: dict[Place, Card] = {}
    for card in cards:
        entry = found.get(card.place)
        if entry and entry.kind is not card.kind:
            problems.append(_another_kind(card, entry))
        elif card.place not in asked:
            known[card.place] = _identified(card, entry, namespace, ids, guids)
    beside = {card.place for card in scope.others}
    return (
        {place: card for place, card in known.items() if place not in beside},
        [problem for problem in problems if problem.place not in beside],
    )


def _identified(
    card: Card, entry: Entry | None, namespace: str, ids: set[str], guids: set[str]
) -> Card:
    """The card with the identity that it had, or with a new one; its id and guid are taken then."""
    question = one_line(card.question.text)
    former = entry.identity if entry else None
    name = card.id or (former.id if former else chosen(question, ids))
    ids.add(name)
    guids.add(here := former.guid if former else guid(namespace, name, guids))
    numbers, texts = numbered(card.hidden, _past(card, former) if former else Past())
    asked = {*numbers, REVERSE} if card.reverse else {*numbers}
    texts |= {REVERSE: "reversed"} if card.reverse else {}
    identity = Identity(
        id=name,
        written=bool(card.id),
        guid=here,
        question=question,
        answer=sketch(card.answer.text) if card.answer else "",
        numbers=tuple((n, text) for n, text in texts.items() if n in asked),
        dropped=tuple((n, texts[n]) for n in sorted(texts) if n not in asked),
    )
    return replace(card, identity=identity, numbers=numbers)


def _past(card: Card, former: Identity) -> Past:
    passages = [card.question, *([card.answer] if card.answer else [])]
    if not card.hidden:
        return Past(dict(former.every_number))
    return past(card.hidden, passages, former.question, former.numbers, former.dropped)


def _ambiguous(pairs: Iterable[Pair]) -> Iterator[Problem]:
    """A problem for each card that could be more than one note, or for whose note others ask."""
    by_card: dict[Place, list[Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda each: -each.likeness):
        by_card[pair.card.place].append(pair)
    for place, candidates in by_card.items():
        could_be = [
            f"{{#{pair.entry.identity.id}}} {short(pair.entry.identity.question)} "
            f"({pair.entry.path}, {min(pair.likeness, 1):.0%} alike)"
            for pair in candidates
        ]
        yield Problem(
            Code.MATCH_AMBIGUOUS,
            "\n".join(["it is not clear whether this card is one that was here before", *could_be]),
            place,
            "if it is, write that id behind the question; if it is new, write any other {#id}",
        )


def _another_kind(card: Card, entry: Entry) -> Problem:
    return Problem(
        Code.KIND_CHANGED,
        f"this is {_KINDS[card.kind]} now and was {_KINDS[entry.kind]} before",
        card.place,
        "Anki turns no note into another kind: give it an {#id} of its own, and it begins anew",
    )


_KINDS = {Kind.BASIC: "a plain card", Kind.TYPED: "to be typed", Kind.CLOZE: "a cloze card"}
