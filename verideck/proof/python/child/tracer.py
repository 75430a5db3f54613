"""Puts marks and hooks into the syntax tree of the author's code.

Shown code gets marks alone (see `marks`): a statement at the beginning of each function, branch and
piece of code behind a `return`. Code that is not shown gets the hooks of `flow` around the values
that it binds, passes and returns. Assertions are only numbered here: `rewriter.Rewriter` rewrites
them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from verideck.proof.python.child.facts import facts_of
from verideck.proof.python.child.flow import Flow, Read, Site, StepFacts
from verideck.proof.python.child.marks import Block, BlockKind, Marks
from verideck.proof.python.child.ours import call, is_ours, mark_ours, put
from verideck.proof.python.child.reading import reads
from verideck.proof.python.child.scopes import Scope
from verideck.proof.python.child.statements import (
    after_the_future,
    asserts,
    blocks_of,
    bound,
    captures,
    computes,
    computes_nothing,
    forbids,
    is_broad,
    names_bound,
    parameter_names,
    target_names,
)
from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

NAME = "__verideck__"
"""The recorder's name in the namespace of rewritten code."""
SITE = "verideck_site"
"""The attribute of an assertion's node that holds the number of its site."""

_EXAMPLE = re.compile(r"^(?P<blanks>[ \t]*)(?P<prompt>>>> )\S", re.MULTILINE)

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Part:
    """Code that is compiled as a whole, and what of it is shown."""

    module: str = ""
    """The scope of its own variables; empty for the card's namespace."""
    step: Callable[[int], int] = field(default=lambda _: -1)
    """The number of the step that shows a line of it; -1 if none does."""
    asserts: bool = False
    """Whether its assertions are on the card, or in the proof that is folded into it."""
    hooks: bool = True
    """Whether what it does not show is followed, value by value. A module of the project's is not:
    libraries that compile its functions would meet the hooks."""


