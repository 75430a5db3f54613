"""Sessions and names of Python: what a case of the manual cannot say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from projects import EXECUTORS, SETTINGS, audit, card, execution_config, project

from verideck.markdown import languages
from verideck.model import ProvenCard
from verideck.proof.python.child.not_python import meant
from verideck.proof.python.wire.transcript import with_prompts, without_prompts
from verideck.source.dialects import NAMES, begins_session, dialect

SESSION = """\
>>> def double(x):
...     return x * 2
...
>>> double(2)
4
"""


def test_an_audit_changes_the_code_of_a_session(tmp_path: Path) -> None:
    """The example that prints something else notices it."""
    made = project(tmp_path, {"a.md": f"## Double?\n\n```pycon\n{SESSION}```\n"})
    (found,) = audit(made.proven(), execution_config(made.settings()), 0.6)
    assert isinstance(found, ProvenCard)
    assert found.audit
    assert (found.audit.mutants, found.audit.killed) == (2, 2)


def test_prompts_are_taken_away_and_put_back() -> None:
    """Each line stays at its line."""
    code = without_prompts(SESSION)
    assert code == "def double(x):\n    return x * 2\n\ndouble(2)\n\n"
    assert with_prompts(code, SESSION) == SESSION
    assert with_prompts(code.replace("* 2", "* 3"), SESSION) == SESSION.replace("* 2", "* 3")
    assert with_prompts("one line", SESSION) is None


@pytest.mark.parametrize("executor", EXECUTORS)
def test_code_that_awaits_nothing_imports_no_event_loop(tmp_path: Path, executor: str) -> None:
    """It costs time, and would change what a snippet finds."""
    code = "import sys\nassert 'asyncio' not in sys.modules and sys.path"
    made = project(tmp_path, {"a.md": card("a", code)}, SETTINGS + f'executor = "{executor}"\n')
    assert made.check().problems == ()


def test_every_name_of_python_is_executed_or_told() -> None:
    """A name that is told says what to write instead; its language is one of Pygments'."""
    for name, named in NAMES.items():
        assert (named.language == "python") is not bool(named.instead), name
        assert languages.language(named.language) == named.language
        assert named.reason
    told = {each for each in ("python2", "py2.7", "pypy2") if (d := dialect(each)) and d.instead}
    assert told == {"python2", "py2.7", "pypy2"}
    assert dialect("Python3.13t") == NAMES["python"]
    assert dialect("numpy2") is dialect("pytb") is dialect("pycontrol") is None


def test_pygments_has_no_further_name_of_python() -> None:
    """An alias that a later Pygments knows for one of these languages must be in the table."""
    of_python = {each for each in languages.languages() if re.match("py|ipy|cyth|sage|numpy", each)}
    others = {"pypylog", "pytb", "py3tb", "py2tb", "py+ul4"}
    assert {each for each in of_python if dialect(each) is None} <= others


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (">>> x\n", True),
        ("\n# a comment\n  >>> x", True),
        ("In [12]: x", True),
        (">>>", True),
        ("x = 1\n>>> x", False),
        (">>>> x", False),
        (">> x", False),
        ("In[1]: x", False),
        ("", False),
    ],
)
def test_a_session_is_known_by_its_first_line(code: str, *, expected: bool) -> None:
    """Behind blank lines and comments."""
    assert begins_session(code) is expected


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("%matplotlib inline", "leave it out"),
        ("!pip install torch", "beside verideck"),
        ("%pip install torch", "beside verideck"),
        ("python -m pip install torch", "beside verideck"),
        ("x = %timeit -o f()", "perf_counter"),
        ("%%time", "perf_counter"),
        ("  %autoreload 2", "call what it sets up"),
        ("%%writefile a.py", "write_text"),
        ("out = !ls", "subprocess.run"),
        ("torch.nn??", "help(torch.nn)"),
        ("?torch", "help(torch)"),
        ("%foo", ".no-run"),
        ("x = %foo bar", "call the function"),
        (">>> x", "begins with its prompt"),
        ("$ ls", "console"),
    ],
)
def test_what_is_not_python_is_known(line: str, part: str) -> None:
    """By the line at which Python gives up."""
    assert part in meant(line)


@pytest.mark.parametrize("line", ["x = (1", "if !x:", "x != y z", "a ? b : c", "return x", "else"])
def test_of_other_mistakes_nothing_is_guessed(line: str) -> None:
    """A wrong hint is worse than none."""
    assert meant(line) == ""
