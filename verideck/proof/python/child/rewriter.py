"""Rewrites the assertions of the author's code, so that each is counted and shows its operands.

`Rewriter` changes `assert` in the syntax tree into

    with recorder.asserting(<number of its site>):
        if recorder.weigh(<test, each operand passed through recorder.keep>):
            recorder.hold()
        else:
            raise recorder.failure(<operands>, <message>)

so that an assertion counts when it is executed, not when it merely stands in the text. A library's
`assert_*` that is a statement is passed through the recorder, too.
"""

from __future__ import annotations

import ast
import itertools

from verideck.proof.python.child import comparisons
from verideck.proof.python.child.assertions import UNRELATED
from verideck.proof.python.child.ours import call, put
from verideck.proof.python.child.tautology import is_constant, is_misplaced, why_true
from verideck.proof.python.child.tracer import NAME, SITE
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.child.values import shortened
from verideck.proof.python.wire.syntax import called

use_own_builtins(globals())

_NOTHING_READ = (
    "this assertion reads nothing that the card computes",
    "give a name to what it shows, and assert that: `quotient = 7 // 2`, `assert quotient == 3`",
)
_WITH_ITSELF = ("it compares a value with itself", "compare it with what it should be")
_ONLY_A_MESSAGE = (
    "this assertion compares nothing: what stands behind the comma is its message",
    "write `assert value == expected`",
)
_OPERANDS = itertools.count()
"""Numbers that no two operands of a run share."""
_MEASURES = {"abs", "absolute", "amax", "fabs", "item", "max"}


class Rewriter(ast.NodeTransformer):
    """Rewrites the assertions of one module or snippet."""

    def __init__(self, *, traces: bool = False) -> None:
        """With `traces`, the recorder sees every value that an assertion reads."""
        self._traces = traces

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        """Follow a library's `assert_*`, and show the recorder what it is given."""
        site: int | None = getattr(node, SITE, None)
        if site is None:
            return node
        value = node.value
        why = _why_refused(value) if isinstance(value, ast.Call) else None
        if self._traces:
            _Seen().generic_visit(value)
        asked = _call("asked", ast.Constant(site))
        node.value = put(_call("answered", ast.Constant(site), asked, value), value)
        if not why:
            return node
        refused = ast.Raise(exc=_call("idle", *map(ast.Constant, why)))
        return [node, put(refused, value)]

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        """Rewrite one assertion; if its text shows that it cannot fail, it raises when it holds."""
        site: int = getattr(node, SITE)
        idle: tuple[str, ...] | None = why_true(node.test)
        if idle is None and is_misplaced(node.msg, node.test):
            idle = (*_ONLY_A_MESSAGE, UNRELATED)
        if idle is None and is_constant(node.test):
            idle = (*_NOTHING_READ, UNRELATED)
        operands: dict[int, str] = {}
        sides = _Sides()
        test = sides.visit(self._kept_inside(node.test, operands))
        if self._traces:
            test = _Seen().visit(test)
        found = [ast.Constant(tuple(each)) for each in (sides.compared, sides.tolerances)]  # type: ignore[arg-type] # as compile takes it
        held: ast.stmt = ast.Expr(_call("hold", *found))
        if idle:
            held = ast.Raise(exc=_call("idle", *map(ast.Constant, idle)))
        named = ast.Dict(
            keys=[ast.Constant(number) for number in operands],
            values=[ast.Constant(text) for text in operands.values()],
        )
        arguments: list[ast.expr] = [named] + ([node.msg] if node.msg else [])
        decided = ast.If(
            test=_call("weigh", test),
            body=[held],
            orelse=[ast.Raise(exc=_call("failure", *arguments))],
        )
        begins = _call("asserting", ast.Constant(site))
        return put(ast.With(items=[ast.withitem(begins)], body=[decided]), node)

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
        if isinstance(expression, ast.GeneratorExp):
            expression.elt = self._kept_inside(expression.elt, operands)
        if isinstance(expression, ast.GeneratorExp | ast.Starred | ast.Lambda):
            return expression
        if not any(isinstance(each, ast.Name) for each in ast.walk(expression)):
            return expression  # a literal shows its value itself
        number = next(_OPERANDS)
        text = shortened(_as_written(expression))
        operands[number] = text
        return _keep(number, expression)


def _why_refused(call: ast.Call) -> tuple[str, ...] | None:
    """Why the call of a library's assertion proves nothing, as its text shows."""
    if comparisons.is_with_itself(call):
        return _WITH_ITSELF
    match call:
        case ast.Call(func=ast.Attribute(attr="assertTrue"), args=[test, message]):
            if is_misplaced(message, test):
                return *_ONLY_A_MESSAGE, UNRELATED
    return None


