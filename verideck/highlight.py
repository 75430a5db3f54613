"""Languages that fences may name, and code as HTML with Pygments' short classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from html import escape

import pygments
from pygments.lexers import find_lexer_class_by_name, get_all_lexers
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from verideck.cache import Cache, key
from verideck.markdown.html import literal

Piece = tuple[str, str]
"""The CSS class of what it is, and its text."""
_EDITION = 1
"""Of how pieces are made: with another one, nothing that was kept is taken."""
_CLASSES = frozenset(STANDARD_TYPES.values())


@cache
def language(word: str) -> str | None:
    """The first name that Pygments gives to the language called `word`; None if it knows none."""
    try:
        return str(find_lexer_class_by_name(word).aliases[0])
    except ClassNotFound:
        return None


@cache
def languages() -> frozenset[str]:
    """Every name by which a language may be called."""
    return frozenset(alias for _, aliases, _, _ in get_all_lexers() for alias in aliases)


def html(code: str, pieces: Sequence[Piece], marks: Sequence[tuple[int, str]] = ()) -> str:
    """Write code as HTML, by its pieces.

    `marks` are pieces of HTML to stand before the characters at the given positions; a span that
    they fall into is closed before and opened again behind them.
    """
    return "".join(_spans(code, pieces, sorted(marks, key=lambda mark: mark[0])))


def plain(code: str) -> tuple[Piece, ...]:
    """The one piece of what is no code."""
    return (("", code),)


class Highlighter:
    """Takes code to pieces, and keeps them: on a rebuild nothing else takes a lexer as long."""

    def __init__(self, cache: Cache) -> None:
        """Keep the pieces of former runs there."""
        self._cache = cache
        self._known: dict[str, tuple[Piece, ...]] = {}

    def pieces(self, code: str, language: str) -> tuple[Piece, ...]:
        """Of code in a language that Pygments knows by that name, or in none."""
        if not language:
            return plain(code)
        named = key(_EDITION, pygments.__version__, language, code)
        if named not in self._known:
            self._known[named] = self._kept(named, code) or self._found(named, code, language)
        return self._known[named]

    def _kept(self, named: str, code: str) -> tuple[Piece, ...]:
        """What was kept, if it is pieces of that code, whoever wrote it."""
        entry = self._cache.find(named) or {}
        with suppress(KeyError, TypeError, ValueError):
            pieces = tuple((str(css), str(text)) for css, text in entry["pieces"])
            whole = "".join(text for _, text in pieces)
            if whole.rstrip("\n") == code.rstrip("\n") and _CLASSES.issuperset(dict(pieces)):
                return pieces
        return ()

    def _found(self, named: str, code: str, language: str) -> tuple[Piece, ...]:
        pieces = tuple(_pieces(code, language))
        self._cache.keep(named, {"pieces": pieces})
        return pieces


def _pieces(code: str, language: str) -> Iterator[Piece]:
    # Some lexers know a comment by the end of its line, so the last line gets one too.
    lexer = find_lexer_class_by_name(language)(stripnl=False, ensurenl=True)
    for kind, text in lexer.get_tokens(code):
        standard = next(each for each in reversed(kind.split()) if each in STANDARD_TYPES)
        yield STANDARD_TYPES[standard], text


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
