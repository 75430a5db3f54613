"""Gives each card the identity of the note that it is.

A card is known again by its id, else by its question, else by what it says (`matching`). What is
not clear is reported and never guessed: a learner's reviews hang on it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from verideck.history.identity import chosen, guid
from verideck.history.likeness import sketch
from verideck.history.lock import Entry, Lock
from verideck.history.matching import Pair, matched
from verideck.history.numbering import Past, numbered
from verideck.history.scope import Scope
from verideck.model import Card, Identity, Kind, Place, one_line, short
from verideck.problems import Code, Problem, Problems

REVERSE = 2
"""Anki's number of the card that asks for the question; 1 is that of the other one."""


_Identified = tuple[Card, Entry | tuple[str, str], Card]
"""A card, what its identity follows from, and the card with it."""


class Identities:
    """Cards with their identities, by the cards and what else these follow from.

    That is a lock entry, or the id and the guid of a note that is new. A card that is the same
    object as before, and is the same note, is not looked at again.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._known: dict[int, _Identified] = {}
        self._used: dict[int, _Identified] = {}
        self._matching: _Matching | None = None
        self._naming: _Naming | None = None

    def matched(self, cards: Sequence[Card], lock: Lock) -> Sequence[Entry | None] | None:
        """Return the cards' entries if they ask what the former run's cards asked, else None."""
        former = self._matching
        if not (former and former.lock is lock and former.holds_for(cards)):
            return None
        self._matching = _Matching(lock, cards, former.entries, is_clear=True)
        return former.entries

    def keep(self, cards: Sequence[Card], lock: Lock, entries: Sequence[Entry | None]) -> None:
        """Remember which entry is whose."""
        self._matching = _Matching(lock, cards, entries)

    def named(self, naming: _Naming) -> _Naming:
        """The ids and guids of new cards: those that they have, if they ask what they asked."""
        former = self._naming
        names = former.names if former and former.is_like(naming) else naming.chosen()
        self._naming = replace(naming, names=names)
        return self._naming

    def of(self, card: Card, entry: Entry) -> Card:
        """The card as the note that an entry remembers."""
        known = self._known.get(id(card))
        if not (known and known[0] is card and known[1] is entry):
            is_same = known and known[0] is card and known[1] == entry
            known = card, entry, known[2] if known and is_same else _with_former(card, entry)
        self._used[id(card)] = known
        return known[2]

    def new(self, card: Card, name: str, its_guid: str) -> Card:
        """The card as a note that is new."""
        known, named = self._known.get(id(card)), (name, its_guid)
        if not (known and known[0] is card and known[1] == named):
            known = card, named, _with_identity(card, name, its_guid, Past())
        self._used[id(card)] = known
        return known[2]

    def forget_others(self) -> None:
        """Remember only what was asked for since this was called last."""
        self._known, self._used = self._used, {}


@dataclass(frozen=True, slots=True)
class _Matching:
    """Which entry of a lock is whose."""

    lock: Lock
    cards: Sequence[Card]
    entries: Sequence[Entry | None]
    is_clear: bool = False
    """Whether it is known to follow from ids and questions alone."""

    def holds_for(self, cards: Sequence[Card]) -> bool:
        """Return whether cards have these entries because they ask what these cards ask."""
        is_same = len(cards) == len(self.cards) and all(map(_asks_the_same, cards, self.cards))
        return is_same and (self.is_clear or self._follows())

    def _follows(self) -> bool:
        lines = self.lock.lines
        return len({line.identity.question for line in lines}) == len(lines) and all(
            entry and (card.id == entry.identity.id or _question(card) == entry.identity.question)
            for card, entry in zip(self.cards, self.entries, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Naming:
    """Which id and guid each of the cards has that are new, and what these follow from."""

    lock: Lock
    namespace: str
    cards: Sequence[Card]
    """All cards: what one of them asks, another's id may have to tell from it."""
    new: Sequence[Card]
    names: Sequence[tuple[str, str]] = ()

    def is_like(self, other: _Naming) -> bool:
        """Return whether the names are the same: they follow from what all cards ask."""
        is_same = self.lock == other.lock and self.namespace == other.namespace
        every = (self.cards, other.cards), (self.new, other.new)
        return is_same and all(
            len(one) == len(two) and all(map(_asks_the_same, one, two)) for one, two in every
        )

    def chosen(self) -> Sequence[tuple[str, str]]:
        """An id and a guid for each card that is new."""
        taken = _Taken(self.lock, self.cards)
        return [_named(card, self.namespace, taken) for card in self.new]


def _asks_the_same(card: Card, former: Card) -> bool:
    return card is former or _asked(card) == _asked(former)


def _asked(card: Card) -> tuple[str, Kind, str, str, str]:
    return card.id, card.kind, _question(card), card.place.path, card.deck


def _question(card: Card) -> str:
    return one_line(card.question.text)


class _Taken:
    """The ids and guids that a new card must not get, and what tells it from other cards."""

    def __init__(self, lock: Lock, cards: Sequence[Card]) -> None:
        nameless = [card for card in cards if not card.id]
        self._asking = Counter(map(_question, nameless))
        twins = [card for card in nameless if self._asking[_question(card)] > 1]
        self._asking.update(depth for card in twins for depth in _depths(card)[1:])
        self.ids = {entry.identity.id for entry in lock.lines}
        self.ids.update(card.id for card in cards)
        self.guids = set(lock.entries)

    def seed(self, card: Card) -> str:
        """Return the text that a card's id is made of: its question, if no other card asks it.

        What is added where others do does not depend on the order in which the cards come.
        """
        question = _question(card)
        if self._asking[question] == 1:
            return question
        depths = _depths(card)
        return next((each for each in depths if self._asking[each] == 1), depths[-1])


