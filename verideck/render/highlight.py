"""Code as HTML, with Pygments' short classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from verideck.markdown import languages
from verideck.markdown.languages import CLASSES, VERSION, Piece, plain
from verideck.render.anki_text import literal
from verideck.storage.store import Rows, Store, key

Mark = tuple[int, str]
"""HTML to be inserted into code, behind the position of the character before which it stands."""
_LONGEST = 20_000
"""Characters of code with colours. Some of Pygments' lexers take the square of a text's length."""
_EDITION = 1
"""The version of how code is divided: pieces that were stored under another one are not used."""


def html(code: str, pieces: Sequence[Piece], marks: Sequence[Mark] = ()) -> str:
    """Return code as HTML, from its pieces, with marks inserted.

    A span into which a mark falls is closed before the mark and opened again behind it. Anki's
    marks are guarded in the whole: pieces without a class stand side by side.
    """
    if not marks:
        position = 0
        spans = []
        for css, text in pieces:
            spans.append(_span(css, code[position : position + len(text)]))
            position += len(text)
        return literal("".join(spans))
    return literal("".join(_spans(code, pieces, sorted(marks, key=lambda mark: mark[0]))))


class Highlighter:
    """Divides code into pieces, and stores them: lexing takes most of the time of a rebuild."""

    def __init__(self, store: Store) -> None:
        """Take the pieces of former runs from a store."""
        self._rows = Rows.of(store, "highlighted", tuple[Piece, ...])
        self._known: dict[str, tuple[Piece, ...]] = {}
        self._new: dict[str, tuple[Piece, ...]] = {}

    def pieces(self, code: str, language: str) -> tuple[Piece, ...]:
        """Return the pieces of code in a language that Pygments knows by that name, or in none.

        Raises LexerError.
        """
        if not language or len(code) > _LONGEST:
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
        self._new[named] = languages.pieces(code, language)
        return self._new[named]


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
