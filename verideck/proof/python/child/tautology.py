"""Tests whose outcome is certain from their text, whatever the code above them computes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from verideck.proof.python.child import comparisons
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.syntax import called

use_own_builtins(globals())

_LITERAL = (
    ast.Constant | ast.Tuple | ast.List | ast.Set | ast.Dict | ast.UnaryOp | ast.unaryop | ast.Load
)


def why_true(test: ast.expr) -> tuple[str, str] | None:
    """Why a test cannot fail, and a hint at what was meant; None if it can."""
    match test:
        case ast.ListComp(elt=elt, generators=loops) | ast.SetComp(elt=elt, generators=loops):
            if _judges(elt) and not any(loop.ifs for loop in loops):
                return "it holds whatever each of them comes to", "write `assert all(…)`"
    if certain := _why_certain(test):
        return certain, "assert what the code has computed"
    if not truth(test):
        return None
    meant = "assert what the code has computed"
    if isinstance(test, ast.Tuple):
        meant = "leave out the parentheses: `assert test, message`"
    return "its text shows that it is true", meant


def is_constant(test: ast.expr) -> bool:
    """Whether a test is made of literals alone, so that nothing above it can change its outcome."""
    read = (ast.Name, ast.Call, ast.Attribute, ast.Await, ast.NamedExpr, ast.Lambda)
    return not any(isinstance(each, read) for each in ast.walk(test))


def is_misplaced(message: ast.expr | None, test: ast.expr) -> bool:
    """Whether an assertion's message is what its test was to be compared with: `assert f(2), 4`."""
    match message:
        case ast.Constant(value=value):
            is_value = not isinstance(value, str)
        case ast.UnaryOp() | ast.List() | ast.Tuple() | ast.Dict() | ast.Set():
            is_value = is_constant(message)
        case _:
            is_value = False
    judges = isinstance(test, ast.Compare | ast.BoolOp) or (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    )
    return is_value and not judges


def _why_certain(test: ast.expr) -> str:
    """Why a test holds for every value of the variables in it; empty if it does not."""
    found = ""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.LtE() | ast.GtE() | ast.Is()],
                         comparators=[right]):  # fmt: skip
            if ast.dump(left) == ast.dump(right) and _is_settled(left):
                found = "it compares a value with itself"
        case ast.BoolOp(op=ast.Or(), values=values):
            written = {ast.dump(value) for value in values}
            denied = {
                ast.dump(value.operand)
                for value in values
                if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
            }
            found = "it is one or the other" if written & denied else ""
            found = found or next(filter(None, map(_why_certain, values)), "")
        case ast.BoolOp(op=ast.And(), values=values):
            reasons = [_why_certain(value) for value in values]
            found = reasons[0] if all(reasons) else ""
        case ast.IfExp(body=one, orelse=other):
            if truth(one) is True or truth(other) is True:
                found = "one of its outcomes is written down"
        case ast.JoinedStr():
            found = "a text that is not empty is true"
        case ast.Call():
            found = _why_certain_of(test)
    return found


def _why_certain_of(call: ast.Call) -> str:
    """Why a call gives what is true, whatever it is given; empty if it does not."""
    found = ""
    match call:
        case ast.Call(func=ast.Name(id="str" | "repr" | "format" | "ascii"), args=[_, *_]):
            found = "a text that is not empty is true"
        case _ if called(call) in comparisons.CALLS and comparisons.is_with_itself(call):
            found = "it compares a value with itself"
        case ast.Call(
            func=ast.Attribute(attr="startswith" | "endswith"), args=[ast.Constant(value="")]
        ):
            found = "every text begins and ends with the empty one"
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            found = "everything is an object"
        case ast.Call(
            func=ast.Name(id="all" | "any"),
            args=[ast.GeneratorExp(elt=elt) | ast.ListComp(elt=elt)],
        ):
            found = _why_certain(elt)
    return found


def _is_settled(side: ast.expr) -> bool:
    """Whether an expression gives the same value each time that it is evaluated."""
    changing = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
    return not any(isinstance(each, changing) for each in ast.walk(side)) and any(
        isinstance(each, ast.Name) for each in ast.walk(side)
    )


def _judges(expression: ast.expr) -> bool:
    match expression:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
    return False


def truth(test: ast.expr) -> bool | None:
    """The outcome of a test that is certain from its text; None if it is not."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(operand)
            found = None if inner is None else not inner
        case ast.NamedExpr(value=value):
            found = truth(value)
        case ast.IfExp(test=condition, body=one, orelse=other):
            chosen = truth(condition)
            if chosen is not None:
                found = truth(one if chosen else other)
            else:
                found = truth(one) if truth(one) is truth(other) else None
        case ast.BoolOp(op=operator, values=values):
            found = _joined([truth(value) for value in values], by=isinstance(operator, ast.Or))
        case ast.Compare():
            found = _compared(test)
        case _:
            found = _displayed(test)
    return found


def _displayed(test: ast.expr) -> bool | None:
    """The truth of a literal or a display; None if it is not certain."""
    found = None
    match test:
        case (
            ast.Constant(value=value)
            | ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=value))
        ):
            found = bool(value)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            found = _has_any([not isinstance(part, ast.Starred) for part in parts])
        case ast.Dict(keys=keys):
            found = _has_any([key is not None for key in keys])
        case ast.JoinedStr(values=pieces):
            found = _has_any([isinstance(piece, ast.Constant) for piece in pieces])
        case ast.GeneratorExp() | ast.Lambda():
            found = True
    return found


def _has_any(certain: Sequence[bool]) -> bool | None:
    """Whether a collection is not empty, by which of its parts are certain."""
    return True if any(certain) else None if certain else False


def _joined(parts: Sequence[bool | None], *, by: bool) -> bool | None:
    """The outcome of an `or` (`by` true) or an `and` (`by` false)."""
    if by in parts:
        return by
    return None if None in parts else not by


def _compared(test: ast.Compare) -> bool | None:
    """The outcome of a literal compared with itself; one that is written in two ways may differ."""
    sides = [test.left, *test.comparators]
    literal = all(isinstance(each, _LITERAL) for side in sides for each in ast.walk(side))
    if len({truth(side) for side in sides} - {None}) > 1 and len(test.ops) == 1:
        match test.ops[0]:
            case ast.Eq() | ast.Is():
                return False
            case ast.NotEq() | ast.IsNot():
                return True
    if not literal or len(set(map(_written, sides))) > 1:
        return None
    return all(isinstance(each, ast.Eq | ast.LtE | ast.GtE | ast.Is) for each in test.ops)


def _written(side: ast.expr) -> tuple[str, int, int]:
    """A key that differs for `255`, `0xff` and `254`."""
    lines = (side.end_lineno or 0) - side.lineno
    return ast.dump(side), lines, (side.end_col_offset or 0) - side.col_offset
