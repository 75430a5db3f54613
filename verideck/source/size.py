"""How large a text may be: what no learner could review is not parsed, and told.

All that is done with a text takes a time that is proportional to its length. But a text of many
megabytes would still take minutes and gigabytes, and no program for flashcards shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from verideck.model import Passage
from verideck.problems import Code, Problem
from verideck.source.syntaxes.page import TAB, Page

LONGEST = 100_000
"""Characters of a question, of an answer, and of any one paragraph, cell or fence."""

_HINT = "a card asks for one thing: divide it, or put the data into a file that its code opens"


def too_long(what: str, passage: Passage | None) -> Problem | None:
    """Return the problem of a passage that is too long; None if it is not."""
    if passage is None or len(passage.text) <= LONGEST:
        return None
    return Problem(Code.CARD_TOO_LARGE, _told(what, len(passage.text)), passage.place, _HINT)


def too_long_blocks(page: Page) -> Iterator[Problem]:
    """Yield the problems of a page's paragraphs, cells and code that are too long.

    They are found before anything is parsed that stands in them.
    """
    if len(page.whole.text) * TAB <= LONGEST:  # no character becomes more than a tab does
        return
    for token in page.tokens:
        if len(token.content) > LONGEST:
            place = page.place(token.map[0] if token.map else 0)
            yield Problem(Code.CARD_TOO_LARGE, _told("this", len(token.content)), place, _HINT)


def _told(what: str, length: int) -> str:
    return f"{what} is too long: {length:,} characters, at most {LONGEST:,}"
