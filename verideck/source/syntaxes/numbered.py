"""Questions that are headings in a list: `1. ### question`, and its answer below it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from verideck.problems import Problems
from verideck.source.syntaxes.headings import LISTS
from verideck.source.syntaxes.list_items import content_column
from verideck.source.syntaxes.page import Block, Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax


def fits(page: Page) -> str:
    """Return by what sign the page asks so: more list items than questions are headings."""
    items = count(page)
    headings = sum(block.heading_level == page.level for block in page.blocks)
    return "list items begin with headings, `1. ### question`" if items > headings else ""


def count(page: Page) -> int:
    """Return how many list items begin with a heading."""
    return sum(1 for block in page.blocks for _ in _questions(block))


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each list item that begins with a heading.

    Its answer reaches to the next one, or to a heading outside of lists, which names the deck.
    """
    del problems
    titles = Titles(page)
    marks: list[tuple[int, Block | None, int]] = []
    for block in page.blocks:
        if block.heading_level:
            marks.append((block.start, block, 0))
        marks += ((start, None, stop) for start, stop in _questions(block))
    cards: list[RawCard] = []
    for (start, title, stop), (end, *_) in pairwise([*marks, (len(page.lines), None, 0)]):
        if title:
            titles.enter(title)
            continue
        line = page.lines[start]
        hashes = line.index("#")
        column = hashes + len(line[hashes:]) - len(line[hashes:].lstrip("#").lstrip())
        if question := page.piece(start, column, len(line)):
            answer = page.passage(stop, end, content_column(line))
            cards.append(RawCard(question, answer, titles.names, range(start, end)))
    return Reading(tuple(cards), is_empty=not cards, among_notes=True)


def _questions(block: Block) -> Iterator[tuple[int, int]]:
    """Yield the first lines of the items of a list that begin with a heading, and those behind."""
    if block.type not in LISTS:
        return
    for item, first in pairwise(block.tokens):
        begins = item.type == "list_item_open" and item.level == 1 and first.type == "heading_open"
        if begins and first.map and first.markup.startswith("#"):
            yield first.map[0], first.map[1]


SYNTAX = Syntax("numbered", "numbered heading", fits, read, in_answers=False)
