"""Compares two runs of a card: what its assertions read, what it printed, what it computed.

Two floating-point numbers are equal if rounding noise could be their difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verideck.model import Snippet
from verideck.proof import expected
from verideck.proof.python.parent.comments import judged_comments, place_of
from verideck.proof.python.parent.request import outputs_of, steps_of
from verideck.proof.python.parent.testimony import Testimony
from verideck.proof.python.wire.chance import without_chance
from verideck.proof.python.wire.messages import Computed, Finished, ReadValue
from verideck.proof.python.wire.run import End

_UNHEARD = {"assertion-failed", "assertion-swallowed", "exception-raised"}
"""What is found when all steps have been executed, and is a failure of the code."""
_NOISE = 4
"""Units in the last place, of the largest number of a value, by which rounding may move it."""


def agree(one: ReadValue, other: ReadValue) -> bool:
    """Whether two values are the same but for rounding noise."""
    if one.digest == other.digest:
        return True
    kinds = [(each.outline, each.unit, len(each.numbers)) for each in (one, other)]
    if not one.unit or kinds[0] != kinds[1]:
        return False
    sizes = (abs(each) for each in (*one.numbers, *other.numbers) if math.isfinite(each))
    noise = _NOISE * one.unit * max(sizes, default=0.0)
    return all(
        first == second or (first != first and second != second) or abs(first - second) <= noise  # noqa: PLR0124 - NaN
        for first, second in zip(one.numbers, other.numbers, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to, as far as an audit compares it."""

    problem: str = ""
    """The code of the first failure; empty if there is none."""
    place: tuple[str, int] = ("", 0)
    message: str = ""
    read: tuple[ReadValue, ...] = ()
    printed: tuple[str, ...] = ()
    """What is compared with an output on the card."""
    computed: Computed | None = None
    """What shown code computed, where that was asked for."""
    seconds: float = 0.0

    def agrees(self, other: Outcome) -> bool:
        """Whether another run read and printed the same."""
        same = len(self.read) == len(other.read) and self.printed == other.printed
        return same and not self.moved(other)

    def moved(self, other: Outcome) -> list[ReadValue]:
        """The values that are not the same in another run."""
        pairs = zip(self.read, other.read, strict=False)
        return [one for one, two in pairs if not agree(one, two)]

    def computes(self, other: Outcome, again: Outcome) -> bool:
        """Whether shown code computed the same in another run.

        What differs when the card itself is run `again` says nothing. It is not the same if it is
        not known.
        """
        mine, theirs, once_more = self.computed, other.computed, again.computed
        if not (mine and theirs and once_more):
            return False
        if len(mine.values) != len(once_more.values):
            return True
        if len(mine.values) != len(theirs.values):
            return False
        triples = zip(mine.values, theirs.values, once_more.values, strict=True)
        steady = mine.takes == once_more.takes
        return (mine.takes == theirs.takes or not steady) and all(
            agree(one, two) or not agree(one, three) for one, two, three in triples
        )

    def farthest(self, other: Outcome) -> float | None:
        """How far the numbers moved at most in another run; None if none did."""
        apart = [
            abs(one - two)
            for before, after in zip(self.read, other.read, strict=False)
            for one, two in zip(before.numbers, after.numbers, strict=False)
        ]
        return max((each for each in apart if each > 0), default=None)


def outcome_of(run: Finished, said: Testimony, snippets: Sequence[Snippet]) -> Outcome:
    """The outcome of a run: its first failure, or what its assertions read and what it printed."""
    steps, reports, last = steps_of(snippets), said.reports, said.last
    if said.wrong:
        return Outcome("ended-early", message=f"its report is not believed: {said.wrong}")
    error = next((report.error for report in reports if report.error), None)
    if error is None and last is not None:
        error = next((each for each in last.findings if each.code in _UNHEARD), None)
    if error:
        return Outcome(error.code, (error.path, error.line), error.message)
    if last is None:
        ended = "it did not come to its end"
        return Outcome("time-limit" if run.end is End.TIME else "ended-early", message=ended)
    by_place = {step.place: report.stdout for step, report in zip(steps, reports, strict=True)}
    printed = [(output, by_place[above.place]) for above, output in outputs_of(snippets)]
    for output, text in printed:
        if expected.difference(output.code, text, output.options.tolerance):
            place = (output.place.path, output.place.line)
            return Outcome("assertion-failed", place, "it prints something else")
    for snippet, report in zip(steps, reports, strict=True):
        for comment in judged_comments(snippet, report):
            if comment.refuted:
                at = place_of(snippet, comment.comment)
                what = "its comment says something else"
                return Outcome("assertion-failed", (at.path, at.line), what)
    texts = [text for _, text in printed]
    texts += [said.printed for report in reports for said in report.said]
    return Outcome(
        read=last.read,
        printed=tuple(without_chance(text) for text in texts),
        computed=last.computed,
        seconds=sum(report.seconds for report in reports),
    )
