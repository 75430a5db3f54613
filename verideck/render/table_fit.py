"""Which columns of a table have words that do not fit a telephone, so that these must break.

Everywhere else a table keeps its words whole. Widths are estimated in em of the table's letters on
the narrowest screen (320 pixels), as `card.css` has them (its parts 5 and 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from verideck.markdown import Token, cloze
from verideck.markdown.width import is_wide

_ROOM = 26.4
"""What a table may be wide: 288 of 320 pixels, in letters of 10.9."""
_INDENT = 1.2
"""What each level that a table is nested takes of it."""
_PADDING = 0.5
_LEAST, _LEAST_IN_CROWD = 3.2, 1.8
"""What the style sheet leaves a column, whatever is in it: of any table, and of a crowded one."""
_LETTER, _CAPITAL, _BOLD = 0.55, 0.68, 1.06
_CODE, _CODE_PADDING = 0.52, 0.6
"""A letter of code, and the space around code."""
_SIGN = 0.6
"""A sign of a formula, which has no place to break at."""
_BREAKS = re.compile(r"[\s\u200b]+|(?<=[-\u2010\u2013])")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+\s*|.)")
_MARKS = str.maketrans("", "", "{}^_&$ \n")


def crowded(tokens: Sequence[Token], value: Callable[[Token], str]) -> frozenset[int] | None:
    """Return the columns, counted from 0, whose words may break, of the tokens of a table.

    `value` gives what a card shows of an expression. None if all words fit. Else those columns
    keep theirs that have the shortest ones, as long as no other is left with less than they take.
    """
    widths = _widths(tokens, value)
    room = _ROOM - _INDENT * tokens[0].level - _PADDING * len(widths)
    if sum(max(width, _LEAST) for width in widths.values()) <= room:
        return None
    by_width = sorted(widths, key=widths.__getitem__)
    for number, column in enumerate(by_width):
        taken = max(widths[column], _LEAST_IN_CROWD)
        if taken * (len(by_width) - number) > room:
            return frozenset(by_width[number:])
        room -= taken
    return frozenset()


def _widths(tokens: Sequence[Token], value: Callable[[Token], str]) -> dict[int, float]:
    """Return how wide the widest word of each column is."""
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
        for piece, breaks in _text(value(token)) if token.type == "value" else _pieces(token):
            if breaks:
                yield width
                width = 0.0
            width += piece
    yield width


def _pieces(token: Token) -> Iterator[tuple[float, bool]]:
    """Yield the widths of what must stay whole in a token, and whether a line may end before it."""
    if token.type in {"softbreak", "hardbreak"}:
        yield 0.0, True
    elif token.type == "code_inline":
        words = cloze.find(token.content)[0].split()
        yield max(map(len, words), default=0) * _CODE + _CODE_PADDING, True
        yield 0.0, True
    elif token.type in cloze.MATHS:
        signs = _COMMAND.sub("x", cloze.find(token.content)[0]).translate(_MARKS)
        yield len(signs) * _SIGN, False
    elif token.type != "image":  # which gives way
        yield from _text(token.content)


def _text(text: str) -> Iterator[tuple[float, bool]]:
    """Yield the letters of a text; each wide one is a word of its own."""
    for number, word in enumerate(_BREAKS.split(text)):
        yield 0.0, number > 0
        for character in word:
            if is_wide(character):
                yield 1.0, True
                yield 0.0, True
            else:
                yield (_CAPITAL if character.isupper() else _LETTER), False
