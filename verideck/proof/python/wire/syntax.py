"""What the syntax tree of Python says, for all who read one."""

from __future__ import annotations

import ast


def last_name(node: ast.expr) -> str:
    """The last part of a name; empty if a node is something else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def called(call: ast.Call) -> str:
    """The last part of the name that is called; empty if it has none."""
    return last_name(call.func)
