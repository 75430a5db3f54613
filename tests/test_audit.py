"""The audit: which changes are made to code, what becomes of them, and what is told of it."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from projects import EXECUTORS, SETTINGS, Project, audit, card, execution_config, load, project

from verideck.cli.commands import verideck
from verideck.cli.formats import as_json as told_as_json
from verideck.cli.formats.told import Told
from verideck.cli.report import format_audit
from verideck.model import Audit, Place, ProvenCard, Survivor
from verideck.problems import Code, Problem
from verideck.proof.python.audit import audit_cache, auditor
from verideck.proof.python.audit.audit_cache import AuditedRun
from verideck.proof.python.audit.comparison import agree
from verideck.proof.python.audit.mutations import Kind, ignored, mutants
from verideck.proof.python.child.values import fingerprint, traced
from verideck.proof.python.parent import forks, spawned
from verideck.proof.python.wire.messages import as_json
from verideck.proof.python.wire.run import ExecutorError, NobodyError

# Which changes are made

CHANGED: dict[str, tuple[str, set[str]]] = {
    "addition": ("y = a + b", {"y = a - b"}),
    "subtraction": ("y = a - b", {"y = a + b"}),
    "multiplication": ("y = a * b", {"y = a / b"}),
    "division": ("y = a / b", {"y = a * b"}),
    "floor division": ("y = a // b", {"y = a / b"}),
    "a number in arithmetic": ("y = x ** 2", {"y = x ** 3"}),
    "a fraction in arithmetic": ("y = 0.5 % x", {"y = 1.0 % x"}),
    "one of equal signs": ("y = a - b - c", {"y = a + b - c", "y = a - b + c"}),
    "between parentheses": ("y = (a)*(b)", {"y = (a)/(b)"}),
    "in place": ("y += a", {"y -= a"}),
    "in place, divided": ("y //= a", {"y /= a"}),
    "a sign": ("y = -x", {"y = x"}),
    "a sign before parentheses": ("y = -(a % b) % c", {"y = (a % b) % c"}),
    "an inverted mask": ("y = x[~mask]", {"y = x[mask]"}),
    "a negation": ("y = not x", {"y = x"}),
    "minus infinity": ("y = x.fill_(float('-inf'))", {'y = x.fill_(float("inf"))'}),
    "a huge number": ("y = x.fill_(-1e9)", {"y = x.fill_(1e9)"}),
    "less": ("y = a < b", {"y = a >= b"}),
    "not more": ("y = a <= b", {"y = a > b"}),
    "more": ("y = a > b", {"y = a <= b"}),
    "not less": ("y = a >= b", {"y = a < b"}),
    "equal": ("y = a == b", {"y = a != b"}),
    "unequal": ("y = a != b", {"y = a == b"}),
    "a chain": ("y = a < b == c", {"y = a >= b == c", "y = a < b != c"}),
    "and": ("y = a and b", {"y = a or b"}),
    "or": ("y = a or b or c", {"y = a and b or c", "y = a or b and c"}),
    "a condition": ("if x: y = 1", {"if not (x): y = 1"}),
    "a condition on a comparison": ("if a < b: y = 1", {"if a >= b: y = 1"}),
    "a condition on None": ("if x is None: y = 1", {"if not (x is None): y = 1"}),
    "a choice": ("y = a if x else b", {"y = a if not (x) else b"}),
    "a sibling": ("y = x.mean()", {"y = x.sum()"}),
    "a sibling, the other way": ("y = torch.triu(x)", {"y = torch.tril(x)"}),
    "a sibling that is imported": ("y = softmax(x)", {"y = log_softmax(x)"}),
    "the last axis": (
        "y = x.norm(dim=-1)",
        {"y = x.norm(dim=-2)", "y = x.norm(dim=-1, keepdim=True)"},
    ),
    "the first axis": ("y = x.norm(axis=0)", {"y = x.norm(axis=1)"}),
    "another axis": (
        "y = x.norm(dim=2)",
        {"y = x.norm(dim=1)", "y = x.norm(dim=2, keepdim=True)"},
    ),
    "axes by position": (
        "y = x.transpose(1, 2)",
        {"y = x.transpose(0, 2)", "y = x.transpose(1, 1)"},
    ),
    "an axis behind a value": (
        "y = torch.norm(x, -2)",
        {"y = torch.norm(x, -1)", "y = torch.norm(x, -2, keepdim=True)"},
    ),
    "a flag": ("y = x.norm(keepdim=True)", {"y = x.norm(keepdim=False)"}),
    "a flag that is on by default": ("y = f(x, unbiased=False)", {"y = f(x, unbiased=True)"}),
    "a correction": ("y = f(x, correction=0)", {"y = f(x, correction=1)"}),
    "a small number": ("y = x / (n + eps)", {"y = x * (n + eps)", "y = x / (n + 0.0)"}),
    "a small number itself": ("y = 1e-5 + x.pow(n)", {"y = 0.0 + x.pow(n)"}),
    "in a function": (
        "def f(x, n=1 + 1):\n    return x % 2",
        {"return x % 3", "def f(x, n=1 - 1):", "def f(x, n=2 + 1):"},
    ),
    "in an argument that is named": ("y = f(x, by=a + b)", {"y = f(x, by=a - b)"}),
    "in a text": ('y = f"{a + b:.2f}"', {'y = f"{a - b:.2f}"'}),
    "in a slice": ("y = x[n - k:]", {"y = x[n + k:]"}),
    "on a line of its own": ("y = (a\n    + b)", {"- b)"}),
    "behind a remark": ("y = (a  # + is not -\n    + b)", {"- b)"}),
    "from a value": ("y = torch.tensor(x + n)", {"y = torch.tensor(x - n)"}),
    "a slice": (
        "y = x[1:, :-1, 0]",
        {"y = x[2:, :-1, 0]", "y = x[1:, :-2, 0]", "y = x[1:, :-1, -1]"},
    ),
    "a bound that is no number": ("y = x[:n]", {"y = x[:]"}),
    "a step": ("y = x[0::2]", {"y = x[1::2]", "y = x[0::1]"}),
    "an index": ("y = x[-1], x[2]", {"y = x[0], x[2]", "y = x[-1], x[1]"}),
    "what is assigned to a slice": ("x[:, 1:] = y", {"x[:, 2:] = y"}),
    "a default": (
        "def f(x, n=2, *, p=0.5, on=False): return x",
        {
            "def f(x, n=3, *, p=0.5, on=False): return x",
            "def f(x, n=2, *, p=1.0, on=False): return x",
            "def f(x, n=2, *, p=0.5, on=True): return x",
        },
    ),
    "a small default": ("def f(x, eps=1e-5, least=1e-8): ...", set()),
    "a decorator": ("@property\ndef f(x): return x", {"# @property"}),
    "a decorator that is called": ("@torch.no_grad()\ndef f(x): return x", {"# @torch.no_grad()"}),
    "indices": (
        "y = torch.einsum('bid,bjd->bij', q, k)",
        {"y = torch.einsum('bid,bjd->bji', q, k)", "y = torch.einsum('bdi,bjd->bij', q, k)"},
    ),
    "indices of one axis": ("y = torch.einsum('ii->i', x)", set()),
    "no gradient": ("with torch.no_grad(): y = x", {"with torch.enable_grad(): y = x"}),
    "a switch of gradients": (
        "torch.set_grad_enabled(False)",
        {"torch.set_grad_enabled(True)"},
    ),
    "a gradient that is cut off": ("y = f(x.detach())", {"y = f(x)"}),
    "a copy": ("y = x.clone().relu_()", {"y = x.relu_()"}),
    "an axis that is forgotten": (
        "y = x - x.mean(-1)",
        {
            "y = x + x.mean(-1)",
            "y = x - x.sum(-1)",
            "y = x - x.mean(-2)",
            "y = x - x.mean(-1, keepdims=True)",
        },
    ),
    "the first axis, which broadcasts": ("y = x.amax(0)", {"y = x.amin(0)", "y = x.amax(1)"}),
    "a loop": ("for i in range(n): y = i", {"for i in range(n - 1): y = i"}),
    "a loop that begins": (
        "y = [f(i) for i in range(1, 9)]",
        {"y = [f(i) for i in range(2, 9)]", "y = [f(i) for i in range(1, 8)]"},
    ),
    "a bound": ("y = x.clamp(0, max=2.5)", {"y = x.clamp(1, max=2.5)", "y = x.clamp(0, max=3.5)"}),
    "a triangle": ("y = x.tril()", {"y = x.triu()", "y = x.tril(-1)"}),
    "a diagonal": ("y = x.triu(diagonal=1)", {"y = x.tril(diagonal=1)", "y = x.triu(diagonal=2)"}),
    "an order of axes": ("y = x.permute(0, 2, 1)", {"y = x.permute(0, 1, 2)"}),
    "a transposed matrix": ("y = q @ k.mT", {"y = q @ k"}),
    "a mode": ("model.eval()", {"model.train()"}),
    # What is not changed
    "a decorator that changes no value": ("@functools.cache\ndef f(x): return x", set()),
    "what is deleted": ("del x[1:], x[0]", set()),
    "what is compiled to the same": ("y = 2 * 1", {"y = 2 * 2", "y = 3 * 1", "y = 2 / 1"}),
    "an assertion": ("assert a + b == -x.mean(dim=1)", set()),
    "a library's assertion": ("torch.testing.assert_close(a + b, x.mean(dim=1))", set()),
    "an import": ("import math\nfrom math import exp, log", set()),
    "a seed": ("torch.manual_seed(0)\ngenerator = torch.Generator().manual_seed(1)", set()),
    "an input": ("x = torch.randn(2, 3).double()\nn = np.zeros((2, 3), dtype=int)", set()),
    "an input with its type": ("x: Tensor = torch.zeros(2, 3)", set()),
    "a docstring": ('def f(x):\n    """a + b, a < b and -inf."""\n    return x', set()),
    "a comment": ("y = x  # a + b", set()),
    "a flag that is the default": ("y = f(x, keepdim=False, unbiased=True, correction=1)", set()),
    "an integer": ("n = 3\ny = f(x, 4, heads=5)\nz = {1: [2, -3]}", set()),
    "what is raised": ("raise ValueError(a + b)", set()),
    "an annotation": ("def f(x: T[a + b], k: T[1] = None) -> T[a - b]: ...\nz: T[a * b]", set()),
    "text": ("y = 'a' + b\nz = '-' * 20", set()),
    "a choice of Python's": ("y = round(x, 3)\nz = pow(x, 2)", set()),
    "what is no axis of Python's": ("y = max(x, 3)", {"y = min(x, 3)"}),
    "a silenced line": ("y = a + b  # audit: ignore b is 0", set()),
    "a line that is silenced without a reason": (
        "y = a + b  # audit: ignore",
        {"y = a - b  # audit: ignore"},
    ),
    "an axis that is none": ("y = x.norm(dim={[1]: 2})", set()),
    "no Python": ("y = = 1 + 1", set()),
    "nothing": ("", set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_changes(name: str) -> None:
    """These changes are made to this code, and no others."""
    code, lines = CHANGED[name]
    assert {mutant.after for mutant in mutants(code)} == lines


FALLEN_BACK: dict[str, tuple[Kind, str, set[str]]] = {
    "a method": (Kind.CALLING, "y = x.abs()", {"y = x"}),
    "an attribute": (Kind.CALLING, "y = x.real", {"y = x"}),
    "a function": (Kind.CALLING, "import math\ny = math.floor(x)", {"y = (x)"}),
    "an argument": (Kind.CALLING, "f(a, k=b)", {"(a)", "f(a)"}),
    "arguments": (Kind.CALLING, "y = f(a, b)", {"y = (a)", "y = f(b, a)"}),
    "what is unpacked": (Kind.CALLING, "a, b = draw()", {"b, a = draw()"}),
    "inputs": (Kind.CALLING, "a, b = randn(2, 3)", set()),
    "the same argument twice": (Kind.CALLING, "y = f(a, a)", {"y = (a)"}),
    "a number that is an input": (Kind.LITERAL, "x = tensor([1, 0.5])", {
        "x = tensor([2, 0.5])", "x = tensor([1, 1.0])",
    }),
    "text": (Kind.LITERAL, "x = 'a', '9', True", {
        "x = 'a_', '9', True", "x = 'a', '10', True", "x = 'a', '9', False",
    }),
    "a docstring": (Kind.LITERAL, "def f():\n    'text'\nx = f'{y}: z'", set()),
    "what is asserted": (Kind.ASSERTED, "assert x.T.T == 3 and not f(x + 1)", {
        "assert x.T == 3 and not f(x + 1)",
        "assert x.T.T == 3 and not f(x - 1)",
        "assert x.T.T == 3 and not f(x + 2)",
    }),
    "what a library asserts": (Kind.ASSERTED, "assert_close(x.T, y)", {"assert_close(x, y)"}),
    "a comparison": (Kind.ASSERTED, "assert equal(x, y)\nassert x == 'a'", set()),
}  # fmt: skip


@pytest.mark.parametrize("name", FALLEN_BACK)
def test_changes_of_what_only_demonstrates(name: str) -> None:
    """They are made where nothing else can be changed."""
    kind, code, lines = FALLEN_BACK[name]
    assert {mutant.after for mutant in mutants(code, kind=kind)} == lines


def test_a_lost_epsilon_is_told_apart() -> None:
    """Only the change that few inputs show is advisory."""
    found = {mutant.after: mutant.advisory for mutant in mutants("y = x / (n + 1e-6)")}
    assert found == {"y = x * (n + 1e-6)": False, "y = x / (n + 0.0)": True}


def test_only_lines_that_are_asked_for_change() -> None:
    """A card that shows a part of a file is not judged by the rest of it."""
    code = "a = x + y\nb = x + y\nc = x + y\nd = x + y\n"
    assert [mutant.line for mutant in mutants(code, 2, 3)] == [2, 3]


def test_columns_are_those_of_characters() -> None:
    """What stands before a change, in whatever script, stays as it is."""
    (mutant,) = mutants("größe = 'ß😀' if 长度.größe < 高度 else 'é'")
    assert mutant.after == "größe = 'ß😀' if 长度.größe >= 高度 else 'é'"
    found = {mutant.after for mutant in mutants("δ = f('é', α.mean(dim=1) + ε)")}
    assert found == {
        "δ = f('é', α.mean(dim=1) - ε)",
        "δ = f('é', α.sum(dim=1) + ε)",
        "δ = f('é', α.mean(dim=0) + ε)",
        "δ = f('é', α.mean(dim=1, keepdim=True) + ε)",
    }


def test_the_reason_is_what_silences() -> None:
    """A line is silenced by a reason, told after the words."""
    assert ignored("y = a + b  # audit: ignore  b is 0") == "b is 0"
    assert ignored("y = a + b  # audit: ignore ") == ""


SIGNS = ["+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", "==", "!=", ">", ">="]
GAPS = st.sampled_from([" ", "", "  ", "\n", " # a + b, not -x\n", " \\\n", "\n\n"])


@st.composite
def joined(draw: st.DrawFn, parts: st.SearchStrategy[str]) -> str:
    """An expression in parentheses, laid out in any way."""
    words = draw(
        st.one_of(
            st.tuples(parts, st.sampled_from(SIGNS), parts),
            st.tuples(parts, st.sampled_from([" and ", " or ", " is ", " in "]), parts),
            st.tuples(st.sampled_from(["-", "~", "not "]), parts),
            st.tuples(parts, st.just(" if "), parts, st.just(" else "), parts),
            st.tuples(st.just("f("), parts, st.just(", dim="), parts, st.just(", keepdim=True)")),
            st.tuples(parts, st.sampled_from([".mean(1)", ".größe.softmax(dim=-1)", "[1:, -1]"])),
            st.tuples(parts, st.sampled_from([" + 1e-6", " + eps", " * 1.5", " - 2"])),
        )
    )
    return f"({''.join(word + draw(GAPS) for word in words)})"


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "größe", "长", "3 ", "0.5", "'é -'", 'float("-inf")', "1e9", "[a, -b]"]),
    joined,
    max_leaves=8,
)


@given(EXPRESSIONS, st.sampled_from(["y = ", "y: int = ", "return ", "y *= ", "if ", "f(ü, "]))
def test_every_mutant_is_one_other_line(expression: str, before: str) -> None:
    """A mutant is Python, means something else, differs in the line that is told, and in no other.

    No two are the same.
    """
    after = {"if ": ": pass", "f(ü, ": ")"}.get(before, "")
    code = f"def f(é):\n    'docstring'; {'pass' if before == 'if ' else 'ß'}\n    {before}"
    code += f"{expression}{after}\n"
    meaning = ast.dump(ast.parse(code))
    found = mutants(code)
    for mutant in found:
        assert ast.dump(ast.parse(mutant.code)) != meaning
        lines, others = code.split("\n"), mutant.code.split("\n")
        assert len(lines) == len(others)
        differing = [n for n, line in enumerate(lines, start=1) if line != others[n - 1]]
        assert differing == [mutant.line]
        assert lines[mutant.line - 1].strip() == mutant.before
        assert others[mutant.line - 1].strip() == mutant.after
    assert len({mutant.code for mutant in found}) == len(found)


# What becomes of them

EVERY = """\
def f(x):
    one = [1][x - 5]
    return x * 2 if one else 0


