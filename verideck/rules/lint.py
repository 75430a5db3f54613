"""`verideck lint`: checks cards against the rules. Executes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from verideck.model import Card, Suppression
from verideck.problems import Code, Problem, Severity
from verideck.rules import Finding, Limit, Rule, Rules, reading


@dataclass(frozen=True, slots=True)
class Linted:
    """The result of a lint."""

    cards: int
    problems: tuple[Problem, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    """Those that suppressed a finding."""

    def as_strict(self) -> Linted:
        """Return a copy in which every warning is an error."""
        problems = (replace(each, severity=Severity.ERROR) for each in self.problems)
        return replace(self, problems=tuple(problems))


def lint(cards: Sequence[Card], rules: Rules, files: Collection[str]) -> Linted:
    """Check all cards, and return the findings about the cards in `files`, a set of paths.

    The other cards are context: some rules compare cards with each other. Includes a warning for
    each suppression that suppresses nothing.
    """
    readings = [reading(card) for card in cards]
    problems: dict[Problem, None] = {}  # code that two cards include is reported once
    used: dict[Suppression, None] = {}
    for name, rule in rules.items():
        checked = [each for each in readings if not (rule.atomic and each.is_overview)]
        for finding in rule.check(checked, rule.limit or Limit()):
            suppressions = _covering(name, finding)
            used.update(dict.fromkeys(suppressions))
            if not suppressions and finding.card.place.path in files:
                problems[_problem(name, rule, finding)] = None
    here = [card for card in cards if card.place.path in files]
    asked = (each for each in _suppressions(here) if each.rule in rules)
    unused = [each for each in asked if each not in used]
    needed = tuple(each for each in _suppressions(here) if each in used)
    return Linted(len(here), (*problems, *map(_unused, unused)), needed)


def _suppressions(cards: Sequence[Card]) -> Iterator[Suppression]:
    for card in cards:
        yield from card.suppressions


def _covering(name: Code, finding: Finding) -> list[Suppression]:
    """Return the suppressions of the rule on the cards of a finding."""
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
