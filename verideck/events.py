"""What a run tells while it goes on. Whoever listens cannot change a result: events are frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verideck.model import Audit, Card, Note, Place, Proof
from verideck.problems import Problem


@dataclass(frozen=True, slots=True)
class Counted:
    """So many cards are about to be proved, or audited."""

    cards: int
    audits: bool = False


@dataclass(frozen=True, slots=True)
class Executing:
    """These cards are about to be executed: no former proof or audit of them is still true."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class CardProven:
    """A card holds."""

    card: Card
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class CardFailed:
    """A card does not hold, or its audit found it wanting.

    A card that holds and cannot be identified or rendered is told in the result alone.
    """

    place: Place
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """A card that holds was audited."""

    card: Card
    audit: Audit


@dataclass(frozen=True, slots=True)
class CardRendered:
    """A card has become a note."""

    note: Note


Event = Counted | Executing | CardProven | CardFailed | Audited | CardRendered
Listener = Callable[[Event], None]


def unheard(_: Event) -> None:
    """Listen to nothing."""