def _depths(card: Card) -> tuple[str, str, str]:
    """What a card asks; in which deck; in which file."""
    question = _question(card)
    deck = f"{question}\x1f{card.deck}"
    return question, deck, f"{deck}\x1f{card.place.path}"


def recognise(
    cards: Sequence[Card],
    lock: Lock,
    scope: Scope,
    namespace: str,
    problems: Problems,
    identities: Identities | None = None,
) -> dict[Place, Card]:
    """Give cards their identities. Returns the identified cards by their places.

    A card that could be several notes, or whose note is of another kind, is reported and left out.
    One that may not be what its author means is left out; where not every card could be read, so is
    one that is taken for a note because it is like it: one that could not be read may be liker.
    A new one that is an outline makes no note, and gets no identity.
    The cards of context files are matched too, so that no other card is taken for one of theirs;
    they are neither returned nor reported.
    """
    identities = identities or Identities()
    every = [*cards, *scope.context_cards]
    unclear: list[Pair] = []
    entries = identities.matched(every, lock)
    if entries is None:
        found, unclear = _entries(every, lock, scope)
        entries = [found.get(card.place) for card in every]
        identities.keep(every, lock, entries)
    told = list(_ambiguous(unclear))
    ambiguous = {problem.place for problem in told}
    known: dict[Place, Card] = {}
    new: list[Card] = []
    for card, entry in zip(every, entries, strict=True):
        if entry and entry.kind is not card.kind:
            told.append(_another_kind(card, entry))
        elif entry:
            if scope.is_complete or _is_certain(card, entry):
                known[card.place] = identities.of(card, entry)
        elif card.place not in ambiguous:
            new.append(card)
            known[card.place] = card  # it is named below, and keeps its place among the others
    noted = [card for card in new if not card.is_outline]
    if noted:
        naming = identities.named(_Naming(lock, namespace, every, noted))
        for card, named in zip(noted, naming.names, strict=True):
            known[card.place] = identities.new(card, *named)
    identities.forget_others()
    context = {card.place for card in scope.context_cards}
    problems.extend(problem for problem in told if problem.place not in context)
    for place in context | scope.doubtful:
        known.pop(place, None)
    return known


def as_new(card: Card) -> Card:
    """Return a card of which it is not clear which note it is, so that it can be looked at."""
    return card if card.is_outline else _with_identity(card, card.id, "", Past())


def _entries(
    cards: Sequence[Card], lock: Lock, scope: Scope
) -> tuple[dict[Place, Entry], list[Pair]]:
    """The entry of each card that has one; and the pairs that could be one, and are not clear."""
    lines = lock.lines
    by_id = {line.identity.id: line for line in lines}
    found: dict[Place, Entry] = {}
    taken: set[str] = set()
    for card in cards:
        line = by_id.get(card.id)
        if line and line.identity.guid not in taken:  # merged lines may name one note twice
            taken.add(line.identity.guid)
            found[card.place] = line
    left, free = list(cards), lines
    if found:
        left = [card for card in cards if card.place not in found]
        free = [line for line in lines if line.identity.guid not in taken]
    more, unclear = matched(left, free, scope.is_missing)
    found |= more
    if lock.merged:
        found = {place: lock.entries[line.identity.guid] for place, line in found.items()}
    return found, unclear


def _named(card: Card, namespace: str, taken: _Taken) -> tuple[str, str]:
    """An id and a guid that no note has; they are taken then."""
    name = card.id or chosen(taken.seed(card), taken.ids)
    taken.ids.add(name)
    its_guid = guid(namespace, name, taken.guids)
    taken.guids.add(its_guid)
    return name, its_guid


def _with_former(card: Card, entry: Entry) -> Card:
    """The card as the note that it was."""
    former = entry.identity
    if not (card.deletions or card.reverse or former.numbers):
        is_same = former.question == _question(card) and former.answer == _sketch(card)
        if is_same and former.written is bool(card.id) and former.id == (card.id or former.id):
            return replace(card, identity=former)
    return _with_identity(card, card.id or former.id, former.guid, _past(card, former))


def _with_identity(card: Card, name: str, its_guid: str, past: Past) -> Card:
    numbers, texts = numbered(card.deletions, past) if card.deletions or past.texts else ((), {})
    asked = {*numbers, REVERSE} if card.reverse else {*numbers}
    texts |= {REVERSE: "reversed"} if card.reverse else {}
    identity = Identity(
        id=name,
        written=bool(card.id),
        guid=its_guid,
        question=_question(card),
        answer=_sketch(card),
        numbers=tuple((n, text) for n, text in texts.items() if n in asked),
        dropped=tuple((n, texts[n]) for n in sorted(texts) if n not in asked),
    )
    return replace(card, identity=identity, numbers=numbers)


def _is_certain(card: Card, entry: Entry) -> bool:
    """Whether a card is a note whatever other cards there are."""
    asked = _question(card), card.place.path, card.deck
    by_question = asked == (entry.identity.question, entry.path, entry.deck)
    return by_question if not card.id else card.id == entry.identity.id


def _sketch(card: Card) -> str:
    return card.sketch or (sketch(card.answer.text) if card.answer else "")


def _past(card: Card, former: Identity) -> Past:
    from verideck.history.past import past  # noqa: PLC0415 - cards without deletions need no Markdown

    passages = [card.question, *([card.answer] if card.answer else [])]
    if not card.deletions:
        return Past(dict(former.every_number))
    return past(card.deletions, passages, former.question, former.numbers, former.dropped)


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
