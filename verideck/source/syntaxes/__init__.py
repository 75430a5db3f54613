"""The syntaxes for cards. To add one: a file here, a line in `SYNTAXES`, a case in tests/spec.

A syntax finds the questions and answers of a page. What they may contain is the same for all
syntaxes (see `source.cards`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from verideck.problems import Code, Problem, Problems, Severity
from verideck.source.syntaxes import heading, list_items, qa
from verideck.source.syntaxes.page import Page, RawCard, Reading

__all__ = ["SYNTAXES", "Page", "RawCard", "fitting", "left_out"]


@dataclass(frozen=True, slots=True)
class Syntax:
    """A form in which cards are written."""

    question: str
    """The Markdown element of a question, for messages: a singular with a regular plural."""
    fits: Callable[[Page], bool]
    """Returns whether a page that names no syntax is read by this one."""
    read: Callable[[Page, Problems], Reading]
    """Returns the cards of a page, and reports questions that are not complete."""
    in_answers: bool = True
    """Whether this form, inside of an answer in another syntax, may be meant as a card. False for
    lists, which are common in answers."""

    def is_meant(self, card: RawCard) -> bool:
        """Return whether an author may have meant this as a card.

        A card has an answer. A list item that begins with a bracket is an entry in a table of
        contents, or a task.
        """
        return bool(card.answer) and (self.in_answers or card.question.text[:1] != "[")


SYNTAXES: Mapping[str, Syntax] = MappingProxyType(
    {
        "qa": Syntax("`Q:` paragraph", qa.fits, qa.read),
        "heading": Syntax("heading", heading.fits, heading.read),
        "list": Syntax("list item", list_items.fits, list_items.read, in_answers=False),
    }
)
"""The syntaxes by their names in front matter. A page that names none is read by the first that
fits."""


def fitting(page: Page) -> str:
    """Return the name of the first syntax that fits the page; empty if none does."""
    return next((name for name, syntax in SYNTAXES.items() if syntax.fits(page)), "")


def left_out(page: Page, chosen: str, cards: Iterable[RawCard], problems: Problems) -> None:
    """Report text that is no card in the chosen syntax, but a card with an answer in another one.

    `cards` are the cards in the chosen syntax. A heading above several of them is not reported: in
    another syntax it would be a question with these cards in its answer, but it is a chapter.
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
        meant = [each for each in reading.cards if syntax.is_meant(each)]
        lost = [
            each for each in meant if each.lines.start in lines or starts.isdisjoint(each.lines)
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
