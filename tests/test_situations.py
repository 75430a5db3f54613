"""What docs/ci.md says of verideck beside other tools: each of the situations, as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from projects import ROOT
from situations import MARKS, PEERS, SITUATIONS, VERIDECK, Situation, verdict

pytestmark = pytest.mark.linux(reason="a sandbox keeps files from being written elsewhere")


def rows() -> dict[str, list[str]]:
    """The table of docs/ci.md, by situation."""
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    table = text.split(MARKS[0])[1].split(MARKS[1])[0]
    found = re.findall(r"^\| ([^|]+?) \| (.*) \|$", table, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in found}


def test_the_table_has_every_situation_and_tool() -> None:
    """In their order, and nothing else."""
    assert list(rows()) == [each.name for each in SITUATIONS]
    assert len(SITUATIONS) == 15
    assert {len(cells) for cells in rows().values()} == {len(PEERS) + 1}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.name)
def test_verideck_says_what_the_table_says(situation: Situation, tmp_path: Path) -> None:
    """Each mistake is told at its line, and no question disturbs another."""
    said = verdict(VERIDECK, situation, tmp_path)
    assert said == ("told at its line" if situation.lines else "holds")
    assert rows()[situation.name][-1] == said
