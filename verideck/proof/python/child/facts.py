"""What the text of a shown step says of it: what it binds, and from what."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from verideck.proof.python.child.flow import Key, StepFacts
from verideck.proof.python.child.reading import ALWAYS_THERE, reads
from verideck.proof.python.child.scopes import Scope
from verideck.proof.python.child.statements import (
    bound,
    changed_outside,
    root_name,
    statements_in,
    target_names,
)
from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_SEEDS = {"manual_seed", "seed", "set_printoptions", "print", "set_num_threads", "simplefilter",
          "filterwarnings", "insert", "basicConfig"}  # fmt: skip
"""Calls that prepare and show nothing."""


def facts_of(
    step: int, statements: Sequence[ast.stmt], scope: Scope, imported: AbstractSet[str]
) -> StepFacts:
    """The facts of a step that shows these statements; `imported` are names of modules."""
    text = _Text(scope, imported)
    for statement in statements_in(statements):
        text.read(statement)
    return text.facts(step, {name for each in statements for name, _ in reads(each).names})


class _Text:
    """The statements of one step, as far as they have been read."""

    def __init__(self, scope: Scope, imported: AbstractSet[str]) -> None:
        self._scope = scope
        self._known = imported | ALWAYS_THERE
        self._values: set[str] = set()
        self._inputs: set[str] = set()
        self._changed: set[str] = set()
        """Variables whose content a statement may change after they are bound."""
        self._outside: set[str] = set()
        """Variables that its functions may change when they are called."""
        self._actors: set[str] = set()
        self._functions = False

    def read(self, statement: ast.stmt) -> None:
        """Read one statement; those in it are given separately."""
        match statement:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                self._functions = True
                self._values.add(name)
                self._outside |= set(changed_outside(statement))
            case ast.Import() | ast.ImportFrom():
                pass
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                self._assigned(statement, value)
            case ast.Expr(value=ast.Call() as call):
                self._called(call)
            case _:
                self._values |= set(bound([statement]))

    def facts(self, step: int, read: AbstractSet[str]) -> StepFacts:
        """What the statements say."""
        values = self._values | (self._inputs & (self._changed | self._outside))
        return StepFacts(
            step,
            self._keys(values),
            self._keys(self._inputs - values),
            self._keys(read),
            self._keys(self._actors),
            self._keys(self._changed - values - self._inputs - self._known),
            self._keys(self._outside - self._known),
            functions=self._functions,
        )

    def _keys(self, names: AbstractSet[str]) -> tuple[Key, ...]:
        return tuple(map(self._scope.key, sorted(names)))

    def _assigned(self, statement: ast.stmt, value: ast.expr) -> None:
        read = {name for name, _ in reads(value).names}
        names = set(bound([statement]))
        self._functions |= any(isinstance(each, ast.Lambda) for each in ast.walk(value))
        if read - self._known:
            self._values |= names
        else:
            self._inputs |= names
        if isinstance(value, ast.Name):
            self._changed.add(value.id)  # it has two names from now on
        for target in getattr(statement, "targets", []):
            if isinstance(target, ast.Attribute | ast.Subscript):
                changed = set(target_names(target, whole=False))
                self._changed |= changed
                self._actors |= changed

    def _called(self, call: ast.Call) -> None:
        root = root_name(call.func)
        called = call.func.attr if isinstance(call.func, ast.Attribute) else root
        if called in _SEEDS:
            return
        self._changed |= {name for name, _ in reads(call).names}
        is_own_function = isinstance(call.func, ast.Name) and root in self._values
        if root and not is_own_function:
            self._actors.add(root)
