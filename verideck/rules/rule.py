"""What a rule for cards is, what it is asked with, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from math import inf

from verideck.model import Card, Place
from verideck.problems import Severity
from verideck.rules.reading import Reading


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of something there may be, or must be at least."""

    soft: float = inf
    """Beyond it is a warning."""
    hard: float = inf
    """Beyond it is an error."""
    least: bool = False
    """Whether what is beyond is less, not more."""

    def weight(self, amount: float) -> Severity | None:
        """What an amount beyond the limit weighs; None for one that is within."""
        if self._beyond(amount, self.hard):
            return Severity.ERROR
        return Severity.WARNING if self._beyond(amount, self.soft) else None

    def _beyond(self, amount: float, limit: float) -> bool:
        return amount < limit if self.least else amount > limit

    def moved(self, soft: float, hard: float | None = None) -> Limit:
        """Another soft limit; a hard one that would lie within it goes along."""
        if hard is None:
            hard = soft if self._beyond(soft, self.hard) else self.hard
        return replace(self, soft=soft, hard=hard)

    def softened(self) -> Limit:
        """The same without a hard limit."""
        return replace(self, hard=-inf if self.least else inf)

    def is_in_order(self) -> bool:
        """Whether what is an error would be a warning, too."""
        return not self._beyond(self.soft, self.hard)


@dataclass(frozen=True, slots=True)
class Finding:
    """A card that breaks a rule, and where."""

    card: Card
    place: Place
    message: str
    hint: str = ""
    severity: Severity | None = None
    """None where it is the rule's."""
    other: Card | None = None
    """A card that breaks the rule together with it: a suppression may stand on either."""


Check = Callable[[Sequence[Reading], Limit], Iterator[Finding]]
"""Looks at all cards of a run, because some rules hold among cards."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and how strictly it is taken."""

    check: Check
    severity: Severity = Severity.WARNING
    """Of what it finds, where nothing is measured."""
    limit: Limit | None = None
    """None where nothing is measured."""
    atomic: bool = False
    """Whether it is about a card asking for one thing: an overview card need not."""


def of_each_card(check: Callable[[Reading, Limit], Iterator[Finding]]) -> Check:
    """Make a rule that looks at one card alone look at all of them."""

    @wraps(check)
    def of_all(cards: Sequence[Reading], limit: Limit) -> Iterator[Finding]:
        for card in cards:
            yield from check(card, limit)

    return of_all