assert f(5) > 8"""
WEAK = "def halves(numbers):\n    return [n / 2 for n in numbers]\n\n\nassert len(halves([4])) == 1"
STRONG = WEAK.replace("len(halves([4])) == 1", "halves([4]) == [2]")
SILENT = WEAK.replace("numbers]\n", "numbers]  # audit: ignore the {} is what counts\n", 1)
EPSILON = """\
def shares(numbers, eps=1e-9):
    return [n / (max(numbers) + eps) for n in numbers]


assert [round(share, 3) for share in shares([1, 4])] == [0.25, 1]"""
INCLUDED = """\
def helper(x):
    return x + 1


def twice(x):
    return x * 2
"""
RAISING = card("raising", "if 1 < 2:\n    raise ValueError('no')").replace(
    "```python", '```python {raises="ValueError" match="no"}'
)
CARDS = "".join(
    [
        card("every", EVERY),
        card("weak", WEAK),
        card("strong", STRONG),
        card("silent", SILENT.format("length")),
        card("loud", WEAK.replace("numbers]\n", "numbers]  # audit: ignore\n", 1)),
        card("epsilon", EPSILON),
        card("included", "", "\n```python {.check}\nassert twice(3) > 5\n```\n").replace(
            "```python\n\n", '```python {include="snippets/twice.py" symbol="twice"}\n'
        ),
        card("hidden", "x = 4", "\n```python {.check}\ny = x + 1\nassert y == 5\n```\n"),
        card("printing", "print(3 * 2)", "\n```output\n6\n```\n"),
        card("commented", "x = 3 * 2  # → 6\nx + 1\n#> 7"),
        card("valued", "3 * 2", "\n```output\n6\n```\n"),
        RAISING,
        card("infinite", "def lowest():\n    return float('-inf')\n\n\nassert lowest() != 0"),
    ]
)
FILES: dict[str, str | bytes] = {"a.md": CARDS, "snippets/twice.py": INCLUDED}


def found(made: Project, floor: float = 0.0) -> list[ProvenCard | Problem]:
    """What an audit of a project's cards comes to."""
    return audit(
        [each for each in made.verified() if isinstance(each, ProvenCard)],
        execution_config(made.settings()),
        floor,
    )


