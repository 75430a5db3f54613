"""hashcards: `Q:`, `A:`, a `C:` before a text that hides `[this]`, and `---` between cards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verideck.model import Kind
from verideck.problems import Code, Problem, Problems
from verideck.source.syntaxes.deletions import Marks, hidden
from verideck.source.syntaxes.page import Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax

_MARKER = re.compile(r"(?P<word>[QAC]):(?:[ \t]+|$)")
_BRACKETS = Marks(re.compile(r"(?<![\[!])\[(?![\[\]^]|[ xX]\])"), "]")


def fits(page: Page) -> str:
    """Return by what sign the page is written for hashcards: others have `Q:` and `A:`, too."""
    if "C:" not in page.whole.text:
        return ""
    found = any(_hides(page.lines[line : line + 2]) for line in page.prose())
    return "`C:` begins a text that hides `[something]`" if found else ""


def _hides(lines: Sequence[str]) -> bool:
    """Tell whether a line begins a cloze text that hides something, maybe in the line below."""
    first, *below = lines
    if not first.startswith("C:"):
        return False
    return any("[" in line for line in ([first] if first[2:].strip() else below))


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each `Q:` and `C:`. Reports one without text, and `A:` without a `Q:`."""
    return _Reader(page, problems).read()


@dataclass(frozen=True, slots=True)
class _Part:
    """A line that begins a question, an answer or a cloze text, or that ends a card."""

    word: str
    """Q, A or C; empty for an end."""
    line: int
    column: int = 0
    """Behind the marker."""


class _Reader:
    """Reads the cards of a page."""

    def __init__(self, page: Page, problems: Problems) -> None:
        self._page = page
        self._problems = problems
        self._titles = Titles(page)

    def read(self) -> Reading:
        parts = [*self._parts(), _Part("", len(self._page.lines))]
        cards: list[RawCard] = []
        about = [range(part.line, part.line + 1) for part in parts[:-1] if not part.word]
        headings = {block.start: block for block in self._page.blocks if block.heading_level}
        for number, part in enumerate(parts[:-1]):
            if part.line in headings and not part.word:
                self._titles.enter(headings[part.line])
            elif part.word:
                cards += self._card(parts, number)
        found = any(part.word for part in parts)
        return Reading(tuple(cards), is_empty=not found, about=tuple(about))

    def _parts(self) -> Iterator[_Part]:
        """Yield the lines that begin or end something. A title ends a card."""
        prose = self._page.prose()
        ends = {
            block.stop - 1
            for block in self._page.blocks
            if block.type == "hr" or block.is_underlined
        }
        titles = {
            block.start
            for block in self._page.blocks
            if block.heading_level == 1 and not block.is_underlined
        }
        for number, line in enumerate(self._page.lines):
            found = _MARKER.match(line) if number in prose else None
            if found:
                yield _Part(found["word"], number, found.end())
            elif number in ends or number in titles:
                yield _Part("", number)

    def _card(self, parts: list[_Part], number: int) -> Iterator[RawCard]:
        part, below = parts[number], parts[number + 1]
        if part.word == "A":
            if number == 0 or parts[number - 1].word != "Q":
                self._report(
                    part, "this answer has no question", "write a line that begins with Q:"
                )
            return
        text = self._page.behind(part.line, part.column, below.line)
        if text is None:
            self._report(part, f"this {part.word}: asks nothing", "write the question")
            return
        if part.word == "C":
            (cloze,) = hidden([text], _BRACKETS)
            lines = range(part.line, below.line)
            yield RawCard(cloze, None, self._titles.names, lines, kind=Kind.CLOZE)
            return
        answer, end = None, below.line
        if below.word == "A":
            end = parts[number + 2].line
            answer = self._page.behind(below.line, below.column, end)
        yield RawCard(text, answer, self._titles.names, range(part.line, end))

    def _report(self, part: _Part, message: str, hint: str) -> None:
        place = self._page.place(part.line)
        self._problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))


SYNTAX = Syntax("hashcards", "`C:` line", fits, read, is_a_tools=True)
