"""Assertions that count themselves and, when they fail, tell their operands.

Runs inside the child. `Rewriter` changes `assert` in the syntax tree into

    recorder.enter()
    if <test, each operand passed through recorder.keep>:
        recorder.hold()
    else:
        raise recorder.failure(<operands>, <message>)

so that an assertion counts when it is executed, not when it merely stands in the text. An `assert`
on a constant or a tuple cannot fail, is left as it is, and counts for nothing.
"""

from __future__ import annotations

import ast
import functools
import itertools
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from verideck.verifiers.python.comparison import (
    describe,
    difference,
    is_array,
    is_program,
    shortened,
    traced,
)

NAME = "__verideck__"
"""The recorder's name in the namespace of rewritten code."""

_OPERANDS = itertools.count()
"""Numbers that no two operands of a run share."""
_MOST_READ = 5000
_MOST_NUMBERS = 200_000
_MEASURES = {"abs", "absolute", "amax", "fabs", "item", "max"}
_STRICT = {
    "torch": "torch.testing.assert_close, which does",
    "numpy": "numpy.testing.assert_allclose, which does",
}


class Recorder:
    """Counts assertions and keeps the operands of the one being evaluated.

    What happens in a thread counts once somebody has joined the thread: before that, whether it
    happens at all is a matter of luck.
    """

    def __init__(self, *, traces: bool = False) -> None:
        """Begin with nothing entered; `traces` remembers what assertions read."""
        self.failed: BaseException | None = None
        """What the last assertion that failed raised."""
        self.read: list[dict[str, Any]] = []
        """What assertions read (see `comparison.traced`), each value with its file and line."""
        self._numbers = 0
        self.doubts: list[tuple[str, int, str, str]] = []
        """Files, lines and messages of assertions that held and say less than they seem to, each
        with what is stricter."""
        self._traces = traces
        self._entered: dict[threading.Thread, int] = {}
        self._held: dict[threading.Thread, int] = {}
        self._joined = {threading.current_thread()}
        self._depth = 0
        self._operands: dict[int, Any] = {}

    @property
    def entered(self) -> int:
        """Assertions whose test began to be evaluated."""
        return sum(self._entered.get(thread, 0) for thread in self._joined)

    @property
    def held(self) -> int:
        """Assertions that held."""
        return sum(self._held.get(thread, 0) for thread in self._joined)

    def heed_joins(self) -> None:
        """Learn from now on which threads are joined."""
        join = threading.Thread.join

        @functools.wraps(join)
        def joined(thread: threading.Thread, timeout: float | None = None) -> None:
            join(thread, timeout)
            if not thread.is_alive():
                self._joined.add(thread)

        threading.Thread.join = joined  # type: ignore[method-assign,assignment]

    def enter(self) -> None:
        """Count an assertion whose test is about to be evaluated."""
        _count(self._entered)

    def keep(self, number: int, value: Any) -> Any:  # noqa: ANN401 - whatever an author compares
        """Remember an operand and hand it on."""
        self._operands[number] = value
        return value

    def see(self, value: Any) -> Any:  # noqa: ANN401 - whatever an assertion is about
        """Remember what a value is that an assertion is about, and hand it on."""
        self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
        return value

    def hold(self, compared: Sequence[tuple[int, int]] = ()) -> None:
        """Count an assertion that held; `compared` are pairs of operands of an `allclose`."""
        _count(self._held)
        for one, other in compared:
            self._doubt(self._operands.get(one), self._operands.get(other))

    def _doubt(self, one: object, other: object) -> None:
        """Doubt an `allclose` of two arrays, of which one was broadcast to the other's shape."""
        if not (is_array(one) and is_array(other)):
            return
        shapes = [tuple(each.shape) for each in (one, other)]  # type: ignore[attr-defined]
        if shapes[0] != shapes[1] and all(shapes):
            caller = sys._getframe(2)  # noqa: SLF001 - the asserting line
            message = f"allclose held by broadcasting: the shapes are {shapes[0]} and {shapes[1]}"
            strict = _STRICT["torch" if "torch" in {_library(one), _library(other)} else "numpy"]
            self.doubts.append((caller.f_code.co_filename, caller.f_lineno, message, strict))

    def failure(self, operands: dict[int, str], message: object = None) -> AssertionError:
        """Build the exception of an assertion that failed, telling the operands it came to."""
        named = [
            (text, self._operands.pop(n)) for n, text in operands.items() if n in self._operands
        ]
        shown = [(text, value) for text, value in named if not is_program(value)]
        lines = [f"assertion failed: {message}" if message is not None else "assertion failed"]
        lines += [f"{text} = {describe(value)}" for text, value in dict(shown).items()]
        error = AssertionError("\n".join(lines))
        error.add_note(NAME)
        error.hint = difference([value for _, value in shown])  # type: ignore[attr-defined]
        self.failed = error
        return error

    def counting(self, check: Callable[..., object]) -> Callable[..., object]:
        """Wrap a library's `assert_*` function, so that it counts once however it works inside."""

        @functools.wraps(check)
        def counted(*args: object, **kwargs: object) -> object:
            outermost = self._depth == 0
            self._depth += 1
            try:
                if outermost:
                    self.enter()
                    for value in args:
                        self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
                result = check(*args, **kwargs)
            except BaseException as error:
                self.failed = error
                raise
            finally:
                self._depth -= 1
            if outermost:
                _count(self._held)
            return result

        return counted

    def _trace(self, value: object, asserting: FrameType) -> None:
        if self._traces and not is_program(value) and len(self.read) < _MOST_READ:
            told = traced(value, whole=self._numbers < _MOST_NUMBERS)
            self._numbers += len(told["numbers"])
            where = {"file": asserting.f_code.co_filename, "line": asserting.f_lineno}
            self.read.append({**told, **where})


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _count(counts: dict[threading.Thread, int]) -> None:
    thread = threading.current_thread()
    counts[thread] = counts.get(thread, 0) + 1