def audits(made: Project) -> dict[str, Audit]:
    """What was found of each card, by its id."""
    proven = [each for each in found(made) if isinstance(each, ProvenCard)]
    return {each.card.id: each.audit for each in proven if each.audit}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """The audits of all these cards."""
    return audits(project(tmp_path_factory.mktemp("audited"), FILES))


def test_each_change_comes_to_one_of_four(audited: dict[str, Audit]) -> None:
    """Refused by an assertion, failed otherwise, nothing that an assertion reads, or survived.

    What crashed and what is equivalent say nothing of the assertions: the score is of the rest.
    """
    every = audited["every"]
    assert (every.mutants, every.killed, every.crashed, every.equivalent) == (5, 2, 1, 1)
    (survivor,) = every.survivors
    assert survivor.after == "return x * 3 if one else 0"
    assert survivor.moved == 5
    assert every.score == pytest.approx(2 / 3)
    assert format_audit(every) == "67%: 2 of 3 changes noticed, 1 crashed, 1 equivalent"


def test_a_survivor_is_told_at_its_line(audited: dict[str, Audit]) -> None:
    """In the Markdown file, or in the file that is included; the rest of that file is not shown."""
    lines = {"cards/a.md": CARDS.split("\n"), "snippets/twice.py": INCLUDED.split("\n")}
    told = [survivor for each in audited.values() for survivor in each.survivors]
    for survivor in told:
        assert lines[survivor.place.path][survivor.place.line - 1].strip() == survivor.before
    assert audited["every"].survivors[0].place == Place("cards/a.md", 8)
    (included,) = audited["included"].survivors
    assert included == Survivor(Place("snippets/twice.py", 6), "return x * 2", "return x * 3", 3)


