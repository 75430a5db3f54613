"""The paragraph syntax: `Q:` or `问：` begins a question, `A:` or `答：` its answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from verideck import markdown
from verideck.problems import Code, Problem, Problems
from verideck.source.syntaxes.headings import LISTS
from verideck.source.syntaxes.page import Block, Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax

_MARKER = re.compile(r"(?P<word>Q|Ｑ|问|A|Ａ|答)[:：][ \t]*")
_QUESTION = "QＱ问"
"""The words that mark a question; the others mark an answer."""


@dataclass(frozen=True, slots=True)
class _Marker:
    asks: bool
    line: int
    column: int
    """The column at which the marker begins."""
    end: int
    """The column behind the marker and the white space after it."""


def fits(page: Page) -> str:
    """Return whether `Q:` begins the first paragraph, or one of the introduction.

    The introduction is the text above all lists and all headings of the questions' level. There, a
    `Q:` with its `A:` may also stand on later lines of a paragraph.
    """
    texts = (block for block in page.blocks if block.type == "paragraph_open" or _words(block))
    introduction = itertools.takewhile(
        lambda block: (
            _words(block) or (block.type not in LISTS and block.heading_level != page.level)
        ),
        page.blocks,
    )
    if any(map(_asks, itertools.islice(texts, 1))):
        return "`Q:` begins the first paragraph"
    asks = any(_asks(block) or "QA" in _words(block) for block in introduction)
    return "a paragraph above all questions of other forms begins with `Q:`" if asks else ""


def _asks(block: Block) -> bool:
    """Return whether a block begins with a question."""
    found = _MARKER.match(block.content) if _is_text(block) else None
    return found is not None and found["word"] in _QUESTION


def _words(block: Block) -> str:
    """Return the markers of a paragraph or an underlined heading in their order, as Q and A."""
    matches = markdown.markers(block.content, _MARKER) if _is_text(block) else ()
    return "".join("Q" if match["word"] in _QUESTION else "A" for match in matches)


def _is_text(block: Block) -> bool:
    return block.type == "paragraph_open" or block.is_underlined


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each `Q:`. A card ends at the next `Q:`, or at a heading that names a deck.

    A marker may also stand on a later line of a paragraph, such as an `A:` line directly below its
    `Q:` line. Reports a `Q:` without text, an `A:` without a question, and underlined headings
    that may not be meant as such.
    """
    if not _MARKER.search(page.whole.text):
        return Reading((), is_empty=True)
    titles = Titles(page)
    cards: list[RawCard] = []
    starts: list[_Marker] = []
    is_certain = is_empty = True
    title_at = _titles(page)
    for block in page.blocks:
        if block.is_underlined and (_words(block) or (block.heading_level > 1 and starts)):
            hint = "leave a blank line between them; a title has hashes"
            problems.report(page.underlined(block, hint))
            is_certain = False
        elif block.start in title_at:
            cards += _cards(page, starts, block.start, titles.names, problems)
            starts = []
            titles.enter(block)
        elif block.type == "paragraph_open":
            starts += _markers(page, block.content, block.start)
            is_empty = is_empty and not starts
    cards += _cards(page, starts, len(page.lines), titles.names, problems)
    return Reading(tuple(cards), is_certain, is_empty=is_empty and is_certain)


def _titles(page: Page) -> set[int]:
    """Return the first lines of the headings that name decks.

    These are the headings of level 1, and those directly above a `Q:` or above another such
    heading. All other headings belong to the answer in which they stand.
    """
    lines: set[int] = set()
    above_question = False
    for block in reversed(page.blocks):
        if block.heading_level:
            above_question = above_question or block.heading_level == 1
            lines |= {block.start} if above_question else set()
        elif block.type != "hr":
            above_question = _asks(block)
    return lines


def _markers(page: Page, content: str, start: int) -> Iterator[_Marker]:
    found = list(markdown.markers(content, _MARKER))
    start = markdown.first_line(content, page.lines, start) if found else start
    for match in found:
        line = start + content.count("\n", 0, match.start())
        column = page.lines[line].index(match.group().rstrip())
        yield _Marker(match["word"] in _QUESTION, line, column, column + len(match.group()))


def _cards(
    page: Page, markers: list[_Marker], stop: int, titles: tuple[str, ...], problems: Problems
) -> Iterator[RawCard]:
    ends = [*(marker.line for marker in markers), stop][1:]
    previous: _Marker | None = None
    for number, (marker, end) in enumerate(zip(markers, ends, strict=True)):
        if marker.asks:
            answer, answer_end = None, end
            following = markers[number + 1] if number + 1 < len(markers) else None
            if following and not following.asks:
                answer_end = ends[number + 1]
                answer = page.behind(following.line, following.end, answer_end)
            question = page.behind(marker.line, marker.end, end)
            if question:
                yield RawCard(question, answer, titles, range(marker.line, answer_end))
            else:
                message, hint = "this Q: asks nothing", "write the question"
                problems.report(_nothing_asked(page, marker, message, hint))
        elif previous is None or not previous.asks:
            message, hint = "this answer has no question", "write a paragraph that begins with Q:"
            problems.report(_nothing_asked(page, marker, message, hint))
        previous = marker


def _nothing_asked(page: Page, marker: _Marker, message: str, hint: str) -> Problem:
    place = page.place(marker.line, marker.column)
    return Problem(Code.QUESTION_MISSING, message, place, hint)


SYNTAX = Syntax("qa", "`Q:` paragraph", fits, read)
