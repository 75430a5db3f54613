"""Emphasis beside Chinese, Japanese and Korean: what markdown-it-cjk-friendly makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

from verideck import markdown
from verideck.model import Passage, Place

ORACLE = Path(__file__).parent / "data" / "emphasis.tsv"
"""Lines that were made up of marks, words and punctuation by chance, and the HTML that
markdown-it-cjk-friendly 3.0.0 makes of each on markdown-it 15.0.3."""


def html(text: str, *, inline: bool = True) -> str:
    """A line, or some blocks, in HTML, without what the card adds to it."""
    tokens = markdown.parse(Passage(text, Place("a.md"), inline=inline)).tokens
    return RendererHTML().render(tokens, MarkdownIt("commonmark").options, {})


def test_every_mark_opens_and_closes_as_the_oracle_has_it() -> None:
    """Thousands of lines, none of which differs."""
    pairs = [line.split("\t") for line in ORACLE.read_text("utf-8").splitlines()]
    assert len(pairs) == 3000
    assert {line: html(line) for line, _ in pairs} == {line: wanted for line, wanted in pairs}  # noqa: C416 - pairs are lists


@pytest.mark.parametrize("quoted", ["“归一化”", "‘归一化’", "归一化……", "——归一化——"])
@pytest.mark.parametrize("mark", ["**", "*", "~~", "***"])
def test_punctuation_that_is_shared_is_chinese_beside_chinese(quoted: str, mark: str) -> None:
    """The oracle leaves these as CommonMark has them: it cannot know whose quotes they are."""
    found = html(f"Layer{mark}{quoted}{mark}Norm")
    assert mark not in found
    assert mark in html(f"Layer{mark}“norm”{mark}Norm")


def test_a_cell_is_of_the_script_of_its_passage() -> None:
    """A cell or a heading may have no word in Chinese of its own."""
    table = "| 优化器 | 用 |\n|---|---|\n| **“Adam”**optimizer | yes |"
    assert "<strong>“Adam”</strong>optimizer" in html(table, inline=False)
    english = table.replace("优化器", "what").replace("用", "use")
    assert "**“Adam”**optimizer" in html(english, inline=False)


@pytest.mark.parametrize("word", ["“Adam”", "‘Adam’", "Adam……", "——Adam——"])
@pytest.mark.parametrize("mark", ["**", "*", "~~", "***"])
def test_punctuation_that_is_shared_is_chinese_in_a_chinese_text(word: str, mark: str) -> None:
    """Also between Latin letters: only the quoted word is marked, and nothing else of the line."""
    found = html(f"使用{mark}{word}{mark}optimizer和{mark}{word}{mark}方法")
    assert mark not in found
    assert found.count(f">{word}<") == 2


@pytest.mark.parametrize(
    "line", ["用“*args”与“*rest”", "‘**kw’ 与 ‘**opts’", "指针 “**pp” 与 “**qq”"]
)
def test_stars_behind_an_opening_quote_do_not_close(line: str) -> None:
    """They are no emphasis of what stands between two quotations."""
    assert html(line) == line
