"""Statements that we put among the author's, at the place of the author's next one."""

from __future__ import annotations

import ast
from typing import TypeVar

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

Statement = TypeVar("Statement", bound=ast.stmt)


def mark_ours(statement: Statement) -> Statement:
    """Mark a statement as ours; returns it."""
    statement.verideck_ours = True  # type: ignore[attr-defined]
    return statement


def is_ours(node: ast.AST) -> bool:
    """Whether a node is a statement of ours."""
    return getattr(node, "verideck_ours", False)
