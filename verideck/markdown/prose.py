"""The prose of a passage as one text, each of whose characters knows where it was written.

Marks are gone, and so are fences, images and the second half of a deletion, its hint. A formula is
one character, a value another; inline code keeps its characters, but `Prose.spoken` has blanks for
them: nobody asks two questions in `a if x else "?"`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from verideck import markdown
from verideck.markdown import Token
from verideck.model import Passage, Place

FORMULA = "\ufffc"
"""Stands for maths."""
VALUE = "\ufffb"
"""Stands for what an expression gives."""

_MATHS = {"math_inline", "math_inline_double", "math_block"}
_ENDS_CELL = {"td_close", "th_close"}
_ENDS_LINE = {"paragraph_close", "heading_close", "tr_close"}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run of characters of one token."""

    start: int
    """In the prose's text."""
    at: Callable[[int], Place]
    """The place of a character of it."""


@dataclass(frozen=True, slots=True)
class Prose:
    """What a passage says. A line of it is a paragraph, a heading or a row of a table."""

    text: str
    spoken: str
    """The same, character by character, without what stands in code."""
    maths: tuple[tuple[int, str], ...]
    """The formulas, each behind where it stands in the text."""
    code: tuple[tuple[int, str], ...]
    """The inline code, likewise."""
    start: Place
    _stretches: tuple[_Stretch, ...] = field(repr=False, compare=False)

    def at(self, position: int) -> Place:
        """Where a character of the text was written."""
        found = bisect_right(self._stretches, position, key=lambda each: each.start) - 1
        if found < 0:
            return self.start
        stretch = self._stretches[found]
        return stretch.at(position - stretch.start)


def prose(tokens: Sequence[Token], passage: Passage) -> Prose:
    """The prose of some of a passage's tokens (see `markdown.parse`)."""
    return _Writer(passage).write(tokens)


class _Writer:
    """The text, as it grows."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._lines = passage.text.split("\n")
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
            self._passage.place,
            tuple(self._stretches),
        )

    def _inline(self, block: Token) -> None:
        offset = 0
        opened: list[int] = []
        for child in block.children or []:
            offset = max(offset, child.meta.get("offset", 0))
            if child.type in {"text", "code_inline"}:
                if child.type == "code_inline":
                    offset += len(child.markup)
                    self._code.append((self._length, child.content))
                offsets = list(_aligned(child.content, block.content, offset))
                self._copy(child, block, offsets)
                offset = offsets[-1] + 1 if offsets else offset
            elif child.type in _MATHS:
                self._maths.append((self._length, child.content))
                self._stand_in(FORMULA, child)
            elif child.type == "value":
                self._stand_in(VALUE, child)
            elif child.type in {"softbreak", "hardbreak"}:
                self._gap(" " if child.type == "softbreak" else "\n")
            elif child.type == "link_open":
                opened.append(_opening(block.content, offset, child))
                offset = opened[-1] + 1
            elif child.type == "cloze_open":
                offset = block.content.find("::", offset) + 2
            elif child.type == "mark_open":
                offset += 2
            offset = _behind(child, block.content, offset, opened)

    def _copy(self, child: Token, block: Token, offsets: list[int]) -> None:
        content = child.content
        is_code = child.type == "code_inline"

        def at(position: int) -> Place:
            offset = offsets[min(position, len(offsets) - 1)]
            return markdown.inline_place(block, offset, self._passage, self._lines)

        if content:
            self._append(content, " " * len(content) if is_code else content, at)

    def _stand_in(self, character: str, token: Token) -> None:
        place = markdown.place(token)
        self._append(character, character, lambda _: place)

    def _gap(self, blank: str) -> None:
        """Something between two stretches; it stands where the first of them ends."""
        self._text.append(blank)
        self._spoken.append(blank)
        self._length += len(blank)

    def _append(self, text: str, spoken: str, at: Callable[[int], Place]) -> None:
        self._stretches.append(_Stretch(self._length, at))
        self._text.append(text)
        self._spoken.append(spoken)
        self._length += len(text)


_STEPPED_OVER = {"code_inline", "value", "image", *_MATHS}


def _behind(child: Token, content: str, offset: int, opened: list[int]) -> int:
    """Where the Markdown behind a token goes on: marks that are not shown are stepped over."""
    if child.type in _STEPPED_OVER and "offset" in child.meta:
        return max(offset, markdown.inline_end(content, child.meta["offset"]))
    if child.type == "link_close" and opened:
        return max(offset, markdown.inline_end(content, opened.pop()))
    if child.type == "cloze_close":
        return max(offset, content.find("}}", offset) + 2)
    if child.type == "mark_close":
        return offset + 2
    if child.type in {"softbreak", "hardbreak"}:
        return max(offset, content.find("\n", offset) + 1)
    return offset


def _opening(content: str, offset: int, link: Token) -> int:
    found = content.find("<" if link.markup == "autolink" else "[", offset)
    return found if found >= 0 else offset


def _aligned(shown: str, written: str, offset: int) -> Iterator[int]:
    """Where each character that is shown was written: behind a backslash, or as an entity."""
    whole = written.find(shown, offset)
    for number, character in enumerate(shown):
        found = whole + number if whole >= 0 else written.find(character, offset)
        offset = found + 1 if found >= 0 else offset
        yield min(max(offset - 1, 0), max(len(written) - 1, 0))
