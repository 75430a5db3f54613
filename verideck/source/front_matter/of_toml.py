"""Front matter as Hugo and hashcards write it, `key = value`: TOML."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from verideck.source.front_matter.values import YAML, Node, Pair, UnreadableError

_MOST_DOTS = 500
_DEEPEST = 20
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of TOML in the form of a YAML node."""

    id: str
    tag: str
    value: object
    style: str | None = None


def pairs(text: str) -> list[Pair]:
    """Return the keys and values of front matter. Raises UnreadableError."""
    for line in text.split("\n"):
        if line.count(".") > _MOST_DOTS:  # Python's parser takes the square of a dotted key
            raise UnreadableError(f"this line has more than {_MOST_DOTS} dots", text.index(line))
    try:
        table = tomllib.loads(text)
    except RecursionError as error:
        raise UnreadableError("this is nested too deeply") from error
    except ValueError as error:
        what, found = str(error), _AT.search(str(error))
        index = _index(text, int(found[1]), int(found[2])) if found and found[1] else len(text)
        raise UnreadableError(f"this is not TOML: {_AT.sub('', what)}", index) from error
    return [
        Pair(_scalar("str", key), _node(value), _index_of(key, text))
        for key, value in table.items()
    ]


def _node(value: object, depth: int = _DEEPEST) -> Node:
    """A value as a node. Anything but texts, numbers, switches and lists is shown and not read."""
    if isinstance(value, list) and depth:
        return _Value("sequence", f"{YAML}seq", [_node(each, depth - 1) for each in value])
    if isinstance(value, bool):
        return _scalar("bool", str(value).lower())
    if isinstance(value, int) and value.bit_length() <= 64:  # noqa: PLR2004 - TOML's own
        return _scalar("int", str(value))
    if isinstance(value, dict | list | int):
        return _Value("mapping", f"{YAML}map", [])
    return _scalar("str", str(value))


def _scalar(type_: str, text: str) -> Node:
    return _Value("scalar", f"{YAML}{type_}", text)


def _index(text: str, line: int, column: int) -> int:
    before = text.split("\n")[: line - 1]
    return sum(len(each) + 1 for each in before) + column - 1


def _index_of(key: str, text: str) -> int:
    """Where a key stands: the first line that begins with it, bare or in quotes."""
    found = re.search(rf"^[ \t]*[\[\"']*{re.escape(key)}\b", text, re.MULTILINE)
    return found.start() if found else 0
