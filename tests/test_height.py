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


@pytest.mark.parametrize("long", ["x = 1  # one", f"x = 1  # {'one ' * 40}"])
def test_what_is_folded_fills_no_screen(tmp_path: Path, long: str) -> None:
    """A check is folded into the proof; other code, where the author says so."""
    code = "\n".join(["x = 1", *[long] * 90, "assert x + 1 == 2"])
    made = project(tmp_path, {})
    for folded in (
        f"```python\nx = 2\n```\n\n```python {{.check}}\nassert x == 2\n{code}\n```",
        f"```text {{.folded}}\n{code}\n```",
    ):
        made.write("cards/a.md", f"## Which?\n\nOne.\n\n{folded}\n")
        assert not [each for each in made.problems() if each.endswith("answer-tall")]
    made.write("cards/a.md", f"## Which?\n\nOne.\n\n```text\n{code}\n```\n")
    assert [each for each in made.problems() if each.endswith("answer-tall")]
