"""What the syntax tree of Python says, for all who read one."""

from __future__ import annotations

import ast


def called(call: ast.Call) -> str:
    """The last part of the name that is called; empty if it has none."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
