"""The types of the rules: a check, its limit, and its findings."""

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
    """A soft and a hard limit of an amount, from above or from below."""

    soft: float = inf
    """An amount beyond it is a warning."""
    hard: float = inf
    """An amount beyond it is an error."""
    least: bool = False
    """Whether the limits are minimums: beyond them is less, not more."""

    def weight(self, amount: float) -> Severity | None:
        """Return the severity of an amount; None if it is within the limits."""
        if self._beyond(amount, self.hard):
            return Severity.ERROR
        return Severity.WARNING if self._beyond(amount, self.soft) else None

    def _beyond(self, amount: float, limit: float) -> bool:
        return amount < limit if self.least else amount > limit

    def moved(self, soft: float, hard: float | None = None) -> Limit:
        """Return a copy with other limits. Without `hard`, the hard limit is at least the soft."""
        if hard is None:
            hard = soft if self._beyond(soft, self.hard) else self.hard
        return replace(self, soft=soft, hard=hard)

    def softened(self) -> Limit:
        """Return a copy without a hard limit."""
        return replace(self, hard=-inf if self.least else inf)

    def is_in_order(self) -> bool:
        """Return whether the soft limit is not beyond the hard one."""
        return not self._beyond(self.soft, self.hard)


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a card breaks a rule."""

    card: Card
    place: Place
    message: str
    hint: str = ""
    severity: Severity | None = None
    """None for the rule's own severity."""
    other: Card | None = None
    """The second card, for rules that compare two; a suppression on either of them counts."""


Check = Callable[[Sequence[Reading], Limit], Iterator[Finding]]
"""Yields findings. It is given all cards of a run, because some rules compare cards."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, with its severity and its limit."""

    check: Check
    severity: Severity = Severity.WARNING
    """The severity of findings that have none of their own."""
    limit: Limit | None = None
    """None for a rule that measures nothing."""
    atomic: bool = False
    """Whether the rule holds for atomic cards only, and not for overview cards."""
    gentle: bool = True
    """Whether it is asked though nobody asked for all rules."""

    def softened(self) -> Rule:
        """Return a copy of which no finding is an error."""
        limit = self.limit.softened() if self.limit else None
        return replace(self, severity=Severity.WARNING, limit=limit)


def of_each_card(check: Callable[[Reading, Limit], Iterator[Finding]]) -> Check:
    """Turn a check of one card into a check of many."""

    @wraps(check)
    def of_all(cards: Sequence[Reading], limit: Limit) -> Iterator[Finding]:
        for card in cards:
            yield from check(card, limit)

    return of_all
