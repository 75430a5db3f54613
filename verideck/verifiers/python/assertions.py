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
import inspect
import itertools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

NAME = "__verideck__"
"""The recorder's name in the namespace of rewritten code."""

_LONGEST = 240
_OPERANDS = itertools.count()
"""Numbers that no two operands of a run share."""


class Recorder:
    """Counts assertions and keeps the operands of the one being evaluated."""

    def __init__(self) -> None:
        """Begin with nothing entered."""
        self.entered = 0
        self.held = 0
        self.failed: BaseException | None = None
        """What the last assertion that failed raised."""
        self._depth = 0
        self._operands: dict[int, Any] = {}

    def enter(self) -> None:
        """Count an assertion whose test is about to be evaluated."""
        self.entered += 1

    def keep(self, number: int, value: Any) -> Any:  # noqa: ANN401 - whatever an author compares
        """Remember an operand and hand it on."""
        self._operands[number] = value
        return value

    def hold(self) -> None:
        """Count an assertion that held."""
        self.held += 1

    def failure(self, operands: dict[int, str], message: object = None) -> AssertionError:
        """Build the exception of an assertion that failed, telling the operands it came to."""
        named = [
            (text, self._operands.pop(n)) for n, text in operands.items() if n in self._operands
        ]
        shown = [(text, value) for text, value in named if not _is_program(value)]
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
            self.entered += self._depth == 0
            self._depth += 1
            try:
                result = check(*args, **kwargs)
            except BaseException as error:
                self.failed = error
                raise
            finally:
                self._depth -= 1
            self.held += self._depth == 0
            return result

        return counted


class Rewriter(ast.NodeTransformer):
    """Rewrites the assertions of one module or snippet."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST | list[ast.stmt]:
        """Rewrite one assertion, unless it cannot fail."""
        if isinstance(node.test, ast.Constant | ast.Tuple | ast.List | ast.Lambda):
            return node
        operands: dict[int, str] = {}
        test = self._kept_inside(node.test, operands)
        told = ast.Dict(
            keys=[ast.Constant(number) for number in operands],
            values=[ast.Constant(text) for text in operands.values()],
        )
        arguments: list[ast.expr] = [told] + ([node.msg] if node.msg else [])
        statements: list[ast.stmt] = [
            ast.Expr(_call("enter")),
            ast.If(
                test=test,
                body=[ast.Expr(_call("hold"))],
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
                test.args = [self._keep(each, operands) for each in test.args]
                for keyword in test.keywords:
                    keyword.value = self._keep(keyword.value, operands)
            case _:
                return self._keep(test, operands)
        return test

    def _keep(self, expression: ast.expr, operands: dict[int, str]) -> ast.expr:
        if isinstance(expression, ast.GeneratorExp | ast.Starred | ast.Lambda):
            return expression
        if not any(isinstance(each, ast.Name) for each in ast.walk(expression)):
            return expression  # a literal tells its value itself
        number = next(_OPERANDS)
        text = " ".join(ast.unparse(expression).split())
        operands[number] = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
        kept = _call("keep", ast.Constant(number), expression)
        _put(kept, expression)
        return kept


def _call(method: str, *arguments: ast.expr) -> ast.Call:
    function = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
    return ast.Call(function, list(arguments), [])


def _put(node: ast.AST, at: ast.AST) -> None:
    """Give a new node, and what is new inside of it, the place of the one that it stands for."""
    ast.fix_missing_locations(ast.copy_location(node, at))


def _is_program(value: object) -> bool:
    """Tell what a reader of the failure does not need to see: the functions and modules called."""
    return isinstance(value, ModuleType | type) or inspect.isroutine(value)


def describe(value: object) -> str:
    """A value on one line; for tensors and arrays shape and dtype too."""
    try:
        text = " ".join(repr(value).split())
    except Exception as error:  # noqa: BLE001 - an author's __repr__ may raise anything
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    if _is_array(value):
        shape = tuple(getattr(value, "shape", ()))
        text += f", shape {shape}, {getattr(value, 'dtype', '')}"
    return text


def _is_array(value: object) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


def difference(values: Sequence[object]) -> str:
    """How far the first two arrays among the operands are apart, and where most; else empty."""
    arrays: list[Any] = [value for value in values if _is_array(value)]
    if len(arrays) < 2:  # noqa: PLR2004 - a difference has two sides
        return ""
    one, other = arrays[:2]
    if tuple(one.shape) != tuple(other.shape):
        return f"the shapes differ: {tuple(one.shape)} and {tuple(other.shape)}"
    try:
        return _largest(one, other)
    except Exception:  # noqa: BLE001 - a hint that cannot be had is no reason to hide the failure
        return ""


def _largest(one: Any, other: Any) -> str:  # noqa: ANN401 - tensors or arrays, whichever are there
    apart = abs(one - other).reshape(-1).tolist()
    size, flat = max((each, number) for number, each in enumerate(apart))
    if not size:
        return ""
    index = []
    for extent in reversed(tuple(one.shape)):
        flat, place = divmod(flat, extent)
        index.append(place)
    return f"largest difference {size:.4g} at {index[::-1]}"
