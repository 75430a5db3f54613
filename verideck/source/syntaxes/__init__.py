"""The syntaxes for cards. To add one: a file here, a line in `_OURS`, a case in tests/spec.

Installed packages add others, see `plugins`.

A syntax finds the questions and answers of a page. What they may contain is the same for all
syntaxes (see `source.cards`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from verideck import plugins
from verideck.problems import CallerError, Code, Problem, Problems, Severity
from verideck.source.syntaxes import (
    details,
    document,
    hashcards,
    heading,
    list_items,
    logseq,
    md2anki,
    mdanki,
    numbered,
    obsidian_to_anki,
    qa,
    sides,
    spaced_repetition,
)
from verideck.source.syntaxes.page import Page
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.syntax import Syntax, added

__all__ = [
    "SYNTAXES",
    "Page",
    "RawCard",
    "Reading",
    "Syntax",
    "Written",
    "fitting",
    "left_out",
    "why",
]


_OURS = (
    obsidian_to_anki.SYNTAX,
    logseq.SYNTAX,
    spaced_repetition.SYNTAX,
    hashcards.SYNTAX,
    md2anki.SYNTAX,
    mdanki.SYNTAX,
    sides.SYNTAX,
    details.SYNTAX,
    numbered.SYNTAX,
    qa.SYNTAX,
    heading.SYNTAX,
    list_items.SYNTAX,
    document.SYNTAX,
)


def _all() -> dict[str, Syntax]:
    """Return the syntaxes that are installed, and ours. Raises CallerError, see `added`."""
    found: dict[str, Syntax] = {}
    names = {each.name for each in _OURS}
    for plugin in plugins.installed(plugins.SYNTAXES):
        if plugin.name in names:
            raise CallerError(f"{plugin}: there is another form of that name")
        names.add(plugin.name)
        found[plugin.name] = added(plugin)
    return found | {each.name: each for each in _OURS}


SYNTAXES: Mapping[str, Syntax] = MappingProxyType(_all())
"""The syntaxes by their names in front matter. A page that names none is read by the first that
fits: what the user has installed comes first, then those with the plainest signs."""


def fitting(page: Page) -> str:
    """Return the name of the first syntax that fits the page; empty if none does."""
    return next((name for name, syntax in SYNTAXES.items() if syntax.fits(page)), "")


def why(page: Page, name: str) -> str:
    """Return why a page is read in a syntax, which may be none."""
    if page.meta.syntax:
        return "`syntax` says so"
    return SYNTAXES[name].fits(page) if name else ""


def left_out(
    page: Page, chosen: str, cards: Iterable[RawCard], problems: Problems
) -> list[RawCard]:
    """Report text that is no card in the chosen syntax, but a card with an answer in another one.

    Returns what would be the cards.

    `cards` are the cards in the chosen syntax. A heading above several of them is not reported: in
    another syntax it would be a question with these cards in its answer, but it is a chapter.
    """
    starts, lines = set[int](), set[int]()
    for each in cards:
        starts.add(each.lines.start)
        lines.update(each.lines)
    outside = page.without(lines)
    found: list[RawCard] = []
    for name, syntax in SYNTAXES.items():
        if name == chosen or syntax.is_a_tools or SYNTAXES[chosen].is_a_tools:
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
            found += lost
    return found
