"""Beside the way: which rules for cards are broken. Nothing is executed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from verideck.model import Card, Suppression
from verideck.problems import Code, Problem, Severity
from verideck.rules import Finding, Limit, Rule, Rules, reading


@dataclass(frozen=True, slots=True)
class Linted:
    """What the rules found."""

    cards: int
    problems: tuple[Problem, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    """The suppressions that were needed."""

    def as_strict(self) -> Linted:
        """The same, with errors in place of warnings."""
        problems = (replace(each, severity=Severity.ERROR) for each in self.problems)
        return replace(self, problems=tuple(problems))


def lint(cards: Sequence[Card], rules: Rules, files: Collection[str]) -> Linted:
    """Ask every rule about all cards, and tell what was found about those in some files."""
    readings = [reading(card) for card in cards]
    problems: dict[Problem, None] = {}  # code that two cards include is told once
    used: dict[Suppression, None] = {}
    for name, rule in rules.items():
        asked = [each for each in readings if not (rule.atomic and each.is_overview)]
        for finding in rule.check(asked, rule.limit or Limit()):
            suppressions = _covering(name, finding)
            used.update(dict.fromkeys(suppressions))
            if not suppressions and finding.card.place.path in files:
                problems[_problem(name, rule, finding)] = None
    here = [card for card in cards if card.place.path in files]
    unused = [each for each in _suppressions(here) if each not in used]
    needed = tuple(each for each in _suppressions(here) if each in used)
    return Linted(len(here), (*problems, *map(_unused, unused)), needed)


def _suppressions(cards: Sequence[Card]) -> Iterator[Suppression]:
    for card in cards:
        yield from card.suppressions


def _covering(name: Code, finding: Finding) -> list[Suppression]:
    """The suppressions of a rule that stand on the cards which break it."""
    broken_by = [finding.card, *([finding.other] if finding.other else [])]
    return [each for each in _suppressions(broken_by) if each.rule == name]


def _problem(name: Code, rule: Rule, finding: Finding) -> Problem:
    severity = finding.severity or rule.severity
    return Problem(name, finding.message, finding.place, finding.hint, severity)


def _unused(suppression: Suppression) -> Problem:
    return Problem(
        Code.SUPPRESSION_UNUSED,
        f"{suppression.rule} finds nothing here to suppress",
        suppression.place,
        "take the suppression away, or it hides what comes",
        Severity.WARNING,
    )
