"""The table of the rules for cards. CONTRIBUTING.md tells all steps to add one.

A rule is a function in the file of its family, which names the rule's source and threshold, a
`Code`, its name in `RULE_NAMES`, and a line in `RULES`. The table in `docs/lint.md` is for those
who write cards. The R-numbers are those of that table; SuperMemo is Wozniak's *Twenty rules of
formulating knowledge* (1999), Matuschak his *How to write good prompts* (2020), Nielsen his
*Augmenting long-term memory* (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum

from verideck.model import Place
from verideck.problems import Code, Problem, Problems, Severity, shown, suggestion
from verideck.rules import (
    answer,
    damage,
    deletions,
    neighbours,
    order,
    pictures,
    question,
    snippets,
    sources,
)
from verideck.rules.reading import Reading, reading
from verideck.rules.rule import Finding, Limit, Rule

__all__ = [
    "RULES",
    "Finding",
    "Limit",
    "Profile",
    "Reading",
    "Rule",
    "Rules",
    "configured",
    "reading",
]

Rules = Mapping[Code, Rule]

_ERROR = Severity.ERROR

RULES: Rules = {
    Code.QUESTION_COMPOUND: Rule(question.compound, _ERROR, atomic=True),
    Code.QUESTION_LONG: Rule(question.long, limit=Limit(45, 70), atomic=True, gentle=False),
    Code.QUESTION_SHORT: Rule(question.short, limit=Limit(8, 0, least=True), gentle=False),
    Code.QUESTION_YES_NO: Rule(question.yes_no, _ERROR),
    Code.QUESTION_VAGUE: Rule(question.vague, _ERROR, atomic=True),
    Code.QUESTION_DANGLING: Rule(question.dangling, _ERROR),
    Code.QUESTIONS_ALIKE: Rule(neighbours.questions_alike, limit=Limit(0.6, 0.6)),
    Code.ANSWER_LONG: Rule(answer.long, limit=Limit(60, 120), atomic=True),
    Code.ANSWER_SENTENCES: Rule(answer.sentences, limit=Limit(3, 5), atomic=True, gentle=False),
    Code.ANSWER_LIST: Rule(answer.listing, limit=Limit(3, 3), atomic=True),
    Code.ANSWER_GIVEN_AWAY: Rule(answer.given_away, limit=Limit(10, 10)),
    Code.ANSWERS_ALIKE: Rule(neighbours.answers_alike),
    Code.CARD_ORPHAN: Rule(neighbours.orphan, limit=Limit(2, 2, least=True), gentle=False),
    Code.DECK_ORDER: Rule(order.by_name, gentle=False),
    Code.SOURCE_MISSING: Rule(sources.missing, gentle=False),
    Code.VERSION_MISSING: Rule(sources.version_missing, gentle=False),
    Code.NUMBER_UNSOURCED: Rule(sources.number, gentle=False),
    Code.CODE_LONG: Rule(snippets.long, limit=Limit(15), gentle=False),
    Code.CODE_WIDE: Rule(snippets.wide, limit=Limit(72), gentle=False),
    Code.CODE_UNSEEDED: Rule(snippets.unseeded),
    Code.ALT_MISSING: Rule(pictures.undescribed, gentle=False),
    Code.CLOZE_MANY: Rule(deletions.many, limit=Limit(2, 2)),
    Code.CLOZE_LONG: Rule(deletions.long, limit=Limit(12, 12)),
    Code.TEXT_DAMAGED: Rule(damage.damaged, _ERROR),
}
"""Every rule by its name."""


class Profile(StrEnum):
    """How much `lint` asks for, where a project says nothing of a rule."""

    GENTLE = "gentle"
    """The rules about what makes a card hard to answer; each is a warning, but for lost text."""
    FULL = "full"
    """Every rule, with its own weight."""


def configured(
    values: Mapping[str, object],
    place_of: Callable[[str], Place],
    problems: Problems,
    profile: str = "",
) -> Rules:
    """Return the rules with the values that a project sets for them, by rule name.

    `profile` is the caller's; without one the value `profile` counts, else the gentle one.

    `false` turns a rule off; `"warning"`, a limit, or a soft and a hard limit change it. An invalid
    value is reported at the place that `place_of` returns for the rule's name; its rule keeps its
    defaults.
    """
    chosen = profile or values.get(PROFILE, Profile.GENTLE)
    if chosen not in set(Profile):
        message = f"{PROFILE} must be {' or '.join(Profile)}, not {shown(chosen)}"
        problems.report(Problem(Code.SETTING_INVALID, message, place_of(PROFILE)))
    rules = dict(RULES) if chosen == Profile.FULL else _gentle()
    for name, value in values.items():
        place = place_of(name)
        if name == PROFILE:
            continue
        if name not in RULES:
            message, hint = f"there is no rule {name}", suggestion(name, frozenset(RULES))
            problems.report(Problem(Code.SETTING_INVALID, message, place, hint))
        elif value is False:
            rules.pop(Code(name), None)
        elif changed := _changed(RULES[Code(name)], value):
            rules[Code(name)] = changed
        else:
            wanted = 'false, "warning", a limit or two'
            if RULES[Code(name)].limit is None:
                wanted = 'false or "warning"'
            message = f"{name} must be {wanted}, not {shown(value)}"
            problems.report(Problem(Code.SETTING_INVALID, message, place))
    return rules


PROFILE = "profile"
"""The name of the profile among what is set for rules."""


def _gentle() -> dict[Code, Rule]:
    return {
        name: rule if name is Code.TEXT_DAMAGED else rule.softened()
        for name, rule in RULES.items()
        if rule.gentle
    }


def _changed(rule: Rule, value: object) -> Rule | None:
    """Return the rule with a value applied; None if the value is invalid."""
    if value is True:
        return rule
    if value == "warning":
        return rule.softened()
    numbers = value if isinstance(value, list) else [value]
    if rule.limit is None or not all(map(_is_limit, numbers)) or len(numbers) not in {1, 2}:
        return None
    limit = rule.limit.moved(*numbers)
    return replace(rule, limit=limit) if limit.is_in_order() else None


def _is_limit(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
