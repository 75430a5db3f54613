"""Finds the code that a fence includes: a file of the project, a symbol of it, or a region."""

from __future__ import annotations

import ast
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from verideck.storage.files import decoded, hashed
from verideck.storage.reading import HIDDEN, OUTSIDE, Limit, UnusableFileError, read


class IncludeError(Exception):
    """The file, the symbol or the region cannot be included. The text is the problem's message."""


@dataclass(frozen=True, slots=True)
class Included:
    """Code of a file, and the line and column at which it begins there, counted from 1."""

    code: str
    line: int
    column: int
    marks: tuple[int, ...]
    """Lines of the code, counted from 0, that begin or end a region of the file."""


_MARK = re.compile(
    r"[ \t]*(?:#|//|--|;|%|/\*|<!--)\s*(?P<word>region|endregion)[ \t]+(?P<name>\S.*)", re.DOTALL
)
"""A line that begins or ends a region; see `_mark`."""
_LONGEST_PYTHON = 1_000_000
"""Characters of a file in which a symbol is looked for."""
_CLOSING = ("*/", "-->")
"""What closes a comment behind the region's name."""


class IncludedFiles:
    """The files that the fences of one Markdown file include. Each is read once."""

    def __init__(self, root: Path) -> None:
        """Include files of the project in `root` only."""
        self._root = root
        self._texts: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        """The hash of each file that `find` was called with, by its path as written; the reason if
        it could not be read."""

    def find(self, path: str, symbol: str, region: str) -> Included:
        """Return the code of a symbol or of a region of a file, or of the file if both are empty.

        Raises IncludeError if the file is missing, outside the project or unreadable, and if the
        symbol or the region is missing, defined more than once, or empty.
        """
        text = self._text(path)
        lines, regions = _lines(text)
        if symbol:
            first, last = _symbol_lines(text, path, symbol)
        elif region:
            first, last = _region_lines(regions, path, region)
        else:
            first, last = 0, len(lines)
        return _cut(lines, regions, first, last, path)

    def name(self, path: str) -> str:
        """Return the path of a file relative to the project, without `..`; see `Place.path`."""
        file = Path(os.path.normpath(self._root / path))
        inside = file.is_relative_to(self._root)
        return file.relative_to(self._root).as_posix() if inside else path

    def _text(self, path: str) -> str:
        if path in self._texts:
            return self._texts[path]
        try:
            self._require_shown(path)
            content = read(self._root / path, Limit.TEXT, (self._root,))
            self.hashes[path] = hashed(content)
            text = decoded(content)
        except UnicodeDecodeError as error:
            raise IncludeError(f"{path} is not UTF-8") from error
        except OSError as error:
            why = self.hashes[path] = error.strerror or ""
            how = f"is {why}" if why in {OUTSIDE, HIDDEN} else f"cannot be read: {why or error}"
            raise IncludeError(f"{path} {how}") from error
        return self._texts.setdefault(path, text)

    def _require_shown(self, path: str) -> None:
        """Raise UnusableFileError for a file that is hidden: a card shows what it includes."""
        if any(each.startswith(".") for each in self.name(path).split("/") if each != ".."):
            raise UnusableFileError(HIDDEN, path)


_Regions = Mapping[int, tuple[str, str]]
"""The lines of a file, counted from 0, that begin or end a region, with the word and the name."""


@lru_cache(maxsize=8)
def _lines(text: str) -> tuple[Sequence[str], _Regions]:
    """The lines of a file: many fences may include pieces of one."""
    lines = text.split("\n")
    return lines, {number: mark for number, line in enumerate(lines) if (mark := _mark(line))}


def _cut(lines: Sequence[str], regions: _Regions, first: int, last: int, path: str) -> Included:
    while first < last and not lines[first].strip():
        first += 1
    while first < last and not lines[last - 1].strip():
        last -= 1
    if first == last:
        raise IncludeError(f"what is included from {path} is empty")
    code = textwrap.dedent("\n".join(lines[first:last]))
    column = lines[first].index(code.split("\n", 1)[0]) + 1
    marks = tuple(number - first for number in _marks(regions) if first <= number < last)
    return Included(code + "\n", first + 1, column, marks)


def _marks(marks: _Regions) -> Iterator[int]:
    """Return the lines that begin or end regions.

    A line that begins a region without an end may be an ordinary comment, so it is not returned;
    nor is one that ends a region without a beginning.
    """
    begun, ended = (
        {name for each, name in marks.values() if each == word} for word in ("region", "endregion")
    )
    return (number for number, (_, name) in marks.items() if name in begun & ended)


def _mark(line: str) -> tuple[str, str] | None:
    """Return whether a line begins or ends a region, and the region's name; None for others.

    The end of the name is found from the end of the line: a regular expression would try every
    blank in it, and every blank behind that.
    """
    found = _MARK.match(line)
    if not found:
        return None
    name = found["name"].rstrip(" \t")
    closing = next((each for each in _CLOSING if name.endswith(each) and name != each), "")
    return found["word"], name.removesuffix(closing).rstrip(" \t")


class _Definition(NamedTuple):
    """A statement that defines names; of a class, with those in it."""

    first: int
    """Its first line, that of a decorator too, counted from 0."""
    last: int
    """The line behind it."""
    inside: Mapping[str, Sequence[_Definition]] | None
    """None if it is no class."""


def _symbol_lines(text: str, path: str, symbol: str) -> tuple[int, int]:
    if len(text) > _LONGEST_PYTHON:
        raise IncludeError(
            f"{path} is too long for a symbol to be found in it: {len(text):,} characters, at most "
            f"{_LONGEST_PYTHON:,}"
        )
    try:
        definitions = _definitions(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        see = f", see its line {line}" if line else ""
        raise IncludeError(f"{path} is not Python{see}") from error
    *outer, name = symbol.split(".")
    for class_name in outer:
        classes = [each for each in definitions.get(class_name, ()) if each.inside is not None]
        definitions = _only(classes, class_name, path).inside or {}
    found = _only(definitions.get(name, ()), symbol, path)
    return found.first, found.last


@lru_cache(maxsize=8)
def _definitions(text: str) -> Mapping[str, Sequence[_Definition]]:
    """What a module defines, by name. Its tree takes 400 times the memory of its text."""
    return _defined(ast.parse(text).body)


def _defined(body: Sequence[ast.stmt]) -> Mapping[str, Sequence[_Definition]]:
    found: dict[str, list[_Definition]] = {}
    for node in body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        inside = _defined(node.body) if isinstance(node, ast.ClassDef) else None
        for name in _names(node):
            definition = _Definition(first - 1, node.end_lineno or node.lineno, inside)
            found.setdefault(name, []).append(definition)
    return found


def _only(nodes: Sequence[_Definition], name: str, path: str) -> _Definition:
    if len(nodes) != 1:
        how = "is not defined" if not nodes else f"is defined {len(nodes)} times"
        raise IncludeError(f"{name} {how} at the top level of {path}")
    return nodes[0]


def _names(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _region_lines(regions: _Regions, path: str, region: str) -> tuple[int, int]:
    starts, ends = (
        [number for number, mark in regions.items() if mark == (word, region)]
        for word in ("region", "endregion")
    )
    if not starts:
        raise IncludeError(f"{path} has no line `# region {region}`")
    if len(starts) > 1:
        raise IncludeError(f"region {region} begins {len(starts)} times in {path}")
    closing = [n for n in ends if n > starts[0]]
    if len(closing) != 1 or len(ends) != 1:
        raise IncludeError(
            f"region {region} of {path} needs one line `# endregion {region}` below it"
        )
    return starts[0] + 1, closing[0]
