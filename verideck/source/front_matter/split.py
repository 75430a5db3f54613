"""A file -> its front matter and its body."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from verideck.model import Place, Source
from verideck.problems import Code, Problem, Problems, Severity, shown
from verideck.source.front_matter import of_toml, of_yaml
from verideck.source.front_matter.keys import (
    ADDED,
    KEYS,
    NAMED,
    OF_MANY,
    OF_THE_NOTE,
    FrontMatter,
    meant,
    misspelt,
    spelt,
)
from verideck.source.front_matter.values import (
    READERS,
    Pair,
    UnreadableError,
    is_null,
    key_of,
    value_of,
)

_CLOSING = {"---": ("---", "..."), "+++": ("+++",)}
"""The lines that end front matter, by the line that opens it."""
_LONGEST = 10_000
"""Characters of front matter. The YAML parser takes some 40 microseconds for one."""
_MOST_NAMED = 12
"""Keys of other tools that a message names."""
_YAML_LIKE = re.compile(
    r"""[ \t]*(?:
        [{?%]|<[<%]|&\S|![^\s\[]
      | (?!(?:[QACETPSM]|C\d|问|答)[ \t]*[:：]|-[ \t])
        [^\s:>|*+][^\s:]{0,40}(?:[ \t]{1,4}[^\s:]{1,40}){0,2}[ \t]{0,4}:(?=\s|$)
      | :[ \t]
    )""",
    re.VERBOSE,
)
"""Matches a first line of YAML that sets something: not one of Markdown, nor `Q:` of a card."""
_TOML_LIKE = re.compile(r"""[ \t]*(?:["'\w][^=\n:]{0,40}=|\[)""")


def split(source: Source, problems: Problems) -> tuple[FrontMatter, str] | None:
    """Divide a file into its front matter and its body.

    The body is the file's text with blank lines in place of the front matter, so that line numbers
    stay true. Keys that are wrong are reported and left out; keys of other tools are named in one
    warning. Front matter that is never closed is reported, and None is returned, because the body
    could begin at any line.
    """
    place = Place(source.path)
    lines = source.text.split("\n")
    endings = _CLOSING.get(lines[0].rstrip(), ())
    closing = next((n for n, line in enumerate(lines) if n and line.rstrip() in endings), None)
    inside = lines[1:closing] if endings else []
    pairs_of = _format(lines[0][:3], inside)
    begins = closing is None and len(lines) > 1 and re.match(r"[A-Za-z_-]+\s*[:=]", lines[1])
    if endings and begins and pairs_of:
        message = "this front matter is never closed"
        hint = f"close it with a line that holds {endings[0]} alone"
        problems.report(Problem(Code.FRONT_MATTER_INVALID, message, place, hint))
        return None
    if closing is None or pairs_of is None:
        # A file may begin with a thematic break.
        return FrontMatter(place=place), source.text
    reader = _Reader("\n".join(inside), source.path, problems)
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for key, value, where in reader.read(pairs_of):
        values[key] = values[key] + value if key in values else value
        places.setdefault(key, where)
    body = "\n" * (closing + 1) + "\n".join(lines[closing + 1 :])
    return FrontMatter(**values, place=place, places=places), body


def _format(opening: str, inside: Sequence[str]) -> Callable[[str], list[Pair]] | None:
    """What reads the lines between two fences; None if they are Markdown between two rules.

    Their first line with more than a comment decides. Where there is none, a comment may be meant
    as a heading.
    """
    first = next((line for line in inside if line.strip() and line.lstrip()[0] != "#"), "")
    if not first:
        return None if any(line.strip() for line in inside) else of_yaml.pairs
    if opening == "+++":
        return of_toml.pairs
    if _YAML_LIKE.match(first) or NAMED.match(first):
        is_toml = re.match(r"[ \t]*[\w-]+[ \t]*=", first)
        return of_toml.pairs if is_toml else of_yaml.pairs
    return of_toml.pairs if _TOML_LIKE.match(first) else None


def _bounded(pairs_of: Callable[[str], list[Pair]], text: str) -> list[Pair]:
    if len(text) > _LONGEST:
        size = f"{len(text):,} characters, at most {_LONGEST:,}"
        raise UnreadableError(f"this front matter is too long: {size}")
    return pairs_of(text)


_IN_COMMENT = re.compile(r"[^:\n]*:[ \t]+#\S")
_IN_QUOTES = "put it in quotes, if its braces are text"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Front matter on its way from what is written to what is meant."""

    text: str
    path: str
    problems: Problems

    def read(self, pairs_of: Callable[[str], list[Pair]]) -> Iterator[tuple[str, object, Place]]:
        """The keys with their values and places. What is wrong is reported and left out."""
        try:
            pairs = _bounded(pairs_of, self.text)
        except UnreadableError as error:
            self._unreadable(error)
            return
        seen = set[str]()
        foreign: list[tuple[str, Place]] = []
        for pair in pairs:
            written, place = key_of(pair.key), self._place(pair.index)
            key = meant(written)
            name = spelt(written) if key in ADDED else key
            if not key:
                foreign.append((written, place))
            elif name in seen:
                self._report(f"{key} stands here twice", place)
            elif is_null(pair.value):
                self._tell_comment(written, pair.index)
            else:
                read, wanted = READERS[key]
                value = read(pair.value)
                if value is None and spelt(written) in OF_MANY:
                    foreign += [] if pair.value.value == [] else [(written, place)]
                    continue
                seen.add(name)
                if value is None:
                    given = shown(value_of(pair.value))
                    hint = _IN_QUOTES if pair.value.id == "mapping" else ""
                    self._report(f"{written} must be {wanted}, not {given}", place, hint)
                else:
                    yield key, value, place
        self._tell_foreign(foreign)

    def _tell_comment(self, written: str, index: int) -> None:
        """Report a key that is empty as its value is a comment in YAML: `tags: #a #b`."""
        if _IN_COMMENT.match(self.text, index):
            message = f"{written} is empty: a # behind a blank begins a comment"
            hint = f'put it in quotes: {written}: "#a #b"'
            self._report(message, self._place(index), hint, Severity.WARNING)

    def _tell_foreign(self, keys: Sequence[tuple[str, Place]]) -> None:
        """Report misspelt keys of ours; name those of other tools in one warning."""
        others: dict[str, Place] = {}
        for key, place in keys:
            if (ours := misspelt(key)) and not meant(key):
                message = f"there is no key {key} in front matter"
                self._report(message, place, f"did you mean {ours}?")
            elif spelt(key) not in OF_THE_NOTE:
                others.setdefault(key, place)
        if others:
            more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
            named = ", ".join([*others][:_MOST_NAMED]) + more
            message = f"nothing is made of {named} in this front matter"
            hint = f"keys of other tools may stay; verideck reads {', '.join(sorted(KEYS))}"
            place = next(iter(others.values()))
            problem = Problem(Code.KEY_FOREIGN, message, place, hint, Severity.WARNING)
            self.problems.report(problem)

    def _unreadable(self, error: UnreadableError) -> None:
        """What cannot be read is no error where it names no key of ours: nothing here is for us."""
        if NAMED.search(self.text):
            self._report(str(error), self._place(error.index))
            return
        hint = "it names no key of verideck's, so nothing is lost for the cards"
        place = self._place(error.index)
        problem = Problem(Code.FRONT_MATTER_INVALID, str(error), place, hint, Severity.WARNING)
        self.problems.report(problem)

    def _report(
        self, message: str, place: Place, hint: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        self.problems.report(Problem(Code.FRONT_MATTER_INVALID, message, place, hint, severity))

    def _place(self, index: int) -> Place:
        """Where a character of the front matter stands; YAML's lines end where no editor's do."""
        line = self.text.count("\n", 0, index) + 2
        return Place(self.path, line, index - self.text.rfind("\n", 0, index))
