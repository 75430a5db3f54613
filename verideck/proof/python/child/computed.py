"""What shown code computes, recorded while it runs: an audit asks if a change alters any of it.

Runs inside the child, in runs that ask for it. `computed_tree` rewrites shown code so that the
recorder sees

- every statement that is executed;
- what is returned, yielded, stored, printed, passed to a call that stands alone, or the value of a
  default argument, and what such a call, or an assignment, leaves in a value that it changes;
- of every array that a call, an index or a transposition makes: its shape, without the ones before
  it, over which it broadcasts all the same, and which elements of the memory it takes.

A value that is given to a name shows in what comes of it, so it is left out if a statement that
reads the name was executed later: a softmax is the same whatever is subtracted before.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from math import prod
from typing import Any

from verideck.proof.python.child.computed_tree import ComputedTree
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.child.values import is_array, is_program, traced
from verideck.proof.python.wire.messages import Computed, Line, Lines, Operand, ReadValue

use_own_builtins(globals())

_MOST_VALUES = 3000
_MOST_NUMBERS = 50_000
_LARGEST = 200_000_000
"""Numbers of arrays that are looked at in all."""


class Computing:
    """Records what shown code computes."""

    def __init__(self, shown: Sequence[Lines], name: str) -> None:
        """Take the lines of shown code, and the name that rewritten code has for the recorder."""
        self.shown = shown
        self.name = name
        self.statements: list[tuple[str, int]] = []
        """The files and lines of all statements."""
        self.operands: list[Operand] = []
        """All operands that need not be evaluated."""
        self._evaluated: set[int] = set()
        self._ran: dict[int, int] = {}
        """When each statement was executed last."""
        self._now = 0
        self._values: list[tuple[ReadValue, int, tuple[int, ...]]] = []
        self._numbers = 0
        self._looked = 0
        self._takes = hashlib.sha256()

    def ran(self, statement: int) -> None:
        """Record that a statement is executed."""
        self._now += 1
        self._ran[statement] = self._now

    def evaluate(self, value: Any, operand: int) -> Any:  # noqa: ANN401 - whatever an author computes
        """Record that an operand has been evaluated, and return its value."""
        self._evaluated.add(operand)
        return value

    def keep(self, value: Any, *readers: int) -> Any:  # noqa: ANN401 - whatever an author computes
        """Record a value and return it. `readers` are the statements that read its name."""
        if len(self._values) < _MOST_VALUES and value is not None and not is_program(value):
            self._looked += _size(value)
            if self._looked < _LARGEST:
                kept = traced(value, whole=self._numbers < _MOST_NUMBERS)
                self._numbers += len(kept.numbers)
                self._values.append((kept, self._now, readers))
        return value

    def take(self, value: Any) -> Any:  # noqa: ANN401 - whatever an author calls
        """Record which elements an array takes, and return it."""
        if is_array(value):
            try:
                self._takes.update(_taken(value).encode())
            except Exception:  # noqa: BLE001 - a library's array may have no memory
                self._takes.update(b"?")
        return value

    def found(self) -> Computed:
        """All that was recorded."""
        return Computed(
            values=tuple(
                value
                for value, then, readers in self._values
                if not any(self._ran.get(each, 0) > then for each in readers)
            ),
            takes=self._takes.hexdigest()[:16],
            unevaluated=tuple(
                operand
                for number, operand in enumerate(self.operands)
                if number not in self._evaluated
            ),
            ran=tuple(Line(*self.statements[each]) for each in sorted(self._ran)),
        )

    def traced(self, tree: ast.AST, path: str) -> ast.AST:
        """Rewrite the shown lines of a file; an expression in the prose stays as it is."""
        lines = [range(each.first, each.last + 1) for each in self.shown if each.path == path]
        if lines and isinstance(tree, ast.Module):
            return ComputedTree(self.name, path, lines, self.statements, self.operands).of(tree)
        return tree


def _size(value: Any) -> int:  # noqa: ANN401 - as above
    return prod(map(int, value.shape)) if is_array(value) else 1


def _taken(array: Any) -> str:  # noqa: ANN401 - an array of any library
    shape = [int(each) for each in array.shape]
    if hasattr(array, "storage_offset"):
        steps, offset = array.stride(), array.storage_offset()
    else:
        base = array if array.base is None else array.base
        start, origin = (each.__array_interface__["data"][0] for each in (array, base))
        steps, offset = array.strides, start - origin
    sides = list(zip(shape, steps, strict=True))
    while sides and sides[0][0] == 1:
        del sides[0]
    told = [(extent, step if extent > 1 else 0) for extent, step in sides]
    return f"{told}{offset if 0 not in shape else 0};"
