"""docs/markdown.md: what becomes of each construct is what the page says.

`pytest tests/test_markdown_page.py --update-spec` writes the page's third and fourth columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cells import code
from projects import Project, project

from verideck.model import Note
from verideck.problems import Problem

PAGE = Path(__file__).parents[1] / "docs" / "markdown.md"
LINE_END = "⏎"
"""Stands for the end of a line in a cell."""
FILES = ("a.png", "b c (1).png", "a.mp3", "a.pdf", "a.html")
"""What lies beside the card, for pictures and links."""
_ROW = re.compile(r"\| (?P<what>[^|]+?) \| (?P<written>.+?) \| (?P<shown>.*?) \| (?P<told>.*?) \|")
_WRITTEN = re.compile(r"(`+)(.*)\1")


class Row(NamedTuple):
    """A row of the page."""

    line: int
    what: str
    written: str
    """The Markdown, as its cell has it."""
    shown: str
    """The cell of the HTML that the answer holds."""
    told: str
    """The cell of the names of what is told."""

    @property
    def markdown(self) -> str:
        """The Markdown of the row."""
        found = _WRITTEN.fullmatch(self.written)
        assert found, self.written
        text = found[2]
        text = text[1:-1] if text.startswith(" `") or text.endswith("` ") else text
        return text.replace(r"\|", "|").replace(LINE_END, "\n").replace("␣", "\u3000")


def rows() -> Iterator[Row]:
    """All rows of all tables, but their heads and the lines beneath these."""
    for number, line in enumerate(PAGE.read_text("utf-8").split("\n")):
        found = _ROW.fullmatch(re.sub(r"\\\|", "\0", line))
        if found and found["written"].startswith("`"):
            yield Row(number, *(group.replace("\0", r"\|") for group in found.groups()))


def cell(text: str) -> str:
    """Text as code in a cell of the page, or nothing."""
    return code(text.replace("\n", LINE_END)) if text else ""


def found(root: Path, row: Row) -> tuple[str, str]:
    """What becomes of a row's Markdown: the answer's HTML and the names of what is told."""
    made: Project = project(
        root, {"a.md": f"---\nverify: false\n---\n## What?\n\n{row.markdown}\n"}
    )
    for name in FILES:
        (root / "cards" / name).write_bytes(name.rpartition(".")[2].encode())
    result = made.result()
    shown = "".join(_text(note) for note in result.notes)
    return cell(shown), ", ".join(
        dict.fromkeys(f"`{each.code}`" for each in _told(result.problems))
    )


def _text(note: Note) -> str:
    asked = note.fields["Question"].removeprefix("What?").strip()
    return "\n".join(filter(None, [asked, note.fields["Answer"], note.fields["Extra"]]))


def _told(problems: tuple[Problem, ...]) -> list[Problem]:
    return [each for each in problems if each.code != "deck-empty"]


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.what)
def test_the_page_says_what_becomes_of_it(
    row: Row, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The HTML of the answer, and what is told beside it."""
    shown, told = found(tmp_path, row)
    if request.config.getoption("--update-spec"):
        lines = PAGE.read_text("utf-8").split("\n")
        lines[row.line] = f"| {row.what} | {row.written} | {shown} | {told} |"
        PAGE.write_text("\n".join(lines), encoding="utf-8")
        return
    assert (row.shown, row.told) == (shown, told)


def test_no_row_is_read_over() -> None:
    """Every line of the page's tables, but their heads, is a row that is asserted above."""
    lines = [line for line in PAGE.read_text("utf-8").split("\n") if line.startswith("|")]
    heads = [line for line in lines if line.startswith(("| What |", "|---"))]
    assert len(list(rows())) == len(lines) - len(heads) > 0
