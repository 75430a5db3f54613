"""`<details><summary>question</summary>answer</details>`, as pages on GitHub fold their answers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from verideck import markdown
from verideck.model import Passage
from verideck.problems import Problems
from verideck.source.syntaxes import numbered
from verideck.source.syntaxes.answer_words import opens_answer
from verideck.source.syntaxes.headings import is_question
from verideck.source.syntaxes.page import (
    Page,
    Titles,
    indent_of,
    indentation,
    outdented,
    title_of,
)
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax

_TAG = re.compile(r"<(?P<name>/?(?:details|summary))(?:\s[^<>]*)?>", re.IGNORECASE)
_BREAKS = re.compile(r"(?:\s*</?br\s*/?>)+", re.IGNORECASE)
_LIST_MARKER = re.compile(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)?")
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|[\s*_:：.。!！()（）▶👉-]+")
_At = tuple[int, int]
"""A line and a column of the page."""
_MAKES_CODE = 4
"""Columns by which an indented text is code in Markdown."""
_LONGEST = 200
"""Characters of such a summary, its tags included."""


def fits(page: Page) -> str:
    """Return by what sign the page asks so: more summaries ask than headings, in lists or not."""
    if "<details" not in page.whole.text.lower():
        return ""
    found = [card for each in _asking(page) for card in _cards(page, each, ())]
    outside = page.without({line for each in found for line in each.lines})
    headings = sum(block.heading_level == page.level for block in outside.blocks)
    others = max(headings, numbered.count(outside))
    return "questions are summaries, `<details><summary>`" if len(found) > others else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each `<details>` whose summary asks.

    Headings outside name the deck, and so does the summary of one that holds only others.
    """
    del problems
    titles = Titles(page)
    headings = iter([block for block in page.blocks if block.heading_level])
    heading = next(headings, None)
    cards: list[RawCard] = []
    about: list[range] = []
    last = -1
    for each in _asking(page):
        while heading and heading.start < each.lines.start:
            if heading.start > last:  # else it belongs to the answer before
                titles.enter(heading)
            heading = next(headings, None)
        last = each.lines.stop - 1
        about += [each.lines] if each.is_chapter else []
        cards += _cards(page, each, titles.names)
    return Reading(tuple(cards), is_empty=not cards, among_notes=True, about=tuple(about))


def _asking(page: Page) -> list[_Folded]:
    """Return each `<details>` at the top level, but for those that only open an answer.

    So does one that stands below something else than a fold and has no question mark, if its
    summary recurs in the file, or if it is alone below a heading that has one.
    """
    folded = list(_folded(page))
    inside = {line for each in folded for line in each.lines}
    headings = [
        (token.map[0], inline.content)
        for token, inline in pairwise(page.tokens)
        if token.type == "heading_open" and token.map and token.map[0] not in inside
    ]
    asking = [is_question(text) for _, text in headings]
    lines = [line for line, _ in headings]
    above = [bisect_left(lines, each.lines.start) - 1 for each in folded]
    alone = {number for number, times in Counter(above).items() if times == 1 and number >= 0}
    stops = [0, *(each.lines.stop for each in folded)]
    words = [
        _words(each.question.text)
        if each.question
        and not is_question(each.question.text)
        and not all(map(page.is_blank, range(stop, each.lines.start)))
        else ""
        for each, stop in zip(folded, stops, strict=False)
    ]
    times = Counter(words)
    return [
        each
        for each, text, heading in zip(folded, words, above, strict=True)
        if not text or (times[text] == 1 and not (heading in alone and asking[heading]))
    ]


def _cards(page: Page, folded: _Folded, titles: tuple[str, ...]) -> Iterator[RawCard]:
    if folded.is_chapter and folded.question:
        titles = (*titles, title_of(folded.question))
        for each in folded.inner:
            yield from _cards(page, each, titles)
    elif folded.question:
        yield RawCard(folded.question, folded.answer(page), titles, folded.lines)


@dataclass(slots=True)
class _Folded:
    """A `<details>`: where its tags are, each a line and a column, and what they enclose."""

    start: int
    """The first line of what belongs to it."""
    opened: _At
    """Behind its opening tag."""
    column: int
    """That of its opening tag: a list indents what stands in it as far."""
    summary: _At | None = None
    """Where its summary begins, with the tag."""
    asked: _At = (0, 0)
    told: _At = (0, 0)
    """Behind the summary."""
    end: _At = (0, 0)
    """Where the text in it ends."""
    question: Passage | None = None
    inner: list[_Folded] = field(default_factory=list)
    has_own_text: bool = False
    """Whether there is anything in it besides its summary and others like it."""
    lines: range = range(0)

    @property
    def asks(self) -> bool:
        """Whether it is a card, or holds nothing but cards."""
        return self.question is not None

    @property
    def is_chapter(self) -> bool:
        """Whether it holds several that ask, and nothing besides: then it asks nothing itself."""
        return (
            self.question is not None
            and len(self.inner) > 1
            and not self.has_own_text
            and not is_question(self.question.text)
            and all(each.asks for each in self.inner)
        )

    def answer(self, page: Page) -> Passage | None:
        """The text in it without the summary, which may stand anywhere in it."""
        found = self._written_answer(page)
        if not found:
            return None
        # What stands right beneath the summary is HTML, as the summary is.
        goes_on = found.place.line - 1 <= self.told[0] + 1
        return _html_outdented(found, self.column) if goes_on else outdented(found, self.column)

    def _written_answer(self, page: Page) -> Passage | None:
        assert self.summary
        if not _has_text(_written(page, self.opened, self.summary)):
            return _between(page, self.told, self.end)
        whole = _between(page, self.opened, self.end)
        if whole is None:
            return None
        start, stop = (_position(whole, at) for at in (self.summary, self.told))
        return whole.rewritten([(start, stop, "\n" * whole.text.count("\n", start, stop))])


