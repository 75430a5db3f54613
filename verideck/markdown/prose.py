"""The prose of a passage as one text, with the place of each of its characters.

Marks are gone, and so are fences, images and the second half of a deletion, its hint. A formula is
one character, a value another; inline code keeps its characters, but `Prose.spoken` has blanks for
them: nobody asks two questions in `a if x else "?"`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from verideck.markdown.cloze import MATHS
from verideck.markdown.positions import character_place, place
from verideck.model import Passage, Place

FORMULA = "\ufffc"
"""Stands for maths."""
VALUE = "\ufffb"
"""Stands for what an expression gives."""

QUESTION_MARKS = "?？؟\u037e՞"
"""The marks of questions: Latin, full-width, Arabic, Greek (which looks like `;`) and Armenian."""
MARK_IN_WORD = "՞"
"""The one of them that stands in the word that asks, not at the end."""

_ENDS_CELL = {"td_close", "th_close"}
_ENDS_LINE = {"paragraph_close", "heading_close", "tr_close", "dt_close", "callout_title_close"}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run of characters of one token."""

    start: int
    """Its position in the prose's text."""
    at: Callable[[int], Place]
    """Returns the place of a character, by its position in the stretch."""


@dataclass(frozen=True, slots=True)
class Prose:
    """The prose of a passage: a line for each paragraph, heading and row of a table."""

    text: str
    spoken: str
    """The text with blanks in the place of code."""
    maths: tuple[tuple[int, str], ...]
    """The formulas, each with its position in the text."""
    code: tuple[tuple[int, str], ...]
    """The inline code, each piece with its position in the text."""
    start: Place
    _stretches: tuple[_Stretch, ...] = field(repr=False, compare=False)

    def at(self, position: int) -> Place:
        """Return the place of a character of the text."""
        found = bisect_right(self._stretches, position, key=lambda each: each.start) - 1
        if found < 0:
            return self.start
        stretch = self._stretches[found]
        return stretch.at(position - stretch.start)


def prose(tokens: Sequence[Token], passage: Passage) -> Prose:
    """Return the prose of some of a passage's tokens (see `markdown.parse`)."""
    return _Writer(passage).write(tokens)


class _Writer:
    """Collects the text and the places of its stretches."""

    def __init__(self, passage: Passage) -> None:
        self._start = passage.place
        self._text: list[str] = []
        self._spoken: list[str] = []
        self._maths: list[tuple[int, str]] = []
        self._code: list[tuple[int, str]] = []
        self._stretches: list[_Stretch] = []
        self._length = 0

    def write(self, tokens: Sequence[Token]) -> Prose:
        for token in tokens:
            if token.type == "inline":
                self._inline(token)
            elif token.type == "math_block":
                self._maths.append((self._length, token.content))
                self._stand_in(FORMULA, token)
                self._gap("\n")
            elif token.type in _ENDS_CELL:
                self._gap(" ")
            elif token.type in _ENDS_LINE:
                self._gap("\n")
        return Prose(
            "".join(self._text),
            "".join(self._spoken),
            tuple(self._maths),
            tuple(self._code),
            self._start,
            tuple(self._stretches),
        )

    def _inline(self, block: Token) -> None:
        for child in block.children or []:
            if child.type == "text":
                self._copy(child, child.content)
            elif child.type == "code_inline":
                self._code.append((self._length, child.content))
                self._copy(child, " " * len(child.content))
            elif child.type in MATHS:
                self._maths.append((self._length, child.content))
                self._stand_in(FORMULA, child)
            elif child.type == "value":
                self._stand_in(VALUE, child)
            elif child.type in {"softbreak", "hardbreak"}:
                self._gap(" " if child.type == "softbreak" else "\n")

    def _copy(self, token: Token, spoken: str) -> None:
        last = len(token.content) - 1
        self._append(
            token.content, spoken, lambda position: character_place(token, min(position, last))
        )

    def _stand_in(self, character: str, token: Token) -> None:
        self._append(character, character, lambda _: place(token))

    def _gap(self, blank: str) -> None:
        """Append a blank between two stretches; its place is that of the end of the first."""
        self._text.append(blank)
        self._spoken.append(blank)
        self._length += len(blank)

    def _append(self, text: str, spoken: str, at: Callable[[int], Place]) -> None:
        self._stretches.append(_Stretch(self._length, at))
        self._text.append(text)
        self._spoken.append(spoken)
        self._length += len(text)
