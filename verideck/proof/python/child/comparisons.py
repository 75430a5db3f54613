"""Comparisons that held: whether they could have failed, and whether they held by broadcasting."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence

from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.child.values import is_array

use_own_builtins(globals())

CALLS = frozenset(
    {"allclose", "isclose", "eq", "equal", "array_equal", "mse_loss", "l1_loss", "smooth_l1_loss",
     "huber_loss", "dist", "approx", "assertAlmostEqual"}
)  # fmt: skip
"""Calls that compare their first two arguments, or what they are a method of with the first."""
SIZES = frozenset(
    {"abs", "absolute", "amax", "fabs", "item", "linalg", "max", "mean", "norm", "pow", "sqrt",
     "square", "sum", "vector_norm", "matrix_norm"}
)  # fmt: skip
"""Calls that say how large a difference is."""
TOLERANCES: Mapping[str, bool] = {
    "atol": False, "rtol": True, "abs_tol": False, "rel_tol": True, "delta": False,
    "abs": False, "rel": True,
}  # fmt: skip
"""By keyword: whether a tolerance is relative."""
_STRICT = {
    "torch": "torch.testing.assert_close, which does",
    "numpy": "numpy.testing.assert_allclose, which does",
}


def is_with_itself(call: ast.Call) -> bool:
    """Whether a call compares an expression with itself."""
    sides = list(call.args[:2])
    if len(call.args) == 1 and isinstance(call.func, ast.Attribute):
        sides.insert(0, call.func.value)
    changing = ast.Call | ast.Await | ast.NamedExpr
    settled = not any(isinstance(each, changing) for side in sides for each in ast.walk(side))
    return len(sides) > 1 and settled and len(set(map(ast.dump, sides))) == 1


def is_close(function: ast.expr) -> bool:
    """Whether a function also takes a relative and an absolute tolerance, in this order."""
    match function:
        case ast.Name(id=name):
            return name in {"allclose", "isclose"}
        case ast.Attribute(value=ast.Call(args=[_, module])):  # kept as an operand
            return is_close(ast.Attribute(module, function.attr, ast.Load()))
        case ast.Attribute(value=ast.Name(id="np" | "numpy" | "torch"), attr=name):
            return name in {"allclose", "isclose"}
    return False


def broadcast(name: str, one: object, other: object) -> tuple[str, str]:
    """What to tell if a call compared arrays of different shapes, and a hint; else two empty texts.

    `name` is empty for an operator.
    """
    if not (is_array(one) and is_array(other)):
        return "", ""
    shapes = [tuple(each.shape) for each in (one, other)]  # type: ignore[attr-defined]
    if shapes[0] == shapes[1] or not all(shapes):
        return "", ""
    libraries = {type(each).__module__.partition(".")[0] for each in (one, other)}
    strict = _STRICT["torch" if "torch" in libraries else "numpy"]
    what = f"{name or 'this comparison'} held by broadcasting"
    return (
        f"{what}: the shapes are {shapes[0]} and {shapes[1]}",
        f"assert the shapes too, or compare with {strict}",
    )


def why_equal(one: object, other: object) -> str:
    """Why two sides of a comparison could not differ; empty if they could."""
    arrays = [each for each in (one, other) if is_array(each)]
    if any(math.prod(each.shape) == 0 for each in arrays):  # type: ignore[attr-defined]
        return "it compares an array without elements"
    if one is not other and all(_is_nothing_but_nan(each) for each in (one, other)):
        return "it compares nothing but NaN"
    return ""


def _is_nothing_but_nan(value: object) -> bool:
    if is_array(value):
        return bool((value != value).all())  # type: ignore[attr-defined] # noqa: PLR0124 - NaN
    if isinstance(value, list | tuple) and value:
        return all(isinstance(each, float) and math.isnan(each) for each in value)
    return False


def why_tolerant(tolerance: object, *, relative: bool) -> str:
    """Why a tolerance accepts anything; empty if it does not."""
    if not isinstance(tolerance, int | float):
        return ""
    if math.isinf(tolerance) or math.isnan(tolerance) or (relative and tolerance >= 1):
        return f"a tolerance of {tolerance:g} accepts any value"
    return ""


def why_vacuous(arguments: Sequence[object], named: Mapping[str, object]) -> str:
    """Why the call of a library's assertion could not have failed; empty if it could."""
    found = why_equal(*arguments[:2]) if len(arguments) > 1 else ""
    for name, value in named.items():
        if not found and name in TOLERANCES:
            found = why_tolerant(value, relative=TOLERANCES[name])
    return found


def is_collection_of_verdicts(value: object) -> bool:
    """Whether a value is a collection of truths, which is true itself if it is not empty."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        return False
    return all(isinstance(each, bool) for each in value)


def expects_anything(manager: object) -> bool:
    """Whether a context manager of `assertRaises` is content with every exception."""
    expected: object = getattr(manager, "expected", None)
    is_open = getattr(manager, "expected_regex", None) is None
    return is_open and expected in (Exception, BaseException)
