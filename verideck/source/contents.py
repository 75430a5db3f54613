"""Tables of contents: lists of links to headings of the same file. They ask nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from verideck.problems import Code, Problem, Severity
from verideck.source.syntaxes.headings import LISTS
from verideck.source.syntaxes.page import Block, Page
from verideck.source.syntaxes.raw_card import RawCard

_FEWEST = 2
"""Links. A list of one may be an answer that points at another."""


def tables(page: Page) -> Iterator[range]:
    """Yield the lines of each table of contents on a page."""
    for block in page.blocks:
        if block.type in LISTS and _is_table(block):
            yield range(block.start, block.stop)


def _is_table(block: Block) -> bool:
    """Return whether every text of a list is a link to a heading."""
    texts = [token.content for token in block.tokens if token.type == "inline"]
    return len(texts) >= _FEWEST and all(map(_leads_to_heading, texts))


def _leads_to_heading(text: str) -> bool:
    text = text.strip("*_ ")
    return (
        text.startswith("[") and text.endswith(")") and text.count("](") == text.count("](#") == 1
    )


def entries(page: Page, cards: Iterable[RawCard]) -> list[RawCard]:
    """Return the cards that have nothing but a table of contents beneath their question.

    Where items of lists ask, they are the entries of a table.
    """
    lines = {line for table in tables(page) for line in table}
    return [card for card in cards if _is_entry(page, card, lines)] if lines else []


def _is_entry(page: Page, card: RawCard, lines: set[int]) -> bool:
    if card.lines.start in lines:
        return True
    if card.answer is None:
        return False
    below = range(card.answer.place.line - 1, card.lines.stop)
    return all(line in lines for line in below if page.lines[line].strip())


def problem(cards: Sequence[RawCard]) -> Problem:
    """Return the problem that tells that these are no cards."""
    message = "this table of contents is no card"
    hint = "its links lead nowhere in Anki; if it is meant as one, answer with more than links"
    return Problem(Code.CONTENTS, message, cards[0].question.place, hint, Severity.WARNING)
