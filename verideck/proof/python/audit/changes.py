"""A change of code: other text for a range of it, and what it makes of the line that it is in."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

Position = tuple[int, int]
"""A line, from 1, and the bytes before it in that line."""


_CLOSING = re.compile(r"(?:\s*\))*")


@dataclass(frozen=True, slots=True)
class Change:
    """Other text for a range of the code."""

    start: Position
    end: Position
    text: str
    advisory: bool = False
    """Whether only an unusual input would show it."""
    hidden: bool = False
    """Whether what it changes may be in no value: which elements are taken, what has a gradient."""


class Text:
    """Code in which the text of a node can be changed."""

    def __init__(self, code: str) -> None:
        """Raises SyntaxError, ValueError or RecursionError if it is not Python."""
        self.code = code
        self.tree = parsed(code)
        self.modules = frozenset(_modules(self.tree))
        """The names by which it imports modules."""
        self._bytes = code.encode()
        self._starts = [0]
        for line in code.split("\n"):
            self._starts.append(self._starts[-1] + len(line.encode()) + 1)

    def between(self, start: Position, end: Position) -> str:
        """The text of a range."""
        return self._bytes[self._at(start) : self._at(end)].decode()

    def of(self, node: ast.expr) -> str:
        """The text of a node."""
        return self.between(*span(node))

    def changed(self, change: Change) -> tuple[int, str, str] | None:
        """The line that a change is in, that line with it, and all the code with it.

        None if that is not Python, or if not exactly one line differs.
        """
        before, after = self._bytes[: self._at(change.start)], self._bytes[self._at(change.end) :]
        code = (before + change.text.encode() + after).decode()
        try:
            parsed(code)
        except (SyntaxError, ValueError, RecursionError):
            return None
        old, new = self.code.split("\n"), code.split("\n")
        others = [number for number, pair in enumerate(zip(old, new, strict=False), start=1)
                  if pair[0] != pair[1]]  # fmt: skip
        if len(old) != len(new) or len(others) != 1:
            return None
        return others[0], new[others[0] - 1], code

    def _at(self, position: Position) -> int:
        return self._starts[position[0] - 1] + position[1]


Operators = Mapping[type[ast.AST], Sequence[Callable[[Any, Text], Iterator[Change]]]]
"""By kind of node: what changes it."""

PARSING = Lock()
"""One thread parses at a time.

Several cards are audited at once, and CPython counts for all threads together how deep it is in a
tree, so that one may find another's count and raise SystemError (gh-106905).
"""


def parsed(code: str) -> ast.Module:
    """The syntax tree of code.

    Raises SyntaxError, ValueError or RecursionError: where the report of a card is forged, code
    comes here that never ran.
    """
    try:
        with PARSING:
            return ast.parse(code)
    except MemoryError as error:  # so Python's parser says it
        raise RecursionError("nested too deeply") from error


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def span(node: ast.expr | ast.stmt) -> tuple[Position, Position]:
    """The range of a node."""
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset), end


def is_module(node: ast.expr, text: Text) -> bool:
    """Whether a node is a module that the code imports, or a part of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in text.modules


def literal(node: ast.expr | None) -> object:
    """The value of a literal; None if it is no literal."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None


def whole(node: ast.expr | None) -> int | None:
    """The value of a whole number; None if a node is something else."""
    number = literal(node)
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def other_literal(value: bool | float) -> str:  # noqa: FBT001 - it is what is changed
    """Another value than a flag or a number, as it is written."""
    match value:
        case bool():
            return str(not value)
        case int():
            return str(value + 1)
    return repr(value * 2 if value else 1.0)


def replaced(node: ast.expr, text: str, *, advisory: bool = False, hidden: bool = False) -> Change:
    """Other text for a node."""
    return Change(*span(node), text, advisory, hidden)


def dropped(node: ast.expr, inner: ast.expr, text: Text, *, hidden: bool = False) -> Change:
    """A node without what follows a node that it begins with, but for that one's parentheses."""
    start, end = span(inner)[1], span(node)[1]
    closing = _CLOSING.match(text.between(start, end))
    assert closing
    return Change(behind(start, closing[0]), end, "", hidden=hidden)


def behind(start: Position, text: str) -> Position:
    """The position behind a text that begins at a position."""
    *above, last = text.split("\n")
    return start[0] + len(above), len(last.encode()) + (0 if above else start[1])


def added(call: ast.Call, argument: str) -> Change:
    """A call with one more argument."""
    line, column = span(call)[1]
    comma = ", " if call.args or call.keywords else ""
    return Change((line, column - 1), (line, column - 1), f"{comma}{argument}")


def swapped(one: ast.expr, other: ast.expr, text: Text, *, hidden: bool = False) -> Change:
    """Two nodes, one behind the other, in each other's place."""
    between = text.between(span(one)[1], span(other)[0])
    instead = f"{text.of(other)}{between}{text.of(one)}"
    return Change(span(one)[0], span(other)[1], instead, hidden=hidden)


def _modules(tree: ast.Module) -> list[str]:
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Import)]
    return [
        (alias.asname or alias.name).partition(".")[0] for each in found for alias in each.names
    ]
