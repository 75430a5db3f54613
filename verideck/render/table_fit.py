"""Which columns of a table have words that do not fit a screen, so that these must break.

Everywhere else a table keeps its words whole. Widths are estimated in em of the table's letters, on
the narrowest telephone and on a card of a desktop, as `card.css` has them (its parts 5 and 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from verideck.markdown import Token, cloze
from verideck.markdown.width import is_wide


@dataclass(frozen=True, slots=True)
class _Look:
    """What the style sheet leaves the columns of a table."""

    room: float
    """What a table may be wide."""
    indent: float
    """What each level that a table is nested takes of it."""
    padding: float
    least: float
    """A column, whatever is in it."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How a table looks on a screen; and how if its words do not all fit it."""

    usual: _Look
    crowded: _Look


TELEPHONE = Screen(_Look(26.4, 1.2, 0.5, 3.2), _Look(26.4, 1.2, 0.5, 1.8))
"""288 of 320 pixels, in letters of 10.9."""
DESKTOP = Screen(_Look(42.3, 1.6, 1.6, 4.5), _Look(48.9, 1.9, 0.6, 1.8))
"""A card's 704 pixels, in letters of 16.9, with the first column's lesser padding; and of 14.4."""
_LETTER, _CAPITAL, _BOLD = 0.55, 0.68, 1.06
_CODE, _CODE_PADDING = 0.52, 0.6
"""A letter of code, and the space around code."""
_SIGN = 0.6
"""A sign of a formula, which has no place to break at."""
_BREAKS = re.compile(r"[\s\u200b]+|(?<=[-\u2010\u2013])")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+\s*|.)")
_MARKS = str.maketrans("", "", "{}^_&$ \n")


def crowded(widths: Mapping[int, float], level: int, screen: Screen) -> frozenset[int] | None:
    """Return the columns, counted from 0, whose words may break on a screen.

    `widths` are those of the words of a table (see `widest_words`) that is nested so deep. None if
    all words fit. Else those columns keep theirs that have the shortest ones, as long as no other
    is left with less than they take.
    """
    usual, look = screen.usual, screen.crowded
    room = usual.room - usual.indent * level - usual.padding * len(widths)
    if sum(max(width, usual.least) for width in widths.values()) <= room:
        return None
    room = look.room - look.indent * level - look.padding * len(widths)
    by_width = sorted(widths, key=lambda column: widths[column])
    for number, column in enumerate(by_width):
        taken = max(widths[column], look.least)
        if taken * (len(by_width) - number) > room:
            return frozenset(by_width[number:])
        room -= taken
    return frozenset()


def widest_words(tokens: Sequence[Token], value: Callable[[Token], str]) -> dict[int, float]:
    """Return how wide the widest word of each column is, in em, of the tokens of a table.

    `value` gives what a card shows of an expression.
    """
    widths: dict[int, float] = {}
    column = 0
    for cell, inline in pairwise(tokens):
        if cell.type == "tr_open":
            column = 0
        elif cell.type in {"th_open", "td_open"}:
            wide = max(_words(inline.children, value)) if inline.children else 0.0
            factor = _BOLD if cell.type == "th_open" else 1.0
            widths[column] = max(widths.get(column, 0.0), wide * factor)
            column += 1
    return widths


def _words(tokens: Sequence[Token], value: Callable[[Token], str]) -> Iterator[float]:
    """Yield how wide the words of a cell are; a word may be of several tokens."""
    width = 0.0
    for token in tokens:
        for letters, breaks in _text(value(token)) if token.type == "value" else _pieces(token):
            if breaks:
                yield width
                width = 0.0
            for letter in letters:
                width += letter
    yield width


_Piece = tuple[Sequence[float], bool]
"""The widths of letters that must stay whole, and whether a line may end before them."""
_BREAK: _Piece = (), True


def _pieces(token: Token) -> Iterator[_Piece]:
    """Yield what must stay whole in a token."""
    if token.type in {"softbreak", "hardbreak"}:
        yield _BREAK
    elif token.type == "code_inline":
        words = cloze.find(token.content)[0].split()
        yield (max(map(len, words), default=0) * _CODE + _CODE_PADDING,), True
        yield _BREAK
    elif token.type in cloze.MATHS:
        signs = _COMMAND.sub("x", cloze.find(token.content)[0]).translate(_MARKS)
        yield (len(signs) * _SIGN,), False
    elif token.type != "image":  # which gives way
        yield from _text(token.content)


def _text(text: str) -> Iterator[_Piece]:
    """Yield the letters of a text; each wide one is a word of its own."""
    for number, word in enumerate(_BREAKS.split(text)):
        yield (), number > 0
        if word.isascii():
            yield [_CAPITAL if letter.isupper() else _LETTER for letter in word], False
            continue
        for letter in word:
            if is_wide(letter):
                yield (1.0,), True
                yield _BREAK
            else:
                yield (_CAPITAL if letter.isupper() else _LETTER,), False