def test_the_score_tells_weak_from_strong(audited: dict[str, Audit]) -> None:
    """A length notices nothing; a known value notices everything."""
    assert (audited["weak"].score, len(audited["weak"].survivors)) == (0, 2)
    assert [each.moved for each in audited["weak"].survivors] == [6, pytest.approx(2 / 3)]
    assert (audited["strong"].score, audited["strong"].killed) == (1, 2)


def test_a_reason_silences(audited: dict[str, Audit]) -> None:
    """Changes of a line that is silenced with a reason are not made; without one they are."""
    assert audited["silent"] == Audit(ignored=1)
    assert format_audit(audited["silent"]) == "every change is ignored"
    assert len(audited["loud"].survivors) == 2


UNCOVERED: dict[str, tuple[str, str, list[str]]] = {
    "what never ran": (
        "def f(x):\n    if x > 9:\n        y = x + 1\n        return y\n    return x * 2",
        "assert f(3) == 6",
        ["this line never ran"] * 2,
    ),
    "a branch": (
        "def f(x):\n    if x:\n        return x * 2\n    return -x",
        "assert f(3) == 6",
        ["this line never ran"],
    ),
    "what nobody reads": (
        "def f(x):\n    unused = x + 7\n    return x",
        "assert f(3) == 3",
        ["what it alters reaches no assertion"] * 2,
    ),
    "what is stored": (
        "class Box:\n    pass\n\n\nbox = Box()\nbox.half = box.whole = 4 / 2",
        "assert box",
        ["what it alters reaches no assertion"] * 3,
    ),
    "what is printed": (
        "def f(x):\n    print(x + 1)\n    return x",
        "assert f(3) == 3",
        ["what it alters reaches no assertion"] * 2,
    ),
    "what is put into a list": (
        "kept = []\nfor x in [1, 2]:\n    kept.append(x * 2)",
        "assert x == 2",
        ["what it alters reaches no assertion"] * 2,
    ),
    "what is yielded": (
        "def f(x):\n    yield x\n    yield x - 1",
        "assert next(iter([*f(3)])) == 3",
        ["what it alters reaches no assertion"] * 2,
    ),
    "a default that nobody uses": (
        "def f(x, n=2):\n    return x",
        "assert f(3, 4) == 3",
        ["what it alters reaches no assertion"],
    ),
    "how often a loop runs": (
        "def f(x):\n    for _ in range(x):\n        last = 1\n    return last",
        "assert f(3) == 1",
        ["what it alters reaches no assertion"],
    ),
    "what is read before, not after": (
        "def f(x):\n    y = x\n    z = y\n    y = x + 1\n    return z",
        "assert f(3) == 3",
        ["what it alters reaches no assertion"] * 2,
    ),
    "nothing": (
        "def f(x):\n    shift = x * 2\n    return (shift - shift) * 1.0",
        "assert f(0) == 0",
        [],
    ),
}


def test_what_no_assertion_could_notice_is_told_apart(tmp_path: Path) -> None:
    """It has survived, unless nothing that the shown code computes is altered."""
    cards = "".join(
        card(f"c{number}", code, f"\n```python {{.check}}\n{check}\n```\n")
        for number, (code, check, _) in enumerate(UNCOVERED.values())
    )
    found = audits(project(tmp_path, {"a.md": cards}))
    for number, (name, (*_, expected)) in enumerate(UNCOVERED.items()):
        audit = found[f"c{number}"]
        told = [each.uncovered for each in audit.survivors if each.uncovered]
        assert told == expected, (name, audit)
        assert audit.uncovered == len(told)


def test_what_does_not_bear_to_be_looked_at_is_audited(tmp_path: Path) -> None:
    """Where shown code fails once it is recorded, the assertions alone judge its mutants."""
    code = (
        "import sys\n\n\ndef f(x):\n    return x * 2\n\n\n"
        "assert b'computing' not in repr(f.__code__.co_names).encode()"
    )
    found = audits(project(tmp_path, {"a.md": card("a", f"{code}\nassert f(2) == 4")}))["a"]
    assert (found.flaky, found.killed, len(found.survivors)) == ("", 2, 0)


def test_a_lost_epsilon_is_not_counted(audited: dict[str, Audit]) -> None:
    """It is told apart, and lowers no score."""
    epsilon = audited["epsilon"]
    assert (epsilon.score, epsilon.survivors) == (1, ())
    line = CARDS[: CARDS.index("/ (max(numbers)")].count("\n") + 1
    assert [place.line for place in epsilon.advised] == [line]


def test_only_shown_code_is_changed(audited: dict[str, Audit]) -> None:
    """Neither are checks: nobody learns from them. Inputs are, where nothing is computed."""
    assert audited["hidden"] == Audit(mutants=1, killed=1)


def test_whatever_is_asserted_notices(audited: dict[str, Audit]) -> None:
    """What is printed, said in a comment, or announced to be raised is asserted, too."""
    assert (audited["commented"].score, audited["valued"].score) == (1, 1)
    assert (audited["printing"].killed, audited["printing"].score) == (3, 1)
    assert (audited["raising"].killed, audited["raising"].score) == (1, 1)