class Rewriter(ast.NodeTransformer):
    """Rewrites the assertions of one module or snippet."""

    def __init__(self, *, traces: bool = False) -> None:
        """`traces` lets the recorder see all that assertions are about."""
        self._traces = traces

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Let what a library's `assert_*` function is given be seen."""
        match node.value:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if self._traces:
                if name.startswith("assert_"):
                    _Seen().generic_visit(node)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST | list[ast.stmt]:
        """Rewrite one assertion, unless it cannot fail."""
        if isinstance(node.test, ast.Constant | ast.Tuple | ast.List | ast.Lambda):
            return node
        operands: dict[int, str] = {}
        self._compared: list[tuple[int, int]] = []
        test = self._kept_inside(node.test, operands)
        if self._traces:
            test = _Seen().visit(test)
        held = [ast.Constant(tuple(self._compared))] if self._compared else []  # type: ignore[arg-type] # as compile takes it
        told = ast.Dict(
            keys=[ast.Constant(number) for number in operands],
            values=[ast.Constant(text) for text in operands.values()],
        )
        arguments: list[ast.expr] = [told] + ([node.msg] if node.msg else [])
        statements: list[ast.stmt] = [
            ast.Expr(_call("enter")),
            ast.If(
                test=test,
                body=[ast.Expr(_call("hold", *held))],
                orelse=[ast.Raise(exc=_call("failure", *arguments))],
            ),
        ]
        for statement in statements:
            _put(statement, node)
        return statements

    def _kept_inside(self, test: ast.expr, operands: dict[int, str]) -> ast.expr:
        """Pass the operands of a test through the recorder."""
        match test:
            case ast.BoolOp():
                test.values = [self._kept_inside(value, operands) for value in test.values]
            case ast.UnaryOp(op=ast.Not()):
                test.operand = self._kept_inside(test.operand, operands)
            case ast.Compare():
                test.left = self._keep(test.left, operands)
                test.comparators = [self._keep(each, operands) for each in test.comparators]
            case ast.Call():
                if isinstance(test.func, ast.Attribute):
                    inner = test.func.value
                    compares = isinstance(inner, ast.Compare | ast.Call)
                    test.func.value = (self._kept_inside if compares else self._keep)(
                        inner, operands
                    )
                self._keep_arguments(test, operands)
                for keyword in test.keywords:
                    keyword.value = self._keep(keyword.value, operands)
            case _:
                return self._keep(test, operands)
        return test

    def _keep_arguments(self, test: ast.Call, operands: dict[int, str]) -> None:
        """Keep what a call is given; what an `allclose` compares is looked at when it holds."""
        test.args = [self._keep(each, operands) for each in test.args]
        sides, name = test.args, test.func.id if isinstance(test.func, ast.Name) else ""
        if isinstance(test.func, ast.Attribute):
            name = test.func.attr
            sides = test.args if len(test.args) > 1 else [test.func.value, *test.args]
        match [_number_of(side) for side in sides[:2]]:
            case [int(one), int(other)] if name == "allclose":
                self._compared.append((one, other))

    def _keep(self, expression: ast.expr, operands: dict[int, str]) -> ast.expr:
        if isinstance(expression, ast.GeneratorExp):
            expression.elt = self._kept_inside(expression.elt, operands)
        if isinstance(expression, ast.GeneratorExp | ast.Starred | ast.Lambda):
            return expression
        if not any(isinstance(each, ast.Name) for each in ast.walk(expression)):
            return expression  # a literal tells its value itself
        number = next(_OPERANDS)
        text = shortened(ast.unparse(expression))
        operands[number] = text
        kept = _call("keep", ast.Constant(number), expression)
        _put(kept, expression)
        return kept


