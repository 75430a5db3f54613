"""A fence's info string -> Snippet: what its language is, and what its options ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from verideck.markdown import Token, cloze, languages, origin
from verideck.markdown import place as token_place
from verideck.model import LARGEST_LIMIT, Card, Limits, Options, Place, Role, Snippet
from verideck.problems import Code, Problem
from verideck.proof.languages import VERIFIERS
from verideck.source import attributes, includes
from verideck.source.attributes import Attribute

OUTPUT = "output"
"""Named like a language: what the fence above must have printed."""

_INFO = re.compile(r"\s*(?P<word>[^\s{}]*)\s*(?:\{(?P<inside>.*)\}\s*)?(?P<rest>.*)\Z", re.DOTALL)

_EVERYWHERE = frozenset({".front"})
_INCLUDING = frozenset({"include", "symbol", "region"})
_EXECUTED = frozenset({".check", ".setup", ".no-run", "reason", "raises", "match"})
_LIMITS = frozenset(field.name for field in fields(Limits))
_COMPARED = frozenset({"tol"})
OPTIONS = _EVERYWHERE | _INCLUDING | _EXECUTED | _LIMITS | _COMPARED
"""Every word that may stand in a fence's braces."""

_ROLES = {".check": Role.CHECK, ".setup": Role.SETUP, ".no-run": Role.TEXT}


def snippet(token: Token, root: Path, *, in_cloze: bool) -> Iterator[Snippet | Problem]:
    """Read a fence token. Yields its problems, and the snippet unless an error stands in the way.

    `in_cloze` tells that Anki's cloze marks in the code are marks; they are taken out of it.
    """
    place = token_place(token)
    info = _INFO.match(token.info)
    assert info
    if info["rest"]:
        yield Problem(
            Code.OPTION_INVALID,
            f"{info['rest'].strip()} stands outside of the braces",
            _at(token, place, info.start("rest")),
            "options follow the language in braces: ```python {.check}",
        )
        return
    language = _language(info["word"])
    if language is None:
        yield _unknown_language(info["word"], _at(token, place, info.start("word")))
        return
    if info["inside"] is not None and not info["word"]:
        yield Problem(
            Code.OPTION_INVALID,
            "these options follow no language",
            place,
            "name the language first: ```python {.check}",
        )
        return
    found: list[Attribute] = []
    inside = _Inside(token, place, info.start("inside"))
    known = _known(info["word"], language)
    for each in attributes.read(info["inside"] or "", inside.at, known, Code.OPTION_INVALID):
        if isinstance(each, Problem):
            yield each
        else:
            found.append(each)
    options = Options(role=_default_role(info["word"], language))
    for attribute in found:
        options, objection = _set(options, attribute)
        if objection:
            yield objection
    contradictions = list(_contradictions(options, found, place))
    yield from contradictions
    if not contradictions:
        code = cloze.find(token.content)[0] if in_cloze else token.content
        found_code = Snippet(language, code, place, origin(token), options)
        yield from _included(found_code, root)


def is_executable(found: Snippet) -> bool:
    """Tell whether a verifier runs this snippet, if the file's snippets are run at all."""
    return found.language in VERIFIERS and found.options.role in {
        Role.SHOWN,
        Role.CHECK,
        Role.SETUP,
        Role.VALUE,
    }


def executed(card: Card) -> dict[str, list[Snippet]]:
    """What of a card is executed, by language; an output goes with the fence above it."""
    languages: dict[str, list[Snippet]] = {}
    above: list[Snippet] = []
    for each in card.snippets if card.verified else ():
        if is_executable(each):
            above = languages.setdefault(each.language, [])
            above.append(each)
        elif each.options.role is Role.OUTPUT:
            above.append(each)
    return languages


@dataclass(frozen=True, slots=True)
class _Inside:
    token: Token
    place: Place
    start: int

    def at(self, offset: int) -> Place:
        return _at(self.token, self.place, self.start + offset)


def _at(token: Token, place: Place, offset: int) -> Place:
    return replace(place, column=place.column + len(token.markup) + offset)


def _language(word: str) -> str | None:
    if word.lower() in {"", "text", OUTPUT}:
        return ""
    return languages.language(word)


def _unknown_language(word: str, place: Place) -> Problem:
    hint = attributes.suggestion(word, languages.languages())
    if not hint.startswith("did"):
        hint = "name a language that Pygments knows, or text"
    return Problem(Code.LANGUAGE_UNKNOWN, f"nobody knows the language {word}", place, hint)


