"""Values that are followed from shown code into assertions: what is refused, and what is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import SETTINGS, project

from verideck.model import ProvenCard
from verideck.problems import Problem, Severity
from verideck.proof.python.child.assertions import Recorder
from verideck.proof.python.child.flow import Flow
from verideck.proof.python.child.marks import Marks
from verideck.proof.python.child.reading import reads
from verideck.proof.python.child.rewriter import Rewriter
from verideck.proof.python.child.tracer import NAME, Part, Tracer
from verideck.proof.python.child.values import state

DATA = Path(__file__).parent / "data"


def cards(name: str, *, torch: bool) -> dict[str, str]:
    """The cards of a file of `data`, by their questions: those that import torch, or the others."""
    text = (DATA / name).read_text(encoding="utf-8")
    found = [each for each in re.split(r"(?m)^(?=## )", text) if each]
    chosen = [each for each in found if bool(re.search("torch|numpy|plt", each)) is torch]
    return {each.split("\n")[0].removeprefix("## "): each for each in chosen}


def judged(folder: Path, every: dict[str, str]) -> dict[str, bool]:
    """By question: whether the card holds."""
    made = project(folder, {"a.md": "".join(every.values())}, SETTINGS + 'lang = "en"\n')
    held = {each.card.question.text for each in made.verified() if isinstance(each, ProvenCard)}
    return {question: question in held for question in every}


TORCH = [
    pytest.param(False, id="plain"),
    pytest.param(True, id="torch", marks=pytest.mark.torch),
]


@pytest.mark.linux(reason="one of them forks")
@pytest.mark.parametrize("torch", TORCH)
def test_an_honest_card_holds(tmp_path: Path, *, torch: bool) -> None:
    """However its check comes to what it asserts."""
    if torch:
        pytest.importorskip("matplotlib")
    every = judged(tmp_path, cards("honest.md", torch=torch))
    assert [question for question, holds in every.items() if not holds] == []


@pytest.mark.parametrize("torch", TORCH)
def test_a_card_that_proves_nothing_of_its_code_is_refused(tmp_path: Path, *, torch: bool) -> None:
    """Whatever else it asserts."""
    every = judged(tmp_path, cards("false.md", torch=torch))
    assert [question for question, holds in every.items() if holds] == []


READS = {
    "f(x) == y": {"f", "x", "y"},
    "x.shape == (2, 3)": {"x"},
    "callable(f)": set(),
    "hasattr(x, 'shape')": set(),
    "not hasattr(x, 'shape')": {"x"},
    "f.__name__ == 'f'": set(),
    "isinstance(x, object)": set(),
    "isinstance(x, int)": {"isinstance", "x", "int"},
    "x is not True": set(),
    "x == 3 or callable(f)": set(),
    "x == 3 and callable(f)": {"x"},
    "all(v > 0 for v in xs)": {"all", "v", "xs"},
    "1 + 1 == 2": set(),
}


@pytest.mark.parametrize("test", READS)
def test_what_an_expression_reads(test: str) -> None:
    """Names that it reads for more than that they are there."""
    assert {name for name, _ in reads(ast.parse(test, mode="eval").body).names} == READS[test]


def test_a_change_in_place_shows() -> None:
    """In a container, however deep, and in an object's attributes."""

    class Box:
        def __init__(self) -> None:
            self.inside = {"x": [1, 2]}

    box, same = Box(), [1, 2]
    before, untouched = state(box), state(same)
    box.inside["x"].append(3)
    assert state(box) != before
    assert state(same) == untouched


NAMES = st.sampled_from("abc")
VALUES = st.one_of(
    st.integers(-3, 3).map(repr),
    NAMES,
    st.tuples(NAMES, st.sampled_from("+-*"), st.integers(0, 3)).map(
        lambda x: f"{x[0]} {x[1]} {x[2]}"
    ),
    NAMES.map(lambda name: f"double({name})"),
    NAMES.map(lambda name: f"(lambda x: x + 1)({name})"),
    NAMES.map(lambda name: f"sum(each for each in range(abs({name}) % 4))"),
)
SIMPLE = st.one_of(
    st.tuples(NAMES, VALUES).map(lambda x: f"{x[0]} = {x[1]}"),
    st.tuples(NAMES, VALUES).map(lambda x: f"{x[0]} += {x[1]}"),
    VALUES.map(lambda value: f"seen.append({value})"),
    st.tuples(NAMES, NAMES, VALUES).map(lambda x: f"{x[0]}, {x[1]} = {x[2]}, 1"),
    st.tuples(NAMES, VALUES).map(lambda x: f"({x[0]} := {x[1]})"),
    NAMES.map(lambda name: f"assert {name} == {name} + 0"),
)


