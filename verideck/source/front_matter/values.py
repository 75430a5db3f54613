"""The values of front matter: what a key may hold, and how a wrong one is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from verideck.model import FORBIDDEN
from verideck.problems import shown


class Node(Protocol):
    """A value as its author wrote it: a node of the YAML library, or one like it."""

    @property
    def id(self) -> str:
        """`scalar`, `sequence` or `mapping`."""

    @property
    def tag(self) -> str:
        """Its type, as its text or the author says."""

    @property
    def value(self) -> Any:  # noqa: ANN401 - the YAML library's own
        """A scalar's text, the nodes of a sequence, or pairs of nodes."""

    @property
    def style(self) -> str | None:
        """Of scalars alone: their quotes, or None."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A key with its value."""

    key: Node
    value: Node
    index: int
    """The offset of the key in the text."""


class UnreadableError(Exception):
    """The front matter as a whole is wrong, at a character of its text."""

    def __init__(self, message: str, index: int = 0) -> None:
        """Take what is wrong, and the offset at which it is."""
        super().__init__(message)
        self.index = index


YAML = "tag:yaml.org,2002:"
"""Stands before the name of each type of YAML's own."""
_LONGEST_KEY = 80
_OF_TEXT = {YAML + name for name in ("str", "int", "float", "bool", "timestamp", "merge", "value")}
"""The tags of scalars that are a text as it is written. `null` and tags of other types are none."""
_UNFIT = re.compile(rf"\r|{FORBIDDEN.pattern}")
"""Characters that only an escape in quotes can bring here, and that Anki could not store."""
_SWITCHES = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_MOST_SHOWN = 7


def key_of(node: Node) -> str:
    """Return a key as a message can show it in one line."""
    text = str(node.value) if node.id == "scalar" else ""
    return text if text.isprintable() and 0 < len(text) <= _LONGEST_KEY else shown(value_of(node))


def is_null(node: Node) -> bool:
    """Tell whether a key has no value: a template leaves keys empty that nobody has filled in."""
    return node.tag == f"{YAML}null"


def value_of(node: Node, levels: int = 4) -> object:
    """Return a value for a message. It is cut off so that aliases cannot make it large."""
    if node.id == "mapping":
        pairs = node.value[:_MOST_SHOWN] if levels else ()
        return {
            key.value if key.id == "scalar" else "…": value_of(each, levels - 1)
            for key, each in pairs
        }
    if node.id == "sequence":
        return [value_of(each, levels - 1) for each in node.value[:_MOST_SHOWN] if levels]
    if is_null(node):
        return None
    if node.tag not in _OF_TEXT:
        return f"{node.tag.replace(YAML, '!!')} {node.value}"
    if node.tag == f"{YAML}int" and re.fullmatch("-?[0-9]{1,20}", node.value):
        return int(node.value)
    return _SWITCHES.get(node.value.lower(), node.value) if _is_plain(node) else node.value


def _text(node: Node) -> str | None:
    if node.id != "scalar" or node.tag not in _OF_TEXT or _UNFIT.search(node.value):
        return None
    return node.value.strip() or None


def _noteid(node: Node) -> str | None:
    """A text; an empty one, as of a note that is not synchronised yet, says nothing."""
    is_empty = node.id == "scalar" and not str(node.value).strip()
    return "" if is_empty else _text(node)


def _deck(node: Node) -> str | None:
    name = _text(node)
    return name if name and all(part.strip() for part in name.split("::")) else None


def _title(node: Node) -> str | None:
    """A text that is one part of a deck's name, as a heading's is."""
    text = _text(node)
    return " ".join(text.replace("::", "∷").split()) if text else None


def _words(node: Node) -> tuple[str, ...] | None:
    if node.id == "sequence":
        words = tuple(_text(each) for each in node.value)
        return tuple(filter(None, words)) if all(words) else None
    text = _text(node)
    return tuple(filter(None, re.split(r"[\s,，]+", text))) or None if text else None


def _source(node: Node) -> str | None:
    """A text, several, or a link of Obsidian's: without quotes YAML reads `[[a]]` as two lists."""
    if node.id != "sequence":
        return _text(node)
    texts = tuple(map(_linked, node.value))
    return ", ".join(filter(None, texts)) if texts and all(texts) else None


def _linked(node: Node) -> str | None:
    """A text, or the name of the note that a link leads to."""
    for _ in "[[":
        if node.id == "sequence" and len(node.value) == 1:
            (node,) = node.value
    return _text(node)


def _level(node: Node) -> int | None:
    is_level = node.id == "scalar" and node.tag == f"{YAML}int" and node.value in set("123456")
    return int(node.value) if is_level else None


def _shared(node: Node) -> str | None:
    text = _text(node)
    return text if text in {"file", "heading"} else None


def _switch(node: Node) -> bool | None:
    # YAML 1.2 has true and false alone, and many write on and off.
    return _SWITCHES.get(node.value.lower()) if _is_plain(node) else None


def _is_plain(node: Node) -> bool:
    """Whether this is a scalar without quotes and without a type of its own."""
    return node.id == "scalar" and node.style is None and node.tag in _OF_TEXT


READERS: Mapping[str, tuple[Callable[[Node], object], str]] = {
    "deck": (_deck, "a name, its parts divided by ::"),
    "title": (_title, "a text"),
    "tags": (_words, "a list of words"),
    "syntax": (_text, "a word"),
    "level": (_level, "a number from 1 to 6"),
    "lang": (_text, "a language like zh-CN"),
    "verify": (_switch, "on or off"),
    "hashtags": (_switch, "on or off"),
    "source": (_source, "a text"),
    "noteid": (_noteid, "a number"),
    "share": (_shared, "file or heading"),
}
"""How the value of each of our keys is read: None where it does not fit; and what would fit."""