def test_infinity_is_no_number_of_json(audited: dict[str, Audit], tmp_path: Path) -> None:
    """How far a value moved to infinity is told to people; programs could not read it."""
    (survivor,) = audited["infinite"].survivors
    assert survivor.moved == float("inf")
    (one,) = project(tmp_path, {"a.md": card("a", STRONG)}).proven()
    proven = ProvenCard(one.card, (), audited["infinite"])
    told = told_as_json.run(Told(tmp_path, audited=[proven]))
    (each,) = json.loads(told, parse_constant=never)["cards"]
    assert each["survivors"][0]["moved"] is None


def test_an_authors_note_is_not_on_the_card(tmp_path: Path) -> None:
    """Whoever learns the code does not see why a line is silenced; the rest of the line stays."""
    made = project(tmp_path, {"a.md": card("a", SILENT.format("length"))})
    (note,) = made.check().notes
    text = re.sub(r"<[^>]+>", "", "\n".join(note.fields.values()))
    assert "audit" not in text
    assert "what counts" not in text
    assert "return [n / 2 for n in numbers]\n" in text


LOOP = """\
def count(n):
    steps = 0
    while n > 0:
        n -= 1
        steps += 1
    return steps


assert count(3) == 3"""


def test_a_mutant_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after the time that the card itself takes, not at its limit; it counts as crashed."""
    monkeypatch.setattr(auditor, "_GRACE", 0.3)
    limit = 60
    made = project(tmp_path, {"a.md": card("a", LOOP)}, f"{SETTINGS}timeout = {limit}\n")
    started = time.monotonic()
    loop = audits(made)["a"]
    assert time.monotonic() - started < limit
    assert (loop.killed, loop.crashed, loop.survivors) == (2, 1, ())


SHIFTED = """\
from math import exp

def softmax(z):
    m = max(z)
    e = [exp(x - m) for x in z]
    return [x / sum(e) for x in e]


weights = softmax([0.1, 0.7, 1.9])"""
CLOSE = "\n```python {.check}\nassert abs(weights[1] - 0.2054) < 1e-3\n```\n"
NUMPY = """\
import numpy as np

x = np.array([0.1, 0.7, 1.9], dtype=np.float32)
e = np.exp(x - x.max())
weights = e / e.sum()"""
REAL = """\
def near(x):
    return x + 1e-6 * 2


y = near(0.5)
assert abs(y - 0.5) < 1e-3"""


@pytest.mark.parametrize("code", [SHIFTED, NUMPY], ids=["python", "numpy"])
def test_rounding_noise_is_nothing_that_moved(tmp_path: Path, code: str) -> None:
    """A softmax is the same whatever is subtracted; that its last digits differ is no survivor."""
    if code is NUMPY:
        pytest.importorskip("numpy")
    found = audits(project(tmp_path, {"a.md": card("a", code, CLOSE)}))["a"]
    assert not [each for each in found.survivors if "exp(x + " in each.after]
    assert found.equivalent


def test_a_small_change_is_no_noise(tmp_path: Path) -> None:
    """What moves a number of double precision in its sixth digit is seen, and told."""
    found = audits(project(tmp_path, {"a.md": card("a", REAL)}))["a"]
    assert len(found.survivors) == 4
    assert found.equivalent == 0


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (0.5, 0.5 + 2**-53, True),
        (0.5, 0.5 + 1e-15, False),
        ([1.0, 1e-17], [1.0, 3e-17], True),
        ([1.0, 2], [1.0 + 2**-52, 2], True),
        ([1.0, 2], [1.0 + 2**-52, 3], False),
        ([1.0, 2.0], [1.0], False),
        ([1.0], (1.0,), False),
        (1e-30, 2e-30, False),
        (float("nan"), float("nan"), True),
        (float("inf"), 1e300, False),
        (3, 4, False),
        ({1.0}, {1.0 + 2**-52}, False),
        ([0.1] * 5000, [0.1 + 2**-56] * 5000, False),
    ],
)
def test_noise_is_a_few_units_in_the_last_place(
    before: object, after: object, *, same: bool
) -> None:
    """Of the largest number of a value; whatever else differs has moved."""
    one, other = (
        traced(each, whole=True, line=line) for line, each in enumerate((before, after), start=1)
    )
    assert agree(one, other) is same


# Luck

LUCK = "".join(
    [
        card("luck", "import random\n\nassert random.random() > 0.8"),
        card("seeded", "import random\n\nrandom.seed(0)\nassert random.random() > 0.8"),
        card("steady", "import random\n\nrandom.seed(0)\nassert random.random() < 1"),
        card("clock", "import time\n\nassert time.time_ns() > 0"),
        card("entropy", "import os\n\nassert len(os.urandom(8)) == 8"),
        card(
            "accepted",
            "import random\n\nassert random.random() > 0.8  # audit: ignore this seed is shown",
        ),
        card("timed", "import time\n\nassert time.time_ns() > 0  # audit: ignore any time will do"),
        card("address", "x = [1]\ny = x\nassert id(x) == id(y)"),
        card("shown", "import random\n\nprint(random.random())", "\n```output\n0.8444\n```\n"),
    ]
)


@pytest.fixture(scope="module")
def lucky(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """The audits of cards that hold by luck, and of some that do not."""
    return audits(project(tmp_path_factory.mktemp("lucky"), {"a.md": LUCK}))


@pytest.mark.parametrize("name", ["luck", "seeded"])
def test_what_holds_by_luck_is_found(lucky: dict[str, Audit], name: str) -> None:
    """With the seed that breaks it, at its line; a seed that the author set is moved, too."""
    line = LUCK[: LUCK.index(f"{{#{name}}}")].count("\n") + (9 if name == "seeded" else 8)
    assert LUCK.split("\n")[line - 1] == "assert random.random() > 0.8"
    assert re.fullmatch(r"with seed [1-5]: assertion failed", lucky[name].flaky)
    place = lucky[name].flaky_place
    assert place
    assert (place.path, place.line) == ("cards/a.md", line)


@pytest.mark.parametrize("name", ["clock", "entropy"])
def test_what_differs_from_run_to_run_is_found(lucky: dict[str, Audit], name: str) -> None:
    """An assertion about the time of day, or about bytes from the system, may fail tomorrow."""
    assert lucky[name].flaky == "what its assertions read differs from one run to the next"
    line = LUCK[: LUCK.index(f"{{#{name}}}")].count("\n") + 8
    assert LUCK.split("\n")[line - 1].startswith("assert ")
    assert lucky[name].flaky_place == Place("cards/a.md", line)


@pytest.mark.parametrize("name", ["steady", "accepted", "address", "shown", "timed"])
def test_what_holds_for_every_seed_is_not_flaky(lucky: dict[str, Audit], name: str) -> None:
    """Nor is what an author silences with a reason, nor what is printed with the proof's seed."""
    assert lucky[name].flaky == ""


