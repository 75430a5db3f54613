"""The changes that an audit makes to shown code, one at a time. An assertion should notice each.

They are chosen for numeric code: mistakes that a reader could make and that the shapes do not show.
Imports are not changed, nor what is raised, annotations, or whole statements. What only makes
inputs (seeds, sizes, random tensors), other literals, and what stands in an assertion itself are
changed only where nothing else can be: in a short demonstration.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import CodeType

from verideck.proof.python.audit.calculations import CALCULATIONS
from verideck.proof.python.audit.changes import (
    PARSING,
    Change,
    Position,
    Text,
    is_module,
    literal,
    words,
)
from verideck.proof.python.audit.fallbacks import DROPS, LITERALS, SWAPS
from verideck.proof.python.audit.structures import STRUCTURES
from verideck.proof.python.wire.syntax import called

_IGNORED = re.compile(r"#\s*audit:\s*ignore\s+(?P<reason>\S.*)")
"""A comment behind a line whose changes make no difference, with the reason."""

_INPUTS = words(
    "randn rand randint randperm normal uniform manual_seed seed default_rng Generator tensor "
    "array arange linspace eye zeros ones full empty zeros_like ones_like rand_like randn_like "
    "full_like double float half long int bool to type view reshape requires_grad_ astype tolist "
    "range list "
    "Parameter Linear"
)
"""Calls that make inputs."""


class Kind(Enum):
    """Kinds of changes. The next one is tried where those before it say nothing.

    To add a change: a function, a line in the table of its file, a case in the tests.
    """

    COMPUTING = (CALCULATIONS, STRUCTURES)
    CALLING = (DROPS, SWAPS)
    ASSERTED = (CALCULATIONS, STRUCTURES, DROPS, LITERALS)
    """What is compared in an assertion, though not with what literal, nor how."""
    LITERAL = (LITERALS,)


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
    hidden: bool = False
    """Whether what it changes may be in no value: then no value shows that it changes nothing."""
    start: Position = (0, 0)
    """Where the change begins: a line of the code, counted from 1, and a byte, from 0."""


def mutants(
    code: str, first: int = 1, last: int | None = None, kind: Kind = Kind.COMPUTING
) -> list[Mutant]:
    """Every mutant of the lines from `first` to `last`; none of code that is not Python.

    None of lines that are silenced, and none that Python compiles to the same as another one.
    """
    found: dict[Hashable, Mutant] = {_meaning(code): Mutant(0, "", "", code)}
    for mutant in _every(code, first, last, kind):
        if not ignored(mutant.before):
            found.setdefault(_meaning(mutant.code), mutant)
    return sorted((each for each in found.values() if each.line), key=lambda mutant: mutant.line)


def silenced(code: str, first: int = 1, last: int | None = None) -> int:
    """How many of the lines from `first` to `last` are silenced, with a reason."""
    return sum(1 for line in code.split("\n")[first - 1 : last] if ignored(line))


def ignored(line: str) -> str:
    """The reason why a line is not changed; empty if there is none."""
    found = _IGNORED.search(line)
    return found["reason"] if found else ""


def _every(code: str, first: int, last: int | None, kind: Kind) -> Iterator[Mutant]:
    try:
        text = Text(code)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = code.split("\n")
    nodes = _computing(text.tree, inputs=kind is Kind.LITERAL)
    for node in _asserted(text) if kind is Kind.ASSERTED else nodes:
        for change in _changes(node, text, kind):
            line, after, changed = text.changed(change) or (0, "", "")
            if first <= line and (last is None or line <= last):
                before = lines[line - 1].strip()
                yield Mutant(
                    line,
                    before,
                    after.strip(),
                    changed,
                    change.advisory,
                    change.hidden,
                    change.start,
                )


def _changes(node: ast.AST, text: Text, kind: Kind) -> Iterator[Change]:
    for operators in kind.value:
        for operator in operators.get(type(node), ()):
            yield from operator(node, text)


def _meaning(code: str) -> Hashable:
    """What Python compiles code to, without its lines; the code itself if it does not compile.

    As if it were typed in, so that the value of an expression that stands alone counts.
    """
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with PARSING:
            tree = compile(code, "", "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            typed = ast.Interactive(tree.body)
            compiled = compile(typed, "", "single", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code
    return _instructions(compiled)


def _instructions(code: CodeType) -> Hashable:
    constants = tuple(
        _instructions(each) if isinstance(each, CodeType) else (type(each).__name__, repr(each))
        for each in code.co_consts
    )
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_name
    return code.co_code, constants, names, code.co_flags, code.co_exceptiontable


def _computing(node: ast.AST, *, inputs: bool) -> Iterator[ast.AST]:
    """The nodes that compute a result; with `inputs`, also those that only make inputs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.arguments):
            # A literal is changed with its function, whose arguments have their names here.
            defaults = (*child.defaults, *filter(None, child.kw_defaults))
            inner: list[ast.AST] = [each for each in defaults if not isinstance(each, ast.Constant)]
        else:
            inner = [child] if _computes(child, node, inputs=inputs) else []
        for each in inner:
            yield each
            yield from _computing(each, inputs=inputs)


def _computes(child: ast.AST, node: ast.AST, *, inputs: bool) -> bool:
    """Whether a child of a node computes a result."""
    said = (getattr(node, "annotation", None), getattr(node, "returns", None))
    if child in (*said, *getattr(node, "decorator_list", ())):
        return False
    match child:
        case (
            ast.Assert()
            | ast.Raise()
            | ast.Import()
            | ast.ImportFrom()
            | ast.Expr(value=ast.Constant())
        ):
            return False
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return inputs or not _makes_inputs(value)
        case ast.Expr(value=value):
            return (inputs or not _makes_inputs(value)) and not _asserts(value)
    return not (inputs and isinstance(child, ast.JoinedStr))  # the text among values is a literal


def _asserted(text: Text) -> Iterator[ast.AST]:
    """The nodes in the operands of assertions."""
    for node in ast.walk(text.tree):
        match node:
            case ast.Assert(test=test):
                operands = _operands(test, text)
            case ast.Expr(value=ast.Call() as call) if _asserts(call):
                operands = _operands(call, text)
            case _:
                continue
        for operand in operands:
            if literal(operand) is None:
                yield from ast.walk(operand)


def _operands(test: ast.expr, text: Text) -> Iterator[ast.expr]:
    """The operands of a test."""
    match test:
        case ast.BoolOp(values=inner):
            pass
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = [operand]
        case ast.Compare():
            yield from (test.left, *test.comparators)
            return
        case ast.Call(func=ast.Attribute(value=receiver)) if not is_module(receiver, text):
            yield from test.args
            inner = [receiver]
        case ast.Call():
            yield from test.args
            return
        case _:
            yield test
            return
    for each in inner:
        yield from _operands(each, text)


def _asserts(value: ast.expr) -> bool:
    """Whether a statement calls a library's assertion."""
    return isinstance(value, ast.Call) and called(value).startswith("assert")


def _makes_inputs(value: ast.expr) -> bool:
    """Whether an expression only makes inputs: nothing is computed from a value that has a name."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    if not calls or any(called(call) not in _INPUTS for call in calls):
        return False
    return not any(isinstance(node, ast.BinOp | ast.Compare) for node in ast.walk(value))
