"""The list syntax: an item's first paragraph is the question, the rest of it the answer.

Where an item is that paragraph alone, and its first line is bold or has a question mark, what is
beneath the line is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.markdown import Token
from verideck.problems import Code, Problem, Problems
from verideck.source import attributes
from verideck.source.syntaxes.headings import LISTS, are_answered, holds_nothing, is_question
from verideck.source.syntaxes.page import TAB, Block, Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax

_MARKER = re.compile(r"[-+*]|\d{1,9}[.)]")
_TASK = re.compile(r"\[[ xX]\]\s")
_BOLD = re.compile(r"(?P<mark>\*\*|__)(?![*_\s])[^\n*]+(?<!\s)(?P=mark)[:：]?")
_OF_ALL_LINES = re.compile(r"==|\{\{|\{c?\d{1,3}[:|]|\}\s*\Z")
"""A deletion, or attributes behind the last line: then all lines are the question."""
_ASIDE_FROM_TEXT = "write the answer beneath it, behind a blank line or as a nested list"


def fits(page: Page) -> str:
    """Return whether the page has a list at its top level, which is in no heading's answer.

    A list of tasks asks nothing.
    """
    found = any(block.type in LISTS and not _are_tasks(block) for block in page.blocks)
    return "there is a list" if found and not are_answered(page.blocks) else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each item of each list at the top level. Headings name the deck.

    A list of tasks is passed over, unless an author says that this is the form. Reports items that
    do not begin with a paragraph.
    """
    titles = Titles(page)
    items: list[tuple[list[Token], tuple[str, ...]]] = []
    for block in page.blocks:
        if block.heading_level:
            titles.enter(block)
        if block.type in LISTS and (page.meta.syntax or not _are_tasks(block)):
            items += [(item, titles.names) for item in _items(block)]
    cards = [_card(page, item, names, problems) for item, names in items]
    return Reading(tuple(filter(None, cards)), is_empty=not items)


def _are_tasks(block: Block) -> bool:
    """Tell whether most items of a list are tasks."""
    items = list(_items(block))
    tasks = sum(item[1].type == "paragraph_open" and _is_task(item[2]) for item in items)
    return 2 * tasks > len(items)


def _is_task(text: Token) -> bool:
    return _TASK.match(text.content) is not None


def _items(block: Block) -> Iterator[list[Token]]:
    """Yield the items of a list that hold anything."""
    item: list[Token] = []
    for token in block.tokens[1:-1]:
        item.append(token)
        if token.level == 1 and token.nesting < 0:
            if not holds_nothing(item):
                yield item
            item = []


def _card(
    page: Page, item: list[Token], titles: tuple[str, ...], problems: Problems
) -> RawCard | None:
    start, stop = item[0].map or (0, 0)
    if item[1].type != "paragraph_open" and not _is_above_bullet(page, item[1]):
        message = "this list item has no question"
        place = page.place(start, _marker_column(page.lines[start]))
        hint = "begin the item with a line of text: it is the question, what is nested answers it"
        problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))
        return None
    question_start, question_stop = item[1].map or (0, 0)
    column = content_column(page.lines[start])
    question = page.inline(item[2].content, question_start)
    answer = page.passage(question_stop, stop, column)
    asked, _, rest = question.text.partition("\n")
    if answer is None and _asks(asked, rest):
        answer = page.inline(rest, question.place.line)
        question = page.inline(asked, question_start)
    return RawCard(question, answer, titles, range(start, stop), lacks=_ASIDE_FROM_TEXT)


def _asks(first: str, rest: str) -> bool:
    """Tell whether the first line of an item that is one paragraph asks, without the rest.

    It is bold, or has a question mark. A mark that opens in the line and does not close there may
    close beneath it.
    """
    if not rest or is_question(rest) or _OF_ALL_LINES.search(f"{first}\n{rest}"):
        return False
    first = attributes.TRAILING.sub("", first).rstrip()
    is_whole = all(first.count(mark) % 2 == 0 for mark in ("`", "$", "**", "__"))
    return is_whole and (_BOLD.fullmatch(first) is not None or is_question(first))


def _is_above_bullet(page: Page, text: Token) -> bool:
    """Tell whether a bullet with nothing behind it makes a heading of the text above it."""
    stop = text.map[1] if text.type == "heading_open" and text.map else 0
    return bool(stop) and page.lines[stop - 1].strip() == "-"


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
