"""What the command line tells of itself and of problems, and how it looks on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import explained
import pytest
from projects import COMMAND, Project, card, project
from spec_cases import SPEC, cases

from verideck.cli import colours, explaining
from verideck.model import Place
from verideck.problems import Code, Problem

BAD = card("bad", "两 = len('12')\nassert 两 == 3")


@pytest.fixture
def bad(tmp_path: Path) -> Project:
    """A project with a card that fails."""
    return project(tmp_path / "deck", {"a.md": BAD})


def test_what_is_explained_is_the_manual() -> None:
    """Run `python tests/explained.py` where this fails, and commit what it writes."""
    assert explained.FILE.read_text(encoding="utf-8") == explained.written()


def test_every_code_is_explained_by_a_case_that_tells_it() -> None:
    """In the order of their definition, and none of them by a file that the manual alone has."""
    every = explaining.explained()
    assert list(every) == [str(code) for code in Code]
    for code, each in every.items():
        assert each.means.endswith(".")
        assert f" [{code}]\n" in each.case.told
        assert explaining.format_explained(each).startswith(f"{code}: {each.means}\n")


def test_what_is_mended_is_named_by_a_code() -> None:
    """Each heading of the page, under which nothing is wrong any more."""
    named = {case.heading: case for case in cases(SPEC / "mended.md")}
    assert {*named} <= {str(code) for code in Code}
    assert all(case.expected.text == "nothing is wrong\n" for case in named.values())


def test_a_code_is_explained_by_the_command(bad: Project) -> None:
    """By its name, with or without brackets; by all names without one."""
    run = bad.run("explain", "assertion-failed")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("assertion-failed: An assertion does not hold.\n\nFor example: ")
    assert "[assertion-failed]" in run.stdout
    assert "\nIt is mended so:\n" in run.stdout
    assert bad.invoke("explain", "[assertion-failed]").stdout == run.stdout
    listed = bad.invoke("explain").stdout.splitlines()
    assert [line.partition(":")[0] for line in listed] == [str(code) for code in Code]
    wrong = bad.invoke("explain", "assertion-faild")
    assert (wrong.returncode, "did you mean assertion-failed?" in wrong.stderr) == (2, True)


def test_help_has_examples_exit_codes_and_completion(bad: Project) -> None:
    """And no line of a command is cut."""
    told = bad.run("help")
    assert told.stdout == bad.invoke("--help").stdout
    for words in ("Examples:", "Exit codes: 0 it holds", "_VERIDECK_COMPLETE=bash_source"):
        assert words in told.stdout
    commands = told.stdout.partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert ("..." in commands, "explain  " in commands) == (False, True)
    assert bad.invoke("help", "check").stdout == bad.invoke("check", "-h").stdout
    wrong = bad.invoke("help", "chek")
    assert (wrong.returncode, "No such command 'chek'" in wrong.stderr) == (2, True)


def test_a_command_acts_in_the_folder_that_is_named(bad: Project) -> None:
    """As if it was started there."""
    run = bad.run("-C", str(bad.root), "check", "cards/a.md", folder="..")
    assert run.returncode == 1
    assert "cards/a.md:7:1: error: assertion failed" in run.stderr
    assert bad.run("-C", "none", "check").returncode == 2


# On a terminal


def on_terminal(made: Project, *words: str, **environment: str) -> str:
    """What a command prints to standard error, where that is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(COMMAND), *words],
        cwd=made.root,
        env=made.environment(**{"TERM": "xterm", **environment}),
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as run:
        os.close(theirs)
        text = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that nobody writes any more
                break
            if not piece:
                break
            text += piece
        os.close(ours)
        run.communicate(timeout=60)
    return text.decode("utf-8").replace("\r\n", "\n")


def test_a_terminal_has_colours_and_a_caret(bad: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless NO_COLOR or the caller says no; no other stream has, unless the caller says so."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    words = ("check", "-q")
    told = on_terminal(bad, *words)
    assert "\x1b[31merror\x1b[0m: assertion failed [assertion-failed]\n" in told
    assert re.search(r"^\S+      \|\S+ \S*\^", told, re.MULTILINE)
    for plain in (
        on_terminal(bad, *words, NO_COLOR="1"),
        on_terminal(bad, *words, TERM="dumb"),
        on_terminal(bad, *words, "--color", "never"),
        bad.invoke(*words).stderr,
    ):
        assert "\x1b" not in plain
        assert "error: assertion failed [assertion-failed]\n" in plain
    assert "\x1b[31merror" in bad.invoke(*words, "--color", "always", NO_COLOR="1").stderr


def test_progress_names_what_runs_and_for_how_long(tmp_path: Path) -> None:
    """While it runs, not when it has ended."""
    code = "import time\ntime.sleep(2.5)\ntwo = len('12')\nassert two == 2"
    made = project(tmp_path / "deck", {"a.md": BAD, "slow.md": card("slow", code)})
    told = on_terminal(made, "check")
    assert re.search(r"slow\.md:1 for [12] s \d", told)


def test_a_caret_stands_under_its_column(tmp_path: Path) -> None:
    """Wide characters take two cells, tabs stay tabs, and what acts is shown, not sent."""
    file = tmp_path / "a.md"
    file.write_text("两两 = x\n\tx\n\x1b x\nx\n", encoding="utf-8")

    def caret(line: int, column: int) -> str:
        place = Place("a.md", line, column)
        told = colours.painted(Problem(Code.SYNTAX_ERROR, "wrong", place), tmp_path)
        shown = re.sub(r"\x1b\[\d+m", "", told).split("\n")
        assert "\x1b" not in "".join(shown)
        return shown[2].partition("| ")[2] if shown[2:] else ""

    assert caret(1, 6) == "       ^"
    assert caret(2, 2) == "\t^"
    assert caret(3, 3) == "  ^"
    assert (caret(4, 1), caret(4, 9)) == ("^", "")
