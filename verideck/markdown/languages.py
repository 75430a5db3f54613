"""Languages that a fence may name, and code divided into pieces by Pygments."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pygments
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name, get_all_lexers
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

from verideck.markdown.cpu_limit import within_cpu

Piece = tuple[str, str]
"""A CSS class, and the text that has it."""
Pieces = tuple[Piece, ...]
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


_DOUBLE_COLON = frozenset(
    [
        "agda", "arduino", "c++", "cc", "coq", "cpp", "crystal", "cu", "cuda", "cxx", "elixir",
        "elm", "erlang", "f#", "f90", "fortran", "fs", "fsharp", "haskell", "hpp", "hs", "idris",
        "java", "jl", "julia", "kotlin", "kt", "lean", "ml", "ocaml", "perl", "php", "pl",
        "postgres", "postgresql", "powershell", "ps1", "puppet", "purescript", "pwsh", "r",
        "raku", "rb", "rs", "ruby", "rust", "sml", "sql", "tcl",
    ]
)  # fmt: skip

_BEHIND = re.compile(r"[ =,:!]")
"""What ends a language's name: other tools write words on it (`cpp:main.cpp`)."""


def has_double_colon(info: str) -> bool:
    """Return whether a fence's info string names a language in which `::` is an operator."""
    return _BEHIND.split(info.strip().strip("{}."), maxsplit=1)[0].lower() in _DOUBLE_COLON


@cache
def languages() -> frozenset[str]:
    """Return every name that a language has."""
    return frozenset(alias for _, aliases, _, _ in get_all_lexers() for alias in aliases)


def plain(code: str) -> Pieces:
    """Return a text that is not code as one piece."""
    return (("", code),)


_SECONDS = 3.0
"""Processor time that all code of a run may take together beyond what is usual."""
_USUAL, _USUAL_FOR_ONE = 0.005, 0.00002
"""Seconds that a fence takes at most, and each of its characters: most take a twentieth of that."""


class _Patience:
    """What is left of it. A hundred fences that take long must not take a hundred times as long."""

    left = _SECONDS


def begin() -> None:
    """Begin a run."""
    _Patience.left = _SECONDS


def _patiently(work: Callable[[], Pieces], characters: int) -> Pieces:
    """Return what `work` does; raise TimeoutError if it takes unusually long for some text."""
    usual = _USUAL + _USUAL_FOR_ONE * characters

    def taken(seconds: float) -> None:
        _Patience.left = max(_Patience.left - max(seconds - usual, 0), 0)

    return within_cpu(usual + _Patience.left, work, taken)


class LexerError(Exception):
    """Pygments cannot divide some code; the text says why."""


def pieces(code: str, language: str) -> Pieces:
    """Divide code into pieces, in a language by the name that `language` returns.

    Raises LexerError: there are some hundred lexers, of which some fail, and some never end.
    """
    # Some lexers know a comment by the end of its line, so the last line gets one too.
    try:
        lexer = _lexer(language)(stripnl=False, ensurenl=True)
        return _patiently(
            lambda: tuple([(_css(kind), text) for kind, text in lexer.get_tokens(code)]),
            len(code),
        )
    except TimeoutError as error:
        raise LexerError("takes too long") from error
    except Exception as error:  # a lexer may raise anything
        raise LexerError(f"fails: {type(error).__name__}") from error


@cache
def _lexer(language: str) -> type[Lexer]:
    """Return the type of Pygments' lexer for a language: it looks it up among all of them."""
    return find_lexer_class_by_name(language)


@cache
def _css(kind: _TokenType) -> str:
    standard = next(each for each in reversed(kind.split()) if each in STANDARD_TYPES)
    return STANDARD_TYPES[standard]
