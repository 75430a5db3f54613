"""What shown code computes: code that is recorded does what it does, and what is recorded of it."""

from __future__ import annotations

import ast
import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from verideck.proof.python.child.computed import Computing
from verideck.proof.python.wire.messages import Line, Lines

FILE = "a.py"


def recorded(code: str, *lines: tuple[int, int]) -> tuple[dict[str, Any], Computing]:
    """The names that code leaves behind when it is recorded, and the recorder."""
    shown = lines or ((1, code.count("\n") + 1),)
    computing = Computing([Lines(FILE, *each) for each in shown], "recorder")
    space: dict[str, Any] = {
        "__name__": __name__,
        "recorder": SimpleNamespace(computing=computing),
    }
    tree = computing.traced(ast.parse(code), FILE)
    assert isinstance(tree, ast.Module)
    exec(compile(tree, FILE, "exec"), space)  # noqa: S102 - the code of these tests
    return space, computing


EVERYTHING = '''\
"""A docstring."""
from __future__ import annotations
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple
import contextlib

@dataclass
class Point:
    """Of a plane."""
    x: int
    y: int = 2

    def size(self, by: int = 3, *, more=None):
        """How far."""
        self.last = by
        return (self.x ** 2 + self.y ** 2) * by

class Colour(Enum):
    RED = 1
    BLUE = RED + 1

class Pair(NamedTuple):
    one: int
    two: int = 4

class Base:
    def __init__(self):
        self.base = 1

class Derived(Base):
    def __init__(self):
        super().__init__()
        self.base += 1

def numbers(n):
    got = yield from range(n)
    for each in range(n):
        answer = yield each
        if answer is None:
            continue
    else:
        yield got

async def waits(x):
    async def inner():
        return x + 1
    return await inner()

def matched(value):
    match value:
        case {"a": a, **rest} if a > 0:
            return a, rest
        case [one, *others]:
            return one, others
        case Point(x=0):
            return "origin"
        case _:
            return None

def outer():
    count = 0
    def add(by=2):
        nonlocal count
        count += by
        return count
    add()
    return add(3), count

def tried(x):
    try:
        y = 1 / x
    except ZeroDivisionError as error:
        return type(error).__name__
    else:
        return y
    finally:
        x = None

def chosen(x):
    if x < 0:
        return "less"
    elif x == 0:
        return "zero"
    elif (half := x / 2) > 3:
        return f"{half + 1:.1f}"
    while x:
        x -= 1
        if x == 2:
            break
    with contextlib.suppress(KeyError):
        {}["missing"]
    return x

table = [0] * 4
table[1:3] = [5, 6]
table[0] += 7
first, *others = table
del table[-1]
square = lambda x, n=2: x ** n
results = (
    Point(3).size(), Point(3, y=1).size(by=2), Colour.BLUE.value, Pair(1), Derived().base,
    list(numbers(2)), matched({"a": 1, "b": 2}), matched([1, 2, 3]), matched(Point(0)), matched(3),
    outer(), tried(0), tried(4), [chosen(x) for x in (-1, 0, 9, 4)], first, others, table,
    square(3), sorted({"b": 1, "a": 2}, key=lambda k: -len(k)),
    {k: v for k, v in zip("ab", (1, 2))},
    Point.size.__doc__, Point.__annotations__["x"], [*map(str, range(3))],
)
'''


def test_recorded_code_does_what_it_does() -> None:
    """Its values, docstrings and annotations are those of code that is not recorded."""
    plain: dict[str, Any] = {"__name__": __name__}
    exec(compile(EVERYTHING, FILE, "exec", dont_inherit=True), plain)  # noqa: S102
    space, computing = recorded(EVERYTHING)
    assert repr(space["results"]) == repr(plain["results"])
    assert asyncio.run(space["waits"](1)) == 2
    assert space["__doc__"] == plain["__doc__"]
    assert len(computing.found().values) > 30


def test_only_shown_lines_are_recorded() -> None:
    """Of a file, the lines that a card shows."""
    _, computing = recorded("a = 1\nb = 2\nc = 3\n", (2, 2))
    found = computing.found()
    assert (found.ran, [each.numbers for each in found.values]) == ((Line(FILE, 2),), [(2.0,)])


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("a = 1\nb = a + 1", 1),  # b; a shows in it
        ("a = 1\nb = a\na = 2", 2),  # b, and a that is not read again
        ("if 0:\n    print(a)\na = 1", 1),
        ("def f():\n    return a\na = 1", 1),
        ("def f():\n    return a\na = 1\nf()", 2),  # returned, and the value of the call
        ("a = [1]\na.append(2)", 2),  # given, and left in a
        ("class A:\n    a = 1\nb = A.a", 2),
        ("for i in range(3): pass", 3),
        ("f = lambda: 4\nf()", 2),
        ("assert 1 + 1 == 2", 0),
    ],
)
def test_what_a_value_shows_in_is_enough(code: str, values: int) -> None:
    """A name that is read later is told by what comes of it; what nobody reads is told itself."""
    _, computing = recorded(code)
    assert len(computing.found().values) == values


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x[:, -1]", "x[:, 0]", False),
        ("x[:, 0:3]", "x[:, 0:]", True),
        ("x.T", "x", False),
        ("x.mean(-1)", "x.mean(-1, keepdims=True)", False),
        ("x.mean(0)", "x.mean(0, keepdims=True)", True),
        ("x.reshape(3, 3)", "x.reshape(9)", False),
    ],
)
def test_arrays_are_told_by_what_they_take(one: str, other: str, *, same: bool) -> None:
    """Equal numbers are not enough; ones before a shape broadcast as if they were not there."""
    pytest.importorskip("numpy")
    takes = [
        recorded(f"import numpy\nx = numpy.ones((3, 3))\ny = {each}")[1].found().takes
        for each in (f"({one}) + 0", f"({other}) + 0")
    ]
    assert (takes[0] == takes[1]) is same