class _Sides(ast.NodeTransformer):
    """Finds the two sides of each comparison in an assertion, and has the recorder keep them.

    A comparison is one of Python's operators, a call that compares, or a difference whose size is
    compared with something.
    """

    def __init__(self) -> None:
        self.compared: list[tuple[str, int, int]] = []
        self.tolerances: list[tuple[int, bool]] = []

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Keep what an operator compares, or the difference that it weighs."""
        self.generic_visit(node)
        for side in (node.left, *node.comparators):
            self._difference(side)
        sides = [node.left, *node.comparators]
        sides = [self._kept(side) for side in sides]
        node.left, node.comparators = sides[0], sides[1:]
        for one, other in itertools.pairwise(sides):
            self._pair(one, other)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Keep what a call compares, and how far apart; count what `all` goes through."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id="all" | "any") as function, args=[values], keywords=[]):
                inside = values.args[1] if _number_of(values) is not None else values  # type: ignore[attr-defined]
                counted = _call("each", ast.Name(function.id, ast.Load()), inside)
                node.args = [put(counted, values)]
            case _ if called(node) in comparisons.CALLS:
                self._call(node)
        return node

    def _call(self, node: ast.Call) -> None:
        is_method = isinstance(node.func, ast.Attribute) and len(node.args) == 1
        node.args = [self._kept(each) for each in node.args]
        sides = list(node.args)
        if is_method and isinstance(node.func, ast.Attribute):
            node.func.value = self._kept(node.func.value)
            sides.insert(0, node.func.value)
        if len(sides) > 1:
            self._pair(sides[0], sides[1], called(node))
        for keyword in node.keywords:
            if keyword.arg and keyword.arg in comparisons.TOLERANCES:
                keyword.value = self._tolerance(
                    keyword.value, relative=comparisons.TOLERANCES[keyword.arg]
                )
        if comparisons.is_close(node.func):
            for position, relative in ((2, True), (3, False)):
                if position < len(node.args):
                    given = node.args[position]
                    node.args[position] = self._tolerance(given, relative=relative)

    def _tolerance(self, given: ast.expr, *, relative: bool) -> ast.expr:
        """Keep how far apart two sides may be."""
        if _number_of(given) is None:
            given = _keep(next(_OPERANDS), given)
        number = _number_of(given)
        assert number is not None
        self.tolerances.append((number, relative))
        return given

    def _difference(self, side: ast.expr) -> None:
        """Keep both sides of the difference whose size an expression is, if it is one."""
        while True:
            match side:
                case ast.Call() if _number_of(side) is not None:
                    side = side.args[1]
                case ast.Call(func=ast.Attribute(attr=name, value=inner), args=arguments):
                    if name not in comparisons.SIZES:
                        return
                    is_library = isinstance(inner, ast.Name | ast.Attribute) and arguments
                    side = arguments[0] if is_library else inner
                case ast.Call(func=ast.Name(id=name), args=[inner, *_]):
                    if name not in comparisons.SIZES:
                        return
                    side = inner
                case ast.BinOp(op=ast.Pow(), left=inner):
                    side = inner
                case ast.BinOp(op=ast.Sub()):
                    side.left, side.right = self._kept(side.left), self._kept(side.right)
                    self._pair(side.left, side.right)
                    return
                case _:
                    return

    def _pair(self, one: ast.expr, other: ast.expr, name: str = "") -> None:
        match _number_of(one), _number_of(other):
            case int(first), int(second):
                self.compared.append((name, first, second))
            case (int(only), None) | (None, int(only)):
                self.compared.append((name, only, only))

    @staticmethod
    def _kept(side: ast.expr) -> ast.expr:
        if _number_of(side) is not None or isinstance(side, ast.Constant | ast.Starred):
            return side
        return _keep(next(_OPERANDS), side)


class _Seen(ast.NodeTransformer):
    """Shows the recorder every value that has a name, or that a call returns.

    In `y.shape == (2, 3)` this is `y`: the assertion reads a tensor, and says little of it.
    """

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Show the value of a name."""
        if not isinstance(node.ctx, ast.Load) or node.id == NAME:
            return node
        return self._seen(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Show what a call returns, unless it is a call of the recorder or only measures."""
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
        return put(_call("see", node), node)


def _measures(node: ast.Call) -> bool:
    """Whether a call only measures a difference, as `abs(x - y)` does.

    The sides are shown. The difference itself is rounding noise where they agree, and no longer
    shows how large the noise may be.
    """
    inside = list(ast.walk(node))
    calls = [each for each in inside if isinstance(each, ast.Call)]
    functions = [each.func for each in calls]
    attributes = [each for each in inside if isinstance(each, ast.Attribute)]
    subtracts = any(isinstance(each, ast.Sub) for each in inside)
    return called(node) in _MEASURES and subtracts and all(each in functions for each in attributes)


class _Unmarked(ast.NodeTransformer):
    """Takes the marks out of lambdas."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Leave out the first part if it is a mark."""
        self.generic_visit(node)
        match node.values:
            case [ast.Call(func=ast.Attribute(value=ast.Name(id=name))), body] if name == NAME:
                return body
        return node


def _as_written(expression: ast.expr) -> str:
    """An expression's text, as the author wrote it."""
    text = ast.unparse(expression)
    return ast.unparse(_Unmarked().visit(ast.parse(text))) if NAME in text else text


def _call(method: str, *arguments: ast.expr) -> ast.Call:
    return call(f"{NAME}.{method}", *arguments)


def _keep(number: int, operand: ast.expr) -> ast.expr:
    """Have the recorder keep an operand."""
    return put(_call("keep", ast.Constant(number), operand), operand)


def _number_of(expression: ast.expr) -> int | None:
    """The number under which the recorder keeps an operand; None if it does not."""
    match expression:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="keep"),
            args=[ast.Constant(value=int(number)), _],
        ) if name == NAME:
            return number
    return None