def _folded(page: Page) -> Iterator[_Folded]:
    """Yield each `<details>` at the top level that is closed, or stands in one that is not."""
    opened: list[_Folded] = []
    for line, tag, text in _tags(page):
        name = tag["name"].lower()
        begin, behind = (line, tag.start()), (line, tag.end())
        if name == "details":
            if opened:
                _take_text(page, opened[-1], begin)
            column = indent_of(page.lines[line][: tag.start()])
            opened.append(_Folded(line + (text.start < tag.start()), behind, column))
        elif not opened:
            continue
        elif name == "/details":
            closed = opened.pop()
            _take_text(page, closed, begin)
            ends_line = text.stop > tag.end() and not opened
            closed.end = (line, len(page.lines[line])) if ends_line else begin
            closed.lines = range(closed.start, line + 1)
            if opened:
                opened[-1].inner.append(closed)
                opened[-1].end = behind
            else:
                yield closed
        elif name == "summary":
            opened[-1].summary = opened[-1].summary or begin
            opened[-1].asked = behind
        elif opened[-1].summary and opened[-1].told == (0, 0):
            asked = _between(page, opened[-1].asked, begin)
            asked = _html_outdented(asked, opened[-1].column) if asked else None
            opened[-1].question = asked if asked and not _only_opens(asked.text) else None
            opened[-1].told = opened[-1].end = _behind_breaks(page, behind)
    for each in opened:
        yield from each.inner


def _behind_breaks(page: Page, at: _At) -> _At:
    """Return the place behind the breaks that begin a text: they part it from its summary."""
    line, column = at
    for number in range(line, len(page.lines)):
        found = _BREAKS.match(page.lines[number], column)
        at = (number, found.end()) if found else at
        if page.lines[number][at[1] if found else column :].strip():
            break
        column = 0
    return at


def _take_text(page: Page, folded: _Folded, stop: _At) -> None:
    """Find out whether text stands before a tag, behind the last one that is known."""
    start = folded.opened if folded.end == (0, 0) else folded.end
    folded.has_own_text = folded.has_own_text or _has_text(_written(page, start, stop))


def _tags(page: Page) -> Iterator[tuple[int, re.Match[str], range]]:
    """Yield the line of each tag, the tag, and where text stands in that line."""
    code = {
        line
        for token in page.tokens
        if token.type in {"fence", "code_block", "math_block"} and token.map
        for line in range(*token.map)
    }
    for number, line in enumerate(page.lines):
        if "<" in line and number not in code:
            text = _text_in(line)
            yield from ((number, tag, text) for tag in markdown.outside(line, _TAG))


def _text_in(line: str) -> range:
    """Return where the text of a line begins and ends: its list marker, tags and signs are none.

    Without text the range starts at the line's end, and stops at its begin.
    """
    marker = _LIST_MARKER.match(line)
    assert marker
    none = list(_ANY_TAG.finditer(line, marker.end()))
    starts = [marker.end(), *(each.end() for each in none)]
    stops = [*(each.start() for each in none), len(line)]
    spans = [(start, stop) for start, stop in zip(starts, stops, strict=True) if start < stop]
    return range(spans[0][0], spans[-1][1]) if spans else range(len(line), 0)


def _written(page: Page, start: _At, stop: _At) -> str:
    """Return what is written between two places."""
    lines = page.lines[start[0] : stop[0] + 1]
    lines[-1] = lines[-1][: stop[1]]
    return "\n".join([lines[0][start[1] :], *lines[1:]])


def _position(passage: Passage, at: _At) -> int:
    """Return where in a passage, from which nothing is cut off in front, a place is."""
    line, column = at
    first = passage.place.line - 1
    if line == first:
        return column - (passage.place.column - 1)
    lines = passage.text.split("\n")[: line - first]
    return sum(map(len, lines)) + len(lines) + column


def _between(page: Page, start: _At, stop: _At) -> Passage | None:
    """Return the text between two places."""
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


def _html_outdented(text: Passage, column: int) -> Passage:
    """Return a text that begins in HTML without what a list indents, and what its author does.

    HTML goes on to the next blank line, and no white space makes code of it. What is indented as
    deep beneath that line belongs to it; so does the code of a fence that is open there.
    """
    lines = text.text.split("\n")
    stop = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    own = indentation(lines[text.place.column > 1 : stop])
    if own < _MAKES_CODE:
        return outdented(text, column)
    if sum(map(_is_fence, lines[:stop])) % 2:
        below = range(stop, len(lines))
        stop = next((number + 1 for number in below if _is_fence(lines[number])), len(lines))
    return outdented(outdented(text, max(column, own)), stop=stop)


def _is_fence(line: str) -> bool:
    return line.lstrip().startswith(("```", "~~~"))


def _has_text(html: str) -> bool:
    return _ANY_TAG.sub("", html) != ""


def _only_opens(summary: str) -> bool:
    return len(summary) <= _LONGEST and opens_answer(_words(summary))


def _words(summary: str) -> str:
    """Return the words of a summary, with nothing between them."""
    return _ANY_TAG.sub("", summary)


SYNTAX = Syntax("details", "`<summary>`", fits, read, is_a_tools=True)
