"""Reads `{#id .word key=value}` behind a question or in a fence's info string."""

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
"""Matches attributes at the end of a question. Braces with other content belong to its text."""

LEFT_OPEN = re.compile(r"""(?<!\S)\{\s*(?=[#.][^\s{}]|[A-Za-z][\w-]*=)[^{}`]*\}?\s*\Z""")
"""Matches attributes at the end of a question that lack a brace or a quote."""

KEYS_LIKE = 'attributes look like {#id .word key="value"}'


@dataclass(frozen=True, slots=True)
class Attribute:
    """An id, a word, or a key with its value."""

    name: str
    """`#` for an id, `.word` for a word, otherwise the key."""
    value: str
    place: Place


def read(
    text: str, at: Callable[[int], Place], known: frozenset[str], code: Code, problems: Problems
) -> list[Attribute]:
    """Return the attributes in the text between braces, in their order.

    `at` returns the place of a character by its offset in the text; `known` are the allowed names
    (see `Attribute.name`). Reports unknown names, names that stand twice, and text that is not an
    attribute, as problems with the given code.
    """
    position = 0
    attributes: dict[str, Attribute] = {}
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
        elif attribute.name in attributes:
            message = f"{_shown(attribute.name)} stands here twice"
            problems.report(Problem(code, message, place))
        else:
            attributes[attribute.name] = attribute
    return list(attributes.values())


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
