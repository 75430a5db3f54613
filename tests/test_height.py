"""How much of a screen an answer fills."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import project

LINES = {
    "sixty lines": "\n\n".join(["one"] * 60),
    "few long lines": "\n\n".join(["word " * 15] * 60),
    "Han": "注意力的输出是值的加权平均。" * 170,
}
"""Answers that fill two screens, and no more."""


@pytest.mark.parametrize("what", LINES)
def test_what_fills_two_screens_is_not_told(tmp_path: Path, what: str) -> None:
    """And more is; a Han character takes two columns."""
    fits = LINES[what]
    made = project(tmp_path, {"a.md": f"## Which?\n\n{fits}\n"})
    assert made.problems() == []
    made.write("cards/a.md", f"## Which?\n\n{fits}\n\n{fits}\n")
    (told,) = made.problems()
    assert told.endswith("answer-tall")