def indented(blocks: list[str]) -> str:
    """The lines of a block."""
    return "".join(f"    {line}\n" for line in "\n".join(blocks).split("\n"))


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Statements with other statements in them."""
    block = st.lists(inner, min_size=1, max_size=3).map(indented)
    return st.one_of(
        st.tuples(NAMES, block, block).map(lambda x: f"if {x[0]} > 0:\n{x[1]}else:\n{x[2]}"),
        st.tuples(NAMES, block).map(lambda x: f"for {x[0]} in (1, 2):\n{x[1]}"),
        st.tuples(NAMES, block).map(lambda x: f"for {x[0]} in iter([3]):\n{x[1]}    break\n"),
        st.tuples(block, block).map(
            lambda x: f"try:\n{x[0]}    1 / 0\nexcept ZeroDivisionError as error:\n{x[1]}"
        ),
        block.map(lambda x: f"with suppress(ValueError):\n{x}"),
        st.tuples(NAMES, block).map(
            lambda x: (
                f"match {x[0]}:\n    case 0:\n        pass\n    case other:\n"
                + "".join(f"    {line}\n" for line in x[1].rstrip("\n").split("\n"))
            )
        ),
        st.tuples(block, NAMES).map(
            lambda x: f"def work(a=1, b=2, c=3):\n{x[0]}    return {x[1]}\na = work()"
        ),
    )


PROGRAMS = st.lists(st.recursive(SIMPLE, compound, max_leaves=8), min_size=1, max_size=6).map(
    "\n".join
)
HEAD = """\
from contextlib import suppress

def double(x):
    return 2 * x

a, b, c, seen = 1, 2, 3, []
"""


def outcome(code: str, part: Part | None) -> tuple[dict[str, Any], str]:
    """The variables that a program leaves, and the exception that it raises."""
    marks = Marks()
    flow = Flow(marks, [True])
    recorder = Recorder(marks, flow)
    tree = ast.parse(code)
    if part is not None:
        for facts in Tracer(marks, flow, "program.py", part).traced(tree):
            flow.know(facts)
        tree = ast.fix_missing_locations(Rewriter().visit(tree))
    module = ModuleType("__main__")
    space = vars(module)
    space[NAME] = recorder
    raised = ""
    try:
        flow.begin_step(0)
        exec(compile(tree, "program.py", "exec"), space)  # noqa: S102 - the same as Python
        flow.end_step(space)
    except Exception as error:  # noqa: BLE001 - whatever a program raises
        raised = type(error).__name__
    names = ("a", "b", "c", "seen")
    return {name: space.get(name) for name in names}, raised


@given(PROGRAMS)
def test_what_is_followed_computes_the_same(program: str) -> None:
    """Marks and hooks change nothing of what code does, shown or not."""
    code = HEAD + program
    plain = outcome(code, None)
    assert outcome(code, Part(step=lambda _: 0, asserts=True)) == plain
    assert outcome(code, Part(asserts=True)) == plain


def test_a_problem_of_what_was_not_run_is_told_again_from_the_cache(tmp_path: Path) -> None:
    """A branch that was never entered is a warning of the proof, kept with it."""
    code = "def sign(x):\n    if x < 0:\n        return -1\n    return 1\n\nassert sign(2) == 1"
    made = project(tmp_path, {"a.md": f"## What is a sign?\n\n```python\n{code}\n```\n"})
    for _ in range(2):
        (warning,) = [each for each in made.verified() if isinstance(each, Problem)]
        assert (warning.place.line, warning.severity) == (6, Severity.WARNING)
