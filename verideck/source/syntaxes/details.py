"""`<details><summary>question</summary>answer</details>`, as pages on GitHub fold their answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from verideck import markdown
from verideck.model import Passage
from verideck.problems import Problems
from verideck.source.syntaxes.page import Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax

_TAG = re.compile(r"<(?P<name>/?(?:details|summary))(?:\s[^<>]*)?>", re.IGNORECASE)
_LIST_MARKER = re.compile(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)?")
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|[\s*_:：.。!！()（）▶👉-]+")
_ONLY_OPENS = re.compile(
    r"(?:show|see|view|click|reveal|expand|open|my|the|a|here|for|to|full|model|sample|suggested"
    r"|possible|correct|answers?|solutions?|hints?|details?|explanations?|more|spoilers?"
    r"|查看|点击|展开|显示|参考|答案|解答|解析|详情|提示)*",
    re.IGNORECASE,
)
"""Matches the words of a summary that asks nothing: what is asked stands above it."""
_LONGEST = 200
"""Characters of such a summary, its tags included."""


def fits(page: Page) -> str:
    """Return by what sign the page asks so: more summaries that ask than headings of questions."""
    if "<details" not in page.whole.text.lower():
        return ""
    found = list(_found(page))
    inside = {line for each in found for line in each.lines}
    headings = sum(
        block.heading_level == page.level and block.start not in inside for block in page.blocks
    )
    return "questions are summaries, `<details><summary>`" if len(found) > headings else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each `<details>` whose summary asks. Headings outside name the deck."""
    del problems
    titles = Titles(page)
    headings = iter([block for block in page.blocks if block.heading_level])
    heading = next(headings, None)
    cards: list[RawCard] = []
    last = -1
    for each in _found(page):
        while heading and heading.start < each.lines.start:
            if heading.start > last:  # else it belongs to the answer before
                titles.enter(heading)
            heading = next(headings, None)
        last = each.lines.stop - 1
        cards.append(RawCard(each.question, each.answer, titles.names, each.lines))
    return Reading(tuple(cards), is_empty=not cards, among_notes=True)


@dataclass(frozen=True, slots=True)
class _Details:
    question: Passage
    answer: Passage | None
    lines: range


def _found(page: Page) -> Iterator[_Details]:
    """Yield those at the top level that ask. One in another belongs to the answer."""
    depth = 0
    start, asked, told = 0, (0, 0), (0, 0)
    question: Passage | None = None
    for line, tag in _tags(page):
        name = tag["name"].lower()
        if name == "details":
            depth += 1
            if depth == 1:
                above = _LIST_MARKER.sub("", page.lines[line][: tag.start()], count=1)
                start, question = line + _has_text(above), None
        elif name == "/details" and depth:
            depth -= 1
            if depth == 0 and question:
                rest = page.lines[line][tag.end() :]
                end = line, len(page.lines[line]) if _has_text(rest) else tag.start()
                yield _Details(question, _between(page, told, end), range(start, line + 1))
        elif name == "summary" and depth == 1:
            asked = line, tag.end()
        elif name == "/summary" and depth == 1 and question is None:
            told = line, tag.end()
            text = _between(page, asked, (line, tag.start()))
            question = text if text and not _only_opens(text.text) else None


def _tags(page: Page) -> Iterator[tuple[int, re.Match[str]]]:
    code = {
        line
        for token in page.tokens
        if token.type in {"fence", "code_block", "math_block"} and token.map
        for line in range(*token.map)
    }
    for number, line in enumerate(page.lines):
        if "<" in line and number not in code:
            yield from ((number, tag) for tag in markdown.outside(line, _TAG))


def _between(page: Page, start: tuple[int, int], stop: tuple[int, int]) -> Passage | None:
    """Return the text between two places, each a line and a column."""
    line, column = start
    last, end = stop
    before = page.lines[last][column if last == line else 0 : end]
    text = page.behind(line, column, last + 1 if before.strip() else last)
    if text is None or not before.strip():
        return text
    if last == line:
        return page.piece(line, column, end)
    tail = len(page.lines[last]) - end
    return text.rewritten([(len(text.text) - tail, len(text.text), "")])


def _has_text(html: str) -> bool:
    return _ANY_TAG.sub("", html) != ""


def _only_opens(summary: str) -> bool:
    return len(summary) <= _LONGEST and _ONLY_OPENS.fullmatch(_ANY_TAG.sub("", summary)) is not None


SYNTAX = Syntax("details", "`<summary>`", fits, read, is_a_tools=True)
