"""What becomes of each line of a file: nothing of it is left out in silence.

A line belongs to a card, or to what the file says about itself (titles, set-up, definitions of
links, ids of blocks, comments), or to something that is told. What is left is told here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from verideck.markdown import Token
from verideck.model import Snippet
from verideck.problems import Code, Problem, Severity
from verideck.source import contents
from verideck.source.syntaxes import properties
from verideck.source.syntaxes.page import Page

_OF_THE_FILE = {Code.NO_CARD, Code.SYNTAX_UNKNOWN}
"""Problems that tell of a file that nothing in it is on a card."""
_ABOUT_ITSELF = {"heading_open", "hr"}
"""Blocks outside of cards that are no text: titles, and lines that divide."""
_WHOLE = {"fence", "code_block", "math_block", "footnote_definition"}
"""Blocks of which nothing can be on a card without the rest."""
_MOST_NAMED = 5
"""Runs of lines that a message names; the others are counted."""
_HINT = (
    "write it beneath a question; or into a comment, <!-- like this -->, if it is for readers of "
    "the file alone"
)


def left_over(
    page: Page, known: Iterable[range], setup: Iterable[Snippet], told: Sequence[Problem]
) -> list[range]:
    """Return the runs of lines, counted from 0, that are on no card and not told.

    `known` are the lines of cards, of what is told of, and what the page's syntax reads besides;
    `setup` are the fences that are executed before the cards; `told` are the problems that were
    found in the file. Blank lines are in a run only between lines that are not.
    """
    if any(each.code in _OF_THE_FILE for each in told):
        return []
    accounted = [page.is_blank(line) for line in range(len(page.lines))]
    for lines in (*known, *_about_itself(page, setup)):
        accounted[lines.start : lines.stop] = [True] * len(lines)
    if all(accounted):
        return []
    unknown = {line for line, is_known in enumerate(accounted) if not is_known}
    for lines in _told(page.tokens, [each for each in told if each.place.line - 1 in unknown]):
        accounted[lines.start : lines.stop] = [True] * len(lines)
    return list(_runs(page, accounted))


def problem(page: Page, left: Sequence[range]) -> Problem:
    """Return the one problem that tells of all lines that are left over."""
    count = sum(1 for lines in left for line in lines if not page.is_blank(line))
    named = [_named(lines) for lines in left[:_MOST_NAMED]]
    if left[_MOST_NAMED:]:
        named.append(f"and in {len(left) - _MOST_NAMED:,} more places")
    several = f"{count:,} lines are on no card: {', '.join(named)}"
    message = "this line is on no card" if count == 1 else several
    return Problem(Code.TEXT_OUTSIDE, message, page.place(left[0].start), _HINT, Severity.WARNING)


def _about_itself(page: Page, setup: Iterable[Snippet]) -> Iterator[range]:
    """Yield the lines by which a file says something about itself, in any syntax."""
    yield from contents.tables(page)
    yield from page.definitions
    yield from page.ids
    yield from page.empty_items()
    yield from (
        range(line, line + 1)
        for line in properties.of_page(page)
        if properties.is_unshown(page.lines[line])
    )
    for block in page.blocks:
        if block.type in _ABOUT_ITSELF:
            yield range(block.start, block.stop)
    executed = {each.place.line - 1 for each in setup}
    for token in page.tokens:
        if token.type == "fence" and token.map and token.map[0] in executed:
            yield range(*token.map)


def _told(tokens: Iterable[Token], told: Sequence[Problem]) -> Iterator[range]:
    """Yield the lines of which something is told.

    A warning tells of its line alone: beside it may stand what nobody reads. An error is of all
    that it keeps from being read; and of code or a footnote, nothing is on a card without the rest.
    """
    lines = sorted({each.place.line - 1 for each in told})
    errors = sorted({each.place.line - 1 for each in told if each.severity is Severity.ERROR})
    yield from (range(line, line + 1) for line in lines)
    for token in tokens:
        if token.map and (token.type == "inline" or token.nesting == 0):
            first, stop = token.map
            places = lines if token.type in _WHOLE else errors
            found = bisect_left(places, first)
            if found < len(places) and places[found] < stop:
                yield range(first, stop)


def _runs(page: Page, accounted: Sequence[bool]) -> Iterator[range]:
    """Yield the runs of lines that are not accounted for; blank lines do not divide them."""
    kept = (n for n, known in enumerate(accounted) if not known or not page.is_blank(n))
    for is_left, group in groupby(kept, key=lambda n: not accounted[n]):
        numbers = list(group)
        if is_left:
            yield range(numbers[0], numbers[-1] + 1)


def _named(lines: range) -> str:
    """Name lines as an editor counts them."""
    return f"{lines.start + 1} to {lines.stop}" if lines[1:] else f"{lines.stop}"
