"""The changes that an audit makes to shown code, one at a time. An assertion should notice each.

They are chosen for numeric code: mistakes that a reader could make and that the shapes do not show.
Assertions are not changed, nor code that only makes inputs (seeds, sizes, random tensors), whole
statements, or integers that are neither an axis nor part of an arithmetic.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from types import MappingProxyType

_IGNORED = re.compile(r"#\s*audit:\s*ignore\s+(?P<reason>\S.*)")
"""A comment behind a line whose changes make no difference, with the reason."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
_AXES = {"dim", "axis", "dim0", "dim1", "start_dim", "end_dim"}
_ALONG = _words(
    "sum mean var std prod softmax log_softmax max min amax amin argmax argmin cumsum cumprod norm "
    "unsqueeze squeeze transpose flip roll logsumexp any all sort argsort unbind"
)
"""Calls that take an axis by its position."""
_FLAGS = {"keepdim": True, "keepdims": True, "unbiased": False, "is_causal": True}
"""By flag: the value that is not its default."""
_INPUTS = _words(
    "randn rand randint randperm normal uniform manual_seed seed default_rng Generator tensor "
    "array arange linspace eye zeros ones full empty zeros_like ones_like rand_like randn_like "
    "full_like double float half long int bool to type view reshape requires_grad_ astype tolist "
    "range list "
    "Parameter Linear"
)
"""Calls that make inputs."""
_BESIDE_A_SIGN = re.compile(r"(?:[\s()\\]|#.*)*")
"""The text that may stand between an operand and its operator."""
_EPS = {"eps", "epsilon"}
_TINY, _HUGE = 1e-3, 1e4


@dataclass(frozen=True, slots=True)
class Mutant:
    """Code with one change."""

    line: int
    """Of the code, counted from 1."""
    before: str
    after: str
    """That line, before and after the change."""
    code: str
    """The whole changed code."""
    advisory: bool = False
    """Whether it is reported but not counted: only an unusual input would show it."""


def mutants(code: str, first: int = 1, last: int | None = None) -> list[Mutant]:
    """Every mutant of the lines from `first` to `last`; none of code that is not Python."""
    try:
        tree = _parsed(code)
    except (SyntaxError, ValueError, RecursionError):
        return []
    text = _Text(code)
    found: dict[str, Mutant] = {}
    for node in _computing(tree):
        for change in _changes(node, text):
            mutant = text.changed(change)
            if mutant is None or ignored(mutant.before):
                continue
            if first <= mutant.line and (last is None or mutant.line <= last):
                found.setdefault(mutant.code, mutant)
    return sorted(found.values(), key=lambda mutant: mutant.line)


_PARSING = Lock()


def _parsed(code: str) -> ast.Module:
    """The syntax tree of code. One thread parses at a time.

    Several cards are audited at once, and CPython counts for all threads together how deep it is in
    a tree, so that one may find another's count and raise SystemError (gh-106905).
    """
    with _PARSING:
        return ast.parse(code)


def ignored(line: str) -> str:
    """The reason why a line is not changed; empty if there is none."""
    found = _IGNORED.search(line)
    return found["reason"] if found else ""


@dataclass(frozen=True, slots=True)
class _Change:
    """Other text for a range of the code, in lines from 1 and bytes from 0."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str
    advisory: bool = False


class _Text:
    """Code in which the text of a node can be changed."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.bytes = code.encode()
        self.starts = [0]
        for line in code.split("\n"):
            self.starts.append(self.starts[-1] + len(line.encode()) + 1)

    def at(self, position: tuple[int, int]) -> int:
        return self.starts[position[0] - 1] + position[1]

    def between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        return self.bytes[self.at(start) : self.at(end)].decode()

    def of(self, node: ast.expr) -> str:
        return self.between(*_span(node))

    def changed(self, change: _Change) -> Mutant | None:
        """The code with a change; None if it is not Python, or not exactly one line differs."""
        before, after = self.bytes[: self.at(change.start)], self.bytes[self.at(change.end) :]
        code = (before + change.text.encode() + after).decode()
        try:
            _parsed(code)
        except SyntaxError:
            return None
        old, new = self.code.split("\n"), code.split("\n")
        others = [number for number, pair in enumerate(zip(old, new, strict=False), start=1)
                  if pair[0] != pair[1]]  # fmt: skip
        if len(old) != len(new) or len(others) != 1:
            return None
        line = others[0]
        return Mutant(line, old[line - 1].strip(), new[line - 1].strip(), code, change.advisory)


def _span(node: ast.expr | ast.stmt) -> tuple[tuple[int, int], tuple[int, int]]:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset), end