def test_as_many_seeds_as_are_asked_for(tmp_path: Path) -> None:
    """What the first seed does not break, a further one may."""
    code = "import random\n\nrandom.seed(0)\nassert random.random() != {}"
    second = Random(2).random()  # noqa: S311 - what the card will find
    settings = SETTINGS + "[tool.verideck.audit]\nseeds = {}\n"
    cards: dict[str, str | bytes] = {"a.md": card("a", code.format(second))}
    assert audits(project(tmp_path / "1", cards, settings.format(1)))["a"].flaky == ""
    flaky = audits(project(tmp_path / "2", cards, settings.format(2)))["a"].flaky
    assert flaky == "with seed 2: assertion failed"


HASHED = "".join(
    [
        card("a", "print({'a', 'b', 'c'})", "\n```output\n{'c', 'a', 'b'}\n```\n"),
        card("b", "from snippets.bag import bag\n\nassert next(iter(bag)) == 'c'"),
        card("c", "assert hash('key') % 7 >= 3  # audit: ignore the proof's is shown"),
        card("d", "print(sorted({'a', 'b', 'c'}))", "\n```output\n['a', 'b', 'c']\n```\n"),
    ]
)
BAG: dict[str, str | bytes] = {"snippets/bag.py": "bag = {'a', 'b', 'c'}\n", "a.md": HASHED}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_order_of_sets_is_varied(tmp_path: Path, executor: str) -> None:
    """An output and an assertion that need one order hold by luck; a project's module counts."""
    settings = f'{SETTINGS}executor = "{executor}"\n[tool.verideck.audit]\nseeds = 1\n'
    found = audits(project(tmp_path, BAG, settings))
    assert found["a"].flaky == "with hash seed 1: it prints something else"
    assert re.fullmatch(r"with hash seed [123]: assertion failed", found["b"].flaky)
    assert (found["c"].flaky, found["d"].flaky) == ("", "")


def test_no_interpreter_is_started_for_what_hashes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm parent of another hash seed has to import everything again."""
    monkeypatch.setattr(forks.Forks, "_other", never)
    found = audits(project(tmp_path, {"a.md": card("strong", STRONG)}))
    assert found["strong"].score == 1


def test_what_fails_when_it_is_run_again_is_found(tmp_path: Path) -> None:
    """Also where no assertion reads anything: here the third run raises nothing."""
    counting = f"""\
# Runs

```python {{.setup}}
from pathlib import Path

with Path({str(tmp_path / "runs")!r}).open("a") as runs:
    runs.write("1")
    number = runs.tell()
```

"""
    luck = card("a", 'if number in {1, 2}:\n    raise ValueError("no")').replace(
        "```python", '```python {raises="ValueError" match="no"}'
    )
    made = project(
        tmp_path, {"a.md": counting + luck}, SETTINGS + "sandbox = false\n", trusted=True
    )
    flaky = audits(made)["a"].flaky
    assert flaky == "nothing was raised, but the fence announces ValueError"


# What is told


def told(made: Project, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """What `verideck audit` says."""
    monkeypatch.chdir(made.root)
    return CliRunner().invoke(verideck, ["audit", *words])


@pytest.fixture
def weak(tmp_path: Path) -> Project:
    """A project with a card that is strong, and one that is weak."""
    return project(tmp_path, {"a.md": card("strong", STRONG) + card("weak", WEAK)})


def test_people_are_told(weak: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems on standard error; each card's score and that of all of them on standard output."""
    run = told(weak, monkeypatch)
    assert run.exit_code == 1
    assert run.stdout.split("\n") == [
        "cards/a.md:1:4  strong  100%: 2 of 2 changes noticed",
        "cards/a.md:13:4  weak  0%: 0 of 2 changes noticed",
        "2 cards audited, 2 of 4 changes noticed (50%), 1 problem",
        "",
    ]
    assert "audited " not in run.stderr, "the table tells it"
    problems = [line for line in run.stderr.split("\n") if re.match(r"cards/.*(error|warn)", line)]
    assert problems == [
        (
            "cards/a.md:13:4: error: its assertions notice 0 of 2 changes of the shown code "
            "(0%, the floor is 60%) [audit-floor]"
        ),
        *["cards/a.md:19:1: warning: no assertion notices this change [mutant-survived]"] * 2,
    ]
    assert "changed to  return [n * 2 for n in numbers]\n" in run.stderr
    assert "values that are asserted on moved by 6\n" in run.stderr


