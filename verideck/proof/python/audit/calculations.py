"""Changes of what is calculated: a sign, a comparison, a sibling of a called name, an axis."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from itertools import pairwise
from types import MappingProxyType

from verideck.proof.python.audit.changes import (
    Change,
    Operators,
    Text,
    behind,
    literal,
    replaced,
    span,
    whole,
    words,
)
from verideck.proof.python.wire.syntax import called, last_name

_PAIRS = """
    mean sum  amax amin  max min  argmax argmin  tril triu  softmax log_softmax  sqrt rsqrt
    var std  zeros ones  zeros_like ones_like  new_zeros new_ones  train eval  sin cos  exp log
    cumsum cumprod  floor ceil  sigmoid tanh  any all  maximum minimum  logical_and logical_or
    square sqrt  prod sum  median mean  relu sigmoid  gelu relu  silu sigmoid
    repeat_interleave tile  layer_norm rms_norm
"""
_NAMES = _PAIRS.split()
_SIBLINGS: MappingProxyType[str, str] = MappingProxyType(
    {second: first for first, second in zip(_NAMES[::2], _NAMES[1::2], strict=True)}
    | dict(zip(_NAMES[::2], _NAMES[1::2], strict=True))
)
"""By called name: the one that is most easily mistaken for it."""

_ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/"}
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**",
    ast.Lt: "<", ast.Gt: ">", ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip
_COMPARED = {
    ast.Lt: ">=", ast.Gt: "<=", ast.LtE: ">", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "=="
}  # fmt: skip
AXES = {"dim", "axis", "dim0", "dim1", "start_dim", "end_dim"}
ALONG = words(
    "sum mean var std prod softmax log_softmax max min amax amin argmax argmin cumsum cumprod norm "
    "unsqueeze squeeze transpose swapaxes flip roll logsumexp any all sort argsort unbind"
)
"""Calls that take an axis by its position."""
_FLAGS = {"keepdim": True, "keepdims": True, "unbiased": False, "is_causal": True}
"""By flag: the value that is not its default."""
_BESIDE_A_SIGN = re.compile(r"(?:[\s()\\]|#.*)*")
"""The text that may stand between an operand and its operator."""
_EPS = {"eps", "epsilon"}
_TINY, _HUGE = 1e-3, 1e4


def _sign(left: ast.expr, right: ast.expr, old: str, new: str, text: Text) -> Iterator[Change]:
    """Replace the operator between two operands."""
    (_, start), (end, _) = span(left), span(right)
    skipped = _BESIDE_A_SIGN.match(text.between(start, end))
    assert skipped
    line, column = behind(start, skipped[0])
    yield Change((line, column), (line, column + len(old)), new)


def _arithmetic(node: ast.BinOp, text: Text) -> Iterator[Change]:
    """`a + b` as `a - b`, `a * b` as `a / b`; a number in it as another one."""
    for side in (node.left, node.right):
        if isinstance(node.op, ast.Add) and is_eps(side):
            yield replaced(side, "0.0", advisory=True)
            return
    if any(isinstance(side, ast.Constant | ast.JoinedStr) and not _is_number(side)
           for side in (node.left, node.right)):  # fmt: skip
        return  # text, put together
    if type(node.op) in _ARITHMETIC:
        old, new = _SIGNS[type(node.op)], _ARITHMETIC[type(node.op)]
        yield from _sign(node.left, node.right, old, new, text)
    for side in (node.left, node.right):
        match side:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int(number)):
                yield replaced(side, str(number + 1))
            case ast.Constant(value=float(number)) if number:
                yield replaced(side, repr(number * 2))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def is_eps(node: ast.expr) -> bool:
    """Whether a node is a small number that keeps a divisor from 0."""
    match node:
        case ast.Constant(value=float(number)):
            return 0 < number < _TINY
    return last_name(node) in _EPS


def _in_place(node: ast.AugAssign, text: Text) -> Iterator[Change]:
    """`a += b` as `a -= b`."""
    if type(node.op) in _ARITHMETIC:
        old, new = _SIGNS[type(node.op)], _ARITHMETIC[type(node.op)]
        yield from _sign(node.target, node.value, f"{old}=", f"{new}=", text)


def _unary(node: ast.UnaryOp, text: Text) -> Iterator[Change]:
    """`~mask` as `mask`, `not x` as `x`, `-x` as `x`, also the sign of infinity."""
    constant = isinstance(node.operand, ast.Constant)
    huge = constant and _is_number(node.operand) and abs(ast.literal_eval(node.operand)) >= _HUGE
    if not constant or huge:
        start, end = span(node)[0], span(node.operand)[0]
        sign = 3 if isinstance(node.op, ast.Not) else 1
        rest = text.between((start[0], start[1] + sign), end).lstrip(" ")
        yield Change(start, end, rest)


def _infinity(node: ast.Constant, _: Text) -> Iterator[Change]:
    """`float("-inf")` as `float("inf")`."""
    if node.value == "-inf":
        yield replaced(node, '"inf"')


def _comparison(node: ast.Compare, text: Text) -> Iterator[Change]:
    """`a < b` as `a >= b`."""
    for (left, right), operator in zip(
        pairwise([node.left, *node.comparators]), node.ops, strict=True
    ):
        if type(operator) in _COMPARED:
            yield from _sign(left, right, _SIGNS[type(operator)], _COMPARED[type(operator)], text)


def _logic(node: ast.BoolOp, text: Text) -> Iterator[Change]:
    """`a and b` as `a or b`."""
    old = _SIGNS[type(node.op)]
    new = "or" if old == "and" else "and"
    for left, right in pairwise(node.values):
        yield from _sign(left, right, old, new, text)


def _condition(node: ast.If | ast.IfExp, text: Text) -> Iterator[Change]:
    """`if x` as `if not x`; a comparison is changed by `_comparison`."""
    if not isinstance(node.test, ast.Compare | ast.UnaryOp) or isinstance(
        getattr(node.test, "ops", [None])[0], ast.Is | ast.IsNot
    ):
        yield replaced(node.test, f"not ({text.of(node.test)})")


def _call(node: ast.Call, text: Text) -> Iterator[Change]:
    """A called name as its sibling, an axis as its neighbour, a flag as its default."""
    name = called(node)
    if name in _SIBLINGS and not _is_alone(node.func, _SIBLINGS[name], text):
        end = span(node.func)[1]
        start = (end[0], end[1] - len(name.encode()))
        yield Change(start, end, _SIBLINGS[name])
    for keyword in node.keywords:
        if keyword.arg in AXES:
            yield from _axis(keyword.value)
        elif keyword.arg == "correction" and literal(keyword.value) == 0:
            yield replaced(keyword.value, "1")
        elif keyword.arg in _FLAGS and literal(keyword.value) is _FLAGS[keyword.arg]:
            yield replaced(keyword.value, str(not _FLAGS[keyword.arg]))
    if name in ALONG and not (isinstance(node.func, ast.Name) and hasattr(builtins, name)):
        for argument in node.args:
            yield from _axis(argument)


def _is_alone(function: ast.expr, sibling: str, text: Text) -> bool:
    """Whether a function is Python's own, and its sibling is not, nor anything else here."""
    builtin = isinstance(function, ast.Name) and hasattr(builtins, function.id)
    return builtin and not hasattr(builtins, sibling) and sibling not in text.code


def _axis(node: ast.expr) -> Iterator[Change]:
    number = whole(node)
    if number is not None:
        yield replaced(node, str({-1: -2, -2: -1, 0: 1}.get(number, number - 1)))


CALCULATIONS: Operators = MappingProxyType(
    {
        ast.BinOp: (_arithmetic,),
        ast.AugAssign: (_in_place,),
        ast.UnaryOp: (_unary,),
        ast.Constant: (_infinity,),
        ast.Compare: (_comparison,),
        ast.BoolOp: (_logic,),
        ast.If: (_condition,),
        ast.IfExp: (_condition,),
        ast.Call: (_call,),
    }
)
