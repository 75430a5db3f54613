"""`verideck id`: ids in the Markdown, and not a byte else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import Project, project

from verideck.model import Card
from verideck.problems import Problem, errors

WRITTEN = {
    "a list": ("- What?\n    - This.\n", "- What? {#ID}\n    - This.\n"),
    "a heading": ("## What?\n\nThis.\n", "## What? {#ID}\n\nThis.\n"),
    "a closed heading": ("## What? ##\n\nThis.\n", "## What? {#ID} ##\n\nThis.\n"),
    "questions and answers": ("Q: What?\nA: This.\n", "Q: What? {#ID}\nA: This.\n"),
    "attributes": ("## What? {.reversed}\n\nThis.\n", "## What? {#ID .reversed}\n\nThis.\n"),
    "spaced attributes": ("- Is it? { hint='a' }\n  - O.\n", "- Is it? {#ID  hint='a' }\n  - O.\n"),
    "two lines": ("- What is\n  this?\n    - That.\n", "- What is\n  this? {#ID}\n    - That.\n"),
    "two paragraphs": ("Q: What?\n\nWhy?\n\nA: So.\n", "Q: What? {#ID}\n\nWhy?\n\nA: So.\n"),
    "code and maths": ("- Is `a` $b$?\n    - Yes.\n", "- Is `a` $b$? {#ID}\n    - Yes.\n"),
    "a deletion": ("- The {{c1::moon}}\n", "- The {{c1::moon}} {#ID}\n"),
    "carriage returns": ("\r\n- What?\r\n    - So.\r\n", "\r\n- What? {#ID}\r\n    - So.\r\n"),
    "a byte order mark": ("\ufeff- 什么？\n    - 这个。\n", "\ufeff- 什么？ {#ID}\n    - 这个。\n"),
    "front matter": ("---\nlang: a\n---\n- Q\n  - A\n", "---\nlang: a\n---\n- Q {#ID}\n  - A\n"),
    "no end of line": ("- What?\n    - This.", "- What? {#ID}\n    - This."),
    "spaces behind": ("- What?  \n    - This.\n", "- What? {#ID}  \n    - This.\n"),
}  # fmt: skip
"""A file, and the same with an id."""


@pytest.mark.parametrize("name", WRITTEN)
def test_an_id_is_written_and_nothing_else(tmp_path: Path, name: str) -> None:
    """Behind the question, in every form of a card and of a file; the package stays as it is."""
    before, after = WRITTEN[name]
    made = project(tmp_path, {"a.md": before.encode()})
    package = made.build().read_bytes()
    run = made.invoke("id")
    assert run.returncode == 0, run.stderr
    content = (tmp_path / "cards/a.md").read_bytes().decode()
    (identity,) = re.findall(r"\{#([a-z2-7]{8})", content)
    assert content == after.replace("ID", identity)
    assert f"{{#{identity}}}" in run.stdout
    assert made.build(build_time=1_700_000_060).read_bytes() == package
    assert [card.id for card in made.cards()] == [identity]
    assert made.invoke("id").stdout == "every question has an id\n"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n{}"), max_size=30)


@given(st.lists(st.tuples(st.sampled_from(["- ", "## ", "Q: ", "", "    - ", "A: "]), TEXT)))
def test_whatever_the_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]]
) -> None:
    """Without what was inserted, the file is what it was; nobody's card becomes another one."""
    made = project(tmp_path_factory.mktemp("any"), {})
    content = "\n".join(start + text for start, text in lines)
    file = made.write("cards/a.md", content)
    before = _questions(made)
    run = made.invoke("id") if before else None
    if run is None or run.returncode:
        assert file.read_bytes().decode() == content
        return
    after = file.read_bytes().decode()
    ids = re.findall(r"\{#([a-z2-7]{8})\}", run.stdout)
    for identity in ids:
        after = after.replace(f" {{#{identity}}}", "", 1)
    assert after == content
    assert _questions(made) == before


def _questions(made: Project) -> list[str]:
    """The questions of the cards; none where something is wrong with the file."""
    found = made.parsed()
    problems = [each for each in found if isinstance(each, Problem)]
    cards = [each for each in found if isinstance(each, Card)]
    return [] if errors(problems) else [card.question.text for card in cards]


def test_nothing_is_written_where_something_is_wrong(tmp_path: Path) -> None:
    """All problems are told, and every file is as it was."""
    made = project(tmp_path, {"a.md": "- What?\n    - This.\n", "b.md": "- Open ${x$\n    - No.\n"})
    run = made.invoke("id")
    assert run.returncode == 1
    assert "[maths-unclosed]" in run.stderr
    assert (tmp_path / "cards/a.md").read_text(encoding="utf-8") == "- What?\n    - This.\n"


def test_some_files_alone(tmp_path: Path) -> None:
    """What is named is what is written into."""
    made = project(tmp_path, {"a.md": "- What?\n    - This.\n", "b.md": "- Who?\n    - She.\n"})
    assert made.invoke("id", "cards/b.md").returncode == 0
    assert "{#" not in (tmp_path / "cards/a.md").read_text(encoding="utf-8")
    assert "{#" in (tmp_path / "cards/b.md").read_text(encoding="utf-8")
