"""What stands between the two `---` on top of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields

import yaml

from verideck.model import Place, Source
from verideck.problems import Code, Problem, Problems
from verideck.source.attributes import suggestion


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What holds for one file."""

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
    """Of each key that the file writes."""

    def at(self, key: str) -> Place:
        """Where a key stands."""
        return self.places.get(key, self.place)


KEYS = frozenset(each.name for each in fields(FrontMatter)) - {"place", "places"}

_CLOSING = {"---", "..."}


def split(source: Source, problems: Problems) -> tuple[FrontMatter, str] | None:
    """Take the front matter off a file; see `_split`."""
    found: tuple[FrontMatter, str] | None = None
    for each in _split(source):
        if isinstance(each, Problem):
            problems.report(each)
        else:
            found = each
    return found


def _split(source: Source) -> Iterator[tuple[FrontMatter, str] | Problem]:
    """Take the front matter off a file.

    Yields problems, then the front matter with the body: the file's text with blank lines where
    the front matter stood, so that its lines stay true. Where the front matter is not closed,
    nobody knows what the body is, and none is yielded.
    """
    place = Place(source.path)
    lines = source.text.split("\n")
    if lines[0].rstrip() != "---":
        yield FrontMatter(place=place), source.text
        return
    closing = next((n for n, line in enumerate(lines) if n and line.rstrip() in _CLOSING), None)
    if closing is None:
        if len(lines) > 1 and re.match(r"[A-Za-z_-]+\s*:", lines[1]):
            yield Problem(
                Code.FRONT_MATTER_INVALID,
                "this front matter is never closed",
                place,
                "close it with a line that holds --- alone",
            )
        else:
            # A file may begin with a thematic break.
            yield FrontMatter(place=place), source.text
        return
    meta: dict[str, object] = {}
    places: dict[str, Place] = {}
    for each in _read("\n".join(lines[1:closing]), source.path):
        if isinstance(each, Problem):
            yield each
        else:
            key, meta[key], places[key] = each
    body = "\n" * (closing + 1) + "\n".join(lines[closing + 1 :])
    yield FrontMatter(**meta, place=place, places=places), body  # type: ignore[arg-type] # checked by _read


def _read(text: str, path: str) -> Iterator[tuple[str, object, Place] | Problem]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = _place(path, text, mark.index) if mark else Place(path, 2)
        what = getattr(error, "problem", None) or str(error)
        yield Problem(Code.FRONT_MATTER_INVALID, f"this is not YAML: {what}", place)
        return
    if document is None:
        return
    if not isinstance(node, yaml.MappingNode) or not isinstance(document, Mapping):
        yield Problem(
            Code.FRONT_MATTER_INVALID,
            "front matter is made of lines like deck: name",
            Place(path, 2),
        )
        return
    seen = set()
    for key_node, _ in node.value:
        key = key_node.value
        place = _place(path, text, key_node.start_mark.index)
        if key not in KEYS:
            yield Problem(
                Code.FRONT_MATTER_INVALID,
                f"there is no key {key} in front matter",
                place,
                suggestion(str(key), KEYS),
            )
            continue
        if key in seen:
            yield Problem(Code.FRONT_MATTER_INVALID, f"{key} stands here twice", place)
            continue
        seen.add(key)
        read, wanted = _READERS[key]
        value = document[key]
        understood = read(value)
        if understood is None:
            message = f"{key} must be {wanted}, not {value!r}"
            yield Problem(Code.FRONT_MATTER_INVALID, message, place)
        else:
            yield key, understood, place


def _place(path: str, text: str, index: int) -> Place:
    """Where a character of the front matter stands; YAML's lines end where no editor's do."""
    line = text.count("\n", 0, index) + 2
    return Place(path, line, index - text.rfind("\n", 0, index))


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _deck(value: object) -> str | None:
    name = _text(value)
    return name if name and all(part.strip() for part in name.split("::")) else None


def _words(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return tuple(value.split(" "))
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return tuple(str(each) for each in value)
    return () if value is None else None


def _level(value: object) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and value in range(1, 7)
    return value if isinstance(value, int) and fits else None


def _switch(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_READERS: dict[str, tuple[Callable[[object], object], str]] = {
    "deck": (_deck, "a name, its parts divided by ::"),
    "tags": (_words, "a list of words"),
    "syntax": (_text, "a word"),
    "level": (_level, "a number from 1 to 6"),
    "lang": (_text, "a language like zh-CN"),
    "verify": (_switch, "on or off"),
    "source": (_text, "a text"),
}
