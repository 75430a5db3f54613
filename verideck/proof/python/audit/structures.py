"""Changes of what is taken, from where, how often, and of what has a gradient."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from itertools import chain
from types import MappingProxyType

from verideck.proof.python.audit.calculations import ALONG, AXES, is_eps
from verideck.proof.python.audit.changes import (
    Change,
    Operators,
    Text,
    added,
    dropped,
    is_module,
    literal,
    other_literal,
    replaced,
    span,
    swapped,
    whole,
    words,
)
from verideck.proof.python.wire.syntax import called, last_name

_REDUCING = words(
    "sum mean var std prod max min amax amin argmax argmin norm logsumexp any all median nansum"
)
"""Calls that take an axis away, unless they keep it."""
_IDLE = words(
    "cache lru_cache wraps override final overload abstractmethod runtime_checkable jit njit "
    "compile script total_ordering"
)
"""Decorators without which a call gives the same, or that only say something to a reader."""
_COPIES = words("detach clone copy")
_GRADIENTS = MappingProxyType({"no_grad": "enable_grad", "inference_mode": "enable_grad"})
_CLAMPS = words("clamp clip clamp_ clip_ clamp_min clamp_max")
_BOUNDS = words("min max a_min a_max")
_TRANSPOSED = words("T mT H mH")
_LAST_TWO = re.compile(r"(.*)([A-Za-z])([A-Za-z])", re.DOTALL)


def _subscript(node: ast.Subscript, _: Text) -> Iterator[Change]:
    """`x[1:]` as `x[2:]`, `x[:n]` as `x[:]`, `x[::2]` as `x[::1]`, `x[-1]` as `x[0]`."""
    if isinstance(node.ctx, ast.Del):
        return
    for each in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
        if isinstance(each, ast.Slice):
            yield from _slice(each)
        elif (number := whole(each)) is not None:
            yield replaced(each, str({-1: 0, 0: -1}.get(number, number - 1)))


def _slice(node: ast.Slice) -> Iterator[Change]:
    for bound, by, over in ((node.lower, 1, {-1: -2}), (node.upper, -1, {0: 1})):
        number = whole(bound)
        if bound and number is not None:
            yield replaced(bound, str(over.get(number, number + by)))
        elif bound and not isinstance(bound, ast.BinOp):  # whose sign is changed
            yield replaced(bound, "")
    if node.step and literal(node.step) != 1:
        yield replaced(node.step, "1")


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef, _: Text) -> Iterator[Change]:
    """`def f(n=2)` as `def f(n=3)`; a small number is left out where it is added."""
    named = node.args.posonlyargs + node.args.args
    behind = named[len(named) - len(node.args.defaults) :]
    pairs = chain(
        zip(behind, node.args.defaults, strict=True),
        zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    )
    for argument, default in pairs:
        match literal(default):
            case bool() | int() as value if default:
                yield replaced(default, other_literal(value))
            case float() as value if default:
                if not (is_eps(default) or is_eps(ast.Name(argument.arg))):
                    yield replaced(default, other_literal(value))


def _decorators(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, text: Text
) -> Iterator[Change]:
    """A function without its decorator."""
    for each in node.decorator_list:
        name = last_name(each.func if isinstance(each, ast.Call) else each)
        if name not in _IDLE:
            line = each.lineno, 0
            before = text.between(line, span(each)[0])
            sign = (each.lineno, before.rfind("@"))
            yield Change(sign, sign, "# ", hidden=True)


def _call(node: ast.Call, text: Text) -> Iterator[Change]:
    name = called(node)
    if name == "einsum":
        yield from _einsum(node)
    if name in _GRADIENTS:
        end = span(node.func)[1]
        yield Change((end[0], end[1] - len(name)), end, _GRADIENTS[name], hidden=True)
    if name == "set_grad_enabled" and node.args and isinstance(literal(node.args[0]), bool):
        yield replaced(node.args[0], str(not literal(node.args[0])), hidden=True)
    if (
        isinstance(node.func, ast.Attribute)
        and name in _COPIES
        and not (node.args or node.keywords)
    ):
        yield dropped(node, node.func.value, text, hidden=True)
    if name in _CLAMPS:
        yield from _clamped(node)
    if name in {"tril", "triu", "tril_", "triu_"}:
        yield from _diagonal(node, text)
    if name == "permute":
        yield from _permuted(node, text)
    if name in _REDUCING:
        yield from _kept(node, text)


def _einsum(node: ast.Call) -> Iterator[Change]:
    """`bid,bjd->bij` as `bid,bjd->bji`, and with the indices of its first operand swapped."""
    text = literal(node.args[0]) if node.args else None
    if not isinstance(text, str):
        return
    operands, arrow, output = text.partition("->")
    if found := _LAST_TWO.fullmatch(output.rstrip()):
        yield replaced(
            node.args[0], repr(f"{operands}{arrow}{found[1]}{found[3]}{found[2]}"), hidden=True
        )
    first, comma, rest = operands.partition(",")
    if (found := _LAST_TWO.fullmatch(first.rstrip())) and found[2] != found[3]:
        first = f"{found[1]}{found[3]}{found[2]}"
        yield replaced(node.args[0], repr(f"{first}{comma}{rest}{arrow}{output}"), hidden=True)


def _clamped(node: ast.Call) -> Iterator[Change]:
    """A bound as another one."""
    bounds = [*node.args, *(each.value for each in node.keywords if each.arg in _BOUNDS)]
    for each in bounds:
        match literal(each):
            case bool():
                pass
            case int() | float() as number:
                yield replaced(each, repr(number + 1))


def _diagonal(node: ast.Call, text: Text) -> Iterator[Change]:
    """A triangle that begins at the next diagonal."""
    by = -1 if called(node).startswith("tril") else 1
    values = [*node.args, *(each.value for each in node.keywords if each.arg in {"diagonal", "k"})]
    numbers = [(each, number) for each in values if (number := whole(each)) is not None]
    for each, number in numbers:
        yield replaced(each, str(number + by))
    if not numbers and len(node.args) == int(_is_of_module(node, text)) and not node.keywords:
        yield added(node, str(by))


def _permuted(node: ast.Call, text: Text) -> Iterator[Change]:
    """`x.permute(0, 2, 1)` as `x.permute(0, 1, 2)`."""
    axes = node.args
    if axes and isinstance(axes[-1], ast.Tuple | ast.List):
        axes = axes[-1].elts
    if len(axes) > 1 and None not in map(whole, axes[-2:]):
        yield swapped(axes[-2], axes[-1], text)


def _kept(node: ast.Call, text: Text) -> Iterator[Change]:
    """`x.mean(-1)` as `x.mean(-1, keepdim=True)`.

    Without the first axis, what is left broadcasts as with it.
    """
    if any(each.arg in {"keepdim", "keepdims"} or each.arg is None for each in node.keywords):
        return
    behind = node.args[1:] if _is_of_module(node, text) else node.args
    named = [each for each in node.keywords if each.arg in AXES]
    axes = [each.value for each in named] or behind[-1:]
    if len(axes) != 1 or whole(axes[0]) in {None, 0}:
        return
    is_python = isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id)
    if not is_python and (named or called(node) in ALONG):
        names = {each.arg for each in named}
        torch = "axis" not in names and bool(names or "torch" in text.code)
        yield added(node, "keepdim=True" if torch else "keepdims=True")


def _is_of_module(node: ast.Call, text: Text) -> bool:
    """Whether a module's function is called, and not a method."""
    return not isinstance(node.func, ast.Attribute) or is_module(node.func, text)


