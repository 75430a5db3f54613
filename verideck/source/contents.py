"""Tables of contents: lists of links to headings of the same file. They ask nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from verideck.problems import Code, Problem, Severity
from verideck.source.syntaxes.headings import LISTS, is_question
from verideck.source.syntaxes.page import Block, Page
from verideck.source.syntaxes.raw_card import RawCard

_FEWEST = 2
"""Links. A list of one may be an answer that points at another."""
_ROWS = "table_open"
_LINK = re.compile(
    r"\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*\]\(#(?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)"
    r"|\[\[#[^\[\]]+\]\]"
)
"""A link to a heading of the same file."""
_MAY_BE = re.compile(r"\]\(#|\[\[#|toc", re.IGNORECASE)
_MADE = re.compile(r"\\?\[\[?_?toc_?\\?\]\]?", re.IGNORECASE)
"""What other programs put a table of contents in the place of."""


def tables(page: Page) -> Iterator[range]:
    """Yield the lines of each table of contents on a page, and of each mark for one."""
    return _tables(page, _FEWEST)


def _tables(page: Page, fewest: int) -> Iterator[range]:
    if not _MAY_BE.search(page.whole.text):
        return  # most pages have no such link
    for block in page.blocks:
        if _is_mark(block) or _links(block) >= fewest:
            yield range(block.start, block.stop)


def _is_mark(block: Block) -> bool:
    return block.type == "paragraph_open" and _MADE.fullmatch(block.content.strip()) is not None


def _links(block: Block) -> int:
    """Return how many links a list or a table holds, if it holds nothing else that says anything.

    A row of a table may hold a number beside its link, or the name of a chapter in place of one.
    """
    if block.type in LISTS:
        texts = [token.content for token in block.tokens if token.type == "inline"]
        return len(texts) if all(map(_leads_to_heading, texts)) else 0
    if block.type == _ROWS:
        rows = list(_rows(block))
        leading = sum(any(map(_leads_to_heading, row)) for row in rows)
        is_contents = all(len(row) <= 1 for row in rows) and 2 * leading > len(rows)
        return leading if is_contents else 0
    return 0


def _rows(block: Block) -> Iterator[list[str]]:
    """Yield the cells of each row below the head of a table, but for those without a letter."""
    rows: list[list[str]] = []
    for above, token in pairwise(block.tokens):
        if token.type == "tr_open" and above.type != "thead_open":
            rows.append([])
        elif above.type == "td_open" and any(map(str.isalpha, token.content)):
            rows[-1].append(token.content)
    yield from filter(None, rows)


def _leads_to_heading(text: str) -> bool:
    """Tell whether a text is links to headings, and signs between them."""
    if "](#" not in text and "[[#" not in text:
        return False
    return not any(map(str.isalnum, _LINK.sub("", text)))


def entries(page: Page, cards: Iterable[RawCard]) -> list[RawCard]:
    """Return the cards that have nothing but a table of contents beneath their question.

    Lines that divide may stand there, too. Where items of lists ask, they are the entries of a
    table. Beneath what is no question, one link is a table.
    """
    found = _lines(page, 1)
    if not found:
        return []
    several = _lines(page, _FEWEST)
    return [
        card
        for card in cards
        if card.lines.start in several
        or _is_all_below(page, card, several if is_question(card.question.text) else found)
    ]


def _lines(page: Page, fewest: int) -> set[int]:
    return {line for table in _tables(page, fewest) for line in table}


def _is_all_below(page: Page, card: RawCard, lines: set[int]) -> bool:
    if card.answer is None:
        return False
    dividing = {block.start for block in page.blocks if block.type == "hr"}
    below = range(card.answer.place.line - 1, card.lines.stop)
    found = {line for line in below if page.lines[line].strip()} - dividing
    return bool(found) and found <= lines


def problem(cards: Sequence[RawCard]) -> Problem:
    """Return the problem that tells that these are no cards."""
    message = "this table of contents is no card"
    hint = "its links lead nowhere in Anki; if it is meant as one, answer with more than links"
    return Problem(Code.CONTENTS, message, cards[0].question.place, hint, Severity.WARNING)
