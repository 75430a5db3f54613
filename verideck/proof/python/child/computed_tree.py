"""Rewrites shown code so that what it computes is recorded (see `computed.Computing`)."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from verideck.proof.python.child.ours import call, mark_ours, put
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Operand
from verideck.proof.python.wire.syntax import called

use_own_builtins(globals())


class ComputedTree(ast.NodeTransformer):
    """Rewrites the shown code of one file."""

    def __init__(
        self,
        name: str,
        path: str,
        lines: Sequence[range],
        statements: list[tuple[str, int]],
        operands: list[Operand],
    ) -> None:
        """Take the name of the assertions' recorder, and the shown lines of a file.

        The file's statements, and the operands that need not be evaluated, are added to others.
        """
        self._operands = operands
        self._name = name
        self._path = path
        self._lines = lines
        self._statements = statements
        self._number: dict[ast.stmt, int] = {}
        self._readers: list[Mapping[str, tuple[int, ...]] | None] = []
        """By the scopes around a node, the innermost last: the statements that read a name. It is
        None for a class."""

    def of(self, tree: ast.Module) -> ast.Module:
        """Rewrite the file's code."""
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt) and self._is_shown(node):
                self._number[node] = len(self._statements)
                self._statements.append((self._path, node.lineno))
        self._readers.append(_readers(tree, self._number))
        tree.body = self._body(tree.body)
        return ast.fix_missing_locations(tree)

    def _is_shown(self, node: ast.stmt | ast.expr) -> bool:
        return any(node.lineno in lines for lines in self._lines)

    def _body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        rewritten: list[ast.stmt] = []
        for statement in body:
            behind: list[ast.stmt] = []
            if statement in self._number and not _is_first(statement):
                ran = self._call("ran", ast.Constant(self._number[statement]))
                rewritten.append(ast.Expr(ran))
                behind = list(self._left(statement))
                for each in (*rewritten[-1:], *behind):
                    mark_ours(put(each, statement))
            found = self.visit(statement)
            rewritten += [found, *behind]
        return rewritten

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Rewrite the bodies of a node with what is told between their statements."""
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self._body(value))
            elif isinstance(value, list):
                value[:] = [
                    self.visit(each) if isinstance(each, ast.AST) else each for each in value
                ]
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function has names of its own."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """As any function."""
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """As any function."""
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> ast.AST:
        shown = self._is_shown(node)
        if shown:
            _pass_through(node.args.defaults, self._kept)
            _pass_through(node.args.kw_defaults, self._kept)
        self._readers.append(_readers(node, self._number))
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
            node.body = self._kept(node.body) if shown else node.body
        else:
            node.body = self._body(node.body)
        self._readers.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """What is assigned in a class is read as an attribute, whoever may read it."""
        self._readers.append(None)
        node.body = self._body(node.body)
        self._readers.pop()
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """Leave an assertion as it is: what it reads is recorded elsewhere."""
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Leave what is raised as it is."""
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Record which outcome is evaluated."""
        self.generic_visit(node)
        node.body, node.orelse = self._operand(node.body), self._operand(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Record which operands behind the first are evaluated."""
        self.generic_visit(node)
        node.values[1:] = map(self._operand, node.values[1:])
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """Record which conditions are evaluated."""
        self.generic_visit(node)
        node.ifs = list(map(self._operand, node.ifs))
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        """Record whether an element is evaluated."""
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        """As in a list."""
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        """As in a list."""
        return self._comprehension(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> ast.AST:
        self.generic_visit(node)
        node.elt = self._operand(node.elt)
        return node

    def _operand(self, node: ast.expr) -> ast.expr:
        """Record that an operand is evaluated."""
        if not self._is_shown(node) or isinstance(node, ast.Starred):
            return node
        end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        self._operands.append(Operand(self._path, node.lineno, node.col_offset, *end))
        return put(self._call("evaluate", node, ast.Constant(len(self._operands) - 1)), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Record the array that a call makes."""
        self.generic_visit(node)
        return self._taking(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Record the array that is a part of another one."""
        self.generic_visit(node)
        return self._taking(node) if isinstance(node.ctx, ast.Load) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Record a transposed array."""
        self.generic_visit(node)
        is_transposed = node.attr in {"T", "mT", "H", "mH"} and isinstance(node.ctx, ast.Load)
        return self._taking(node) if is_transposed else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Leave the annotation as it is."""
        if node.value:
            node.value = self._kept(self.visit(node.value), node.target)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Leave them as they are."""
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        """Leave the pattern as it is: it is no expression."""
        node.body = self._body(node.body)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Record what is assigned."""
        node.value = self._kept(self.visit(node.value), *node.targets)
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        """Record what is assigned."""
        node.value = self._kept(self.visit(node.value), node.target)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """Record what is returned."""
        if node.value:
            node.value = self._kept(self.visit(node.value))
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        """Record what is yielded."""
        if node.value:
            node.value = self._kept(self.visit(node.value))
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """Record what a loop gives to its names."""
        return self._loop(node)

    def _loop(self, node: ast.For | ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        if self._is_shown(node) and (target := _loaded(node.target)):
            node.body.insert(0, put(ast.Expr(self._kept(target, node.target)), node.target))
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """As any loop."""
        return self._loop(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """What stands alone is called for what it does, with what it is given."""
        if isinstance(node.value, ast.Constant):
            return node
        match node.value:
            case ast.Call() as asserting if called(asserting).startswith("assert"):
                return node
        node.value = self.visit(node.value)
        for each in ast.walk(node.value):
            if isinstance(each, ast.Call) and not self._is_ours(each):
                _pass_through(each.args, self._kept)
                for keyword in each.keywords:
                    if keyword.arg:
                        keyword.value = self._kept(keyword.value)
                break
        node.value = self._kept(node.value)
        return node

    def _left(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        """Statements that record what a statement leaves in the values that it may have changed."""
        changed: list[ast.expr] = []
        match statement:
            case ast.Expr(value=ast.Call(func=function, args=arguments)):
                changed = [*arguments]
                if isinstance(function, ast.Attribute):
                    changed.append(function.value)
            case ast.Assign(targets=targets):
                changed = [each.value for each in targets if isinstance(each, ast.Subscript)]
            case ast.AugAssign(target=ast.Subscript(value=target) | target):
                changed = [target]
        for each in changed:
            if loaded := _loaded(each):
                yield ast.Expr(self._kept(loaded, each))

    def _kept(self, node: ast.expr, *targets: ast.expr) -> ast.expr:
        if not self._is_shown(node) or isinstance(node, ast.Starred):
            return node
        readers: list[int] = []
        names = [name for target in targets for name in _names(target)]
        if names and None not in names and self._readers[-1] is not None:
            readers = sorted({each for name in names for each in self._read_by(str(name))})
        return put(self._call("keep", node, *map(ast.Constant, readers)), node)

    def _read_by(self, name: str) -> tuple[int, ...]:
        scopes = [each for each in reversed(self._readers) if each]
        return next((each[name] for each in scopes if name in each), ())

    def _taking(self, node: ast.expr) -> ast.expr:
        if not self._is_shown(node):
            return node
        return put(self._call("take", node), node)

    def _is_ours(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=name)))):
                return name == self._name
        return False

    def _call(self, method: str, *arguments: ast.expr) -> ast.Call:
        return call(f"{self._name}.computing.{method}", *arguments)


def _pass_through(arguments: list[Any], kept: Callable[[Any], Any]) -> None:
    arguments[:] = [each and kept(each) for each in arguments]


def _is_first(statement: ast.stmt) -> bool:
    """Whether a statement must stay the first one: a docstring, or a switch of the compiler."""
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.ImportFrom(module="__future__"):
            return True
    return False


def _loaded(node: ast.expr) -> ast.expr | None:
    """A name, or an attribute of one, as what is read; None for what may have effects."""
    inner = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    if not isinstance(inner, ast.Name):
        return None
    loaded = copy.deepcopy(node)
    assert isinstance(loaded, ast.Name | ast.Attribute)
    loaded.ctx = ast.Load()
    return loaded


def _names(target: ast.expr) -> Iterator[str | None]:
    """The names of a target; None for what is no name: whoever has the object may read it."""
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for each in parts:
                yield from _names(each)
        case ast.Starred(value=inner):
            yield from _names(inner)
        case _:
            yield None


def _readers(scope: ast.AST, number: Mapping[ast.stmt, int]) -> dict[str, tuple[int, ...]]:
    """By name that a scope mentions: the statements that read it, also those of inner scopes."""
    found: dict[str, set[int]] = {}

    def look(node: ast.AST, statement: int | None) -> None:
        for child in ast.iter_child_nodes(node):
            inner = number.get(child, statement) if isinstance(child, ast.stmt) else statement
            if isinstance(child, ast.Name):
                reads = found.setdefault(child.id, set())
                if isinstance(child.ctx, ast.Load) and inner is not None:
                    reads.add(inner)
            if not isinstance(child, ast.Assert):
                look(child, inner)

    look(scope, number.get(scope) if isinstance(scope, ast.stmt) else None)
    return {name: tuple(sorted(reads)) for name, reads in found.items()}
