"""Calls the tests that a check defines, as pytest and unittest would find them."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_PREFIX = "test"


def call_tests(
    code: str, space: Mapping[str, object], is_entered: Callable[[object], bool]
) -> None:
    """Call the tests of a check that it has not called itself: functions without parameters.

    They are functions `test…`, the methods `test…` of classes `Test…`, between `setup_method` and
    `teardown_method`, and those of a `unittest.TestCase`. `parametrize` gives parameters their
    values. Raises what a test raises. A test that takes other parameters is not called; its
    assertions are reported as never reached.
    """
    if _PREFIX not in code.lower():
        return
    for call in list(_tests(code, space, is_entered)):  # what one test enters is not called by that
        call()


def _tests(
    code: str, space: Mapping[str, object], is_entered: Callable[[object], bool]
) -> Iterator[Callable[[], None]]:
    for node in ast.parse(code).body:
        found: Any = space.get(getattr(node, "name", ""))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith(_PREFIX) and inspect.isroutine(found) and not is_entered(found):
                yield functools.partial(_call, found)
        elif isinstance(found, type) and issubclass(found, unittest.TestCase):
            names = list(_methods(found, is_entered))
            yield unittest.TestSuite(map(found, names)).debug
        elif isinstance(found, type) and found.__name__.startswith(_PREFIX.capitalize()):
            for name in _methods(found, is_entered):
                yield functools.partial(_call_method, found, name)


def _methods(kind: type, is_entered: Callable[[object], bool]) -> Iterator[str]:
    for name in dict.fromkeys(name for base in kind.__mro__ for name in vars(base)):
        method = inspect.getattr_static(kind, name)
        if name.startswith(_PREFIX) and inspect.isfunction(method) and not is_entered(method):
            yield name


def _call_method(kind: type, name: str) -> None:
    """Call a method of a class that pytest would find, between what prepares and what clears up."""
    for arguments in _arguments(getattr(kind(), name), getattr(kind, "pytestmark", ())):
        instance = kind()
        test = getattr(instance, name)
        _around("setup_method", instance, test)
        try:
            _outcome(test(**arguments))
        finally:
            _around("teardown_method", instance, test)


def _around(name: str, instance: object, test: object) -> None:
    if method := getattr(instance, name, None):
        method(*([test] if inspect.signature(method).parameters else []))


def _call(test: Callable[..., object]) -> None:
    for arguments in _arguments(test):
        _outcome(test(**arguments))


def _outcome(outcome: object) -> None:
    """Await what a test has returned, if it is a coroutine."""
    if inspect.iscoroutine(outcome):
        import asyncio  # noqa: PLC0415 - most cards have no coroutine

        asyncio.run(outcome)


def _arguments(
    test: Callable[..., object], around: Sequence[object] = ()
) -> Iterator[dict[str, object]]:
    """What a test is to be called with, once for each time; nothing if that is not known.

    `around` are the marks of its class.
    """
    rows: list[list[dict[str, object]]] = []
    for mark in (*getattr(test, "pytestmark", ()), *around):
        match getattr(mark, "name", ""), getattr(mark, "args", ()), getattr(mark, "kwargs", {}):
            case "parametrize", (names, values), named if not named.get("indirect"):
                one = isinstance(names, str) and "," not in names
                names = names.replace(" ", "").split(",") if isinstance(names, str) else names
                rows.append([_row(names, [value] if one else value) for value in values])
    given = {name for row in rows for each in row for name in each}
    for name, each in inspect.signature(test).parameters.items():
        is_open = each.kind in {each.VAR_POSITIONAL, each.VAR_KEYWORD}
        if name not in given and each.default is each.empty and not is_open:
            return
    for chosen in itertools.product(*rows):
        yield {name: value for row in chosen for name, value in row.items()}


def _row(names: Sequence[str], values: Any) -> dict[str, object]:  # noqa: ANN401 - any test's
    wrapped = values[0] if len(names) == 1 else values
    if type(wrapped).__name__ == "ParameterSet":  # `pytest.param`
        values = wrapped.values
    return dict(zip(names, values, strict=False))
