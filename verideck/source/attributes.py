"""The `{#id .class key=value}` behind a question and in a fence's info string."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from verideck.model import Place
from verideck.problems import Code, Problem, Problems, suggestion

_ITEM = re.compile(
    r"""\s*(?:
        \#(?P<id>[^\s{}"'=]+)
      | \.(?P<name>[^\s{}"'=.\#]+)
      | (?P<key>[A-Za-z][\w-]*)=
        (?:"(?P<double>[^"\n]*)" | '(?P<single>[^'\n]*)' | (?P<bare>[^\s{}"'=]+))
    )(?=[\s}]|$)""",
    re.VERBOSE,
)

TRAILING = re.compile(
    r"""(?<!\S)\{\s*(?=[#.][^\s{}]|[A-Za-z][\w-]*=)(?P<inside>(?:"[^"\n]*"|'[^'\n]*'|[^"'{}])*)\}\s*\Z""",
)
"""Attributes at the end of a question. Braces that hold anything else belong to its text."""

LEFT_OPEN = re.compile(r"""(?<!\S)\{\s*(?=[#.][^\s{}]|[A-Za-z][\w-]*=)[^{}`]*\}?\s*\Z""")
"""What begins like attributes and ends with the question, but lacks a brace or a quote."""

KEYS_LIKE = 'attributes look like {#id .word key="value"}'


@dataclass(frozen=True, slots=True)
class Attribute:
    """One item: an id, a word, or a key with its value."""

    name: str
    """`#` for an id, `.word` for a word, else the key."""
    value: str
    place: Place


def read(
    text: str, at: Callable[[int], Place], known: frozenset[str], code: Code, problems: Problems
) -> list[Attribute]:
    """Read what stands between the braces.

    `at` gives the place of a character of the text; `known` holds the names that may stand here
    (see `Attribute.name`). Reports under `code` a name that may not, one that stands twice, and
    text that is no attribute.
    """
    position = 0
    found: dict[str, Attribute] = {}
    while text[position:].strip():
        item = _ITEM.match(text, position)
        place = at(_skip(text, position))
        if not item:
            rest = text[position:].strip()
            problems.report(Problem(code, f"{rest} is no attribute", place, KEYS_LIKE))
            break
        position = item.end()
        attribute = _attribute(item, place)
        if attribute.name not in known:
            problems.report(_unknown(attribute, known, code))
        elif attribute.name in found:
            message = f"{_shown(attribute.name)} stands here twice"
            problems.report(Problem(code, message, place))
        else:
            found[attribute.name] = attribute
    return list(found.values())


def _skip(text: str, position: int) -> int:
    return position + len(text[position:]) - len(text[position:].lstrip())


def _attribute(item: re.Match[str], place: Place) -> Attribute:
    if item["id"] is not None:
        return Attribute("#", item["id"], place)
    if item["name"] is not None:
        return Attribute(f".{item['name']}", "", place)
    value = next(item[quote] for quote in ("double", "single", "bare") if item[quote] is not None)
    return Attribute(item["key"], value, place)


def _shown(name: str) -> str:
    return {"#": "an id"}.get(name, name)


def _unknown(attribute: Attribute, known: frozenset[str], code: Code) -> Problem:
    named = frozenset(_shown(name) for name in known)
    return Problem(
        code,
        f"{_shown(attribute.name)} is not known here",
        attribute.place,
        suggestion(attribute.name, named),
    )
