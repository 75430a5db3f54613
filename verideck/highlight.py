"""Languages that fences may name, and code as HTML with Pygments' short classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from html import escape

from pygments.lexers import find_lexer_class_by_name, get_all_lexers
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from verideck.markdown.html import literal


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


def html(code: str, name: str, marks: Sequence[tuple[int, str]] = ()) -> str:
    """Highlight code.

    `marks` are pieces of HTML to stand before the characters at the given positions; a span that
    they fall into is closed before and opened again behind them.
    """
    return "".join(_pieces(code, name, sorted(marks, key=lambda mark: mark[0])))


def _pieces(code: str, name: str, marks: list[tuple[int, str]]) -> Iterator[str]:
    position = 0
    for css, text in tokens(code, name):
        end = position + len(text)
        while marks and marks[0][0] < end:
            at, mark = marks.pop(0)
            yield _span(css, code[position:at])
            yield mark
            position = at
        yield _span(css, code[position:end])
        position = end
    yield from (mark for _, mark in marks)


@lru_cache(maxsize=4096)
def tokens(code: str, name: str) -> tuple[tuple[str, str], ...]:
    """Pieces of code, each with the CSS class of what it is."""
    return tuple(_tokens(code, name))


def _tokens(code: str, name: str) -> Iterator[tuple[str, str]]:
    if not name:
        yield "", code
        return
    # Some lexers know a comment by the end of its line, so the last line gets one too.
    lexer = find_lexer_class_by_name(name)(stripnl=False, ensurenl=True)
    for kind, text in lexer.get_tokens(code):
        standard = next(each for each in reversed(kind.split()) if each in STANDARD_TYPES)
        yield STANDARD_TYPES[standard], text


def _span(css: str, text: str) -> str:
    shown = literal(escape(text, quote=False))
    return f'<span class="{css}">{shown}</span>' if css and text.strip() else shown
