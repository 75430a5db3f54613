"""Documents that are no cards: by the real command, in pytest, and beside a deck."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import Project, card, project

import verideck

pytest_plugins = ["pytester"]

GOOD = (
    "# Guide\n\n```python\nx = 1\n```\n\n## Use\n\n```python\nprint(x)\n```\n\n```output\n1\n```\n"
)
BAD = "# Bad\n\n```python\n1 / 0\n```\n\n```python\nint('a')\n```\n"
DECK = card("good", "assert int('1')")
NAMED = '[tool.verideck]\noutput = "deck.apkg"\ndocs.paths = ["docs", "README.md"]\n'


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A folder that no settings make a project."""
    made = Project(tmp_path / "work")
    made.write("docs/good.md", GOOD)
    made.write("README.md", "```python\nimport math\n```\n\n- ```python\n  math.pi\n  ```\n")
    return made


@pytest.fixture
def deck(tmp_path: Path) -> Project:
    """A deck with documents beside its cards, and one among them."""
    made = project(tmp_path / "deck", {"a.md": DECK}, NAMED)
    made.write("docs/good.md", GOOD)
    made.write("README.md", "```python\nimport math\n```\n")
    made.write("cards/about.md", "---\nsyntax: docs\n---\n\n```python\n2 + 2\n```\n")
    return made


def test_documents_are_checked_without_settings(bare: Project) -> None:
    """Files and folders that are named on the command line."""
    run = bare.run("check", "docs", "README.md", "--as", "docs")
    assert run.returncode == 0, run.stderr
    assert "README.md: 1 executed part by docs, as `syntax` says so\n1 file: 1 " in run.stdout
    assert "2 documents, 4 snippets executed, 1 assertion held, " in run.stdout
    again = bare.invoke("check", "docs", "README.md", "--as", "docs")
    assert "unchanged: 2 cards" in again.stdout
    assert not (bare.root / "cards.lock").exists()


def test_every_failure_of_a_document_is_told_in_one_run(bare: Project) -> None:
    """A fence that fails does not hide the next one."""
    bare.write("docs/bad.md", BAD)
    run = bare.invoke("check", "docs", "--as", "docs")
    assert run.returncode == 1
    assert "docs/bad.md:4:1: error: ZeroDivisionError: division by zero" in run.stderr
    assert "docs/bad.md:8:1: error: ValueError: " in run.stderr
    assert run.stderr.endswith("Error: 2 problems in 2 documents\n")


def test_a_death_behind_a_failure_is_told(bare: Project) -> None:
    """That a fence failed before is no reason to pass over the end of the process."""
    bare.write("docs/dies.md", "```python\n1 / 0\n```\n\n```python\nimport os\nos._exit(0)\n```\n")
    run = bare.invoke("check", "docs/dies.md", "--as", "docs")
    assert "docs/dies.md:2:1: error: ZeroDivisionError" in run.stderr
    assert "docs/dies.md:5:1: error: the process ended before the last statement" in run.stderr


def test_a_failure_in_a_module_is_told_at_the_call(bare: Project) -> None:
    """A reader made it; where it was raised is told with it. No other file is told of."""
    bare.write("pyproject.toml", "[tool.verideck]\n")  # without, the root would be docs
    bare.write("shop.py", "def buy(n):\n    if n < 1:\n        raise ValueError('at least one')\n")
    bare.write("docs/buy.md", "```python\nimport shop\ndef two():\n    shop.buy(0)\ntwo()\n```\n\n"
               "```pycon\n>>> shop.buy(0)\n```\n")  # fmt: skip
    run = bare.invoke("check", "docs/buy.md", "--as", "docs")
    assert (
        "docs/buy.md:4:5: error: ValueError: at least one [exception-raised]\n"
        "    4 |     shop.buy(0)\n      |   raised at shop.py:3\n"
        "      |   called from docs/buy.md:5\n      = hint: if the document is about "
    ) in run.stderr
    assert "docs/buy.md:9:5: error: ValueError: at least one" in run.stderr
    assert "shop.py:3:9" not in run.stderr
    bare.write("shop.py", "x = (\n")
    broken = bare.invoke("check", "docs/buy.md", "--as", "docs")
    assert "shop.py:1:5: error: '(' was never closed [syntax-error]" in broken.stderr


