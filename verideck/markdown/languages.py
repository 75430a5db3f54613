"""Languages that a fence may name, and code divided into pieces by Pygments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pygments
from pygments.lexers import find_lexer_class_by_name, get_all_lexers
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

Piece = tuple[str, str]
"""A CSS class, and the text that has it."""
CLASSES = frozenset(STANDARD_TYPES.values())
VERSION = str(pygments.__version__)


DATA = frozenset(
    [
        "", "text", "output", "json", "json-object", "jsonld", "yaml", "toml", "xml", "html", "css",
        "ini", "properties", "diff", "markdown", "restructuredtext", "tex", "bibtex", "http",
        "ebnf", "bnf", "abnf", "graphviz", "email", "pot",
    ]
)  # fmt: skip
"""Languages, by the names that `language` returns, in which nothing is a program."""


@cache
def language(word: str) -> str | None:
    """Return Pygments' first name for a language, by any of its names; None if there is none."""
    try:
        return str(find_lexer_class_by_name(word).aliases[0])
    except ClassNotFound:
        return None


@cache
def languages() -> frozenset[str]:
    """Return every name that a language has."""
    return frozenset(alias for _, aliases, _, _ in get_all_lexers() for alias in aliases)


def plain(code: str) -> tuple[Piece, ...]:
    """Return a text that is not code as one piece."""
    return (("", code),)


def pieces(code: str, language: str) -> Iterator[Piece]:
    """Divide code into pieces, in a language by the name that `language` returns."""
    # Some lexers know a comment by the end of its line, so the last line gets one too.
    lexer = find_lexer_class_by_name(language)(stripnl=False, ensurenl=True)
    for kind, text in lexer.get_tokens(code):
        standard = next(each for each in reversed(kind.split()) if each in STANDARD_TYPES)
        yield STANDARD_TYPES[standard], text
