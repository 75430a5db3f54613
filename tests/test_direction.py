"""Which way the blocks of a card run, and that no other card is changed by it."""

from __future__ import annotations

import re
from pathlib import Path
from unicodedata import bidirectional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import project
from test_markdown import TEXTS, found, known, render

from verideck.model import Card, Note
from verideck.render.direction import is_from_right


def answer(root: Path, text: str, more: str = "") -> str:
    """The field of the answer."""
    made = project(root, {"a.md": f"---\nverify: false\n{more}\n---\n## מה?\n\n{text}\n"})
    (note,) = made.result().notes
    return note.fields["Answer"] + note.fields["Extra"]


@pytest.mark.parametrize(
    ("written", "marked"),
    [
        ("אחת!", ['p dir="rtl"']),
        ("١٢ أ", ['p dir="rtl"']),
        ("\u200f42", ['p dir="rtl"']),
        ("`code` אחת", ['p dir="rtl"', "code"]),
        ("$x$ אחת", ['p dir="rtl"']),
        ("![one](data:image/png;base64,AAAA) אחת", ['p dir="rtl"', "img"]),
        ("**אחת**", ['p dir="rtl"', "strong"]),
        ("==one== אחת", ['p dir="ltr"', "mark"]),
        ("one אחת", ['p dir="ltr"']),
        ("42", ['p dir="ltr"']),
        ("$x$", ['p dir="ltr"']),
        ("- אחת\n- two", ['ul dir="rtl"', "li", "li"]),
        ("1. one\n   - אחת", ['ol dir="ltr"', "li", 'ul dir="rtl"', "li"]),
        ("> אחת", ['blockquote dir="rtl"', 'p dir="rtl"']),
        ("### אחת", ['h3 dir="rtl"']),
        ("> [!tip]- אחת", ['details class="callout good" dir="rtl"', 'summary class="tappable"']),
        ("אחת\n: two", ['dl dir="rtl"', "dt", "dd"]),
        ("    אחת", ['pre class="text"']),
        ("א[^1]\n\n[^1]: one", ['p dir="rtl"', "sup", 'ol class="footnotes" dir="ltr"', "li",
                                'p dir="ltr"']),
    ],
)  # fmt: skip
def test_a_block_runs_as_its_first_letter_does(
    tmp_path: Path, written: str, marked: list[str]
) -> None:
    """Code, formulas and pictures have no letters, and a list, quotation or table is a block."""
    tags = re.findall(r"<([a-z][^>]*)>", answer(tmp_path, written))
    tags = [re.sub(r" src=.*| colspan=.*", "", each) for each in tags]
    assert tags == marked


def test_a_table_runs_as_its_first_letter_does(tmp_path: Path) -> None:
    """On the box around it, which scrolls."""
    shown = answer(tmp_path, "| א | b |\n|---|---|\n| c | ד |")
    assert shown.startswith('<div class="table" dir="rtl"><table>')


def test_a_card_in_such_a_language_is_marked_as_a_whole(tmp_path: Path) -> None:
    """Then only blocks of the other direction are marked in it."""
    assert answer(tmp_path / "a", "אחת", "lang: he") == '<div lang="he" dir="rtl">אחת</div>'
    shown = answer(tmp_path / "b", "42\n\none", "lang: ar")
    assert shown == '<div lang="ar" dir="rtl"><p>42</p>\n<p dir="ltr">one</p></div>'


def test_code_alone_marks_no_card(tmp_path: Path) -> None:
    """Letters in code, and letters behind others, are no reason to touch a note."""
    text = "## What?\n\nOne, and שלום, `אחת`.\n\n```text\nאחת\n```\n"
    (note,) = project(tmp_path, {"a.md": text}).result().notes
    assert "dir=" not in "".join(note.fields.values())


@pytest.mark.parametrize(
    ("language", "is_so"),
    [("he", True), ("ar-EG", True), ("FA", True), ("uz-Arab", True), ("ku-arab-IQ", True),
     ("en", False), ("", False), ("ar-Latn", False), ("zh-CN", False), ("az", False)],
)  # fmt: skip
def test_a_language_runs_as_its_script_does(language: str, *, is_so: bool) -> None:
    """The script's own subtag decides where there is one."""
    assert is_from_right(language) is is_so


@given(text=TEXTS)
def test_no_other_card_is_marked(text: str) -> None:
    """Without such letters no field says which way it runs, unless its author does."""
    for note in notes(text) if is_plain(text) else ():
        assert "dir=" not in "".join(note.fields.values())


def is_plain(text: str) -> bool:
    """Whether no letter of a text runs from right to left."""
    return not any(bidirectional(each) in {"R", "AL"} for each in text) and "dir=" not in text


def notes(text: str) -> list[Note]:
    """The notes of a text that hold."""
    right = [each for each in found(text) if isinstance(each, Card)]
    return [each for each in render(known(right)) if isinstance(each, Note)]


BLOCKS = st.lists(st.sampled_from(
    ["a", "א", " ", "$", "*", "1", "`", "\n\n", "\n- ", "\n> ", "\n| א |\n|-|\n", "\n: ", "~~"]
)).map("".join)  # fmt: skip


@given(BLOCKS)
def test_marks_are_all_that_is_added(text: str) -> None:
    """But for them a card is what it would be with other letters."""
    text = f"## What?\n\nא\n\nb\n\n{text}"
    marked = [_answer(note) for note in notes(text)]
    plain = [_answer(note) for note in notes(text.replace("א", "z"))]
    assert [each.replace("א", "z") for each in marked] == plain


def _answer(note: Note) -> str:
    return re.sub(' dir="(rtl|ltr)"', "", note.fields["Answer"])