def test_programs_are_told(weak: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One object: what `check` tells, and every card with its counts and its survivors."""
    run = told(weak, monkeypatch, "--format", "json")
    assert (run.exit_code, run.stderr) == (1, "")
    said = json.loads(run.stdout)
    codes = [problem["code"] for problem in said["problems"]]
    assert codes == ["audit-floor", "mutant-survived", "mutant-survived"]
    strong, other = said["cards"]
    assert strong == {
        "id": "strong",
        "path": "cards/a.md",
        "line": 1,
        "score": 1.0,
        "mutants": 2,
        "killed": 2,
        "crashed": 0,
        "equivalent": 0,
        "uncovered": 0,
        "ignored": 0,
        "advised": 0,
        "flaky": "",
        "survivors": [],
    }
    assert (other["id"], other["score"], len(other["survivors"])) == ("weak", 0, 2)
    assert other["survivors"][0] == {
        "path": "cards/a.md",
        "line": 19,
        "before": "return [n / 2 for n in numbers]",
        "after": "return [n * 2 for n in numbers]",
        "moved": 6.0,
        "uncovered": "",
    }


def test_github_is_told(weak: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotations at the lines, and the table as a notice."""
    run = told(weak, monkeypatch, "--format", "github")
    assert run.exit_code == 1
    *lines, table = run.stdout.strip().split("\n")
    assert table.startswith("::notice::cards/a.md:1:4  strong  100%25: ")
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::warning"]
    assert lines[0].startswith("::error file=cards/a.md,line=13,col=4,title=audit-floor::")
    assert lines[1].startswith("::warning file=cards/a.md,line=19,col=1,title=mutant-survived::")
    assert "%0Achanged to  return [n * 2 for n in numbers]%0A" in lines[1]


def test_survivors_above_the_floor_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command succeeds and shows what is left to do; a build is silent about it."""
    made = project(tmp_path, {"a.md": card("every", EVERY)})
    run = told(made, monkeypatch)
    assert run.exit_code == 0
    assert "cards/a.md:8:1: warning: no assertion notices" in run.stderr
    made.write("pyproject.toml", SETTINGS + "[tool.verideck.audit]\nbuild = true\n")
    assert made.problems() == []


def test_flaky_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is nothing to change."""
    made = project(tmp_path, {"a.md": card("a", "import os\n\nassert os.urandom(16)")})
    run = told(made, monkeypatch)
    assert run.exit_code == 1
    assert "cards/a.md:8:1: error: this holds by luck: " in run.stderr
    assert "= hint: it reads the clock, or" in run.stderr
    assert run.stdout.startswith("cards/a.md:1:4  a  flaky\n")


def test_a_lost_epsilon_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is to be looked at, though it is not counted; also from a kept audit."""
    made = project(tmp_path, {"a.md": card("a", EPSILON)})
    for _ in range(2):
        said = told(made, monkeypatch).stdout
        assert "not counted: 1 lost epsilon that no input shows, at cards/a.md:7\n" in said


def test_what_does_not_hold_is_not_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other cards are."""
    made = project(tmp_path, {"a.md": card("bad", "assert int('1') == 2") + card("good", STRONG)})
    run = told(made, monkeypatch, "--format", "json")
    said = json.loads(run.stdout)
    assert run.exit_code == 1
    assert [problem["code"] for problem in said["problems"]] == ["assertion-failed"]
    assert [each["id"] for each in said["cards"]] == ["good"]


def test_nothing_is_audited_that_is_not_verified(
    weak: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With verification turned off nothing is executed, and nothing has a score.

    To ask for both at once is wrong usage.
    """
    idle(monkeypatch)
    assert told(weak, monkeypatch, "--no-verify").exit_code == 2
    weak.write("pyproject.toml", SETTINGS + "verify = false\n")
    run = told(weak, monkeypatch)
    assert (run.exit_code, run.stdout) == (
        0,
        "0 cards audited, 0 of 0 changes noticed, 0 problems\n",
    )


# The settings


@pytest.mark.parametrize(
    ("floor", "codes"), [("0", []), ("0.66", []), ("0.67", ["audit-floor"]), ("1", ["audit-floor"])]
)
def test_the_floor_is_a_setting(tmp_path: Path, floor: str, codes: list[str]) -> None:
    """A share of two thirds holds under a floor up to it; a floor of 0 asks for nothing."""
    settings = f"{SETTINGS}[tool.verideck.audit]\nbuild = true\nfloor = {floor}\n"
    made = project(tmp_path, {"a.md": card("every", EVERY)}, settings)
    assert [each.split()[1] for each in made.problems()][:1] == codes


@pytest.mark.parametrize("line", ["floor = 2", "floor = -0.1", "floor = true", "floor = '60%'"])
def test_a_floor_is_a_share(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is told at its line in its table."""
    settings = f"{SETTINGS}\n[tool.verideck.audit]\nbuild = true\n{line}\n"
    made = project(tmp_path, {"a.md": card("strong", STRONG)}, settings)
    (problem,) = [each for each in load(made.root) if isinstance(each, Problem)]
    assert (problem.code, problem.place) == (Code.SETTING_INVALID, Place("pyproject.toml", 8, 1))
    assert problem.message.startswith("audit.floor must be a number from 0 to 1, not ")
    assert told(made, monkeypatch).exit_code == 1


# What is kept


def never(*_: object) -> NoReturn:
    """Stand for what must not be asked for."""
    raise AssertionError("this is not to be asked for")


def idle(patch: pytest.MonkeyPatch) -> None:
    """Let it be an error to execute a card, or to get ready for one."""
    for kind in (forks.Forks, spawned.Spawns):
        for name in ("run", "warm"):
            patch.setattr(kind, name, never)


def test_nothing_is_executed_where_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit of a former run is told in the same words."""
    made = project(tmp_path, {"a.md": CARDS, "snippets/twice.py": INCLUDED})
    first = found(made, 0.6)
    idle(monkeypatch)
    second = found(made, 0.6)
    problems = [[each for each in run if isinstance(each, Problem)] for run in (first, second)]
    assert problems[0] == problems[1]
    assert {each.code for each in problems[0]} == {
        Code.AUDIT_FLOOR,
        Code.MUTANT_SURVIVED,
    }
    one, other = (
        {each.card.id: each.audit for each in run if isinstance(each, ProvenCard)}
        for run in (first, second)
    )
    assert one == other


def places(audited: dict[str, Audit]) -> Iterator[Place]:
    """Every place that audits tell."""
    for each in audited.values():
        yield from (survivor.place for survivor in each.survivors)
        if each.flaky_place:
            yield each.flaky_place


def test_a_card_that_moved_keeps_its_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found is told at the lines at which it stands now."""
    chosen = card("every", EVERY) + card("weak", WEAK)
    made = project(tmp_path, {"a.md": chosen})
    before = list(places(audits(made)))
    made.write("cards/a.md", "# Moved\n\n<!-- By\nfour lines. -->\n\n" + chosen)
    idle(monkeypatch)
    after = list(places(audits(made)))
    assert [place.line - 5 for place in after] == [place.line for place in before]
    assert {place.path for place in before} == {"cards/a.md"}
    assert len(before) == 3


def test_what_is_found_to_be_luck_is_asked_again(tmp_path: Path) -> None:
    """It may have been a busy machine's; what is not flaky any more is kept."""
    witness = tmp_path / "witness"
    setup = (
        f"# T\n\n```python {{.setup}}\nimport os\nseen = os.path.exists({str(witness)!r})\n```\n\n"
    )
    unlucky = card("a", f"open({str(witness)!r}, 'a').close()\nassert seen in {{True, False}}")
    made = project(
        tmp_path / "deck", {"a.md": setup + unlucky}, SETTINGS + "sandbox = false\n", trusted=True
    )
    made.proven()
    witness.unlink()
    assert audits(made)["a"].flaky
    assert not audits(made)["a"].flaky


@pytest.mark.parametrize(
    "bent",
    [
        {"killed": "two"},
        {"survivors": [{"place": 1}]},
        {"survivors": None},
        {"flaky_place": 3},
        {"more": 1},
    ],
)
def test_an_audit_of_another_form_is_none(
    tmp_path: Path, bent: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept in a form that this version does not know is asked again."""
    made = project(tmp_path, {"a.md": card("a", STRONG)})

    def otherwise(row: AuditedRun) -> bytes:
        told = as_json(row)
        return json.dumps({**told, "audit": {**told["audit"], **bent}}).encode()

    with monkeypatch.context() as patch:
        patch.setattr(audit_cache, "encoded", otherwise)
        first = audits(made)
    assert audits(made) == first
    idle(monkeypatch)
    assert audits(made) == first


STEADY = """\
import os, tempfile
from pathlib import Path
here = Path.cwd()
print(here)
assert os.getcwd() == str(here)
assert here.parent.name.startswith("verideck-")
assert tempfile.mkdtemp()"""


def test_the_folder_that_a_card_works_in_is_no_luck(tmp_path: Path) -> None:
    """Its name has another end on every run; nobody means it."""
    text = card("a", STEADY, "\n```output\n.../work\n```\n")
    assert audits(project(tmp_path, {"a.md": text}))["a"].flaky == ""


@pytest.mark.torch
def test_of_what_is_large_no_text_is_made() -> None:
    """Its bytes tell it from another one, in a blink; of types without bytes the text does."""
    numpy: Any = pytest.importorskip("numpy")
    torch = pytest.importorskip("torch")

    class Large(numpy.ndarray):  # type: ignore[misc] # whichever NumPy is there
        """An array of which nobody may ask for all numbers."""

        def tolist(self) -> object:
            assert self.size <= 64
            return super().tolist()

    ones, zeros = (make((9, 9)).view(Large) for make in (numpy.ones, numpy.zeros))
    assert fingerprint(ones) == fingerprint(ones.T) != fingerprint(zeros)
    assert traced(ones, whole=False).numbers == (1.0,) * 64
    for kind in (torch.bfloat16, torch.complex64, torch.bool, torch.float64):
        one, other = (make(3, dtype=kind) for make in (torch.ones, torch.zeros))
        assert fingerprint(one) == fingerprint(one.clone().requires_grad_(kind.is_floating_point))
        assert fingerprint(one) != fingerprint(other)
        assert fingerprint(one.conj()) != fingerprint(other)
    texts = [numpy.array([each, None], dtype=object) for each in ("a", "b", "a")]
    first, second, third = map(fingerprint, texts)
    assert first == third != second


@pytest.mark.parametrize("path", ["./snippets/twice.py", "snippets//../snippets/twice.py"])
def test_an_included_file_is_changed_however_it_is_named(tmp_path: Path, path: str) -> None:
    """The changes of a file are executed in its place."""
    text = CARDS.replace("snippets/twice.py", path)
    made = project(tmp_path, {"a.md": text, "snippets/twice.py": INCLUDED})
    (survivor,) = audits(made)["included"].survivors
    assert survivor.place == Place("snippets/twice.py", 6)


def test_changed_code_is_audited_again(tmp_path: Path) -> None:
    """Also where the assertions alone are others."""
    made = project(tmp_path, {"a.md": card("a", WEAK)})
    assert audits(made)["a"].score == 0
    made.write("cards/a.md", card("a", STRONG))
    assert audits(made)["a"].score == 1


def test_a_check_that_is_shown_now_is_audited(tmp_path: Path) -> None:
    """What is executed is the same, and what is learned from is not."""
    first = "x = int('4')\nassert x == 4"
    made = project(tmp_path, {"a.md": card("a", first, f"\n```python {{.check}}\n{WEAK}\n```\n")})
    (before,) = [each.survivors for each in audits(made).values()]
    assert before == ()
    made.write("cards/a.md", card("a", first, f"\n```python\n{WEAK}\n```\n"))
    assert len(audits(made)["a"].survivors) == 2


def test_an_included_file_that_changed_is_audited_again(tmp_path: Path) -> None:
    """Its survivors are told at its new lines."""
    made = project(tmp_path, FILES)
    (before,) = audits(made)["included"].survivors
    made.write("snippets/twice.py", "import math\n\n" + INCLUDED)
    (after,) = audits(made)["included"].survivors
    assert after.place == Place("snippets/twice.py", before.place.line + 2)


# The card

BUILDING = SETTINGS + "[tool.verideck.audit]\nbuild = true\n"


def test_the_proof_on_the_card_holds_the_score(tmp_path: Path) -> None:
    """Where builds audit; a card of which every change is ignored says nothing of it."""
    plain = "assert int('1') == 1  # audit: ignore so much is known"
    cards = card("every", EVERY) + card("plain", plain)
    made = project(tmp_path, {"a.md": cards}, BUILDING)
    scored_on, plain = ("\n".join(each.fields.values()) for each in made.check().notes)
    assert "✓ 1 assertion held · 2 of 3 changes noticed" in scored_on
    assert "✓ 1 assertion held" in plain
    assert "noticed" not in plain
    made.write("pyproject.toml", SETTINGS)
    assert not any("noticed" in str(note.fields) for note in made.check().notes)


def test_a_known_audit_is_not_told_as_it_goes_by(tmp_path: Path) -> None:
    """Nor is a known proof: nothing happens that could be watched."""
    made = project(tmp_path, {"a.md": card("strong", STRONG)}, BUILDING)
    first, second = (made.run("build").stderr for _ in range(2))
    assert "audited cards/a.md:1 (100%: 2 of 2 changes noticed)" in first
    assert second == ""


def test_a_deck_is_the_same_from_kept_audits(tmp_path: Path) -> None:
    """What is packaged does not tell whether a card was audited now or before."""
    cards = card("every", EVERY) + card("strong", STRONG)
    made = project(tmp_path, {"a.md": cards}, BUILDING)
    built = [made.build().read_bytes(), made.build("again.apkg").read_bytes()]
    made.run("clean")
    assert built == [made.build("anew.apkg").read_bytes()] * 2


# Who executes


@pytest.mark.parametrize(
    ("error", "place"),
    [(ExecutorError, Place("cards/a.md", 5, 1)), (NobodyError, Place("pyproject.toml"))],
)
def test_whoever_cannot_execute_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception], place: Place
) -> None:
    """As when a card is proved: the author reads why, and the card has no audit."""
    made = project(tmp_path, {"a.md": card("a", STRONG)})
    made.proven()

    def fail(*_: object) -> NoReturn:
        raise error("it is gone")

    monkeypatch.setattr(forks.Forks, "run", fail)
    assert found(made) == [Problem(Code.EXECUTOR_FAILED, "it is gone", place)]


def test_a_box_that_is_required_is_required_of_mutants(tmp_path: Path) -> None:
    """What was proved in a box is not changed and executed without one."""
    made = project(tmp_path, {"a.md": card("a", STRONG)}, trusted=True)
    made.proven()
    settings = SETTINGS + "sandbox = false\nrequire_sandbox = true\n"
    made.write("pyproject.toml", f"{settings}[tool.verideck.audit]\nbuild = true\n")
    assert made.problems() == ["pyproject.toml:5:1 sandbox-missing"]
