"""Code as HTML, with Pygments' short classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from verideck.markdown import languages
from verideck.markdown.languages import CLASSES, VERSION, Piece, plain
from verideck.render.anki_text import literal
from verideck.storage.store import Rows, Store, key

_EDITION = 1
"""Of how pieces are made: with another one, nothing that was kept is taken."""


def html(code: str, pieces: Sequence[Piece], marks: Sequence[tuple[int, str]] = ()) -> str:
    """Write code as HTML, by its pieces.

    `marks` are pieces of HTML to stand before the characters at the given positions; a span that
    they fall into is closed before and opened again behind them.
    """
    return "".join(_spans(code, pieces, sorted(marks, key=lambda mark: mark[0])))


class Highlighter:
    """Takes code to pieces, and keeps them: on a rebuild nothing else takes a lexer as long."""

    def __init__(self, store: Store) -> None:
        """Take the pieces of former runs from a store."""
        self._rows = Rows.of(store, "highlighted", tuple[Piece, ...])
        self._known: dict[str, tuple[Piece, ...]] = {}
        self._new: dict[str, tuple[Piece, ...]] = {}

    def pieces(self, code: str, language: str) -> tuple[Piece, ...]:
        """Return the pieces of code in a language that Pygments knows by that name, or in none."""
        if not language:
            return plain(code)
        named = key(_EDITION, VERSION, language, code)
        if named not in self._known:
            self._known[named] = self._kept(named, code) or self._made(named, code, language)
        return self._known[named]

    def keep(self) -> None:
        """Write the pieces that are new into the store."""
        self._rows.keep_all(self._new)
        self._new.clear()

    def _kept(self, named: str, code: str) -> tuple[Piece, ...]:
        """What was kept, if it is pieces of that code: a row may have been forged."""
        pieces = self._rows.find(named) or ()
        whole = "".join(text for _, text in pieces)
        is_code = whole.rstrip("\n") == code.rstrip("\n") and CLASSES.issuperset(dict(pieces))
        return pieces if is_code else ()

    def _made(self, named: str, code: str, language: str) -> tuple[Piece, ...]:
        self._new[named] = tuple(languages.pieces(code, language))
        return self._new[named]


def _spans(code: str, pieces: Iterable[Piece], marks: list[tuple[int, str]]) -> Iterator[str]:
    position = 0
    for css, text in pieces:
        end = position + len(text)
        while marks and marks[0][0] < end:
            at, mark = marks.pop(0)
            yield _span(css, code[position:at])
            yield mark
            position = at
        yield _span(css, code[position:end])
        position = end
    yield from (mark for _, mark in marks)


def _span(css: str, text: str) -> str:
    shown = literal(escape(text, quote=False))
    return f'<span class="{css}">{shown}</span>' if css and text.strip() else shown