class Tracer:
    """Puts marks and hooks into one module or snippet."""

    def __init__(self, marks: Marks, flow: Flow, file: str, part: Part) -> None:
        """Take where marks and hooks report to, and what of the code is shown."""
        self._marks = marks
        self._flow = flow
        self._file = file
        self._part = part

    def traced(self, tree: ast.Module | ast.Interactive) -> list[StepFacts]:
        """Change a tree in place; returns what its text says of each step that shows some of it."""
        scope = Scope(self._part.module, frozenset(bound(tree.body)))
        for each in ast.walk(tree):
            if isinstance(each, ast.Import | ast.ImportFrom):
                self._flow.imported |= set(names_bound(each))
            elif isinstance(each, ast.Assign | ast.AnnAssign) and self._may_be_none(each.value):
                self._flow.nullable |= set(bound([each]))
            elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._note_examples(each)
        facts = list(self._facts(tree.body, scope))
        first = after_the_future(tree.body)
        tree.body[first:] = self._block(tree.body[first:], scope, -1)
        return facts

    def _note_examples(self, definition: _Function | ast.ClassDef) -> None:
        """Note that the docstring of shown code has examples in it."""
        text = ast.get_docstring(definition, clean=False)
        if self._shows(definition) and text and (example := _EXAMPLE.search(text)):
            at = definition.body[0]
            line = at.lineno + text.count("\n", 0, example.start("prompt"))
            self._marks.examples.append(
                (self._file, min(line, at.end_lineno or line), len(example["blanks"]))
            )

    def _may_be_none(self, value: ast.expr | None) -> bool:
        """Whether a value may be None: it says so, or a library's function gives it."""
        match value:
            case ast.Constant(value=None):
                return True
            case ast.IfExp(body=one, orelse=other):
                return self._may_be_none(one) or self._may_be_none(other)
            case ast.Call(func=ast.Name(id=name)):
                return name in self._flow.imported
        return isinstance(value, ast.Call | ast.Await)

    # Blocks

    def _block(self, statements: Sequence[ast.stmt], scope: Scope, outer: int) -> list[ast.stmt]:
        """The statements of a block, with their marks and hooks."""
        traced: list[ast.stmt] = []
        for position, statement in enumerate(statements):
            above = statements[position - 1] if position else None
            if isinstance(above, ast.Return | ast.Raise | ast.Break | ast.Continue):
                rest = list(statements[position:])
                if self._shows(statement) and not computes_nothing(rest):
                    outer = self._add(
                        BlockKind.BRANCH, "what stands behind this point", statement, outer
                    )
            traced += self._statement(statement, scope, outer)
        return traced

    def _statement(self, statement: ast.stmt, scope: Scope, outer: int) -> list[ast.stmt]:
        is_shown = self._shows(statement)
        if is_shown:
            _Lambdas(self, outer).visit_own(statement)
        before: list[ast.stmt] = []
        after: list[ast.stmt] = []
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(statement, scope, outer)
                after = self._rebound(statement, [statement.name], scope)
            case ast.ClassDef():
                inner = Scope(
                    f"{scope.name}/{statement.lineno}",
                    frozenset(bound(statement.body)),
                    scope,
                    is_class=True,
                )
                whole = self._add(BlockKind.HELPER, statement.name, statement, outer)
                statement.body = self._block(statement.body, inner, whole)
                after = self._rebound(statement, [statement.name], scope)
            case ast.Import() | ast.ImportFrom():
                after = self._rebound(statement, list(bound([statement])), scope)
            case ast.Assert():
                self._number(statement, [statement.test], scope, outer)
            case ast.Expr(value=ast.Call() as call) if asserts(call):
                number = self._number(statement, [call], scope, outer)
                before = [self._mark(self._flow.sites[number].block, statement)]
            case _:
                if self._part.hooks and not is_shown:
                    before, after = self._hook(statement, scope, outer)
                else:
                    self._enter_blocks(statement, scope, outer)
        return [*before, statement, *after]

    # Marks

    def _shows(self, node: ast.stmt | ast.expr) -> bool:
        return self._part.step(node.lineno) >= 0

    def _add(self, kind: BlockKind, name: str, at: ast.stmt | ast.expr, outer: int) -> int:
        decorators: list[ast.expr] = getattr(at, "decorator_list", [])
        first = min([at.lineno, *(each.lineno for each in decorators)])
        step = self._part.step(at.lineno)
        return self._marks.add(
            Block(kind, name, self._file, at.lineno, at.col_offset, outer, step, first)
        )

    def _mark(self, number: int, at: ast.AST) -> ast.stmt:
        """The statement that notes that a block is entered."""
        ran = ast.Attribute(ast.Name(NAME, ast.Load()), "ran", ast.Load())
        target = ast.Subscript(ran, ast.Constant(number), ast.Store())
        return mark_ours(put(ast.Assign([target], ast.Constant(1)), at))

    def _function(self, function: _Function, scope: Scope, outer: int) -> None:
        parameters = frozenset(parameter_names(function.args))
        inner = Scope(
            f"{scope.name}/{function.lineno}",
            frozenset(bound(function.body)) | parameters,
            scope,
            parameters=parameters,
        )
        shown = self._shows(function)
        first = 1 if ast.get_docstring(function, clean=False) is not None else 0
        head, body = function.body[:first], function.body[first:]
        marks: list[ast.stmt] = []
        at = body[0] if body else function
        if not computes_nothing(body):
            kind = BlockKind.FUNCTION if shown else BlockKind.HELPER
            outer = self._add(kind, function.name, function, outer)
            marks = [self._mark(outer, at)]
        if self._part.hooks and not shown:
            keys = tuple((inner.name, each) for each in parameters)
            marks.append(put(_hook("called", self._site(Site((), binds=keys))), at))
        function.body = [*head, *marks, *self._block(body, inner, outer)] or function.body

    def _enter_blocks(self, statement: ast.stmt, scope: Scope, outer: int) -> None:
        """Trace the blocks of a compound statement, and mark them if it is shown."""
        is_shown = self._shows(statement)
        for name, blocks in blocks_of(statement):
            for owner, attribute in blocks:
                body: list[ast.stmt] = getattr(owner, attribute)
                number, marks = outer, list[ast.stmt]()
                is_elif = attribute == "orelse" and isinstance(body[0], ast.If) and len(body) == 1
                if is_shown and name and not is_elif and not computes_nothing(body):
                    at = owner if isinstance(owner, ast.ExceptHandler) else body[0]
                    number = self._add(BlockKind.BRANCH, name, at, outer)  # type: ignore[arg-type] # has a line
                    marks = [self._mark(number, body[0])]
                setattr(owner, attribute, [*marks, *self._block(body, scope, number)])

    def _number(
        self, node: ast.stmt, expressions: Sequence[ast.expr], scope: Scope, outer: int
    ) -> int:
        """Give an assertion a site, and a block whose being reached is reported."""
        is_told = (self._part.asserts or self._shows(node)) and not forbids(node)
        kind = BlockKind.ASSERTION if is_told else BlockKind.HELPER
        step, site = self._part.step(node.lineno), self._reading(expressions, scope)
        computed = scope.bound - scope.parameters
        is_own = any(read.key[0] == scope.name and read.key[1] in computed for read in site.reads)
        site = replace(
            site,
            step=step,
            block=self._add(kind, "this assertion", node, outer),
            own=1 << step if step >= 0 and scope.outer and is_own else 0,
            is_foreign=not self._part.hooks,
        )
        number = self._site(site)
        setattr(node, SITE, number)
        return number

    # Hooks

    def _site(self, site: Site) -> int:
        self._flow.sites.append(replace(site, module=self._part.module))
        return len(self._flow.sites) - 1

    def _reading(
        self, expressions: Sequence[ast.AST | None], scope: Scope, *, acts: bool = False
    ) -> Site:
        found = reads(*expressions)
        names = dict.fromkeys(scope.key(name) for name, _ in found.names)
        return Site(
            tuple(Read(scope.key(name), use) for name, use in found.names),
            found.attributes,
            tuple(scope.key(name) for name in found.binds),
            changes=tuple(names) if found.calls else (),
            acts=acts,
            is_constant=found.is_constant,
            calls=found.calls,
            is_void=found.is_void,
        )

    def _watched(
        self,
        expression: ast.expr,
        targets: Sequence[ast.AST],
        scope: Scope,
        *,
        acts: bool = False,
        also: Sequence[ast.AST] = (),
    ) -> tuple[int, ast.expr]:
        """An expression with the hooks around it, and the number of its site."""
        site = self._reading([expression, *also], scope, acts=acts)
        names = [name for target in targets for name in target_names(target, whole=True)]
        parts = [name for target in targets for name in target_names(target, whole=False)]
        attributes = [
            each.attr
            for target in targets
            for each in ast.walk(target)
            if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
        ]
        number = self._site(
            replace(
                site,
                binds=(*site.binds, *(scope.key(name) for name in names)),
                bound_attributes=tuple(attributes),
                binds_in=tuple(scope.key(name) for name in parts),
            )
        )
        return number, self._around("flow", number, expression)

    @staticmethod
    def _around(hook: str, number: int, expression: ast.expr) -> ast.expr:
        began = call(f"{NAME}.flow.start", ast.Constant(number))
        hooked = call(f"{NAME}.flow.{hook}", ast.Constant(number), began, expression)
        return put(hooked, expression)

    def _rebound(self, at: ast.stmt, names: Sequence[str], scope: Scope) -> list[ast.stmt]:
        if self._shows(at) or not self._part.hooks:
            return []
        keys = tuple(map(scope.key, names))
        return [put(_hook("bound", self._site(Site((), binds=keys))), at)]

    def _after(
        self, statement: ast.stmt, scope: Scope, conditions: Sequence[int], number: int | None
    ) -> ast.stmt:
        """The hook behind a compound statement whose outcome is in what it bound."""
        keys = tuple(map(scope.key, dict.fromkeys(bound([statement]))))
        if number is None:
            number = self._site(Site((), binds=keys))
        else:
            self._flow.sites[number] = replace(self._flow.sites[number], binds=keys)
        return put(_hook("after", number, *conditions), statement)

    def _hook(  # noqa: C901, PLR0912 - a case for each kind of statement
        self, statement: ast.stmt, scope: Scope, outer: int
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Put the hooks into a statement that is not shown; returns those before and behind it."""
        before: list[ast.stmt] = []
        after: list[ast.stmt] = []
        match statement:
            case ast.Assign(targets=targets, value=value):
                _, statement.value = self._watched(value, targets, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                _, statement.value = self._watched(value, [target], scope)
            case ast.AugAssign(target=target, value=value):
                read = ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target
                _, statement.value = self._watched(value, [target], scope, also=[read])
            case ast.Expr(value=value):
                if not isinstance(value, ast.Constant | ast.Await | ast.Yield | ast.YieldFrom):
                    _, statement.value = self._watched(value, [], scope, acts=True)
            case ast.Return(value=ast.expr() as value):
                number = self._site(self._reading([value], scope))
                statement.value = self._around("returned", number, value)
            case ast.If(test=test) | ast.While(test=test):
                number, statement.test = self._watched(test, [], scope)
                after = [self._after(statement, scope, [number], None)]
            case ast.Match(subject=subject):
                names = [ast.Name(name, ast.Store()) for name in captures(statement)]
                number, statement.subject = self._watched(subject, names, scope)
                after = [self._after(statement, scope, [number], None)]
            case ast.For() | ast.AsyncFor():
                before, after = self._loop(statement, scope)
            case ast.With() | ast.AsyncWith():
                before, after = self._with(statement, scope)
            case ast.Try() | ast.TryStar():
                before, after = self._try(statement, scope)
        for _, blocks in blocks_of(statement):
            for owner, attribute in blocks:
                body = getattr(owner, attribute)
                hooks = [each for each in body if is_ours(each)]
                rest = [each for each in body if each not in hooks]
                setattr(owner, attribute, [*hooks, *self._block(rest, scope, outer)])
        return before, after

    def _loop(
        self, loop: ast.For | ast.AsyncFor, scope: Scope
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        targets = tuple(map(scope.key, target_names(loop.target, whole=True)))
        number, loop.iter = self._watched(loop.iter, [loop.target], scope)
        turn = self._site(Site((), binds=targets))
        loop.body.insert(0, mark_ours(put(_hook("turn", turn, number), loop.body[0])))
        begin = put(_hook("begin", turn), loop)
        return [begin], [self._after(loop, scope, [number], None)]

    def _with(
        self, block: ast.With | ast.AsyncWith, scope: Scope
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        names = [scope.key(name) for name, _ in reads(*(x.context_expr for x in block.items)).names]
        for item in block.items:
            targets = [item.optional_vars] if item.optional_vars else []
            names += [
                scope.key(name) for target in targets for name in target_names(target, whole=True)
            ]
            _, item.context_expr = self._watched(item.context_expr, targets, scope)
        number = self._site(Site((), binds=tuple(names)))
        begin, after = _hook("begin", number), _hook("after", number)
        return [put(begin, block)], [put(after, block)]

    def _try(
        self, block: ast.Try | ast.TryStar, scope: Scope
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        number = self._site(Site(()))
        for handler in block.handlers:
            if handler.name:
                caught = self._site(Site((), binds=(scope.key(handler.name),)))
                hook = put(_hook("caught", caught, number), handler.body[0])
                handler.body.insert(0, mark_ours(hook))
        begin = put(_hook("begin", number), block)
        if block.handlers and not any(map(is_broad, block.handlers)):
            return [begin], [self._after(block, scope, [], number)]
        return [begin], []

    # Facts

    def _facts(self, statements: Sequence[ast.stmt], scope: Scope) -> Iterator[StepFacts]:
        """What a module's or a snippet's text says of each step that shows some of it."""
        by_step: dict[int, list[ast.stmt]] = {}
        for statement in statements:
            step = self._part.step(statement.lineno)
            if step >= 0:
                by_step.setdefault(step, []).append(statement)
        for step, shown in by_step.items():
            yield facts_of(step, shown, scope, self._flow.imported)


class _Lambdas(ast.NodeTransformer):
    """Marks the lambdas in a statement's own expressions, and what `if` and `else` choose from."""

    def __init__(self, tracer: Tracer, outer: int) -> None:
        self._tracer = tracer
        self._outer = outer

    def visit_own(self, statement: ast.stmt) -> None:
        """Visit the expressions of a statement, not the statements in it."""
        for name, value in ast.iter_fields(statement):
            if isinstance(value, ast.expr | ast.arguments):
                setattr(statement, name, self.visit(value))
            elif isinstance(value, list):
                setattr(statement, name, list(map(self._visited, value)))

    def _visited(self, part: object) -> object:
        holds_statements = isinstance(part, ast.stmt | ast.ExceptHandler | ast.match_case)
        return self.visit(part) if isinstance(part, ast.AST) and not holds_statements else part

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Mark one lambda, unless there is nothing in it that could be false."""
        if isinstance(node.body, ast.Constant):
            return node
        node.body = self._marked(BlockKind.FUNCTION, "this lambda", node, node.body)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Mark both outcomes, but for those that compute nothing."""
        node.test = self.visit(node.test)
        for name, outcome in (("body", node.body), ("orelse", node.orelse)):
            if isinstance(outcome, ast.IfExp) or not computes(outcome):
                setattr(node, name, self.visit(outcome))
            else:
                marked = self._marked(BlockKind.BRANCH, "this branch", outcome, outcome)
                setattr(node, name, marked)
        return node

    def _marked(self, kind: BlockKind, name: str, at: ast.expr, body: ast.expr) -> ast.expr:
        """An expression that is marked as a block."""
        number = self._tracer._add(kind, name, at, self._outer)  # noqa: SLF001
        outer, self._outer = self._outer, number
        body = self.visit(body)
        self._outer = outer
        return put(ast.BoolOp(ast.Or(), [call(f"{NAME}.enter", ast.Constant(number)), body]), body)


def _hook(name: str, *numbers: int) -> ast.stmt:
    return ast.Expr(call(f"{NAME}.flow.{name}", *map(ast.Constant, numbers)))
