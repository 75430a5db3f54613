"""The values of statements, recorded where the card says what they are.

`record` changes, in the syntax tree, the value of a statement with a value comment into

    recorder.said(<line>, recorder.begun(), <value>)

and a last expression whose output is shown into `recorder.last(<value>)`. No line moves.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from verideck.proof.python.child import tracer
from verideck.proof.python.child.ours import call, is_ours, put
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.child.values import is_array
from verideck.proof.python.wire.messages import Said
from verideck.proof.python.wire.scratch import Stream
from verideck.proof.python.wire.value_comments import RECORDED, ValueComment

use_own_builtins(globals())

NAME = "__verideck_values__"
"""The recorder's name in the namespace of rewritten code."""
_OFTEN = 100
"""How many times a statement may be executed before its comment is no longer heeded."""
_LONGEST = 20_000
"""Characters of a value's text: no comment is longer."""


class Values:
    """Records what statements print, and their values."""

    def __init__(self, printed: Stream | None = None, stdout: TextIO | None = None) -> None:
        """Take what the process prints to; without it, nothing is recorded."""
        self.shown: object = None
        """The value of the last expression."""
        self._printed = printed
        self._stdout = stdout
        self._said: list[Said] = []
        self._times: Counter[int] = Counter()

    def __reduce__(self) -> tuple[type[Values], tuple[()]]:
        """Unpickle, in a process that a function is sent to, to one that records nothing."""
        return Values, ()

    def begun(self) -> int:
        """How much has been printed before a statement."""
        if self._printed is None or self._stdout is None:
            return 0
        with contextlib.suppress(Exception):  # an author may close it
            self._stdout.flush()
        return self._printed.size

    def said(self, line: int, begun: int, value: Any) -> Any:  # noqa: ANN401 - any value of an author's
        """Record the value of a statement that has a comment, and return it."""
        ended = self.begun()
        self._times[line] += 1
        if self._printed is None or self._times[line] > _OFTEN:
            return value
        printed = self._printed.read(begun)[: min(ended - begun, _LONGEST)]
        if printed or value is not None:
            texts = _texts(value) if value is not None else ()
            self._said.append(Said(line, printed.decode("utf-8", "backslashreplace"), texts))
        elif sys.stdout is self._stdout:  # else it was printed elsewhere
            self._said.append(Said(line, "", ("None",)))
        return value

    def last(self, value: Any) -> Any:  # noqa: ANN401 - any value of an author's
        """Record the value of the last expression, and return it."""
        self.shown = value
        return value

    def taken(self) -> tuple[Said, ...]:
        """What was recorded since it was asked last, without what was executed too often."""
        taken = [each for each in self._said if self._times[each.line] <= _OFTEN]
        self._said.clear()
        self._times.clear()
        return tuple(taken)


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - any value of an author's
    """The ways to write a value, its `repr` first. Of an array, also its shape and its numbers."""
    ways: list[Callable[[Any], str]] = [repr, str]
    if is_array(value):
        ways += [lambda array: str(tuple(array.shape)), lambda array: str(list(array.shape))]
        if len(value.shape) == 0:
            ways.append(lambda array: repr(array.item()))
        else:
            ways.append(lambda array: repr(array.tolist()))
    elif hasattr(type(value), "item") and hasattr(value, "dtype"):
        ways.append(lambda number: repr(number.item()))
    texts: list[str] = []
    for way in ways:
        with contextlib.suppress(Exception):  # whatever an author's `repr` raises
            texts.append(way(value)[:_LONGEST].encode("utf-8", "backslashreplace").decode())
    return tuple(dict.fromkeys(texts))


def record(
    tree: ast.Module, first: int, comments: Iterable[ValueComment], *, last: bool, traces: bool
) -> None:
    """Record the values that comments tell of and, with `last`, that of the last expression.

    `first` is the line of the code's first line in its file. With `traces`, an audit sees the
    values as it sees those that an assertion reads.
    """
    by_place = {(each.statement[0] + first - 1, each.statement[1]): each.line for each in comments}
    if by_place:
        _Recording(by_place, traces=traces).visit(tree)
    theirs = [each for each in tree.body if not is_ours(each)]
    if last and theirs and isinstance(theirs[-1], ast.Expr):
        _wrap(theirs[-1], f"{NAME}.last")


class _Recording(ast.NodeTransformer):
    def __init__(self, lines: dict[tuple[int, int], int], *, traces: bool) -> None:
        self._lines = lines
        self._traces = traces

    def visit(self, node: ast.AST) -> Any:  # noqa: ANN401 - as its base
        self.generic_visit(node)
        if not isinstance(node, RECORDED) or is_ours(node):
            return node
        line = self._lines.get((node.lineno, node.col_offset))
        if line is None or isinstance(node.value, ast.Yield | ast.YieldFrom):
            return node
        arguments = (ast.Constant(line), call(f"{NAME}.begun"))
        if not isinstance(node, ast.AugAssign):
            if node.value is not None:
                self._see(node)
                _wrap(node, f"{NAME}.said", *arguments)
            return node
        if not isinstance(node.target, ast.Name):
            return node  # to read it again could do something
        after = put(ast.Expr(ast.Name(node.target.id, ast.Load())), node)
        self._see(after)
        _wrap(after, f"{NAME}.said", *arguments)
        return [node, after]

    def _see(self, node: Any) -> None:  # noqa: ANN401 - a statement with a value
        if self._traces:
            _wrap(node, f"{tracer.NAME}.see")


def _wrap(node: Any, function: str, *arguments: ast.expr) -> None:  # noqa: ANN401 - a statement with a value
    node.value = put(call(function, *arguments, node.value), node.value)
