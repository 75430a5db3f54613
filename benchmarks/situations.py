"""What verideck and its peers say in fifteen situations that a test of snippets should notice.

Each is a page of Markdown (for nbmake a notebook with the same code), on which the real tool is run
as its users run it. `--write` puts the table into docs/ci.md; a test holds verideck's column.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import measure
from measure import ROOT, progress
from verify import EXAMPLES, SYBIL

ENVIRONMENT = ROOT / ".venv-situations"
PYTHON = ENVIRONMENT / "bin" / "python"
REQUIREMENTS = Path(__file__).with_name("situations.txt")
PAGE = ROOT / "docs/ci.md"
MARKS = ("<!-- situations.py writes this -->\n", "<!-- to here -->\n")

PATIENCE = 40.0
"""Seconds until a run counts as one that hangs."""

SETTINGS = '[tool.verideck]\nnamespace = "situations"\ntimeout = {timeout}\n'
OUTSIDE = "outside.txt"


THREAD = """\
import threading

thread = threading.Thread(target=lambda: [][0])
thread.start()
thread.join()
x = thread.is_alive()
assert not x"""


@dataclass(frozen=True, slots=True)
class Situation:
    """Code that stands in questions of a page, and what should become of it."""

    name: str
    fences: tuple[str, ...]
    lines: tuple[int, ...] = ()
    """Of the last fence, whose mark is line 0: one of these should be told of. None where all
    should hold."""
    other: str = ""
    """Code on a page of its own, which is executed before."""
    language: str = "python"
    """Of the last fence."""
    timeout: int = 30
    """Seconds that verideck gives a card."""
    below: str = ""
    """What stands beneath the last fence."""


SITUATIONS = (
    Situation("an assertion is false", ("x = 1 + 1\nassert x == 3",), (2,)),
    Situation("an exception is raised", ("x = [1]\nx[2]",), (2,)),
    Situation("nothing is asserted", ("x = 1 + 1",), (0, 1)),
    Situation("an assertion is never reached", ("x = 1\nif x > 1:\n    assert x == 3",), (3,)),
    Situation("an assertion cannot fail", ('x = 1\nassert (x == 2, "x is 2")',), (2,)),
    Situation(
        "a failed assertion is swallowed",
        ("x = 1\ntry:\n    assert x == 2\nexcept Exception:\n    pass",),
        (3,),
    ),
    Situation("`sys.exit(0)`", ("import sys\n\nsys.exit(0)\nassert 1 + 1 == 3",), (3,)),
    Situation("`os._exit(0)`", ("import os\n\nos._exit(0)\nassert 1 + 1 == 3",), (0, 3)),
    Situation(
        "an endless loop", ("x = 1\nwhile x:\n    x += 1\nassert x == 0",), (2, 3), timeout=5
    ),
    Situation(
        "an exception in a thread",
        (THREAD,),
        (3,),
    ),
    Situation(
        "a printed value is another",
        ("x = 1 / 3\nprint(x)\nassert x",),
        (2, 7),
        below="```output\n0.25\n```\n",
    ),
    Situation(
        "a language is misspelt",
        ("x = 1\nassert x == 1", "assert 1 + 1 == 3"),
        (0, 1),
        language="pyhton",
    ),
    Situation(
        "a name is another question's",
        ("found = 1\nassert found == 1", 'y = "found" in globals()\nassert not y'),
    ),
    Situation(
        "a module was changed by another page",
        ("import math\n\nx = math.floor(math.pi * 100)\nassert x == 314",),
        other="import math\n\nmath.pi = 3\nx = math.pi\nassert x == 3",
    ),
    Situation(
        "a file is written elsewhere",
        (f'x = open("{{outside}}", "w").write("x")\nassert x == 1  # {OUTSIDE}',),
        (1,),
    ),
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as its users run it in a folder."""

    name: str
    command: tuple[str | Path, ...]
    files: Mapping[str, str]
    """What stands in the folder besides the pages."""
    page: Callable[[Sequence[str], Situation], tuple[str, str]]
    """The name of a page and its text, by the code of its fences."""


