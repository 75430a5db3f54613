"""Standard streams that are closed, full or gone: what cannot be told never ends with 0."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from projects import COMMAND, Project, card, project

pytestmark = pytest.mark.linux("has /dev/full and a shell")

GOOD = card("good", "assert int('1')")


@pytest.fixture
def good(tmp_path: Path) -> Project:
    """A project in which everything holds."""
    return project(tmp_path, {"a.md": GOOD})


def shell(made: Project, line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in a project; `verideck` is the command."""
    return subprocess.run(
        ["/bin/bash", "-c", line.replace("verideck", str(COMMAND))],
        cwd=made.root,
        env=made.environment(**more),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


FULL = "Error: standard output cannot be written: No space left on device"
CLOSED = "Error: standard output cannot be written: it is closed"


@pytest.mark.parametrize(
    "words",
    [
        *("--version", "--help", "check --help", "check -q --format json", "build", "lint"),
        *("check --format github", "audit", "diff", "id", "clean"),
    ],
)
@pytest.mark.parametrize(("stream", "says"), [(">/dev/full", FULL), (">&-", CLOSED)])
def test_what_cannot_be_told_is_an_error(good: Project, words: str, stream: str, says: str) -> None:
    """Standard output that is full or closed is told on standard error; the code is 2."""
    if words == "diff":
        assert shell(good, "verideck build").returncode == 0
    run = shell(good, f"verideck {words} {stream}")
    assert run.returncode == 2
    assert run.stderr.split("\n")[-2] == says
    assert "Traceback" not in run.stderr
    assert run.stderr.count("Error: ") == 1


def test_without_standard_error_cards_are_executed_and_told(good: Project) -> None:
    """Row 21: no file gets its descriptor, and what holds is told on standard output."""
    run = shell(good, "verideck check 2>&-")
    assert run.returncode == 0
    assert "1 snippet executed, 1 assertion held" in run.stdout


def test_without_standard_input_cards_are_executed(good: Project) -> None:
    """Neither does any get that of standard input."""
    assert shell(good, "verideck check <&-").returncode == 0


def test_without_any_stream_a_command_ends_with_its_code(good: Project) -> None:
    """What fails is 1, and what holds and could not be told is 2; the package is written."""
    run = shell(good, "verideck build >&- 2>&- <&-")
    assert (run.returncode, (good.root / "deck.apkg").exists()) == (2, True)
    good.write("cards/a.md", card("bad", "assert int('1') == 2"))
    assert shell(good, "verideck check >&- 2>&- <&-").returncode == 1


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_a_warning_that_is_lost_is_no_success(good: Project, stream: str) -> None:
    """Progress may get lost; what was found may not."""
    assert shell(good, f"verideck check {stream}").returncode == 0
    good.write("cards/b.md", "## Is this open? {#open}\n")
    assert shell(good, f"verideck check {stream}").returncode == 2
    assert shell(good, f"verideck check --strict {stream}").returncode == 1
    assert shell(good, f"verideck nonsense {stream}").returncode == 2


@pytest.mark.parametrize("form", ["human", "json", "github"])
def test_a_reader_that_has_gone_is_no_bug(good: Project, form: str) -> None:
    """`verideck check | true` says nothing, and never ends with 0 if nobody was told."""
    line = f"(sleep 1; exec verideck check -q --format {form}; ) | true; echo ${{PIPESTATUS[0]}}"
    good.write("cards/b.md", "## Is this open? {#open}\n")
    run = shell(good, line)
    assert run.stdout == ("0\n" if form == "human" else "1\n")
    assert "Traceback" not in run.stderr
    assert "BrokenPipe" not in run.stderr


@pytest.mark.parametrize(
    "more", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_what_a_stream_cannot_show_is_no_reason_to_fall_silent(
    good: Project, more: dict[str, str]
) -> None:
    """A question in Chinese, for a terminal of ASCII."""
    good.write("cards/b.md", "## 什么？ {#open}\n\n${x$\n")
    run = shell(good, "verideck check --no-verify", **more)
    assert run.returncode == 1
    assert "[maths-unclosed]" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_terminal_without_width_shows_progress(good: Project) -> None:
    """A pseudo-terminal has no size until it is given one."""
    ours, theirs = pty.openpty()
    run = subprocess.run(
        [COMMAND, "check"],
        cwd=good.root,
        env=good.environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
        timeout=60,
    )
    os.close(theirs)
    os.close(ours)
    assert run.returncode == 0
    assert b"1 assertion held" in run.stdout
