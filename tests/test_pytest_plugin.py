"""The plugin in the real pytest: each run is a process of its own, as a team starts it."""

from __future__ import annotations

import os
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from projects import Project, card, project

pytest_plugins = ["pytester"]

GOOD = """\
---
tags: [easy]
---

## What is `sum([])`? {#empty-sum}

0.

```python {.check}
print("added")
assert sum([]) == 0
```

## Why? {#why}

Adding nothing changes nothing.

## Not run? {#not-run}

```python {.no-run reason="it takes a day"}
wait()
```
"""
BAD = """\
## Three? {#three}

```python
total = sum([1, 2])
```

```python {.check}
assert total == 4
```

## Warns? {#warns}

```python
import warnings
warnings.warn("careful")
x = 1
assert x == 1
```

## Nobody answers?
"""
BROKEN = card("ok", "x = 1\nassert x == 1") + "## Broken {#broken bad=1}\n\nThis.\n"


@dataclass(frozen=True, slots=True)
class Deck:
    """A deck project, and pytest in its folder."""

    project: Project
    pytester: pytest.Pytester

    def run(self, *words: str) -> pytest.RunResult:
        """Run pytest in a process of its own, without what only these tests have installed."""
        return self.pytester.runpytest_subprocess(
            "-p", "no:hypothesispytest", "-p", "no:cov", *words
        )


