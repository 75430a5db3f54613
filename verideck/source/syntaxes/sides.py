"""A file is a card, and `---` stands between its sides, as in yanki and Mochi.

`~~text~~` and `{{text}}` hide on the question's side. Two `---` in a row ask both ways. In a file
without a `---` that ends with an _emphasised_ paragraph, that is to be typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from verideck.model import Kind, Passage
from verideck.problems import Code, Problem, Problems
from verideck.source.syntaxes.deletions import Marks, all_at_once, hidden
from verideck.source.syntaxes.headings import LISTS
from verideck.source.syntaxes.page import Block, Page
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.spoken import Spoken
from verideck.source.syntaxes.syntax import Syntax

_CURLY = Marks(
    re.compile(r"(?<!\{)\{\{(?:(?P<number>\d{1,3})::)?(?!c\d+::)"), "}}", numbers=all_at_once
)
_NUMBER = re.compile(r"(\d{1,2}) ")
_EMPHASISED = re.compile(r"\s*(?P<mark>[*_])(?P<text>[^*_]+)(?P=mark)\s*")
_BY_DASHES = 2
"""The level of a heading that a line of dashes makes of the text above it."""
_LABEL = re.compile(r"(?:[A-Z]\d?|问|答)[:：]")
_LONGEST_QUESTION = 2
"""Blocks. In a file that does not say its form, more of them above a `---` are a chapter."""


def fits(page: Page) -> str:
    """Return by what sign the page is a card of two sides.

    There is one `---`, or two in a row, with a short text above it, and no heading in the file; or
    there is the id that yanki has given to its note.
    """
    if page.meta.noteid:
        return "front matter holds a `noteId`" if page.blocks else ""
    breaks = [number for number, block in enumerate(page.blocks) if block.type == "hr"]
    if len(breaks) not in {1, 2, 3} or any(block.heading_level for block in page.blocks):
        return ""
    above, below = page.blocks[: breaks[0]], page.blocks[breaks[-1] + 1 :]
    is_question = 0 < len(above) <= _LONGEST_QUESTION and not any(
        block.type in LISTS or _LABEL.match(page.lines[block.start]) for block in above
    )
    in_a_row = len(breaks) == 1 or breaks[1] == breaks[0] + 1
    return "one `---` divides the file" if is_question and in_a_row and below else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return the card that the page is. Reports a page that begins with its answer."""
    if not page.blocks:
        return Reading((), is_empty=True)
    ends = [end for block in page.blocks if (end := _divides(block))]
    typed = None if ends else _typed(page)
    first = ends[0] if ends else page.blocks[-1].start if typed else len(page.lines)
    is_double = len(ends) > 1 and not any(map(str.strip, page.lines[first + 1 : ends[1]]))
    question = page.passage(0, first)
    answer = typed or page.passage((ends[1] if is_double else first) + 1, len(page.lines))
    if question is None:
        message, hint = "nothing stands above the first ---", "write the question there"
        place = page.place(ends[0] if ends else page.blocks[0].start)
        problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))
        return Reading(())
    cloze = _hidden(question)
    kind = Kind.TYPED if typed else Kind.CLOZE if cloze is not question else None
    lines = range(page.blocks[0].start, page.blocks[-1].stop)
    answer = _with_breaks(answer, page) if answer else None
    both = is_double and kind is None
    meta = page.meta
    known = Written(meta.noteid, meta.at("noteid")) if meta.noteid else None
    return Reading((RawCard(cloze, answer, (), lines, known, kind=kind, reverse=both),))


def _divides(block: Block) -> int | None:
    """Return the line of dashes that a block is, or that stands directly below a text."""
    by_dashes = block.is_underlined and block.heading_level == _BY_DASHES
    return block.stop - 1 if block.type == "hr" or by_dashes else None


def _with_breaks(answer: Passage, page: Page) -> Passage:
    """Return an answer in which a line of dashes directly below a text underlines nothing."""
    underlines = {block.stop for block in page.blocks if block.is_underlined and _divides(block)}
    start, pieces = 0, []
    for number, line in enumerate(answer.text.split("\n"), answer.place.line):
        if number in underlines:
            pieces.append((start, start + len(line), "***"))
        start += len(line) + 1
    return answer.rewritten(pieces)


def _typed(page: Page) -> Passage | None:
    """Return the text of a last paragraph that is emphasised as a whole, without its marks."""
    last = page.blocks[-1]
    if len(page.blocks) == 1 or last.type != "paragraph_open" or last.stop - last.start != 1:
        return None
    line = page.lines[last.start]
    found = _EMPHASISED.fullmatch(line)
    text = page.piece(last.start, *found.span("text")) if found else None
    return replace(text, inline=False) if text else None


def _hidden(question: Passage) -> Passage:
    """Return a question in which what is struck through, or stands in braces, is hidden."""
    return hidden([question.rewritten(_pieces(list(_struck(question))))], _CURLY)[0]


@dataclass(frozen=True, slots=True)
class _Struck:
    """A text that is struck through, by the offsets of its marks."""

    start: int
    end: int
    number: str
    """The number that it begins with, and a blank, or an empty text."""
    blank: int
    """Where the blanks before the hint begin: an emphasis at its end. `end`, if it has none."""
    hint: int
    hint_end: int


def _struck(question: Passage) -> Iterator[_Struck]:
    if "~~" not in question.text:
        return
    spoken = Spoken(question)
    for block in spoken.tokens:
        struck: list[int] = []
        emphases: list[int] = []
        emphasis, previous = 0, ""
        for token in block.children or []:
            if token.type == "s_open":
                struck.append(spoken.offset_of(token))
            elif token.type == "em_open":
                emphases.append(spoken.offset_of(token))
            elif token.type == "em_close":
                emphasis = emphases.pop()
            elif token.type == "s_close":
                start = struck.pop()
                end = blank = hint = hint_end = spoken.offset_of(token)
                if previous == "em_close":
                    blank = emphasis - 1 if question.text[emphasis - 1].isspace() else emphasis
                    hint, hint_end = emphasis + 1, end - 1
                found = _NUMBER.match(question.text, start + 2)
                number = found.group() if found else ""
                if not struck:  # what is struck through in it is part of it
                    yield _Struck(start, end, number, blank, hint, hint_end)
            previous = token.type


def _pieces(struck: Sequence[_Struck]) -> Iterator[tuple[int, int, str]]:
    taken = {int(each.number) for each in struck if each.number}
    fresh = (number for number in count(1) if number not in taken)
    for each in struck:
        number = int(each.number) if each.number else next(fresh)
        yield each.start, each.start + 2 + len(each.number), f"{{{{c{number}::"
        if each.blank < each.hint:
            yield each.blank, each.hint, "::"
        yield each.hint_end, each.end + 2, "}}"


SYNTAX = Syntax("sides", "`---` file", fits, read, is_a_tools=True)
