"""What an expression reads: names and attributes, without those that it only finds to be there.

`callable(f)`, `f is not None`, `f.__name__` and `isinstance(x, object)` hold of anything: they read
nothing that was computed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_NAMING = {"__name__", "__qualname__", "__module__", "__doc__"}
"""Attributes that say what a function is called, not what it does."""
_TELLING = {
    "Bytecode", "dis", "get_annotations", "get_type_hints", "getclosurevars", "getfullargspec",
    "isasyncgenfunction", "iscoroutinefunction", "isgeneratorfunction", "signature",
}  # fmt: skip
"""Calls that say what a function consists of, though they do not call it."""
ALWAYS_THERE = frozenset(vars(builtins))
"""The names that Python has by itself."""


class Use(StrEnum):
    """How a name is read."""

    VALUE = "value"
    CALL = "call"
    ATTRIBUTE = "attribute"
    THERE = "there"
    """Only to see that it is not None."""
    EXAMINED = "examined"
    """As what says of a function what it consists of, and does not call it."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What an expression reads."""

    names: tuple[tuple[str, Use], ...] = ()
    attributes: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    """Names that `:=` binds in it."""
    calls: bool = False
    """Whether it calls anything."""

    @property
    def is_constant(self) -> bool:
        """Whether it reads no name but Python's own."""
        return all(name in ALWAYS_THERE for name, _ in self.names)

    @property
    def is_void(self) -> bool:
        """Whether it reads nothing and calls nothing."""
        return not self.names and not self.calls

    @property
    def is_empty(self) -> bool:
        """Whether it reads nothing but that something is there, and calls nothing."""
        return all(use is Use.THERE for _, use in self.names) and not self.calls


def reads(*expressions: ast.AST | None) -> Reads:
    """What expressions read, whatever their outcome is used for."""
    names: dict[tuple[str, Use], None] = {}
    attributes: dict[str, None] = {}
    binds: dict[str, None] = {}
    calls = False
    for node in (each for one in expressions if one for each in _read(one)):
        match node:
            case ast.Compare(left=ast.Name(id=name)) if _is_not_none(node):
                names[name, Use.THERE] = None
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                names[name, Use.ATTRIBUTE] = None
                attributes[attribute] = None
            case ast.Attribute(attr=attribute):
                attributes[attribute] = None
            case ast.Call():
                calls = True
                names.update(_by_call(node))
            case ast.Name(id=name, ctx=ast.Load()):
                names[name, Use.VALUE] = None
            case ast.NamedExpr(target=ast.Name(id=name)):
                binds[name] = None
    return Reads(tuple(names), tuple(attributes), tuple(binds), calls)


def _by_call(call: ast.Call) -> Iterator[tuple[tuple[str, Use], None]]:
    """What a call reads besides the values of its arguments."""
    match call:
        case ast.Call(func=ast.Name(id=called)):
            yield (called, Use.CALL), None
        case ast.Call(func=ast.Attribute(value=value, attr=called)):
            if isinstance(value, ast.Name) and value.id == "inspect":
                yield from (((name, Use.EXAMINED), None) for name in _named(call))
        case _:
            return
    if called in _TELLING:
        yield from (((name, Use.EXAMINED), None) for name in _named(call))


def _named(call: ast.Call) -> Iterator[str]:
    return (each.id for each in call.args[:1] if isinstance(each, ast.Name))


def _read(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of an expression that read something."""
    if _only_finds(node):
        return
    yield node
    if _is_not_none(node):
        return
    match node:
        case ast.Attribute(value=ast.Name()):
            return
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(args=[lacking, *_])):
            below: list[ast.AST] = [lacking, node.operand]
        case ast.Call(func=ast.Name()):
            below = [*node.args, *node.keywords]
        case _:
            below = list(ast.iter_child_nodes(node))
    for each in below:
        yield from _read(each)


def _is_not_none(node: ast.AST) -> bool:
    match node:
        case ast.Compare(
            left=ast.Name(),
            ops=[ast.IsNot() | ast.NotEq()],
            comparators=[ast.Constant(value=None)],
        ):
            return True
    return False


def _only_finds(node: ast.AST) -> bool:
    """Whether an expression holds of anything that is there."""
    match node:
        case (
            ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=bool())])
            | ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")])
            | ast.Call(func=ast.Name(id="callable" | "hasattr"), args=[ast.Name(), *_])
        ):
            return True
        case ast.Attribute(attr=attribute):
            return attribute in _NAMING
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(reads(each).is_empty for each in values)
    return False