@pytest.fixture
def deck(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Deck:
    """A deck with a card of each kind, and pytest as a user has it."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    folder = pytester.mkdir("deck")  # pytester's own folder is the home directory, which is none
    made = project(folder, {"a.md": GOOD, "b.md": BAD, "c.md": BROKEN})
    monkeypatch.chdir(folder)
    return Deck(made, pytester)


def lines(result: pytest.RunResult) -> list[str]:
    """What was printed, without how far the run is and how long it took."""
    return [re.sub(r" +\[ *\d+%\]$", "", line) for line in result.outlines]


def nodes(result: pytest.RunResult) -> list[str]:
    """What each test came to, in a verbose run."""
    found = [re.fullmatch(r"(cards/\S+::\S+) (.*)", line) for line in lines(result)]
    return [f"{each[1].removeprefix('cards/')} {each[2]}" for each in found if each]


def holds(words: Sequence[str], text: str) -> None:
    """Assert that lines stand in a text, in this order."""
    at = 0
    for word in words:
        assert word in text[at:], (word, text)
        at = text.index(word, at) + len(word)


FRESH = [
    "a.md::empty-sum PASSED",
    "a.md::why PASSED (no code)",
    "a.md::not-run PASSED (1 not run)",
    "b.md::(file) PASSED",
    "b.md::three FAILED",
    "b.md::warns PASSED",
    "c.md::(file) FAILED",
    "c.md::ok PASSED",
]


def test_a_deck_is_tested_as_pytests_users_expect(deck: Deck) -> None:
    """Items, failures, output, warnings and reports; then what is cached, and what failed last."""
    first = deck.run("cards", "-v", "-rfP", "--junitxml=report.xml", "--durations=3")
    assert first.ret == pytest.ExitCode.TESTS_FAILED
    assert nodes(first) == FRESH
    first.assert_outcomes(passed=6, failed=2, warnings=2)
    text = first.stdout.str()
    holds(
        [
            "= FAILURES =",
            "_ three _",
            "cards/b.md:8:1: error: assertion failed [assertion-failed]\n",
            "    8 | assert total == 4\n",
            "      |   total = 3\n",
            "_ (file) _",
            "cards/c.md:10:20: error: bad is not known here [attribute-invalid]",
            "= hint: known are",
            "= warnings summary =",
            "cards/b.md::(file)\n",
            "cards/b.md:20: VerideckWarning: this question has no answer [answer-missing]",
            "cards/b.md::warns\n",
            "cards/b.md:15: VerideckWarning: UserWarning: careful [warning-given]",
            "= PASSES =",
            "- Captured stdout call -",
            "-\nadded\n",
            "= slowest 3 durations =",
            "= short test summary info =",
            "FAILED cards/b.md::three - assertion failed [assertion-failed]",
            "FAILED cards/c.md::(file) - bad is not known here [attribute-invalid]",
        ],
        text,
    )
    report = ET.parse(deck.project.root / "report.xml")  # noqa: S314 - it is ours
    told = list(report.iter("testcase"))
    cases = {each.attrib["name"]: each for each in told}
    assert [each.attrib["name"] for each in told] == [
        each.split()[0].partition("::")[2] for each in FRESH
    ]
    (failure,) = cases["three"].iter("failure")
    assert failure.attrib["message"] == "assertion failed [assertion-failed]"
    assert "total = 3" in (failure.text or "")
    properties = {
        each.attrib["name"]: each.attrib["value"] for each in cases["ok"].iter("property")
    }
    assert properties == {"assertions": "1", "cached": "False"}
    assert float(cases["ok"].attrib["time"]) > 0

    second = deck.run("cards", "-v", "--lf", "-rA")
    assert nodes(second) == ["b.md::three FAILED", "c.md::(file) FAILED"]
    third = deck.run("cards/c.md::ok", "cards/a.md", "-v", "-rP")
    assert nodes(third) == [
        "c.md::ok PASSED (cached)",
        "a.md::empty-sum PASSED (cached)",
        *FRESH[1:3],
    ]
    assert "-\ncached: proved by an earlier run" in third.stdout.str()


COUNTING = """\
import os
import verideck

opened = verideck.Project.open


def counted(*words, **more):
    with open("opened.txt", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\\n")
    return opened(*words, **more)


verideck.Project.open = counted
"""
"""A conftest.py that counts the projects that are opened, and by whom."""


def test_workers_of_xdist_share_a_deck(deck: Deck) -> None:
    """Each has one project open; failures are shown as they are in one process, in colours."""
    deck.project.write("conftest.py", COUNTING)
    opened = deck.project.root / "opened.txt"
    alone = deck.run("cards", "-q", "-x")
    assert alone.ret == pytest.ExitCode.TESTS_FAILED
    alone.assert_outcomes(passed=4, failed=1, warnings=1)
    assert len(opened.read_text().split()) == 1
    opened.unlink()
    shared = deck.run("cards", "-n", "2", "--color=yes", "-rA")
    shared.assert_outcomes(passed=6, failed=2, warnings=2)
    assert len(opened.read_text().split()) == len(set(opened.read_text().split())) == 2
    text = shared.stdout.str()
    red, bold, off = "\x1b[31m", "\x1b[1m", "\x1b[0m"
    failed = "cards/b.md:8:1: error: assertion failed [assertion-failed]"
    holds(
        [
            f"{red}{bold}{failed}{off}\n",
            "    8 | assert total == 4\n",
            f"{red}      |   total = 3{off}\n",
        ],
        text,
    )
    holds(["FAILED", "cards/b.md::", "three", " - assertion failed [assertion-failed]"], text)


def test_cards_are_chosen_as_tests_are(deck: Deck) -> None:
    """By id, by tag, by file and by node; what is collected is listed, and executes nothing."""
    listed = deck.run("cards", "--collect-only", "-q")
    assert listed.ret == pytest.ExitCode.OK
    assert lines(listed)[: len(FRESH)] == [f"cards/{each.split()[0]}" for each in FRESH]
    by_tag = deck.run("-v", "-k", "easy and not why", "--tb=line")
    assert nodes(by_tag) == [FRESH[0], FRESH[2]]  # from the project's folder, as from cards
    stopped = deck.run("cards/b.md", "-v", "-x", "--tb=line")
    assert nodes(stopped) == FRESH[3:5]
    assert f"{deck.project.root}/cards/b.md:8: assertion failed [assertion-failed]" in lines(
        stopped
    )
    unexecuted = deck.run("cards/c.md", "-v", "-rs", "--verideck-no-verify")
    assert nodes(unexecuted) == [
        "c.md::(file) FAILED",
        "c.md::ok SKIPPED (not executed: verify is turned off)",
    ]
    assert "SKIPPED [1] cards/c.md: not executed: verify is turned off" in lines(unexecuted)


def test_warnings_are_errors_where_they_are_asked_to_be(deck: Deck) -> None:
    """By verideck's flag, by its ini option, and by pytest's own filters."""
    deck.project.write("pytest.ini", "[pytest]\nverideck_strict = true\n")
    told = ["b.md::(file) FAILED", "b.md::three FAILED", "b.md::warns FAILED"]
    by_ini = deck.run("cards/b.md", "-v")
    assert nodes(by_ini) == told
    assert "cards/b.md:15:1: error: UserWarning: careful [warning-given]" in lines(by_ini)
    deck.project.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    assert nodes(deck.run("cards/b.md", "-v")) == told
    ignored = deck.run("cards/b.md", "-v", "-W", "ignore::verideck.pytest_plugin.VerideckWarning")
    ignored.assert_outcomes(passed=2, failed=1, warnings=0)
    deck.project.write("cards/d.md", card("weak", "y = 2 * 3\nassert y > 0"))
    audited = deck.run("cards/d.md", "-v", "--verideck-audit", "--verideck-executor", "spawn")
    assert nodes(audited) == ["d.md::weak FAILED"]
    assert "[audit-floor]" in audited.stdout.str()


SETUP = """\
one = 1

verideck_setup = \"\"\"
three = 3
\"\"\"
"""


def test_a_conftest_sets_up_the_cards_below_it(deck: Deck) -> None:
    """It is part of the proof: with another one, the card is executed again."""
    deck.project.write("cards/d/three.md", card("uses", "assert three == 3"))
    deck.project.write("cards/d/conftest.py", SETUP)
    assert nodes(deck.run("cards/d", "-v")) == ["d/three.md::uses PASSED"]
    assert nodes(deck.run("cards", "-v"))[-1] == "d/three.md::uses PASSED (cached)"
    deck.project.write("cards/d/conftest.py", SETUP.replace("three = 3", "three = 2 + x"))
    broken = deck.run("cards/d", "-v")
    assert nodes(broken) == ["d/three.md::uses FAILED"]
    holds(["cards/d/conftest.py:4:", "NameError", "    4 | three = 2 + x\n"], broken.stdout.str())
    deck.project.write("cards/d/conftest.py", "verideck_setup = str(1)\n")
    assert (
        "verideck_setup must be a text of Python code that stands in this file"
        in deck.run("cards/d").stdout.str()
    )


def test_what_is_wrong_with_a_project_is_told_once(deck: Deck) -> None:
    """By a test of its own, or at collection if no card can be known."""
    deck.project.write("cards.lock", "what\n")
    locked = deck.run("cards", "-v", "--deselect", "cards/b.md")
    assert nodes(locked)[:2] == ["a.md::(project) FAILED", "a.md::empty-sum PASSED"]
    assert "[lock-invalid]" in locked.stdout.str()
    deck.project.write("pyproject.toml", "[tool.verideck]\nwhat = 1\n")
    for words, told in {
        (): "pyproject.toml:2:1: error: there is no setting what [setting-invalid]",
        ("--verideck-limit", "time=1"): "verideck: there is no limit time",
    }.items():
        refused = deck.run("cards", *words)
        assert refused.ret == pytest.ExitCode.INTERRUPTED
        assert refused.stdout.str().count(told) == 1


ROOMS = """\
import sys


def pytest_unconfigure():
    print("rooms:", *sorted(name for name in sys.modules if name.split(".")[0] == "verideck"))
"""


def test_it_costs_nothing_where_there_is_no_deck(deck: Deck) -> None:
    """No module of verideck's is imported but the one with the options, until it is asked for."""
    deck.project.write("conftest.py", ROOMS)
    deck.project.write("test_one.py", "def test_one():\n    pass\n")
    unused = deck.run("test_one.py", "-p", "no:verideck")
    deck.project.write("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['verideck']\n")
    elsewhere = deck.run("-v")
    for result in (unused, elsewhere):
        result.assert_outcomes(passed=1)
    assert "rooms: verideck verideck.pytest_plugin" in lines(elsewhere)
    assert "rooms:" in lines(unused)
    asked = deck.run("-v", "-p", "verideck", "-k", "a.md or one")
    assert nodes(asked) == FRESH[:3]
    asked.assert_outcomes(passed=4)


@pytest.mark.linux(reason="pipes, devices and files without an end")
def test_no_file_that_has_no_end_is_read(deck: Deck) -> None:
    """The settings of a folder in a project may be anything, and pytest ends all the same."""
    for name in ("pipe", "device", "huge", "deep"):
        deck.project.write(f"cards/{name}/n.md", card(name, "x = 1\nassert x == 1"))
    os.mkfifo(deck.project.root / "cards/pipe/pyproject.toml")
    (deck.project.root / "cards/device/pyproject.toml").symlink_to("/dev/zero")
    os.truncate(deck.project.write("cards/huge/pyproject.toml", ""), 1 << 40)
    deck.project.write("cards/deep/pyproject.toml", f"verideck = {'[' * 50_000}")
    found = deck.run("cards/pipe", "cards/device", "cards/huge", "-v")
    found.assert_outcomes(passed=3)
    deep = deck.run("cards", "-v", "-k", "deep")
    assert "INTERNALERROR" not in deep.stdout.str()


def test_files_elsewhere_are_cards_where_they_are_named(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a deck below the folder in which pytest runs is one, too."""
    deck.project.write("notes/n.md", card("noted", "x = 1\nassert x == 1"))
    unread = deck.run("notes", "-v")
    unread.assert_outcomes()
    deck.run("notes", "--verideck-syntax", "heading").assert_outcomes(passed=1)
    deck.project.write("cards/build/n.md", card("built", "x = 1\nassert x == 1"))
    listed = deck.run("--collect-only", "-q")
    (warning,) = [each for each in lines(listed) if "norecursedirs" in each]
    assert f"pytest does not enter {deck.project.root}/cards/build, which has cards" in warning
    entered = deck.run("cards/build", "cards/build/n.md", "-v")
    assert nodes(entered) == ["build/n.md::built PASSED"]
    entered.assert_outcomes(passed=1, warnings=0)
    named = deck.run("notes/n.md", "cards/a.md", "-v")
    assert "notes/n.md::noted PASSED (cached)" in lines(named)
    assert nodes(named) == FRESH[:3]
    above = deck.pytester.path
    (above / "pytest.ini").touch()
    monkeypatch.chdir(above)
    assert "deck/cards/a.md::empty-sum PASSED (cached)" in lines(deck.run("deck/cards/a.md", "-v"))


def test_what_testpaths_leaves_out_is_told(deck: Deck) -> None:
    """In a line, where the command line does not choose; what is there alone, and by every form."""
    deck.project.write("tests/test_a.py", "def test_a(): pass\n")
    deck.project.write("docs/guide.md", "```python\n1\n```\n")
    settings = deck.project.root / "pyproject.toml"
    written = settings.read_text("utf-8") + '\n[tool.verideck.docs]\npaths = ["docs", "gone"]\n'

    def told(testpaths: str, *words: str) -> list[str]:
        settings.write_text(f"{written}[tool.pytest.ini_options]\ntestpaths = {testpaths}\n")
        return [each for each in lines(deck.run("-q", *words)) if each.startswith("verideck: ")]

    both = "verideck: cards, docs not collected: not in testpaths"
    assert told('["tests"]') == told('["tests"]', "-n", "1") == [both]
    assert told('["tests"]', "tests") == told('["tests", "cards", "docs/guide.md"]') == []
    assert told('["tests", "cards"]', "--co") == [both.replace("cards, ", "")]


DEBUGGED = """\
## Sums? {#sums}

```python {raises="ZeroDivisionError" match="division"}
1 / 0
```

```python
from helper import three
total = three - 1
```

```python {.check}
import asyncio
await asyncio.sleep(0)

def test_total():
    wanted = total + 1000
    assert total == wanted
```
"""


def test_a_debugger_is_in_the_snippet_that_fails(deck: Deck) -> None:
    """Where the caller says so; the failure is told as it is without."""
    deck.project.write("cards/d/sums.md", DEBUGGED)
    deck.project.write("cards/d/helper.py", "three = 3\n")
    words = ["cards/d", "--pdb", "--verideck-executor", "here", "-p", "no:hypothesispytest"]
    debugged = deck.pytester.run(
        sys.executable, "-m", "pytest", *words, stdin=b"p wanted * 1000\nu\np __file__\nq\n"
    )
    holds(
        [
            "cards/d/sums.md:18:5: error: assertion failed [assertion-failed]\n",
            "> ", "/cards/d/sums.md(18)test_total()\n",
            "-> assert total == wanted\n",
            "1002000\n",
        ],
        debugged.stdout.str(),
    )  # fmt: skip
    assert "1 failed" in debugged.stdout.str()
    assert "with --verideck-executor here" not in debugged.stdout.str()
    elsewhere = deck.pytester.run(sys.executable, "-m", "pytest", *words[:2], stdin=b"q\n")
    holds(["with --verideck-executor here, a snippet", "entering PDB"], elsewhere.stdout.str())