class _Seen(ast.NodeTransformer):
    """Shows the recorder every value that has a name, or that a call returns.

    `y` in `y.shape == (2, 3)`: an assertion on a shape is about a tensor, and says little of it.
    """

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Show what a name stands for."""
        if not isinstance(node.ctx, ast.Load) or node.id == NAME:
            return node
        return self._seen(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Show what a call returns, unless it is one of ours, or says no more than its operands."""
        measures = _measures(node)
        self.generic_visit(node)
        if measures:
            return node
        match node.func:
            case ast.Attribute(value=ast.Name(id=name)) if name == NAME:
                return node
            case ast.Attribute(attr="data_ptr") | ast.Call(args=[ast.Name(id="id")]):
                return node  # an address differs from run to run and means nothing
        return self._seen(node)

    @staticmethod
    def _seen(node: ast.expr) -> ast.Call:
        seen = _call("see", node)
        _put(seen, node)
        return seen


def _measures(node: ast.Call) -> bool:
    """Whether a call only measures a difference, as `abs(x - y)` does, whose sides are seen.

    The difference itself is rounding noise where they agree, of which nobody could tell any more
    how large it may be.
    """
    inside = list(ast.walk(node))
    calls = [each for each in inside if isinstance(each, ast.Call)]
    functions = [each.func for each in calls]
    attributes = [each for each in inside if isinstance(each, ast.Attribute)]
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            measures = name in _MEASURES
        case _:
            measures = False
    subtracts = any(isinstance(each, ast.Sub) for each in inside)
    return measures and subtracts and all(each in functions for each in attributes)


def _call(method: str, *arguments: ast.expr) -> ast.Call:
    function = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
    return ast.Call(function, list(arguments), [])


def _put(node: ast.AST, at: ast.AST) -> None:
    """Give a new node, and what is new inside of it, the place of the one that it stands for."""
    ast.fix_missing_locations(ast.copy_location(node, at))


def _number_of(expression: ast.expr) -> int | None:
    """The number under which the recorder keeps an operand, if it does."""
    match expression:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="keep"),
            args=[ast.Constant(value=int(number)), _],
        ) if name == NAME:
            return number
    return None
