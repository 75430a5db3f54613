"""What stands behind the opening marks of a fence: its language, and options in braces.

Other tools have words of their own there (`jsx harmony`, `{r, echo=FALSE}`, `title="a.py"`), also
without a blank (`python=5`, `rust,ignore`). What can be no option of ours is told, and left aside;
so is a language that nobody knows, unless it may be Python, misspelt: then the author counts on a
proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from verideck.markdown import Token, languages
from verideck.model import Place, short
from verideck.problems import Code, Problem, Severity, suggestion
from verideck.source import dialects

OUTPUT = "output"
"""The word in place of a language for what the fence above must print."""

_BEHIND = r"\s*(?:\{(?P<inside>.*)\}\s*)?(?P<rest>.*)\Z"
_INFO = re.compile(r"\s*(?P<before>)(?P<word>[^\s{}]*)(?P<hung>)" + _BEHIND, re.DOTALL)
_HUNG = re.compile(
    r"\s*(?P<before>(?:run-)?)(?P<word>[^\s{}=,:!]+)(?P<hung>(?:[=,:!][^\s{}]*)?)" + _BEHIND,
    re.DOTALL,
)
"""A language with another tool's words on it: `python=5`, `rust,ignore`, `js:app.js`, and
`run-python`."""
_WORD_IN_BRACES = re.compile(
    r"\s*\{\s*\.?(?P<before>)(?P<word>[^\s{}.,=#][^\s{},=]*)(?=[\s},])(?P<hung>)"
    r"(?P<inside>.*)\}\s*(?P<rest>)\Z",
    re.DOTALL,
)
"""The language in the braces, as Quarto (`{python}`) and Pandoc (`{.python}`) write it."""
_DIRECTIVE = re.compile(
    r"\s*\{(?P<before>)(?P<word>[a-z][\w:-]*)(?P<hung>)(?P<inside>)\}(?P<rest>\s.*)\Z", re.DOTALL
)
"""A directive of MyST, `{code-block} python`, with what it is about."""
_OF_R_MARKDOWN = re.compile(
    r"(?!.*(?<!\S)\.)(?:\s*(?:[\w-]+\s*)?,|.*=\s*(?:TRUE|FALSE)\b)", re.DOTALL
)
"""A chunk's label and options, ` setup, include=FALSE`: their words are like ours."""
_OF_PANDOC = frozenset([".numberLines", ".number-lines", ".lineAnchors", ".line-anchors"])
"""Words of Pandoc for a fence that are like one of ours."""
_NAME = re.compile(r"\.?[A-Za-z][\w-]*")
_QUOTED = re.compile(r"""=(?:"[^"]*"|'[^']*')""")
_LIKE_AN_OPTION = 0.75
_LIKE_PYTHON = 0.75
_LIKE_A_LANGUAGE = 0.8


@dataclass(frozen=True, slots=True)
class InfoString:
    """An info string that can be read."""

    word: str
    """The language as it is written."""
    language: str
    """Its first name in Pygments; empty for text, and where nobody knows it."""
    options: str
    """What stands in the braces; empty where it is another tool's."""
    start: int
    """Where that begins in the info string."""
    warnings: tuple[Problem, ...]


def word_of(info: str) -> str:
    """Return the language that an info string names, as it is written."""
    return _divided(info, frozenset())["word"]


def read_info(token: Token, place: Place, options: frozenset[str]) -> InfoString | Problem:
    """Read the info string of a fence. `options` are the names of all options that there are.

    Returns the problem that prevents it, if there is one.
    """
    info = _divided(token.info, options)
    language = language_of(info["word"])
    rest, inside = info["rest"].strip(), info["inside"] or ""
    if rest and languages.language(rest) is None and _may_hold_options(rest, options):
        return Problem(
            Code.OPTION_INVALID,
            f"{rest} stands outside of the braces",
            at(token, place, info.start("rest")),
            "options follow the language in braces: ```python {.check}",
        )
    if language is None and _may_be_python(info["word"]):
        return _unknown(info["word"], at(token, place, info.start("word")), Severity.ERROR)
    is_r = _OF_R_MARKDOWN.match(_QUOTED.sub("", inside))
    is_ours = _may_hold_options(inside, options) and not is_r
    if is_ours and not info["word"]:
        return Problem(
            Code.OPTION_INVALID,
            "these options follow no language",
            place,
            "name the language first: ```python {.check}",
        )
    return InfoString(
        info["word"],
        language or "",
        inside if is_ours else "",
        info.start("inside"),
        tuple(_warnings(info, token, place, is_known=language is not None, is_ours=is_ours)),
    )


