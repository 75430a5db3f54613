"""The front matter of a file: YAML 1.2 between two lines `---` at its top."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from verideck.model import FORBIDDEN, Place, Source
from verideck.problems import Code, Problem, Problems, shown, suggestion


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a file sets for all of its cards."""

    deck: str = ""
    """The deck's full name, instead of the one that folders and titles give."""
    tags: tuple[str, ...] = ()
    syntax: str = ""
    level: int = 2
    """The level of the headings that are questions."""
    lang: str = ""
    verify: bool = True
    source: str = ""
    """Where the answers can be looked up, for cards that do not say so themselves."""
    place: Place = field(default=Place(""))
    """Of the file's first character."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Of each key that the file sets."""

    def at(self, key: str) -> Place:
        """Where a key stands; the top of the file for a key that is not set."""
        return self.places.get(key, self.place)


KEYS = frozenset(each.name for each in fields(FrontMatter)) - {"place", "places"}


class _Node(Protocol):
    """What is used here of the YAML library's nodes."""

    id: str
    """`scalar`, `sequence` or `mapping`."""
    tag: str
    """Its type, as its text or the author says."""
    value: Any
    """A scalar's text, the nodes of a sequence, or pairs of nodes."""
    style: str | None
    """Of scalars alone: their quotes, or None."""
    start_mark: Any


_CLOSING = {"---", "..."}
_LONGEST = 10_000
"""Characters of front matter. The YAML parser takes some 40 microseconds for one."""
_DEEPEST = 20
"""Levels of lists and tables in each other. No value needs more than two."""


def split(source: Source, problems: Problems) -> tuple[FrontMatter, str] | None:
    """Divide a file into its front matter and its body.

    The body is the file's text with blank lines in place of the front matter, so that line numbers
    stay true. Keys that are wrong are reported and left out. Front matter that is never closed is
    reported, and None is returned, because the body could begin at any line.
    """
    place = Place(source.path)
    lines = source.text.split("\n")
    if lines[0].rstrip() != "---":
        return FrontMatter(place=place), source.text
    closing = next((n for n, line in enumerate(lines) if n and line.rstrip() in _CLOSING), None)
    if closing is None:
        if len(lines) > 1 and re.match(r"[A-Za-z_-]+\s*:", lines[1]):
            message = "this front matter is never closed"
            hint = "close it with a line that holds --- alone"
            problems.report(Problem(Code.FRONT_MATTER_INVALID, message, place, hint))
            return None
        # A file may begin with a thematic break.
        return FrontMatter(place=place), source.text
    values: dict[str, object] = {}
    places: dict[str, Place] = {}
    for key, value, where in _read("\n".join(lines[1:closing]), source.path, problems):
        values[key], places[key] = value, where
    body = "\n" * (closing + 1) + "\n".join(lines[closing + 1 :])
    return FrontMatter(**values, place=place, places=places), body  # type: ignore[arg-type] # _READERS has the types


def _read(text: str, path: str, problems: Problems) -> Iterator[tuple[str, object, Place]]:
    """The keys with their values and places. What is wrong is reported and left out."""

    def report(message: str, place: Place, hint: str = "") -> None:
        problems.report(Problem(Code.FRONT_MATTER_INVALID, message, place, hint))

    try:
        pairs = _pairs(text)
    except _FrontMatterError as error:
        report(str(error), _place(path, text, error.index))
        return
    seen = set()
    for key_node, node in pairs:
        place = _place(path, text, key_node.start_mark.index)
        key = _key(key_node)
        if key not in KEYS:
            report(f"there is no key {key} in front matter", place, suggestion(key, KEYS))
        elif key in seen:
            report(f"{key} stands here twice", place)
        else:
            seen.add(key)
            read, wanted = _READERS[key]
            value = read(node)
            if value is None:
                report(f"{key} must be {wanted}, not {shown(_value(node))}", place)
            else:
                yield key, value, place


class _FrontMatterError(Exception):
    """The front matter as a whole is wrong, at a character of its text."""

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index