def _known(word: str, language: str) -> frozenset[str]:
    if word.lower() == OUTPUT:
        return _EVERYWHERE | _COMPARED
    if language in VERIFIERS:
        return _EVERYWHERE | _INCLUDING | _EXECUTED | _LIMITS
    return _EVERYWHERE | _INCLUDING


def _default_role(word: str, language: str) -> Role:
    if word.lower() == OUTPUT:
        return Role.OUTPUT
    return Role.SHOWN if language else Role.TEXT


def _some(value: str) -> str:
    if not value:
        raise ValueError(value)
    return value


def _above_zero(value: str) -> float:
    number = float(value)
    if not 0 < number <= LARGEST_LIMIT:
        raise ValueError(value)
    return number


def _whole_above_zero(value: str) -> int:
    number = int(value)
    if not 1 <= number <= LARGEST_LIMIT:
        raise ValueError(value)
    return number


_READERS: dict[str, tuple[str, Callable[[str], object], str]] = {
    "include": ("include", _some, "a path"),
    "symbol": ("symbol", _some, "a name"),
    "region": ("region", _some, "a name"),
    "raises": ("raises", _some, "an exception's name"),
    "match": ("match", lambda value: re.compile(_some(value)).pattern, "a regular expression"),
    "reason": ("reason", _some, "a text"),
    "tol": ("tolerance", _above_zero, "a number above 0"),
}


def _set(options: Options, attribute: Attribute) -> tuple[Options, Problem | None]:
    name, value = attribute.name, attribute.value
    if name == ".front":
        return replace(options, front=True), None
    if name in _ROLES:
        if options.role is not Role.SHOWN:
            message = f"{name} contradicts the word before it"
            return options, Problem(Code.OPTION_INVALID, message, attribute.place)
        return replace(options, role=_ROLES[name]), None
    if name in _LIMITS:
        return _limited(options, attribute)
    field, read, wanted = _READERS[name]
    try:
        return replace(options, **{field: read(value)}), None  # type: ignore[arg-type] # as _READERS says
    except (ValueError, re.error):
        message = f"{name} must be {wanted}, not {value!r}"
        return options, Problem(Code.OPTION_INVALID, message, attribute.place)


def _limited(options: Options, attribute: Attribute) -> tuple[Options, Problem | None]:
    name, value = attribute.name, attribute.value
    try:
        limit = _above_zero(value) if name == "timeout" else _whole_above_zero(value)
    except ValueError:
        wanted = "a number of seconds" if name == "timeout" else "a whole number"
        message = f"{name} must be {wanted} above 0, at most {LARGEST_LIMIT:,}, not {value!r}"
        return options, Problem(Code.OPTION_INVALID, message, attribute.place)
    return replace(options, limits=(*options.limits, (name, limit))), None


def _contradictions(options: Options, found: list[Attribute], place: Place) -> Iterator[Problem]:
    names = {attribute.name for attribute in found}
    rules = [
        (".no-run" in names and not options.reason, ".no-run needs a reason", 'write reason="…"'),
        ("reason" in names and ".no-run" not in names, "reason goes with .no-run", ""),
        (
            bool(options.raises) and not options.match,
            "raises needs match",
            'write match="…" with a part of its message: the right type can have a wrong cause',
        ),
        ("match" in names and not options.raises, "match goes with raises", ""),
        (
            bool(options.symbol or options.region) and not options.include,
            "symbol and region go with include",
            'name the file: include="snippets/norm.py"',
        ),
        (bool(options.symbol and options.region), "a fence shows a symbol or a region", ""),
        (
            options.front and options.role in {Role.CHECK, Role.SETUP},
            f".front and .{options.role} contradict each other",
            f"what is {options.role} is not shown",
        ),
    ]
    for applies, message, hint in rules:
        if applies:
            yield Problem(Code.OPTION_INVALID, message, place, hint)


def _included(found: Snippet, root: Path) -> Iterator[Snippet | Problem]:
    options = found.options
    if not options.include:
        yield found
        return
    if found.code.strip():
        yield Problem(
            Code.OPTION_INVALID,
            "a fence that includes a file holds no code of its own",
            found.origin,
            "put this code into a fence below",
        )
        return
    try:
        included = includes.find(root, options.include, options.symbol, options.region)
    except includes.IncludeError as error:
        yield Problem(Code.INCLUDE_MISSING, str(error), found.place)
        return
    path = includes.name(root, options.include)
    origin = Place(path, included.line, included.column)
    options = replace(options, include=path)
    yield replace(found, code=included.code, origin=origin, options=options, marks=included.marks)