def _transposed(node: ast.Attribute, text: Text) -> Iterator[Change]:
    """`x.T` as `x`."""
    if node.attr in _TRANSPOSED and isinstance(node.ctx, ast.Load):
        yield dropped(node, node.value, text)


def _loop(node: ast.For | ast.AsyncFor | ast.comprehension, text: Text) -> Iterator[Change]:
    """`range(n)` as `range(n - 1)`, `range(1, n)` as `range(2, n)`."""
    match node.iter:
        case ast.Call(func=ast.Name(id="range"), args=[*start, stop]) if len(start) < 2:  # noqa: PLR2004 - a step is a third
            for bound, by in ((stop, -1), *((each, 1) for each in start)):
                if (number := whole(bound)) is not None:
                    yield replaced(bound, str(number + by))
                elif not isinstance(bound, ast.BinOp | ast.IfExp | ast.BoolOp):
                    yield replaced(bound, f"{text.of(bound)} {'-' if by < 0 else '+'} 1")


STRUCTURES: Operators = MappingProxyType(
    {
        ast.Subscript: (_subscript,),
        ast.FunctionDef: (_defaults, _decorators),
        ast.AsyncFunctionDef: (_defaults, _decorators),
        ast.ClassDef: (_decorators,),
        ast.Call: (_call,),
        ast.Attribute: (_transposed,),
        ast.For: (_loop,),
        ast.AsyncFor: (_loop,),
        ast.comprehension: (_loop,),
    }
)
