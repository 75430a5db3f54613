"""mdanki: `## question`, its answer below it, or below a line `%` if the question goes on.

A line of links like `[#tag]()` holds the tags of its card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from verideck.problems import Problems
from verideck.source.syntaxes.page import Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.sections import lacking, question
from verideck.source.syntaxes.syntax import Syntax

_TAG = re.compile(r"\[#(?P<tag>[^\[\]]+)\]\([^()]*\)[ \t]*")
_TAGS = re.compile(rf"[ \t]*(?:{_TAG.pattern.replace('?P<tag>', '?:')})+")


def fits(page: Page) -> str:
    """Return by what sign the page is written for mdanki."""
    text = page.whole.text
    if "\n%" not in text and "[#" not in text:
        return ""
    if not any(block.heading_level == page.level for block in page.blocks):
        return ""
    lines = [page.lines[line].strip() for line in page.prose()]
    if "%" in lines:
        return "a line holds `%` alone, between a question and its answer"
    return "a line holds tags like `[#tag]()` alone" if any(map(_TAGS.fullmatch, lines)) else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each heading of the questions' level."""
    del problems
    titles, prose = Titles(page), page.prose()
    headings = [block for block in page.blocks if 0 < block.heading_level <= page.level]
    stops = [*(heading.start for heading in headings), len(page.lines)][1:]
    cards: list[RawCard] = []
    for heading, stop in zip(headings, stops, strict=True):
        if heading.heading_level < page.level:
            titles.enter(heading)
            continue
        below = [line for line in range(heading.stop, stop) if line in prose]
        divider = next((line for line in below if page.lines[line].strip() == "%"), None)
        tags = [line for line in below if _TAGS.fullmatch(page.lines[line].rstrip())]
        asked = question(page, heading, divider or heading.stop, tags)
        if asked:
            answer = page.passage(heading.stop if divider is None else divider + 1, stop)
            lines = range(heading.start, stop)
            found = tuple(_written(page, tags))
            cards.append(RawCard(asked, lacking(answer, tags), titles.names, lines, tags=found))
    return Reading(tuple(cards), is_empty=not cards)


def _written(page: Page, lines: Iterable[int]) -> Iterator[Written]:
    for line in lines:
        for found in _TAG.finditer(page.lines[line]):
            yield Written("-".join(found["tag"].split()), page.place(line, found.start("tag")))


SYNTAX = Syntax("mdanki", "heading", fits, read, is_a_tools=True)
