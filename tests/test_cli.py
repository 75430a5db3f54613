"""The command itself: its words, its exit codes, what it says and to whom, and how it is ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from projects import MOMENT, ROOT, SETTINGS, Held, Project, card, files, processes, project, soon

import verideck as library
from verideck.cli.commands import verideck
from verideck.cli.report import format_problem

GOOD = card("good", "assert int('1')")
BAD = card("bad", "assert int('1') == 2")
OPEN = "## Is 这 open? {#open}\n"
KEYS = {
    "verideck",
    "cards",
    "documents",
    "snippets",
    "assertions",
    "seconds",
    "problems",
    "reused",
    "sandbox",
    "not_run",
    "no_verifier",
    "unverified",
    "verdicts",
    "failed_on",
}


@pytest.fixture
def good(tmp_path: Path) -> Project:
    """A project in which everything holds."""
    return project(tmp_path / "deck", {"a.md": GOOD})


@pytest.fixture
def bad(tmp_path: Path) -> Project:
    """A project with one card that fails, and one without an answer."""
    return project(tmp_path / "deck", {"a.md": GOOD + BAD, "b.md": OPEN})


# Exit codes: 0 it holds, 1 the cards do not hold, 2 usage


@pytest.mark.parametrize("command", ["build", "check"])
def test_what_holds_is_0(good: Project, command: str) -> None:
    """The summary goes to standard output, and only `build` writes."""
    run = good.run(command)
    assert run.returncode == 0
    assert run.stdout.startswith("1 card, 1 snippet executed, 1 assertion held, ")
    assert (good.root / "deck.apkg").exists() == (command == "build")
    assert ("deck.apkg: 1 note, sha256 " in run.stdout) == (command == "build")


@pytest.mark.parametrize("command", ["build", "check"])
def test_what_does_not_hold_is_1(bad: Project, command: str) -> None:
    """Problems go to standard error, sorted by their place, and standard output stays empty."""
    run = bad.run(command)
    assert (run.returncode, run.stdout) == (1, "")
    told = [line for line in run.stderr.splitlines() if re.match(r"cards/.*: (error|warn)", line)]
    assert told == [
        "cards/a.md:14:1: error: assertion failed [assertion-failed]",
        "cards/b.md:1:4: warning: this question has no answer [answer-missing]",
    ]
    nothing = "; nothing was written" if command == "build" else ""
    assert run.stderr.endswith(f"Error: 1 problem in 2 cards{nothing}\n")
    assert re.search(r"^sandbox: .+$", run.stderr, re.MULTILINE), "something was executed"
    assert not (bad.root / "deck.apkg").exists()


def test_a_file_without_cards_can_be_checked_and_not_packaged(good: Project) -> None:
    """As hooks do, which name what has changed."""
    good.write("notes.md", "Only prose.\n")
    run = good.run("check", "notes.md")
    assert run.returncode == 0
    assert "[no-card]" in run.stderr
    assert good.run("build", "notes.md").returncode == 1
    assert good.run("check", "cards/a.md").returncode == 0


OF_PROJECT: dict[str, tuple[list[str], int, int]] = {
    "a README": (["README.md"], 0, 1),
    "a card": (["README.md", "cards/a.md"], 1, 1),
    "a document": (["docs/b.md", "README.md", "docs/.c.md", "docs/d.txt"], 1, 3),
    "a folder": (["cards", "README.md"], 1, 1),
    "a line": (["cards/a.md:1"], 1, 0),
    "another place": (["../beside.md", "cards/a.md"], 1, 1),
}
"""Words, how many cards and documents are checked, and how many files are passed over."""


@pytest.mark.parametrize("name", OF_PROJECT)
def test_files_that_are_none_of_the_project_can_be_passed_over(good: Project, name: str) -> None:
    """As hooks do, which name all Markdown that has changed: a README is not read as cards."""
    good.write("pyproject.toml", f'{SETTINGS}[tool.verideck.docs]\npaths = ["docs"]\n')
    for path in ("README.md", "../beside.md", "docs/b.md", "docs/.c.md", "docs/d.txt"):
        good.write(path, "# A\n\n## B\n\n```python\nimport nothing_like_it\n```\n")
    good.write("docs/b.md", "```python\nx = 1\n```\n")
    words, found, passed = OF_PROJECT[name]
    run = good.invoke("check", "--of-project", *words)
    assert run.returncode == 0, run.stderr
    assert f"passed over: {passed} file" in run.stdout or not passed
    told = json.loads(good.invoke("check", "--of-project", "--format", "json", *words).stdout)
    assert told["cards"] + told["documents"] == found


def test_a_lint_passes_them_over_too(good: Project) -> None:
    """Rules are asked of the project's cards; without a file there is nothing to ask."""
    good.write("README.md", "## Name them?\n\n- a\n- b\n- c\n- d\n- e\n- f\n")
    run = good.invoke("lint", "--strict", "--of-project", "README.md")
    assert (run.returncode, run.stderr) == (0, "")
    assert good.invoke("lint", "--strict", "README.md").returncode == 1