def _pairs(text: str) -> list[tuple[_Node, _Node]]:
    """The keys and values of the front matter.

    They are YAML's nodes, not Python's values: the tag `1.0` is the text `1.0`, an alias is not
    expanded, and no object is made. Raises _FrontMatterError.
    """
    if len(text) > _LONGEST:
        message = f"this front matter is too long: {len(text):,} characters, at most {_LONGEST:,}"
        raise _FrontMatterError(message)
    from ruamel.yaml import YAML  # noqa: PLC0415 - many files have no front matter
    from ruamel.yaml.composer import MaxDepthExceededError  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = _DEEPEST
    yaml.composer.warn_double_anchors = False
    try:
        node = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise _FrontMatterError("this is nested too deeply", error.problem_mark.index) from error
    except (YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        index = mark.index if mark else getattr(error, "position", 0)
        raise _FrontMatterError(f"this is not YAML: {_what(error)}", index) from error
    if node is None:
        return []
    if node.id != "mapping":
        raise _FrontMatterError("front matter is made of lines like deck: name")
    return list(node.value)


def _what(error: Exception) -> str:
    """What the YAML parser objects to, in one line."""
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    # Of one error, the first half of the sentence is in its context.
    return f"{getattr(error, 'context', '')}, {problem}" if problem.startswith("but ") else problem


def _place(path: str, text: str, index: int) -> Place:
    """Where a character of the front matter stands; YAML's lines end where no editor's do."""
    line = text.count("\n", 0, index) + 2
    return Place(path, line, index - text.rfind("\n", 0, index))


_LONGEST_KEY = 80


def _key(node: _Node) -> str:
    """A key as a message can show it in one line."""
    text = str(node.value) if node.id == "scalar" else ""
    return text if text.isprintable() and 0 < len(text) <= _LONGEST_KEY else shown(_value(node))


_YAML = "tag:yaml.org,2002:"
_OF_TEXT = {_YAML + name for name in ("str", "int", "float", "bool", "timestamp", "merge", "value")}
"""The tags of scalars that are a text as it is written. `null` and tags of other types are none."""
_UNFIT = re.compile(rf"\r|{FORBIDDEN.pattern}")
"""Characters that only an escape in quotes can bring here, and that Anki could not store."""
_SWITCHES = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def _text(node: _Node) -> str | None:
    if node.id != "scalar" or node.tag not in _OF_TEXT or _UNFIT.search(node.value):
        return None
    return node.value.strip() or None


def _deck(node: _Node) -> str | None:
    name = _text(node)
    return name if name and all(part.strip() for part in name.split("::")) else None


def _words(node: _Node) -> tuple[str, ...] | None:
    if node.id == "sequence":
        words = tuple(_text(each) for each in node.value)
        return tuple(filter(None, words)) if all(words) else None
    if node.tag == f"{_YAML}null":
        return ()
    text = _text(node)
    return tuple(text.split(" ")) if text else None


def _level(node: _Node) -> int | None:
    is_level = node.tag == f"{_YAML}int" and node.value in set("123456")
    return int(node.value) if is_level else None


def _switch(node: _Node) -> bool | None:
    # YAML 1.2 has true and false alone, and many write on and off.
    return _SWITCHES.get(node.value.lower()) if _is_plain(node) else None


def _is_plain(node: _Node) -> bool:
    """Whether this is a scalar without quotes and without a type of its own."""
    return node.id == "scalar" and node.style is None and node.tag in _OF_TEXT


_MOST_SHOWN = 7


def _value(node: _Node, levels: int = 4) -> object:
    """A value for a message. It is cut off so that aliases cannot make it large."""
    if node.id == "mapping":
        pairs = node.value[:_MOST_SHOWN] if levels else ()
        return {
            key.value if key.id == "scalar" else ...: _value(each, levels - 1)
            for key, each in pairs
        }
    if node.id == "sequence":
        return [_value(each, levels - 1) for each in node.value[:_MOST_SHOWN] if levels]
    if node.tag == f"{_YAML}null":
        return None
    if node.tag not in _OF_TEXT:
        return f"{node.tag.replace(_YAML, '!!')} {node.value}"
    if node.tag == f"{_YAML}int" and re.fullmatch("-?[0-9]{1,20}", node.value):
        return int(node.value)
    return _SWITCHES.get(node.value.lower(), node.value) if _is_plain(node) else node.value


_READERS: Mapping[str, tuple[Callable[[_Node], object], str]] = {
    "deck": (_deck, "a name, its parts divided by ::"),
    "tags": (_words, "a list of words"),
    "syntax": (_text, "a word"),
    "level": (_level, "a number from 1 to 6"),
    "lang": (_text, "a language like zh-CN"),
    "verify": (_switch, "on or off"),
    "source": (_text, "a text"),
}