def _computing(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute a result."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assert | ast.Raise | ast.Import | ast.ImportFrom | ast.arguments):
            continue
        if child in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            continue
        match child:
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                computes = not _makes_inputs(value)
            case ast.Expr(value=value):
                computes = not _makes_inputs(value) and not _asserts(value)
            case _:
                computes = True
        if computes:
            yield child
            yield from _computing(child)


def _asserts(value: ast.expr) -> bool:
    """Whether a statement calls a library's assertion."""
    return isinstance(value, ast.Call) and _called(value).startswith("assert")


def _makes_inputs(value: ast.expr) -> bool:
    """Whether an expression only makes inputs: nothing is computed from a value that has a name."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    if not calls or any(_called(call) not in _INPUTS for call in calls):
        return False
    return not any(isinstance(node, ast.BinOp | ast.Compare) for node in ast.walk(value))


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _changes(node: ast.AST, text: _Text) -> Iterator[_Change]:
    for kind, change in _OPERATORS:
        if isinstance(node, kind):
            yield from change(node, text)


def _replaced(node: ast.expr, text: str, *, advisory: bool = False) -> _Change:
    return _Change(*_span(node), text, advisory)


def _sign(left: ast.expr, right: ast.expr, old: str, new: str, text: _Text) -> Iterator[_Change]:
    """Replace the operator between two operands."""
    (_, start), (end, _) = _span(left), _span(right)
    skipped = _BESIDE_A_SIGN.match(text.between(start, end))
    assert skipped
    *above, beside = skipped[0].split("\n")
    column = len(beside.encode()) + (0 if above else start[1])
    line = start[0] + len(above)
    yield _Change((line, column), (line, column + len(old)), new)


def _arithmetic(node: ast.BinOp, text: _Text) -> Iterator[_Change]:
    """`a + b` as `a - b`, `a * b` as `a / b`; a number in it as another one."""
    for side in (node.left, node.right):
        if isinstance(node.op, ast.Add) and _is_eps(side):
            yield _replaced(side, "0.0", advisory=True)
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
                yield _replaced(side, str(number + 1))
            case ast.Constant(value=float(number)) if number:
                yield _replaced(side, repr(number * 2))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_eps(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _EPS
        case ast.Constant(value=float(number)):
            return 0 < number < _TINY
    return False


def _in_place(node: ast.AugAssign, text: _Text) -> Iterator[_Change]:
    """`a += b` as `a -= b`."""
    if type(node.op) in _ARITHMETIC:
        old, new = _SIGNS[type(node.op)], _ARITHMETIC[type(node.op)]
        yield from _sign(node.target, node.value, f"{old}=", f"{new}=", text)


def _unary(node: ast.UnaryOp, text: _Text) -> Iterator[_Change]:
    """`~mask` as `mask`, `not x` as `x`, `-x` as `x`, also the sign of infinity."""
    constant = isinstance(node.operand, ast.Constant)
    huge = constant and _is_number(node.operand) and abs(ast.literal_eval(node.operand)) >= _HUGE
    if not constant or huge:
        start, end = _span(node)[0], _span(node.operand)[0]
        sign = 3 if isinstance(node.op, ast.Not) else 1
        rest = text.between((start[0], start[1] + sign), end).lstrip(" ")
        yield _Change(start, end, rest)


def _infinity(node: ast.Constant, _: _Text) -> Iterator[_Change]:
    """`float("-inf")` as `float("inf")`."""
    if node.value == "-inf":
        yield _replaced(node, '"inf"')


def _comparison(node: ast.Compare, text: _Text) -> Iterator[_Change]:
    """`a < b` as `a >= b`."""
    for (left, right), operator in zip(
        pairwise([node.left, *node.comparators]), node.ops, strict=True
    ):
        if type(operator) in _COMPARED:
            yield from _sign(left, right, _SIGNS[type(operator)], _COMPARED[type(operator)], text)


def _logic(node: ast.BoolOp, text: _Text) -> Iterator[_Change]:
    """`a and b` as `a or b`."""
    old = _SIGNS[type(node.op)]
    new = "or" if old == "and" else "and"
    for left, right in pairwise(node.values):
        yield from _sign(left, right, old, new, text)


def _condition(node: ast.If | ast.IfExp, text: _Text) -> Iterator[_Change]:
    """`if x` as `if not x`; a comparison is changed by `_comparison`."""
    if not isinstance(node.test, ast.Compare | ast.UnaryOp) or isinstance(
        getattr(node.test, "ops", [None])[0], ast.Is | ast.IsNot
    ):
        yield _replaced(node.test, f"not ({text.of(node.test)})")


def _call(node: ast.Call, _: _Text) -> Iterator[_Change]:
    """A called name as its sibling, an axis as its neighbour, a flag as its default."""
    name = _called(node)
    if name in _SIBLINGS:
        end = _span(node.func)[1]
        start = (end[0], end[1] - len(name.encode()))
        yield _Change(start, end, _SIBLINGS[name])
    for keyword in node.keywords:
        if keyword.arg in _AXES:
            yield from _axis(keyword.value)
        elif keyword.arg == "correction" and _value(keyword.value) == 0:
            yield _replaced(keyword.value, "1")
        elif keyword.arg in _FLAGS and _value(keyword.value) is _FLAGS[keyword.arg]:
            yield _replaced(keyword.value, str(not _FLAGS[keyword.arg]))
    if name in _ALONG and not (isinstance(node.func, ast.Name) and hasattr(builtins, name)):
        for argument in node.args:
            yield from _axis(argument)


def _value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _axis(node: ast.expr) -> Iterator[_Change]:
    number = _value(node)
    if isinstance(number, int) and not isinstance(number, bool):
        yield _replaced(node, str({-1: -2, -2: -1, 0: 1}.get(number, number - 1)))


_Operator = Callable[..., Iterator[_Change]]
_OPERATORS: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], _Operator], ...] = (
    (ast.BinOp, _arithmetic),
    (ast.AugAssign, _in_place),
    (ast.UnaryOp, _unary),
    (ast.Constant, _infinity),
    (ast.Compare, _comparison),
    (ast.BoolOp, _logic),
    ((ast.If, ast.IfExp), _condition),
    (ast.Call, _call),
)
"""By kind of node. To add a change: a function, a line here, a case in the tests."""