USAGE: dict[str, tuple[list[str], dict[str, str], str]] = {
    "no such command": (["bulid"], {}, "No such command 'bulid'"),
    "no such option": (["build", "--sign"], {}, "No such option"),
    "no such format": (["check", "--format", "xml"], {}, "'xml' is not one of"),
    "missing path": (["check", "cards/none.md"], {}, "Path 'cards/none.md' does not exist"),
    "unknown suffix": (
        ["build", "-o", "deck.zip"],
        {},
        "cannot write a .zip: known are .apkg, .csv, .html, .json",
    ),
    "no suffix": (["build", "-o", "deck"], {}, "cannot write a file without suffix"),
    "a cluster without a port": (["check", "--executor", "dask://host"], {}, "dask://host:port"),
    "an audit of nothing": (["audit", "--no-verify"], {}, "leave out --no-verify"),
    "moment of letters": (["build"], {"SOURCE_DATE_EPOCH": "today"}, "SOURCE_DATE_EPOCH must be"),
    "moment of 0": (["build"], {"SOURCE_DATE_EPOCH": "0"}, "SOURCE_DATE_EPOCH must be"),
    "moment below 0": (["build"], {"SOURCE_DATE_EPOCH": "-5"}, "SOURCE_DATE_EPOCH must be"),
    "moment to come": (["build"], {"SOURCE_DATE_EPOCH": "9" * 11}, "not in the future"),
    "moment too late": (["build"], {"SOURCE_DATE_EPOCH": "9" * 30}, "SOURCE_DATE_EPOCH must be"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_2(good: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller got wrong is told in one sentence, and nothing is executed or written."""
    words, environment, says = USAGE[name]
    good.write("cards/b.md", card("b", f"open({str(good.root / 'ran')!r}, 'w').close()"))
    monkeypatch.chdir(good.root)
    there = files(good.root)
    run = CliRunner().invoke(verideck, words, env=environment)
    assert (run.exit_code, run.stdout) == (2, "")
    assert says in run.stderr
    assert files(good.root) == there


def test_no_cards_folder_is_2(tmp_path: Path) -> None:
    """Where there is nothing to read, the command asks for files."""
    run = Project(tmp_path).invoke("check")
    assert run.returncode == 2
    assert "no folder cards here: name the Markdown files" in run.stderr


def test_a_cards_folder_that_is_not_there_is_told_where_it_is_set(tmp_path: Path) -> None:
    """It is an author's mistake then, with its line."""
    made = project(tmp_path, {"a.md": GOOD}, "[tool.verideck]\ndeck = 'D'\ncards = 'notes'\n")
    run = made.invoke("check")
    assert run.returncode == 1
    assert run.stderr.startswith("pyproject.toml:3:1: error: there is no folder notes ")


def test_wrong_settings_are_1(tmp_path: Path) -> None:
    """Settings are an author's text: what is wrong in them is told at its line, in every form."""
    made = project(tmp_path, {"a.md": GOOD}, "[tool.verideck]\ndeck = 'D'\n\ntimeuot = 5\n")
    run = made.invoke("check", "--format", "json")
    assert run.returncode == 1
    (problem,) = json.loads(run.stdout)["problems"]
    assert (problem["code"], problem["path"]) == ("setting-invalid", "pyproject.toml")
    assert (problem["line"], problem["column"]) == (4, 1)
    assert "timeout" in problem["hint"]
    assert made.invoke("check").stderr.endswith("\nError: 1 problem\n")


def test_strict_makes_errors_of_warnings(tmp_path: Path) -> None:
    """A question without an answer stops a strict run."""
    made = project(tmp_path, {"a.md": GOOD + OPEN})
    assert made.invoke("check").returncode == 0
    run = made.invoke("check", "--strict")
    assert run.returncode == 1
    assert "cards/a.md:9:4: error: this question has no answer [answer-missing]" in run.stderr


def test_quiet_says_nothing_of_what_holds(bad: Project) -> None:
    """With -q neither progress nor summary; what is wrong is told all the same."""
    run = bad.run("check", "-q", "cards/a.md")
    assert "proved" not in run.stderr
    assert "[assertion-failed]" in run.stderr
    bad.write("cards/a.md", GOOD)
    run = bad.run("build", "-q", "cards/a.md")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


# What programs are told


def as_json(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one object that stands on standard output."""
    told = json.loads(run.stdout)
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize("command", ["build", "check"])
def test_json_is_one_object(bad: Project, command: str) -> None:
    """Counts, and each problem with its place; a run that packages tells of its package too."""
    run = bad.invoke(command, "--format", "json")
    assert (run.returncode, run.stderr) == (1, "")
    told = as_json(run)
    assert set(told) == KEYS | (
        {"output", "sha256", "notes", "retired", "changes", "left_out"}
        if command == "build"
        else {"forms"}
    )
    assert (told["cards"], told["snippets"], told["assertions"]) == (2, 1, 1)
    assert 0 < told["seconds"] < 60
    assert told.get("output") is told.get("sha256") is told.get("notes") is None
    assert told.get("changes") is None
    failed, unanswered = told["problems"]
    assert failed == {
        "code": "assertion-failed",
        "severity": "error",
        "message": failed["message"],
        "path": "cards/a.md",
        "line": 14,
        "column": 1,
        "hint": "",
    }
    assert unanswered == {
        "code": "answer-missing",
        "severity": "warning",
        "message": "this question has no answer",
        "path": "cards/b.md",
        "line": 1,
        "column": 4,
        "hint": "write the answer beneath it; until then the card is left out",
    }


@pytest.mark.parametrize("form", ["human", "github"])
def test_hundreds_of_problems_are_told_in_their_order(tmp_path: Path, form: str) -> None:
    """They are written together, and each is on a line of its own."""
    made = project(tmp_path, {f"{number:03}.md": OPEN for number in range(250)})
    run = made.run("check", "--format", form)
    told = run.stderr if form == "human" else run.stdout
    places = re.findall(r"(?:^|file=)cards/(\d{3})\.md", told, re.MULTILINE)
    assert places == [f"{number:03}" for number in range(250)]


def test_json_tells_the_package(good: Project) -> None:
    """The package's path from the project's folder, the hash of its bytes, its notes."""
    told = as_json(good.run("build", "--format", "json"))
    assert told["problems"] == []
    assert (told["output"], told["notes"]) == ("deck.apkg", 1)
    hashed = subprocess.run(
        ["sha256sum", str(good.root / "deck.apkg")],  # noqa: S607 - another's judgement
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert told["sha256"] == hashed.stdout.split()[0]


def test_github_gets_annotations(bad: Project) -> None:
    """A line for each problem, with what would end it early escaped."""
    bad.write("cards/c, d:e.md", "## 100 %? {#c}\n\n${x$\n")
    run = bad.invoke("check", "--format", "github")
    assert (run.returncode, run.stderr) == (1, "")
    *lines, summary = run.stdout.splitlines()
    assert summary.startswith("::notice::sandbox: ")
    assert summary.endswith("%0AError: 2 problems in 2 cards")
    assert all(re.match(r"::(error|warning) file=cards/[^,:]*,line=\d+,col=\d+", x) for x in lines)
    assert lines[0].startswith("::error file=cards/a.md,line=14,col=1,title=assertion-failed::")
    assert lines[1].startswith("::warning file=cards/b.md,line=1,col=4,title=answer-missing::")
    assert "%0A" in lines[1]
    assert lines[2].startswith("::error file=cards/c%2C d%3Ae.md,line=3,col=1,")


def test_github_gets_the_summary(good: Project) -> None:
    """As one notice; with -q none."""
    said = good.invoke("check", "--format", "github").stdout
    assert said.startswith("::notice::1 card, 1 snippet executed, 1 assertion held, ")
    assert said.count("\n") == 1
    assert good.invoke("check", "-q", "--format", "github").stdout == ""


def test_what_was_known_is_proved_but_not_executed(good: Project) -> None:
    """The summary does not claim that anything ran which did not."""
    assert ", 1 snippet executed, " in good.invoke("check").stdout
    again = good.invoke("check").stdout
    assert ", 1 snippet proved, " in again
    assert "unchanged: 1 card, proved by an earlier run" in again


def test_people_and_programs_are_told_the_same(bad: Project) -> None:
    """Each form names the same problems at the same places."""
    told = [
        (each["path"], each["line"], each["column"], each["code"])
        for each in as_json(bad.run("check", "--format", "json"))["problems"]
    ]
    human = re.findall(r"^(\S+?):(\d+):(\d+): .*\[(.*)\]$", bad.run("check").stderr, re.MULTILINE)
    github = re.findall(
        r"file=(.*?),line=(\d+),col=(\d+),title=(.*?)::",
        bad.run("check", "--format", "github").stdout,
    )
    assert [(p, int(x), int(y), c) for p, x, y, c in human] == told
    assert [(p, int(x), int(y), c) for p, x, y, c in github] == told


def test_nothing_runs_unverified(tmp_path: Path) -> None:
    """With --no-verify no snippet is executed; the cards and the summary say so."""
    code = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
    made = project(tmp_path, {"a.md": card("one", code)})
    run = made.invoke("build", "--no-verify")
    assert run.returncode == 0
    assert "not verified: 1 card" in run.stdout
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("code", ["assert bytes(3)[0] == 0", r"assert len('\d') == 2"])
def test_python_says_nothing_of_code_that_is_only_parsed(tmp_path: Path, code: str) -> None:
    """The compiler warns of a mutant like `3[0]`; from 3.12 on, the parser of such an escape."""
    run = project(tmp_path, {"a.md": card("one", code)}).run("audit")
    assert "<unknown>" not in run.stderr
    assert not re.search(r"(?m)^\S*:\d+: SyntaxWarning", run.stderr)


# Where it runs, and on what


def test_from_a_folder_of_the_project(bad: Project) -> None:
    """The project is found above; places are told as an editor finds them from there."""
    bad.write("notes/x.txt", "")
    run = bad.invoke("check", folder="notes")
    assert "../cards/a.md:14:1: error" in run.stderr
    told = as_json(bad.invoke("check", "--format", "json", folder="notes"))
    assert told["problems"][0]["path"] == "cards/a.md"
    told = as_json(bad.invoke("check", "../cards/a.md", "--format", "json", folder="notes"))
    assert [each["path"] for each in told["problems"]] == ["cards/a.md"]


def test_output_is_relative_to_the_caller(good: Project) -> None:
    """A path that is typed means what it means to the shell; the setting's is the project's."""
    good.write("sub/x.txt", "")
    told = as_json(good.invoke("build", "-o", "../up.apkg", "--format", "json", folder="sub"))
    assert told["output"] == "up.apkg"
    assert good.invoke("build", "-o", "here.apkg", folder="sub").returncode == 0
    assert good.invoke("build", folder="sub").returncode == 0
    packages = {path for path in files(good.root) if path.endswith(".apkg")}
    assert packages == {"up.apkg", "sub/here.apkg", "deck.apkg"}


def test_the_paths_given_are_what_is_read(bad: Project) -> None:
    """A file or a folder alone, each once, however often and however it is named."""
    bad.write("cards/deep/c.md", card("c", "assert int('1')"))
    words = ["check", "--format", "json", "cards/deep", "cards/deep/c.md", "./cards/../cards/deep"]
    told = as_json(bad.invoke(*words))
    assert (told["cards"], told["problems"]) == (1, [])


def test_files_outside_of_the_project_can_be_named(good: Project, tmp_path: Path) -> None:
    """Their places are as seen from here, or from the folder that is their project: their own."""
    (tmp_path / "else.md").write_text(BAD, encoding="utf-8")
    assert "../else.md:6:1: error" in good.invoke("check", "../else.md").stderr
    told = as_json(good.invoke("check", "../else.md", "--format", "json"))
    assert told["problems"][0]["path"] == "else.md"


def test_build_deck_is_verideck_build(good: Project) -> None:
    """The door at the top of the repository takes the same words and gives the same bytes."""
    by_command = good.run("build", "--format", "json", "-o", "one.apkg")
    by_door = subprocess.run(
        [sys.executable, str(ROOT / "build_deck.py"), "--format", "json", "-o", "two.apkg"],
        cwd=good.root,
        env=good.environment(),
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert as_json(by_door)["sha256"] == as_json(by_command)["sha256"]
    assert (good.root / "one.apkg").read_bytes() == (good.root / "two.apkg").read_bytes()


def test_any_terminal_can_be_written_to(bad: Project) -> None:
    """A stream that lacks a character gets its code instead; JSON stays JSON."""
    run = bad.run("check", PYTHONIOENCODING="latin-1")
    assert run.returncode == 1
    assert "## Is \\u8fd9 open? {#open}" in run.stderr
    bad.write("cards/a.md", GOOD)
    for encoding in ("ascii", "latin-1", "cp437"):
        assert bad.run("build", PYTHONIOENCODING=encoding).returncode == 0
    bad.write("cards/b.md", card("b", "raise ValueError('é 这 🙂')"))
    told = as_json(bad.run("check", "--format", "json", PYTHONIOENCODING="latin-1"))
    assert told["problems"][0]["message"] == "ValueError: é 这 🙂"


def test_a_file_name_that_is_no_text_is_told(good: Project) -> None:
    """Such a name cannot go into a deck's; the other files are read."""
    odd = os.fsencode(good.root) + b"/cards/\xff.md"
    try:
        Path(os.fsdecode(odd)).write_text(BAD, encoding="utf-8")
    except OSError:
        pytest.skip("this file system has no such names")
    run = good.run("build")
    assert run.returncode == 1
    assert "cards/\\udcff.md:1:1: error: " in run.stderr
    assert "[file-unreadable]" in run.stderr


# --update


FENCES = """\
\ufeff# Title

## One? {#one}

```python
print("1\\n\\n2")
```

```output
old
older

oldest
```

- In a list:
    1. ```python
       print("a")
       print("  b")
       ```

       ```output
       ```

> > In a quotation:
> > ```python
> > print("c\\n\\nd")
> > ```
> > ~~~~output
> > old
> > ~~~~

\t\tis code

## Two? {#two}

```python
print(0.333333)
```

```output
0.33
```

## Three? {#three}

```python
print("```\\nx")
```

```output {tol=0.1}
not written
```

```python
assert int("1")
```

last line"""

UPDATED = {
    "old\nolder\n\noldest\n```": "1\n\n2\n```",
    "       ```output\n       ```": "       ```output\n       a\n         b\n       ```",
    "> > old\n> > ~~~~": "> > c\n> >\n> > d\n> > ~~~~",
}


ENDINGS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}


def test_update_writes_what_is_printed_and_nothing_else(tmp_path: Path) -> None:
    """Only the lines of outputs that differ change; BOM, endings and indentation stay."""
    updated = FENCES
    for old, new in UPDATED.items():
        assert updated.count(old) == 1
        updated = updated.replace(old, new)

    def written(text: str) -> dict[str, bytes]:
        return {
            name: text.replace("? {#", f" {name}? {{#{name}-").replace("\n", ending).encode()
            for name, ending in ENDINGS.items()
        }

    made = project(tmp_path, {f"{name}.md": text for name, text in written(FENCES).items()})
    run = made.invoke("check", "--update")
    for name, expected in written(updated).items():
        assert (tmp_path / f"cards/{name}.md").read_bytes() == expected
    assert run.returncode == 1, "what would close its fence cannot be written"
    assert run.stderr.count("[output-differs]") == len(ENDINGS)


def test_update_is_stable(tmp_path: Path) -> None:
    """A second update changes nothing, not even the file's time."""
    made = project(tmp_path, {"a.md": FENCES})
    made.invoke("check", "--update")
    file = tmp_path / "cards/a.md"
    before = file.read_bytes(), file.stat().st_mtime_ns
    made.invoke("check", "--update")
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    "code", ["print('\\x1b[1m')", "print('a\\rb')", "print('\\0')", "print('~~~')"]
)
def test_update_never_writes_what_no_card_may_hold(tmp_path: Path, code: str) -> None:
    """What would break the file is left for the author to see."""
    text = card("one", code, "\n```output\nold\n```")
    made = project(tmp_path, {"a.md": text})
    run = made.invoke("check", "--update")
    assert run.returncode == 1
    assert "[output-differs]" in run.stderr
    assert (tmp_path / "cards/a.md").read_text(encoding="utf-8") == text


def test_update_leaves_cards_that_fail(tmp_path: Path) -> None:
    """A card whose assertions do not hold prints nothing worth showing."""
    shown = "\n```output\nold\n```"
    text = card("one", "print('new')\nassert int('1') == 2", shown)
    made = project(tmp_path, {"a.md": text, "b.md": card("two", "print('new')", shown)})
    assert made.invoke("build", "--update").returncode == 1
    assert (tmp_path / "cards/a.md").read_text(encoding="utf-8") == text
    assert "```output\nnew\n```" in (tmp_path / "cards/b.md").read_text(encoding="utf-8")


COMMENTS = """\
## What do these give? {#comments}

- In a list:

  ```python
  x = [1, 2, 3]
  x[1:]  # → [1, 2]
  y = sum(x)  #=> 7
  for each in x[:2]:
      print(each, y / 4)
      #> 1 1.75
  x.pop()  # -> 3
  ```

> ```python
> print("a\\nb")  # → a b
> print("a\\n\\nb")
> #> a
> ```

{{c1::Hidden}} in code:

```python
z = {{c2::5}}  # → 4
print(z)
#> {{c3::4}}
```
"""
COMMENTS_UPDATED = {
    "→ [1, 2]": "→ [2, 3]",
    "#=> 7": "#=> 6",
    "      #> 1 1.75\n": "      #> 1 1.5\n      #> 2 1.5\n",
    "> #> a\n": "> #> a\n> #>\n> #> b\n",
    "# → 4": "# → 5",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_update_writes_comments(tmp_path: Path, ending: str) -> None:
    """Only those that are false; a line with a deletion stays as it is, and is told."""
    updated = COMMENTS
    for old, new in COMMENTS_UPDATED.items():
        assert updated.count(old) == 1
        updated = updated.replace(old, new)
    made = project(tmp_path, {"a.md": COMMENTS.replace("\n", ending).encode()})
    run = made.invoke("check", "--update")
    written = (tmp_path / "cards/a.md").read_bytes().decode()
    assert written == updated.replace("\n", ending)
    assert run.stderr.count(": updated: ") == len(COMMENTS_UPDATED)
    assert run.stderr.count("[output-differs]") == 1
    assert "run with --update" not in run.stderr


SHOWN = card("one", "print(1 / 3)", "\n```output\n0.34\n```\n")


def test_update_tells_what_it_replaces(tmp_path: Path) -> None:
    """With its place; a card is never made true in silence, and what holds is not told."""
    made = project(tmp_path, {"a.md": SHOWN})
    line = SHOWN.split("\n").index("0.34") + 1
    run = made.invoke("check", "--update", "--quiet")
    told = f"cards/a.md:{line}:1: updated: 0.34 → 0.3333333333333333"
    assert run.stderr.splitlines() == [told]
    assert made.invoke("check", "--update", "--quiet").stderr == ""


def test_update_tells_programs_what_it_replaces(tmp_path: Path) -> None:
    """As JSON, where it was asked for, and as a notice at the line."""
    made = project(tmp_path, {"a.md": SHOWN})
    line = SHOWN.split("\n").index("0.34") + 1
    assert "updated" not in json.loads(made.invoke("check", "--format", "json").stdout)
    run = json.loads(made.invoke("check", "--format", "json", "--update").stdout)
    replaced = {"path": "cards/a.md", "line": line, "before": "0.34"}
    assert run["updated"] == [{**replaced, "after": "0.3333333333333333"}]
    assert run["problems"] == []
    made = project(tmp_path / "b", {"a.md": SHOWN})
    run_ = made.invoke("check", "--format", "github", "--update")
    assert f"::notice file=cards/a.md,line={line},col=1,title=updated::0.34 → 0.333" in run_.stdout


def test_update_erases_nothing(tmp_path: Path) -> None:
    """What a card shows stays where nothing is printed, and the hint promises no update."""
    text = card("one", "2 + 2\nx = 1", "\n```output\n4\n```\n")
    made = project(tmp_path, {"a.md": text})
    run = made.invoke("check", "--update")
    assert run.returncode == 1
    assert (tmp_path / "cards/a.md").read_text(encoding="utf-8") == text
    assert "updated" not in run.stderr
    assert "run with --update" not in run.stderr
    assert "write print(…)" in run.stderr


def test_update_fills_an_empty_output(tmp_path: Path) -> None:
    """Which proves nothing before, and what the fence gives after: also the value at its end."""
    text = card("one", "1 + 1", "\n```output\n```\n")
    made = project(tmp_path, {"a.md": text})
    assert made.invoke("check").returncode == 1
    assert made.invoke("check", "--update").returncode == 0
    written = (tmp_path / "cards/a.md").read_text(encoding="utf-8")
    assert written == text.replace("```output\n", "```output\n2\n")


def test_update_keeps_a_deletion_in_an_output(tmp_path: Path) -> None:
    """Its line is not written: the mark would be lost."""
    text = "## It {{c1::prints}} {#one}\n\n```python\nprint(3)\n```\n\n```output\n{{c2::4}}\n```\n"
    made = project(tmp_path, {"a.md": text})
    assert made.invoke("check", "--update").returncode == 1
    assert (tmp_path / "cards/a.md").read_text(encoding="utf-8") == text


# How it is ended


ENDLESS = """\
import subprocess
subprocess.Popen(['sleep', '600'], start_new_session=True, close_fds=False)
hold()
subprocess.run(['sleep', '600'], close_fds=False)
assert int('1')
"""
"""Starts a program that leaves its session, and waits for another one."""


def running(
    made: Project, temporary: Path, executor: str = "fork"
) -> tuple[subprocess.Popen[str], Held]:
    """A build that has come to an endless snippet, and what all processes of that hold."""
    temporary.mkdir()
    held = Held.of(made)
    made.write("cards/endless.md", card("endless", f"{held.opened}\n{ENDLESS}"))
    command = made.start("build", "--executor", executor, TMPDIR=str(temporary))
    assert soon(held.is_held)
    return command, held


@pytest.mark.linux(reason="ends what has left its session")
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_run_that_is_ended_leaves_nothing(
    good: Project, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """The former package stands; no process, no temporary folder and no part of a file is left."""
    package = good.build(build_time=MOMENT - 1)
    before = package.read_bytes()
    there = files(good.root) | {"cards/endless.md", "held"}
    command, held = running(good, tmp_path / "temporary")
    command.send_signal(sent)
    out, told = command.communicate(timeout=20)  # the snippet would take ten minutes
    assert command.returncode == code
    assert "Traceback" not in told
    assert out == ""
    assert soon(held.is_free)
    assert files(tmp_path / "temporary") == set()
    assert package.read_bytes() == before
    assert files(good.root) == there


@pytest.mark.linux(reason="only Linux tells a child of its parent's end")
@pytest.mark.parametrize("executor", ["fork", "spawn"])
def test_a_run_that_is_killed_takes_its_snippets_along(tmp_path: Path, executor: str) -> None:
    """What was executing a snippet does not go on, nor what the snippet started.

    No other card is there: the folder of one that is about to begin has nobody yet to remove it.
    """
    made = project(tmp_path / "deck", {})
    command, held = running(made, tmp_path / "temporary", executor)
    command.kill()
    command.communicate(timeout=20)
    assert command.returncode == -signal.SIGKILL
    assert soon(held.is_free)
    assert soon(lambda: files(tmp_path / "temporary") == set())
    assert not (made.root / "deck.apkg").exists()


@pytest.mark.linux(reason="only Linux tells a child of its parent's end")
def test_a_run_that_is_killed_before_its_snippets_begin(good: Project, tmp_path: Path) -> None:
    """An interpreter that starts for a card which nobody awaits any more removes its folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = good.start("build", "--executor", "spawn", TMPDIR=str(temporary))
    assert soon(lambda: any(processes(str(temporary))))
    command.kill()
    command.communicate(timeout=20)
    assert soon(lambda: not any(processes(str(temporary))))
    assert soon(lambda: files(temporary) == set())


def test_endless_output_is_cut(tmp_path: Path) -> None:
    """A snippet that prints without end, or a hundred megabytes, stops at the limit of output."""
    endless = card("endless", "while True:\n    print('x' * 1000)\nassert int('1')")
    much = card("much", "for _ in range(100):\n    print('x' * 1_000_000)\nassert int('1')")
    errors = card("errors", "import sys\nwhile True:\n    print('x' * 1000, file=sys.stderr)")
    made = project(tmp_path, {"a.md": endless + much + errors + GOOD})
    run = made.run("check", "--format", "json")
    assert [each["code"] for each in as_json(run)["problems"]] == ["output-limit"] * 3
    assert as_json(run)["assertions"] == 1


def test_a_closed_pipe_is_no_bug_of_ours(bad: Project) -> None:
    """`verideck check | head -0` ends without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-m", "verideck", "check", "--format", "json"],
        cwd=bad.root,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        encoding="utf-8",
    )
    os.close(writer)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("words", [["--help"], ["build", "-h"], ["check", "--help"], ["--version"]])
def test_help_is_0(words: list[str]) -> None:
    """The command explains itself."""
    run = CliRunner().invoke(verideck, words, prog_name="verideck")
    assert run.exit_code == 0
    assert run.stdout.startswith(("Usage: verideck", "verideck, version "))


def test_update_keeps_what_holds(tmp_path: Path) -> None:
    """A line that already says what is printed keeps its digits and its wildcard."""
    text = (
        "## Q? {#q}\n\n```python\nprint('row', 1 / 3)\nprint(object())\nprint(0.1 + 0.2)\n```\n\n"
        "```output\nrow 0.33\n<object object at ...>\n0.4\n```\n"
    )
    made = project(tmp_path, {"a.md": text})
    assert made.invoke("check", "--update").returncode == 0
    updated = (tmp_path / "cards/a.md").read_text(encoding="utf-8")
    assert updated == text.replace("0.4\n", "0.30000000000000004\n")


def test_a_part_of_the_deck_is_a_package_of_its_own(tmp_path: Path) -> None:
    """It neither replaces the deck's package nor passes for it; several files want a name."""
    one, two = (f"## Q{n}? {{#q{n}}}\n\nA.\n" for n in (1, 2))
    made = project(tmp_path, {"one.md": one, "two.md": two})
    whole = as_json(made.invoke("build", "--format", "json"))
    assert as_json(made.invoke("build", "cards", "--format", "json"))["output"] == whole["output"]
    part = as_json(made.invoke("build", "cards/one.md", "--format", "json"))
    assert part["output"].endswith("one.apkg")
    assert part["output"] != whole["output"]
    assert (part["notes"], whole["notes"]) == (1, 2)
    assert made.invoke("build", "cards/one.md", "cards/two.md").returncode == 2


def test_of_a_long_line_is_shown_what_stands_around_the_place(tmp_path: Path) -> None:
    """A line may be a whole text: shown whole under each of its problems, it was quadratic."""
    made = project(tmp_path, {"a.md": f"## Which?\n\n{'$}$ ' * 400}\n"})
    told = made.invoke("check").stderr
    shown = [line for line in told.split("\n") if line.startswith("    3 | ")]
    assert len(shown) == 400
    assert shown[0] == f"    3 | {('$}$ ' * 125)}…"
    assert {len(line) for line in shown[100:250]} == {8 + 502}
    assert all(line[8:][126:][:2] == "$}" for line in shown[100:250])


def test_the_command_starts_without_what_few_runs_need() -> None:
    """Markdown is parsed where a file has changed, and Anki is asked by a push alone."""
    code = (
        "import sys\n"
        "import verideck.cli.commands\n"
        "late = 'markdown_it', 'nh3', 'verideck.history.planning', 'verideck.push_plan'\n"
        "assert not [each for each in late if each in sys.modules]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_stands_under_a_problem_is_what_was_read(tmp_path: Path) -> None:
    """As the file has it, which is not read once more; only long lines are looked for there."""
    dead = "[a](gone.md)"
    texts: dict[str, str | bytes] = {
        "a.md": f"\ufeff## A?\r\n\r\n\t{dead} {dead} \t\r\n{dead}\r\n",
        "b.md": f"## B?\n\n{'x ' * 400}[b](lost.md)\n\n{dead}  \n\n## C?\n\n![](no.png)\n",
    }
    project(tmp_path, texts)
    with library.Project.open(tmp_path, verify=False) as opened:
        first = opened.findings().problems
    with library.Project.open(tmp_path, verify=False) as opened:
        again = opened.findings().problems
        assert opened.check().problems == again
    assert first == again
    assert [each.line for each in first] == [each.line for each in again]
    long = [each for each in first if not each.line]
    assert {each.place.line for each in long} == {3}
    for each in first:
        looked_up = format_problem(replace(each, line=""), tmp_path)
        assert format_problem(each, tmp_path) == looked_up
    with patch("verideck.source_line._lines", side_effect=AssertionError):
        for each in again:
            if each not in long:
                assert each.line in format_problem(each, tmp_path)
