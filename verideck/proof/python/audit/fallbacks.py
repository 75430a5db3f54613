"""Changes of code in which there is nothing else to change: a short demonstration."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import MappingProxyType

from verideck.proof.python.audit.changes import (
    Change,
    Operators,
    Text,
    dropped,
    is_module,
    other_literal,
    replaced,
    span,
    swapped,
)
from verideck.proof.python.wire.syntax import called


def _dropped(node: ast.Call, text: Text) -> Iterator[Change]:
    """`x.f()` and `f(x)` as `x`, `f(a, k=b)` as `f(a)`."""
    plain = _plain(node)
    if isinstance(node.func, ast.Attribute) and not is_module(node.func.value, text):
        yield dropped(node, node.func.value, text)
    elif plain and called(node) != "print":  # the value of a last expression counts as printed
        yield replaced(node, f"({text.of(plain[0])})")
    before: ast.expr | None = node.args[-1] if node.args else None
    for keyword in node.keywords:
        if before is not None:
            yield dropped(keyword.value, before, text)
        before = keyword.value


def _swapped(node: ast.Call, text: Text) -> Iterator[Change]:
    """`f(a, b)` as `f(b, a)`."""
    match _plain(node):
        case [one, other, *_] if text.of(one) != text.of(other):
            yield swapped(one, other, text)


def _unpacked(node: ast.Assign, text: Text) -> Iterator[Change]:
    """`a, b = f()` as `b, a = f()`."""
    match node.targets:
        case [ast.Tuple(elts=[ast.Name() as one, ast.Name() as other, *_])]:
            yield swapped(one, other, text)


def _plain(node: ast.Call) -> list[ast.expr]:
    return [each for each in node.args if not isinstance(each, ast.Starred)]


def _attribute(node: ast.Attribute, text: Text) -> Iterator[Change]:
    """`x.real` as `x`."""
    line, column = span(node)[1]
    is_called = text.between((line, column), (line, column + 1)) == "("
    if isinstance(node.ctx, ast.Load) and not (is_called or is_module(node.value, text)):
        yield dropped(node, node.value, text)


def _literal(node: ast.Constant, _: Text) -> Iterator[Change]:
    """A number as the next one, `True` as `False`, `"ab"` as `"ab_"`, `"1"` as `"2"`."""
    match node.value:
        case bool() | int() | float() as value:
            yield replaced(node, other_literal(value))
        case str() as text if span(node)[0][0] == span(node)[1][0]:
            yield replaced(node, repr(str(int(text) + 1) if text.isdecimal() else f"{text}_"))


DROPS: Operators = MappingProxyType({ast.Call: (_dropped,), ast.Attribute: (_attribute,)})
SWAPS: Operators = MappingProxyType({ast.Call: (_swapped,), ast.Assign: (_unpacked,)})
LITERALS: Operators = MappingProxyType({ast.Constant: (_literal,)})
