"""Code as HTML, with Pygments' short classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from verideck.markdown import languages
from verideck.markdown.languages import CLASSES, VERSION, Piece, plain
from verideck.markdown.width import is_wide
from verideck.render.anki_text import literal
from verideck.storage.store import Rows, Store, key

Mark = tuple[int, str]
"""HTML to be inserted into code, behind the position of the character before which it stands."""
_LONGEST = 20_000
"""Characters of code with colours. Some of Pygments' lexers take the square of a text's length."""
_EDITION = 1
"""The version of how code is divided: pieces that were stored under another one are not used."""
_FITS = 32
"""Columns of code that the narrowest telephone shows. A longer line may be wrapped there, and no
style sheet can indent what is wrapped by the line's own indentation, or mark it: such a line is an
element, which knows both."""
_TAB = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How the lines of a block are shown."""

    numbered: bool = False
    highlighted: frozenset[int] = frozenset()
    """Lines, counted from 1."""


_USUAL = Shape()


def html(
    code: str, pieces: Sequence[Piece], marks: Sequence[Mark] = (), shape: Shape = _USUAL
) -> str:
    """Return code as HTML, from its pieces, with marks inserted.

    A span into which a mark falls is closed before the mark and opened again behind it. Anki's
    marks are guarded in the whole: pieces without a class stand side by side. A line that may be
    wrapped, is numbered or highlighted is an element of its own, with its line feed in it, unless a
    deletion stands in more than that line.
    """
    lines = code.split("\n")
    tags = [_row(line, number, shape) for number, line in enumerate(lines, 1)]
    if any(tags):
        return literal("".join(_rows(code, tags, pieces, sorted(marks, key=lambda mark: mark[0]))))
    if not marks:
        position = 0
        spans = []
        for css, text in pieces:
            spans.append(_span(css, code[position : position + len(text)]))
            position += len(text)
        return literal("".join(spans))
    return literal("".join(_spans(code, pieces, sorted(marks, key=lambda mark: mark[0]))))


def _row(line: str, number: int, shape: Shape) -> str:
    """Return the tag that begins the element of a line; empty for a line that needs none."""
    is_lit = number in shape.highlighted
    if not (is_lit or shape.numbered or len(line) > _FITS or _width(line) > _FITS):
        return ""
    indent = _width(line[: len(line) - len(line.lstrip())])
    style = f' style="--i:{indent}"' if indent and line.strip() else ""
    return f'<span class="row{" lit" if is_lit else ""}"{style}>'


def _width(text: str) -> int:
    """Return how many columns a text is wide."""
    wide = 0 if text.isascii() else sum(map(is_wide, text))
    return len(text) + wide + (_TAB - 1) * text.count("\t")


def _rows(
    code: str, tags: Sequence[str], pieces: Sequence[Piece], marks: Sequence[Mark]
) -> Iterator[str]:
    """Yield the lines of code, each with the marks in it."""
    inside = _Inside(code, pieces, marks)
    deletions = 0
    for tag in tags:
        line, mine = inside.next_line()
        began = deletions
        deletions += sum(mark.startswith("{{c") - mark.endswith("}}") for _, mark in mine)
        yield f"{tag}{line}</span>" if tag and not began and not deletions else line


class _Inside:
    """Goes through code line by line, with the pieces and the marks of each."""

    def __init__(self, code: str, pieces: Sequence[Piece], marks: Sequence[Mark]) -> None:
        self._code = code
        self._pieces = iter(_by_lines(code, pieces))
        self._marks = marks
        self._position = self._passed = 0

    def next_line(self) -> tuple[str, Sequence[Mark]]:
        """Return the HTML of a line, with its line feed, and the marks in it."""
        begin = self._position
        end = self._code.find("\n", begin)
        end = len(self._code) if end < 0 else end
        first = self._passed
        while self._passed < len(self._marks) and self._marks[self._passed][0] <= end:
            self._passed += 1
        mine = self._marks[first : self._passed]
        text = self._code[begin : end + 1]
        pieces = []
        while self._position < begin + len(text):
            pieces.append(next(self._pieces))
            self._position += len(pieces[-1][1])
        moved = [(at - begin, mark) for at, mark in mine]
        return "".join(_spans(text, pieces, moved)), mine


def _by_lines(code: str, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces of code, none of which goes on behind a line feed."""
    left = len(code)
    for css, text in pieces:
        here = text[:left]
        left -= len(here)
        if here and "\n" not in here[:-1]:
            yield css, here
            continue
        yield from ((css, part) for part in re.findall(r"[^\n]*\n|[^\n]+", here))


class Highlighter:
    """Divides code into pieces, and stores them: lexing takes most of the time of a rebuild."""

    def __init__(self, store: Store | None) -> None:
        """Take the pieces of former runs from a store, if there is one."""
        self._rows = Rows.of(store, "highlighted", tuple[Piece, ...]) if store else None
        self._known: dict[str, tuple[Piece, ...]] = {}
        self._new: dict[str, tuple[Piece, ...]] = {}

    def pieces(self, code: str, language: str) -> tuple[Piece, ...]:
        """Return the pieces of code in a language that Pygments knows by that name, or in none.

        Raises LexerError.
        """
        if not language or len(code) > _LONGEST:
            return plain(code)
        named = key(_EDITION, VERSION, language, code) if self._rows else f"{language} {code}"
        if named not in self._known:
            kept = _kept(self._rows.find(named), code) if self._rows else ()
            self._known[named] = kept or self._made(named, code, language)
        return self._known[named]

    def keep(self) -> None:
        """Write the pieces that are new into the store."""
        if self._rows:
            self._rows.keep_all(self._new)
        self._new.clear()

    def _made(self, named: str, code: str, language: str) -> tuple[Piece, ...]:
        self._new[named] = languages.pieces(code, language)
        return self._new[named]


def _kept(row: Sequence[Piece] | None, code: str) -> tuple[Piece, ...]:
    """Return what was kept, if it is pieces of that code: a row may have been forged."""
    pieces = tuple(row or ())
    whole = "".join(text for _, text in pieces)
    is_code = whole.rstrip("\n") == code.rstrip("\n") and CLASSES.issuperset(dict(pieces))
    return pieces if is_code else ()


def _spans(code: str, pieces: Iterable[Piece], marks: list[tuple[int, str]]) -> Iterator[str]:
    position = 0
    marks.reverse()
    for css, text in pieces:
        end = position + len(text)
        while marks and marks[-1][0] < end:
            at, mark = marks.pop()
            yield _span(css, code[position:at])
            yield mark
            position = at
        yield _span(css, code[position:end])
        position = end
    yield from (mark for _, mark in reversed(marks))


def _span(css: str, text: str) -> str:
    shown = escape(text, quote=False)
    return f'<span class="{css}">{shown}</span>' if css and text.strip() else shown
