"""Which failures of a document follow from a fence above that failed: names that it did not define.

Of a fence above, only its text is asked: it was not executed to its end.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from verideck.model import Snippet
from verideck.proof.python.wire.messages import StepReport
from verideck.proof.python.wire.syntax import called
from verideck.proof.python.wire.transcript import without_prompts

_MISSING = re.compile(r"NameError: name '(?P<name>[^']+)' is not defined")
_DEFINES_ANY = {"exec", "eval", "globals", "locals", "vars", "setattr"}
"""Functions by which code defines names that do not stand in it."""


def causes(steps: Sequence[Snippet], reports: Sequence[StepReport]) -> Mapping[int, int]:
    """By the number of a failed step that lacks a name: that of the failure which it follows from.

    That is the first one that may have been to define the name, or what that one follows from. A
    name that no failed step above would have defined is missing by itself, and has no entry.
    """
    found: dict[int, int] = {}
    failed = [number for number, report in enumerate(reports) if report.error]
    for at, number in enumerate(failed):
        name = _missing(reports[number])
        above = (each for each in failed[:at] if name and _may_define(steps[each], name))
        if (cause := next(above, None)) is not None:
            found[number] = found.get(cause, cause)
    return found


def _missing(report: StepReport) -> str:
    """The name for want of which a step failed; empty if it failed by something else."""
    match = _MISSING.match(report.error.message) if report.error else None
    return match["name"] if match else ""


def _may_define(snippet: Snippet, name: str) -> bool:
    """Whether code would have bound a name, so far as its text shows; in doubt it would."""
    if snippet.options.include:
        return True
    code = without_prompts(snippet.code) if snippet.session else snippet.code
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(_binds(node, name) for node in ast.walk(tree))


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=bound, ctx=ast.Store()):
            return bound == name
        case (
            ast.FunctionDef(name=bound)
            | ast.AsyncFunctionDef(name=bound)
            | ast.ClassDef(name=bound)
            | ast.MatchAs(name=bound)
            | ast.MatchStar(name=bound)
            | ast.MatchMapping(rest=bound)
        ):
            return bound == name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            bound_by = {each.asname or each.name.partition(".")[0] for each in aliases}
            return bool({name, "*"} & bound_by)
        case ast.Call():
            return called(node) in _DEFINES_ANY
    return False