def markdown(fences: Sequence[str], situation: Situation) -> tuple[str, str]:
    """A page of questions, each with a fence."""
    languages = [*["python"] * (len(fences) - 1), situation.language]
    parts = [
        f"## What is {number}?\n\nThis.\n\n```{language}\n{code}\n```\n"
        for number, (language, code) in enumerate(zip(languages, fences, strict=True))
    ]
    return ".md", "\n".join([*parts, situation.below]).rstrip("\n") + "\n"


def notebook(fences: Sequence[str], _: Situation) -> tuple[str, str]:
    """A notebook, with a cell for each fence."""
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": code,
        }
        for number, code in enumerate(fences)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    value = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return ".ipynb", json.dumps(value)


def _pytest(name: str, *words: str, conftest: str = "", test: str = "") -> Tool:
    files = {"pytest.ini": "[pytest]\n"}
    files |= {"conftest.py": conftest} if conftest else {}
    files |= {"test_cards.py": test} if test else {}
    page = notebook if name == "nbmake" else markdown
    return Tool(name, (PYTHON, "-m", "pytest", "-p", "no:cacheprovider", *words), files, page)


VERIDECK = Tool(
    "verideck",
    (Path(sys.executable).with_name("verideck"), "check"),
    {"pyproject.toml": SETTINGS},
    markdown,
)
PEERS = (
    _pytest("sybil", "cards", conftest=SYBIL),
    _pytest("pytest-examples", "test_cards.py", test=EXAMPLES),
    _pytest("pytest-markdown-docs", "--markdown-docs", "cards"),
    _pytest("nbmake", "--nbmake", "cards"),
)


def verdict(tool: Tool, situation: Situation, folder: Path) -> str:
    """What a tool says in a situation, in a few words. `folder` is new."""
    if tool.page is notebook and situation.language != "python":
        return "—"
    outside = folder / OUTSIDE
    fences = [code.replace("{outside}", str(outside)) for code in situation.fences]
    project = folder / "project"
    suffix, text = tool.page(fences, situation)
    pages = {f"cards/page{suffix}": text}
    if situation.other:
        pages[f"cards/a{suffix}"] = tool.page([situation.other], situation)[1]
    for path, content in {**tool.files, **pages}.items():
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.replace("{timeout}", str(situation.timeout)), encoding="utf-8")
    code, said = _run(tool.command, project)
    if outside.exists():
        return "writes it"
    if code is None:
        return "hangs"
    if not situation.lines:
        return "holds" if code == 0 else "leaks"
    if code == 0:
        return "passes"
    first = text[: text.rindex(fences[-1])].count("\n") if suffix == ".md" else 0
    places = "|".join(str(first + line) for line in situation.lines)
    is_at_line = first and re.search(rf"page\.md\W+(?:line )?(?:{places})\b", said)
    return "told at its line" if is_at_line else "told"


def _run(command: Sequence[str | Path], folder: Path) -> tuple[int | None, str]:
    """Run a command; gives its exit code and what it said. Without a code it was killed."""
    with subprocess.Popen(  # noqa: S603 - the commands of this file
        command,
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            return None, said
    return process.returncode, said


def table(scratch: Path) -> str:
    """A row for each situation, a column for each tool."""
    tools = (*PEERS, VERIDECK)
    rows = []
    for number, situation in enumerate(SITUATIONS):
        said = [
            verdict(tool, situation, scratch / f"{number} {tool.name}".replace(" ", "-"))
            for tool in tools
        ]
        progress(f"{situation.name}: {', '.join(said)}")
        rows.append(f"| {situation.name} | {' | '.join(said)} |")
    heads = f"| | {' | '.join(tool.name for tool in tools)} |"
    return "\n".join([heads, "|---" * (len(tools) + 1) + "|", *rows, ""])


def _install() -> None:
    words = ("-m", "pip", "install", "--quiet", "-r", REQUIREMENTS)
    measure.run((PYTHON, *words), ROOT)


def main() -> None:
    """Print the table, or write it into docs/ci.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it into docs/ci.md")
    given = parser.parse_args()
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    measure.make_environment(ENVIRONMENT, wanted, "the tools", _install)
    with tempfile.TemporaryDirectory(prefix="verideck-situations-") as scratch:
        made = table(Path(scratch))
    if given.write:
        begin, end = MARKS
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
        after = rest.partition(end)[2]
        PAGE.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")
    else:
        print(made)


if __name__ == "__main__":
    main()
