"""The list syntax: an item's first paragraph is the question, the rest of it the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.markdown import Token
from verideck.problems import Code, Problem, Problems
from verideck.source.syntaxes.headings import LISTS, are_answered
from verideck.source.syntaxes.page import TAB, Block, Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax

_MARKER = re.compile(r"[-+*]|\d{1,9}[.)]")


def fits(page: Page) -> str:
    """Return whether the page has a list at its top level, which is in no heading's answer."""
    found = any(block.type in LISTS for block in page.blocks)
    return "there is a list" if found and not are_answered(page.blocks) else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each item of each list at the top level. Headings name the deck.

    Reports items that do not begin with a paragraph.
    """
    titles = Titles(page)
    items: list[tuple[list[Token], tuple[str, ...]]] = []
    for block in page.blocks:
        if block.heading_level:
            titles.enter(block)
        if block.type in LISTS:
            items += [(item, titles.names) for item in _items(block)]
    cards = [_card(page, item, names, problems) for item, names in items]
    return Reading(tuple(filter(None, cards)), is_empty=not items)


def _items(block: Block) -> Iterator[list[Token]]:
    item: list[Token] = []
    for token in block.tokens[1:-1]:
        item.append(token)
        if token.level == 1 and token.nesting < 0:
            yield item
            item = []


def _card(
    page: Page, item: list[Token], titles: tuple[str, ...], problems: Problems
) -> RawCard | None:
    start, stop = item[0].map or (0, 0)
    if item[1].type != "paragraph_open":
        message = "this list item has no question"
        place = page.place(start, _marker_column(page.lines[start]))
        hint = "begin the item with a line of text: it is the question, what is nested answers it"
        problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))
        return None
    question = item[2]
    question_start, question_stop = item[1].map or (0, 0)
    return RawCard(
        page.inline(question.content, question_start),
        page.passage(question_stop, stop, content_column(page.lines[start])),
        titles,
        range(start, stop),
    )


def _marker_column(line: str) -> int:
    return len(line) - len(line.lstrip())


def content_column(line: str) -> int:
    """Return the column of an item's content (CommonMark 0.31, list items, rules 1 and 2)."""
    expanded = line.expandtabs(TAB)
    column = _marker_column(expanded)
    marker = _MARKER.match(expanded, column)
    if marker is None:  # it stands behind a comment, which may be anywhere
        return column
    content = expanded[marker.end() :]
    spaces = len(content) - len(content.lstrip())
    return marker.end() + (spaces if content.strip() and spaces <= TAB else 1)


SYNTAX = Syntax("list", "list item", fits, read, in_answers=False)
