"""Front matter that is plain: lines like `key: some words` and `key: [some, words]`.

That is all that most notes have, and YAML's own parser takes a hundred times as long for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verideck.source.front_matter.values import YAML, Node, Pair

_WORDS = r"[^\W\d_][^\W_]*(?:[ _./-][^\W_]+)*"
"""A text without quotes that is of no other type of YAML's, unless it is in `_OTHERS`."""
_LINE = re.compile(
    rf"(?P<key>[A-Za-z][A-Za-z-]{{0,40}}):"
    rf"(?: (?P<text>{_WORDS})| \[(?P<list>{_WORDS}(?:, {_WORDS})*)\])? *"
)
_OTHERS = frozenset({"true", "false", "null"})


@dataclass(frozen=True, slots=True)
class _Plain:
    """What YAML's parser has a node for."""

    id: str
    tag: str
    value: object
    style: str | None = None


def pairs(text: str) -> list[Pair] | None:
    """Return the keys and values as `of_yaml.pairs` does; None where a line is not plain."""
    found: list[Pair] = []
    index = 0
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if not match:
            return None
        words = match["list"].split(", ") if match["list"] else [match["text"] or ""]
        if not _OTHERS.isdisjoint(map(str.lower, [match["key"], *words])):
            return None
        nodes = [_scalar(each) for each in words]
        value = _Plain("sequence", f"{YAML}seq", nodes) if match["list"] else nodes[0]
        found.append(Pair(_scalar(match["key"]), value, index))
        index += len(line) + 1
    return found


def _scalar(text: str) -> Node:
    return _Plain("scalar", f"{YAML}str" if text else f"{YAML}null", text)
