"""Calls the tests that a check defines, as pytest and unittest would find them."""

from __future__ import annotations

import ast
import inspect
import unittest
from collections.abc import Callable, Iterator, Mapping

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_PREFIX = "test"


def call_tests(
    code: str, space: Mapping[str, object], is_entered: Callable[[object], bool]
) -> None:
    """Call the tests of a check that it has not called itself: functions without parameters.

    They are functions `test…`, the methods `test…` of classes `Test…`, and those of a
    `unittest.TestCase`. Raises what a test raises. A test that takes parameters is not called; its
    assertions are reported as never reached.
    """
    if _PREFIX not in code.lower():
        return
    for node in ast.parse(code).body:
        found = space.get(getattr(node, "name", ""))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith(_PREFIX):
                _call(found, is_entered)
        elif isinstance(found, type) and issubclass(found, unittest.TestCase):
            methods = _methods(found, is_entered)
            unittest.TestSuite(found(name) for name in methods).debug()
        elif isinstance(found, type) and found.__name__.startswith(_PREFIX.capitalize()):
            for name in _methods(found, is_entered):
                _call(getattr(found(), name), is_entered)


def _methods(kind: type, is_entered: Callable[[object], bool]) -> Iterator[str]:
    for name, method in list(vars(kind).items()):
        if name.startswith(_PREFIX) and inspect.isfunction(method) and not is_entered(method):
            yield name


def _call(test: object, is_entered: Callable[[object], bool]) -> None:
    if not inspect.isroutine(test) or is_entered(test):
        return
    parameters = inspect.signature(test).parameters.values()
    if any(each.default is each.empty and each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}
           for each in parameters):  # fmt: skip
        return
    outcome = test()
    if inspect.iscoroutine(outcome):
        import asyncio  # noqa: PLC0415 - most cards have no coroutine

        asyncio.run(outcome)