@pytest.mark.parametrize(
    ("failing", "follows"),
    [
        ("1 / 0; sums = 1", True),
        ("1 / 0\ndef sums(): pass", True),
        ("from gone import sums", True),
        ("from gone import add as sums", True),
        ("from gone import *", True),
        ("import sums.deep", True),
        ("1 / 0; exec('sums = 1')", True),
        (">>> 1 / 0\n>>> sums = 1", True),
        ("1 / 0; total = sums", False),
        ("from gone import sums as total", False),
        (">>> 1 + 1\n3", False),
    ],
)
def test_a_name_is_missing_by_itself_where_no_failure_explains_it(
    bare: Project, failing: str, *, follows: bool
) -> None:
    """Else a mistake of its own would be told at the line of another one."""
    bare.write("docs/a.md", f"```python\n{failing}\n```\n\n```python\nsums\n```\n")
    told = bare.invoke("check", "docs/a.md", "--as", "docs").stderr
    own = "error: NameError: name 'sums' is not defined" in told.split("docs/a.md:")[-1]
    assert (own, "then a name was missing in a fence below" in told) == (not follows, follows)


def test_what_lacks_a_name_for_want_of_another_is_told_with_the_first(bare: Project) -> None:
    """All of a tutorial that follows from one failure is one problem."""
    fences = ("from gone import a", "b = a", "print(b)", "print(c)")
    text = "\n".join(f"```python\n{each}\n```\n" for each in fences)
    bare.write("docs/a.md", text)
    told = bare.invoke("check", "docs/a.md", "--as", "docs").stderr
    assert "then a name was missing in fences below, on lines 5, 9\n" in told
    assert "docs/a.md:14:7: error: NameError: name 'c'" in told
    assert told.endswith("Error: 2 problems in 1 document\n")


def test_a_debugger_that_nobody_answers_says_how_it_gets_a_terminal(bare: Project) -> None:
    """No exception of a debugger's says that; nor does the end of a run name an empty sandbox."""
    bare.write("docs/a.md", "```python\nbreakpoint()\nx = 1\n```\n")
    told = bare.invoke("check", "docs/a.md", "--as", "docs", "-x").stderr
    assert "error: BdbQuit [exception-raised]" in told
    assert "  = hint: nobody answers a debugger: `pytest --pdb --verideck-executor here`" in told
    assert "sandbox: \n" not in told


def test_names_are_shared_in_a_file_or_beneath_a_heading(bare: Project) -> None:
    """By a flag, which front matter overrules."""
    words = ("check", "docs", "--as", "docs", "--share", "heading")
    run = bare.invoke(*words)
    assert (run.returncode, "name 'x' is not defined" in run.stderr) == (1, True)
    bare.write("docs/good.md", f"---\nshare: file\n---\n{GOOD}")
    assert bare.invoke(*words).returncode == 0


def test_assertions_are_asked_for_where_the_caller_wants_them(bare: Project) -> None:
    """A document that holds without, does not hold with them."""
    words = ("check", "docs", "--as", "docs")
    run = bare.invoke(*words, "--require-assertions")
    assert (run.returncode, run.stderr.count("docs/good.md:3:1: error: this snippet ran")) == (1, 1)
    assert bare.invoke(*words).returncode == 0
    bare.write("docs/good.md", GOOD.replace("x = 1\n", "x = 1\nassert x\n"))
    assert bare.invoke(*words, "--require-assertions").returncode == 0


def test_update_writes_outputs_of_documents(bare: Project) -> None:
    """As it does on cards."""
    file = bare.write("docs/good.md", GOOD.replace("output\n1", "output\n7"))
    assert bare.invoke("check", "docs", "--as", "docs").returncode == 1
    run = bare.invoke("check", "docs", "--as", "docs", "--update")
    assert (run.returncode, "7 → 1" in run.stderr) == (0, True)
    assert file.read_text("utf-8") == GOOD


def test_a_check_of_the_project_executes_its_documents(deck: Project) -> None:
    """Those that its settings name, and those among its cards."""
    run = deck.invoke("check")
    assert run.returncode == 0, run.stderr
    assert "1 card, 3 documents, 5 snippets executed" in run.stdout
    report = json.loads(deck.invoke("check", "--format", "json").stdout)
    assert (report["cards"], report["documents"]) == (1, 3)


