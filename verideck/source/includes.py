"""Finds the code that a fence includes: a file of the project, a symbol of it, or a region."""

from __future__ import annotations

import ast
import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from verideck.storage.files import OUTSIDE, decoded, hashed, is_inside

Node = TypeVar("Node", bound=ast.stmt)


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


_REGION = r"^[ \t]*(?:#|//|--|;|%|/\*|<!--)\s*{word}[ \t]+{name}[ \t]*(?:\*/|-->)?[ \t]*$"
_MARK = re.compile(_REGION.format(word="(?P<word>region|endregion)", name=r"(?P<name>\S.*?)"))


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
        lines = text.split("\n")
        if symbol:
            first, last = _symbol_lines(text, path, symbol)
        elif region:
            first, last = _region_lines(lines, path, region)
        else:
            first, last = 0, len(lines)
        return _cut(lines, first, last, path)

    def name(self, path: str) -> str:
        """Return the path of a file relative to the project, without `..`; see `Place.path`."""
        file = Path(os.path.normpath(self._root / path))
        inside = file.is_relative_to(self._root)
        return file.relative_to(self._root).as_posix() if inside else path

    def _text(self, path: str) -> str:
        if path in self._texts:
            return self._texts[path]
        file = self._root / path
        self.hashes[path] = OUTSIDE
        if not is_inside(file, self._root):
            raise IncludeError(f"{path} is outside the project")
        try:
            content = file.read_bytes()
            self.hashes[path] = hashed(content)
            text = decoded(content)
        except UnicodeDecodeError as error:
            raise IncludeError(f"{path} is not UTF-8") from error
        except OSError as error:
            self.hashes[path] = error.strerror or ""
            raise IncludeError(f"{path} cannot be read: {error.strerror or error}") from error
        return self._texts.setdefault(path, text)


def _cut(lines: list[str], first: int, last: int, path: str) -> Included:
    while first < last and not lines[first].strip():
        first += 1
    while first < last and not lines[last - 1].strip():
        last -= 1
    if first == last:
        raise IncludeError(f"what is included from {path} is empty")
    code = textwrap.dedent("\n".join(lines[first:last]))
    column = lines[first].index(code.split("\n", 1)[0]) + 1
    marks = tuple(number - first for number in _marks(lines) if first <= number < last)
    return Included(code + "\n", first + 1, column, marks)


def _marks(lines: list[str]) -> Iterator[int]:
    """Return the lines that begin or end regions.

    A line that begins a region without an end may be an ordinary comment, so it is not returned;
    nor is one that ends a region without a beginning.
    """
    marks = {number: mark for number, line in enumerate(lines) if (mark := _MARK.match(line))}
    begun, ended = (
        {mark["name"] for mark in marks.values() if mark["word"] == word}
        for word in ("region", "endregion")
    )
    return (number for number, mark in marks.items() if mark["name"] in begun & ended)


def _symbol_lines(text: str, path: str, symbol: str) -> tuple[int, int]:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        see = f", see its line {line}" if line else ""
        raise IncludeError(f"{path} is not Python{see}") from error
    *outer, name = symbol.split(".")
    for class_name in outer:
        classes = [node for node in body if isinstance(node, ast.ClassDef)]
        body = _only([node for node in classes if node.name == class_name], class_name, path).body
    node = _only([node for node in body if name in _names(node)], symbol, path)
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first - 1, node.end_lineno or node.lineno


def _only(nodes: list[Node], name: str, path: str) -> Node:
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


def _region_lines(lines: list[str], path: str, region: str) -> tuple[int, int]:
    starts, ends = (
        [number for number, line in enumerate(lines) if re.match(marker, line)]
        for word in ("region", "endregion")
        for marker in [_REGION.format(word=word, name=re.escape(region))]
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