def language_of(word: str) -> str | None:
    """Return Pygments' first name for a language; empty for text, None if nobody knows it."""
    if word.lower() in {"", "text", OUTPUT}:
        return ""
    named = dialects.dialect(word)
    return named.language if named else languages.language(word)


def at(token: Token, place: Place, offset: int) -> Place:
    """Return the place of a character of a fence's info string."""
    return replace(place, column=place.column + len(token.markup) + offset)


def _divided(info: str, options: frozenset[str]) -> re.Match[str]:
    """Divide an info string into its word, what stands in braces, and the rest.

    A word that is a language with more on it is divided, too. A first word in braces that is no
    option, and like none, is a language, known or not.
    """
    found = _INFO.match(info)
    assert found
    if language_of(found["word"]) is None:
        hung = _HUNG.match(info)
        is_divided = hung and hung["word"] != OUTPUT and _may_be_language(hung["word"])
        return hung if hung and is_divided else found
    braces = _WORD_IN_BRACES.match(info) or _DIRECTIVE.match(info)
    if not braces or found["word"]:
        return found
    is_language = language_of(braces["word"]) is not None
    return braces if is_language or not _may_hold_options(braces["word"], options) else found


def _may_hold_options(text: str, options: frozenset[str]) -> bool:
    """Return whether an option of ours stands in a text, also a misspelt one.

    What stands in quotes behind a word of another tool is its value.
    """
    if not text:
        return False
    text = _QUOTED.sub("", text)
    known = {*options, *(name.removeprefix(".") for name in options)}
    return any(
        get_close_matches(name, known, 1, _LIKE_AN_OPTION)
        for name in _NAME.findall(text[:200])
        if name not in _OF_PANDOC
    )


def _may_be_language(word: str) -> bool:
    return language_of(word) is not None or _may_be_python(word)


def _may_be_python(word: str) -> bool:
    """Return whether a word that no language has may be one of Python's, misspelt."""
    word = word.lower()
    pythons = [name for name in dialects.NAMES if "py" in name]
    return "python" in word or bool(get_close_matches(word, pythons, 1, _LIKE_PYTHON))


def _warnings(
    info: re.Match[str], token: Token, place: Place, *, is_known: bool, is_ours: bool
) -> Iterator[Problem]:
    if not is_known:
        yield _unknown(info["word"], at(token, place, info.start("word")), Severity.WARNING)
    groups = ["before", "hung", *([] if is_ours else ["inside"]), "rest"]
    for group in (each for each in groups if (info[each] or "").strip()):
        side = "before" if group == "before" else "behind"
        message = f"{short(info[group].strip(' ,'))} {side} the language says nothing here"
        hint = "leave it out, or say it above the fence"
        where = at(token, place, info.start(group))
        yield Problem(Code.OPTION_INVALID, message, where, hint, Severity.WARNING)


def _unknown(word: str, place: Place, severity: Severity) -> Problem:
    message = f"nobody knows the language {short(word)}"
    hint = "name a language that Pygments knows, or text"
    known = languages.languages() | set(dialects.NAMES)
    if severity is Severity.ERROR and "python" in word.lower():
        hint = "did you mean python? else write text"
    elif severity is Severity.ERROR:
        hint = suggestion(word, known, hint)
    else:
        message += ": it is shown as text"
        close = get_close_matches(word.lower(), known, 1, _LIKE_A_LANGUAGE)
        hint = f"did you mean {close[0]}? else write text" if close else hint
    return Problem(Code.LANGUAGE_UNKNOWN, message, place, hint, severity)
