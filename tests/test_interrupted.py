"""Ctrl-C, SIGTERM and SIGHUP: each phase of a command ends at once, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from projects import Project, files, project, soon

pytestmark = pytest.mark.linux(reason="Windows has other signals")

SENT = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
NAMES = ["Ctrl-C", "SIGTERM", "SIGHUP"]

AT_A_FUNCTION = """\
import os, signal, sys, threading

wanted, sent = [sys.argv.pop(1)], int(sys.argv.pop(1))

def watch(frame, event, _):
    module = frame.f_globals.get("__name__")
    if event == "call" and wanted == [f"{module}.{frame.f_code.co_name}"]:
        wanted.clear()
        os.kill(os.getpid(), sent)

sys.setprofile(watch)
threading.setprofile(watch)
from verideck.cli import main
main()
"""
"""The command, which gets a signal when a function is first called, in whichever thread."""

CARDS = """\
---
tags: a
---

## What is a half of {{c1::one}}?

```python
print(1.5 / 3)
half = 0.5
assert half + half == 1
```

```output
0.5
```

## What is `two`?

A number.
"""

PHASES = {
    "settings": ("check", "verideck.settings.load"),
    "reading": ("check", "verideck.source.read._text"),
    "front matter": ("check", "verideck.source.front_matter.of_yaml.pairs"),
    "parsing": ("check", "verideck.markdown.dialect._parsed"),
    "executing": ("check", "verideck.proof.scheduling.run"),
    "judging": ("check", "verideck.proof.python.parent.verdicts.verdict"),
    "comparing": ("check", "verideck.proof.expected.difference"),
    "recognising": ("check", "verideck.history.recognise.recognise"),
    "highlighting": ("check", "verideck.markdown.languages.pieces"),
    "rendering": ("check", "verideck.render.fields.rendered"),
    "stamping": ("build", "verideck.history.stamp.stamp"),
    "packaging": ("build", "verideck.targets.apkg.package"),
    "auditing": ("audit", "verideck.proof.audit.audit"),
    "linting": ("lint", "verideck.rules.lint.lint"),
    "naming": ("id", "verideck.history.ids.name_cards"),
}
"""A command, and a function that it calls in a phase."""


@pytest.mark.parametrize(("sent", "code"), SENT, ids=NAMES)
@pytest.mark.parametrize(("command", "function"), PHASES.values(), ids=PHASES)
def test_every_phase_ends_at_once(
    tmp_path: Path, command: str, function: str, sent: signal.Signals, code: int
) -> None:
    """With the exit code of the signal, without a traceback, and all files as they were."""
    made = project(tmp_path / "deck", {"a.md": CARDS})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = files(made.root)
    started = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", AT_A_FUNCTION, function, str(int(sent)), command],
        cwd=made.root,
        env=made.environment(TMPDIR=str(temporary)),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert run.returncode == code, (run.stdout, run.stderr)
    assert time.monotonic() - started < 20
    assert "Traceback" not in run.stderr
    assert files(made.root) == before
    assert soon(lambda: files(temporary) == set())


LARGE = 300
"""Files, each of which takes a while to parse."""


def large(folder: Path) -> Project:
    """A project that several processes parse, for some seconds."""
    text = "## What is {n}?\n\n" + "*a **b** `c` $d$ [e](f)* " * 1600 + "\n"
    return project(folder, {f"{n}.md": text.replace("{n}", str(n)) for n in range(LARGE)})


@pytest.mark.linux(reason="only there several processes parse")
@pytest.mark.parametrize(("sent", "code"), SENT, ids=NAMES)
@pytest.mark.parametrize("to_all", [False, True], ids=["to the command", "to its group"])
def test_files_that_several_processes_parse_are_not_waited_for(
    tmp_path: Path, sent: signal.Signals, code: int, *, to_all: bool
) -> None:
    """A terminal sends Ctrl-C to all of them, and `kill` a signal to one."""
    made = large(tmp_path / "deck")
    command = subprocess.Popen(
        [sys.executable, "-c", "from verideck.cli import main; main()", "check", "-q"],
        cwd=made.root,
        env=made.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    assert soon(lambda: len(_group(command.pid)) > 1)
    started = time.monotonic()
    (os.killpg if to_all else os.kill)(command.pid, sent)
    _, told = command.communicate(timeout=30)
    assert time.monotonic() - started < 3
    # A process of a group that SIGTERM ends may be the first to end: its files are parsed again.
    assert command.returncode == code, told
    assert "Traceback" not in told
    assert soon(lambda: not _group(command.pid))


def _group(leader: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                state, _, group = (
                    process.joinpath("stat").read_text().rpartition(")")[2].split()[:3]
                )
            except OSError:
                continue
            if int(group) == leader and state not in "ZX":
                found.append(int(process.name))
    return found


def test_a_command_under_nohup_goes_on(tmp_path: Path) -> None:
    """Who has SIGHUP ignored means it."""
    made = project(tmp_path / "deck", {"a.md": "## What is it?\n\nA number.\n"})
    script = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{AT_A_FUNCTION}"
    words = ["verideck.source.read._text", str(int(signal.SIGHUP)), "check"]
    run = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=made.root,
        env=made.environment(),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