def test_a_build_leaves_documents_out_and_says_so_once(deck: Project) -> None:
    """It executes none of them, and none of them is a note, or stands in its way."""
    deck.write("cards/about.md", f"---\nsyntax: docs\n---\n{BAD}")
    deck.write("docs/bad.md", BAD)
    assert deck.invoke("check").returncode == 1
    run = deck.invoke("build")
    assert run.returncode == 0, run.stderr
    assert "1 card, 1 snippet" in run.stdout
    assert run.stdout.count("document") == 1
    assert "left out: 1 document, see `verideck check`" in run.stdout
    assert "deck.apkg: 1 note, " in run.stdout
    assert "about" not in (deck.root / "cards.lock").read_text("utf-8")


def test_a_card_file_that_becomes_a_document_loses_its_notes(deck: Project) -> None:
    """And they are told to Anki, as those of any card that is gone."""
    deck.write("cards/b.md", card("other", "assert int('2')"))
    deck.invoke("build")
    deck.write("cards/b.md", "---\nsyntax: docs\n---\n" + card("other", "assert int('2')"))
    run = deck.invoke("build")
    assert "1 retired" in run.stdout


def test_nothing_but_documents_makes_no_package(deck: Project) -> None:
    """The reason is told, and that there are documents."""
    run = deck.invoke("build", "docs", "-o", "docs.apkg")
    assert run.returncode == 1
    assert "[deck-empty]" in run.stderr
    assert "left out: 1 document, see `verideck check`" in run.stderr
    assert not (deck.root / "docs.apkg").exists()


def test_neither_ids_nor_rules_are_for_documents(deck: Project) -> None:
    """`id` writes nothing into them, and `lint` asks nothing of them."""
    before = (deck.root / "docs/good.md").read_text("utf-8")
    assert deck.invoke("id", "docs").stdout == "every question has an id\n"
    assert (deck.root / "docs/good.md").read_text("utf-8") == before
    assert deck.invoke("lint", "docs").stdout.startswith("0 cards, 0 errors")


def test_a_project_may_be_documents_alone(tmp_path: Path) -> None:
    """Then no folder of cards is missing for a check."""
    made = project(tmp_path / "deck", {}, NAMED)
    made.write("docs/good.md", GOOD)
    made.write("README.md", "Prose.\n")
    run = made.invoke("check")
    assert (run.returncode, run.stderr.count("error")) == (0, 0), run.stderr
    assert "2 documents, 2 snippets executed" in run.stdout
    assert made.invoke("build").returncode == 2


def test_a_form_that_the_caller_names_beats_the_settings(deck: Project) -> None:
    """What the project has for documents may hold questions, too."""
    file = deck.write("docs/cards.md", card("other", "assert int('1')"))
    with verideck.Project.open(deck.root, syntax="heading") as opened:
        result = opened.check(file)
    assert [each.id for each in result.cards] == ["other"]
    assert result.documents == ()


def test_a_change_of_what_must_be_asserted_is_no_old_proof(bare: Project) -> None:
    """What is remembered of a file, and of a run, follows from it."""
    for required, holds in ((False, True), (True, False), (False, True)):
        bare.write("docs/good.md", "```python\nx = 1\n```\n")
        with verideck.Project.open(bare.root, syntax="docs", require_assertions=required) as opened:
            assert opened.check(bare.root / "docs").ok == holds


def test_pytest_collects_documents_where_the_project_says_so(
    deck: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test for a file, or one for each heading."""
    monkeypatch.chdir(deck.root)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    deck.write("docs/bad.md", BAD)
    words = ("-p", "no:hypothesispytest", "-p", "no:cov", "-v", str(deck.root))
    whole = pytester.runpytest_subprocess(*words)
    whole.assert_outcomes(passed=4, failed=1)
    whole.stdout.fnmatch_lines(
        ["*docs/bad.md::document FAILED*", "*docs/good.md::document PASSED*"]
    )
    parts = pytester.runpytest_subprocess(*words, "--verideck-share", "heading")
    parts.assert_outcomes(passed=4, failed=2)
    parts.stdout.fnmatch_lines(["*docs/good.md::guide PASSED*", "*docs/good.md::use FAILED*"])
    asked = pytester.runpytest_subprocess(*words, "--verideck-require-assertions")
    asked.stdout.fnmatch_lines(["*README.md::document FAILED*"])
