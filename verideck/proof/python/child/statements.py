"""What stands in the statements of Python code: names that they bind, blocks that they hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from verideck.proof.python.child.tautology import truth
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.syntax import called

use_own_builtins(globals())

_BROAD = {"Exception", "BaseException", "NameError", "UnboundLocalError", "ImportError",
          "ModuleNotFoundError", "SyntaxError", "AttributeError"}  # fmt: skip
"""Exceptions that say more of broken code than of what code is meant to do."""


def bound(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, but not those bound in functions and classes in them."""
    given_away = {
        name
        for statement in statements
        for node in _own(statement)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    for statement in statements:
        for node in _own(statement):
            for name in names_bound(node):
                if name not in given_away:
                    yield name


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, but for the insides of functions, lambdas and classes."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own(child)


def names_bound(node: ast.AST) -> Iterator[str]:
    """The names that a single node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (each.asname or each.name.partition(".")[0] for each in aliases)
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def captures(statement: ast.Match) -> Iterator[str]:
    """The names that the patterns of a `match` bind."""
    for case in statement.cases:
        for node in ast.walk(case.pattern):
            yield from names_bound(node)


def target_names(target: ast.AST, *, whole: bool) -> Iterator[str]:
    """The variables that an assignment to a target binds, or whose content it changes.

    With `whole`, those that it binds; without, those in which it binds an element or an attribute.
    """
    match target:
        case ast.Name(id=name):
            if whole:
                yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from target_names(part, whole=whole)
        case ast.Starred(value=value):
            yield from target_names(value, whole=whole)
        case ast.Attribute() | ast.Subscript():
            if not whole and (name := root_name(target)):
                yield name


def changed_outside(node: ast.AST) -> Iterator[str]:
    """The variables around a function or a class that code in it may bind or change.

    It binds those that it calls `global`, and changes those of which it calls a method, binds an
    element or an attribute, or which it gives to a call that is a statement of its own.
    """
    match node:
        case ast.Global(names=names):
            yield from names
        case ast.Call(func=ast.Attribute() as called):
            yield root_name(called)
        case (
            ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del())
        ):
            yield root_name(node)
        case ast.Expr(value=ast.Call(args=arguments)):
            yield from (each.id for each in arguments if isinstance(each, ast.Name))
    own: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        own = {*parameter_names(node.args), *bound(node.body)}
    for child in ast.iter_child_nodes(node):
        yield from (name for name in changed_outside(child) if name not in own)


def root_name(expression: ast.expr) -> str:
    """The name at the beginning of `a.b[0].c()`; empty if there is none."""
    while isinstance(expression, ast.Attribute | ast.Call | ast.Subscript):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else ""


def parameter_names(arguments: ast.arguments) -> Iterator[str]:
    """The names of a function's parameters."""
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for each in (*named, arguments.vararg, arguments.kwarg):
        if each is not None:
            yield each.arg


def statements_in(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also those in its compound statements."""
    for statement in statements:
        yield statement
        for _, blocks in blocks_of(statement):
            for owner, attribute in blocks:
                yield from statements_in(getattr(owner, attribute))


_Place = tuple[ast.AST, str]


def blocks_of(statement: ast.stmt) -> Iterator[tuple[str, list[_Place]]]:
    """The blocks in a compound statement, and what to call those that are not always entered."""
    match statement:
        case ast.If(orelse=other):
            yield "this branch", [(statement, "body"), *([(statement, "orelse")] if other else [])]
        case ast.For(orelse=other) | ast.AsyncFor(orelse=other) | ast.While(orelse=other):
            yield "the body of this loop", [(statement, "body")]
            if other:
                yield "", [(statement, "orelse")]
        case ast.With() | ast.AsyncWith():
            yield "", [(statement, "body")]
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            yield "", [(statement, "body")]
            yield "this handler", [(each, "body") for each in handlers]
            if statement.orelse:
                yield "this branch", [(statement, "orelse")]
            if statement.finalbody:
                yield "", [(statement, "finalbody")]
        case ast.Match(cases=cases):
            yield "this case", [(each, "body") for each in cases]


def computes_nothing(statements: Sequence[ast.stmt]) -> bool:
    """Whether a block has nothing in it that could be false.

    A block that ends by raising guards against bad input: a card need not show each such input.
    """
    if not statements:
        return True
    match statements[-1]:
        case ast.Raise():
            return True
        case ast.Assert() as last if forbids(last):
            return True
        case ast.Return(value=ast.Name(id="NotImplemented")):
            return True
    return all(
        isinstance(each, ast.Pass | ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        for each in statements
    )


def computes(expression: ast.expr) -> bool:
    """Whether there is something in an expression that could be false, rather than only chosen."""
    for node in ast.walk(expression):
        match node:
            case ast.BinOp() | ast.Compare() | ast.ListComp() | ast.GeneratorExp():
                return True
            case ast.Call(args=arguments, keywords=keywords):
                given = [*arguments, *(each.value for each in keywords)]
                if not all(isinstance(each, ast.Constant) for each in given):
                    return True
    return False


def forbids(statement: ast.stmt) -> bool:
    """Whether a statement is an assertion that never holds: it marks what must not be reached."""
    return isinstance(statement, ast.Assert) and truth(statement.test) is False


def asserts(call: ast.Call) -> bool:
    """Whether a call is that of a library's assertion, by its name."""
    name = called(call)
    return name.startswith("assert_") or (name.startswith("assert") and name[6:7].isupper())


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether a handler also catches what broken code raises."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        not isinstance(kind, ast.Name | ast.Attribute)
        or (kind.id if isinstance(kind, ast.Name) else kind.attr) in _BROAD
        for kind in kinds
    )


def after_the_future(statements: Sequence[ast.stmt]) -> int:
    """How many statements must stay the first ones: the docstring, imports from `__future__`."""
    first = 0
    for position, each in enumerate(statements):
        if isinstance(each, ast.ImportFrom) and each.module == "__future__":
            first = position + 1
    return first
