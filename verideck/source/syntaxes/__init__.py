"""The ways to write a card. To add one: a file here, a line in `SYNTAXES`, a case in tests/spec.

A syntax finds the questions and answers of a page; what a question or an answer may hold is the
same for all of them (`parse.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from verideck.problems import Code, Problem, Problems, Severity
from verideck.source.syntaxes import heading, list_items, qa
from verideck.source.syntaxes.page import Page, RawCard, Reading

__all__ = ["SYNTAXES", "Page", "RawCard", "Reading", "Syntax", "fitting", "left_out"]


@dataclass(frozen=True, slots=True)
class Syntax:
    """A way to write a card."""

    question: str
    """What a question is written as, in the singular and with a regular plural."""
    fits: Callable[[Page], bool]
    read: Callable[[Page, Problems], Reading]
    in_answers: bool = True
    """Whether a card of this form inside of an answer was meant to be a card. A list was not:
    answers hold lists."""

    def asks(self, written: RawCard) -> bool:
        """Tell whether an author who wrote this may have meant a card.

        A list item that begins with a bracket is an entry in a table of contents or a task.
        """
        return bool(written.answer) and (self.in_answers or written.question.text[:1] != "[")


SYNTAXES: Mapping[str, Syntax] = MappingProxyType(
    {
        "qa": Syntax("`Q:` paragraph", qa.fits, qa.read),
        "heading": Syntax("heading", heading.fits, heading.read),
        "list": Syntax("list item", list_items.fits, list_items.read, in_answers=False),
    }
)
"""By the name that front matter calls them; a page that names none is read by what fits first."""


def fitting(page: Page) -> str:
    """The name of the first syntax in which the page can be read, if it can be."""
    return next((name for name, syntax in SYNTAXES.items() if syntax.fits(page)), "")


def left_out(page: Page, chosen: str, cards: Iterable[RawCard], problems: Problems) -> None:
    """Report what is no card in the chosen syntax, and would be one with an answer in another.

    Outside of the cards, what would have some of them in its answer is a chapter of theirs.
    """
    starts, lines = set[int](), set[int]()
    for each in cards:
        starts.add(each.lines.start)
        lines.update(each.lines)
    outside = page.without(lines)
    for name, syntax in SYNTAXES.items():
        if name == chosen:
            continue
        reading = syntax.read(page if syntax.in_answers else outside, Problems())
        found = [each for each in reading.cards if syntax.asks(each)]
        lost = [
            each for each in found if each.lines.start in lines or starts.isdisjoint(each.lines)
        ]
        if lost:
            more = f", and {len(lost) - 1} more below, are no cards" if lost[1:] else " is no card"
            message = (
                f"this {syntax.question}{more}: this file asks by {SYNTAXES[chosen].question}s"
            )
            hint = (
                "write all of them in one form, or each form in a file of its own; if it is meant "
                f"so, say `syntax: {chosen}` in the front matter"
            )
            place = lost[0].question.place
            problems.report(Problem(Code.SYNTAX_MIXED, message, place, hint, Severity.WARNING))
