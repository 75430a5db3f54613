"""Nodes that we put among the author's, at the place of one of the author's."""

from __future__ import annotations

import ast
from typing import TypeVar

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

Node = TypeVar("Node", bound=ast.AST)
Statement = TypeVar("Statement", bound=ast.stmt)


def put(node: Node, at: ast.AST) -> Node:
    """Give a new node, and new nodes inside of it, the position of another one; returns it."""
    return ast.fix_missing_locations(ast.copy_location(node, at))


def mark_ours(statement: Statement) -> Statement:
    """Mark a statement as ours; returns it."""
    statement.verideck_ours = True  # type: ignore[attr-defined]
    return statement


def is_ours(node: ast.AST) -> bool:
    """Whether a node is a statement of ours."""
    return getattr(node, "verideck_ours", False)


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """The call of a function or method by its dotted name."""
    name, *attributes = function.split(".")
    called: ast.expr = ast.Name(name, ast.Load())
    for attribute in attributes:
        called = ast.Attribute(called, attribute, ast.Load())
    return ast.Call(called, list(arguments), [])
