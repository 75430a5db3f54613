"""`verideck lint`: any text can be looked at, places are exact, many cards take no time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from projects import Project, project
from test_markdown import PATH, PIECES, TEXTS, found, rest

from verideck import markdown
from verideck.markdown.prose import FORMULA, VALUE, prose
from verideck.model import Card, Kind, Passage, Place
from verideck.rules import RULES, reading
from verideck.rules.length import units
from verideck.rules.lint import lint
from verideck.rules.neighbours import _pairs

WORDS = st.sampled_from(
    [
        *("为什么", "如何", "分别", "吗？", "是否", "它", "介绍一下", "、", "；", "。", "①②③④"),
        *(
            "优缺点",
            "Is ",
            "why ",
            "and how ",
            "? ",
            "Yes, ",
            "a, b, c and d",
            "e.g. ",
            "Describe ",
        ),
        *("the above ", "10", "1,024", "0.5", "√dk", "讲-下", "纬度", "“", "”", "2. ", "label："),
        *("torch.rms_norm", "`np.sort`", "random.random()", "import numpy as np\n"),
        *("$x^{12}$", "{eval}`x`", "[a](b)", "**", "\\*", "&lt;", '{tags="overview"}'),
        *('{lint="question-long: so"}', '{lint="card-orphan: a; x"}'),
    ]
)
"""What rules look for."""

LINTED = st.lists(WORDS | PIECES, max_size=40).map("".join) | TEXTS


@given(text=LINTED)
@example("## a [b](c) why, and why?\n\nd")
def test_any_text_can_be_looked_at(text: str) -> None:
    """Nothing raises, and what is told stands in the file."""
    cards = [each for each in found(text) if isinstance(each, Card)]
    for problem in lint(cards, RULES, {PATH}).problems:
        assert problem.place.path == PATH
        rest(text, problem.place)


@given(text=LINTED)
def test_every_character_of_prose_has_a_place(text: str) -> None:
    """It is in the passage, and it never goes back."""
    for card in (each for each in found(text) if isinstance(each, Card)):
        read = reading(card)
        for one in (read.question, read.answer, read.aside):
            assert len(one.text) == len(one.spoken)
            places = [one.at(position) for position in range(len(one.text) + 1)]
            for place in places:
                rest(text, place)


TOKENS = [
    "word ",
    "汉字",
    "**strong** ",
    "`code` ",
    "$x$ ",
    "[link](to) ",
    "\\* ",
    "==mark== ",
    "\n",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
def test_places_of_prose_are_exact(text: str) -> None:
    """A letter or Han character of prose stands in the file where it is said to."""
    passage = Passage(text, Place(PATH))
    said = prose(markdown.parse(passage).tokens, passage)
    for position, character in enumerate(said.text):
        if character.isalnum():
            assert rest(text, said.at(position)).startswith(character)
    for marker, mark in ((FORMULA, "$"), (VALUE, "{")):
        assert said.text.count(marker) == 0 or mark in text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("缩放", 2),
        ("two words", 3),
        ("LayerNorm 的 γ，3.14！", 1.5 + 1 + 1.5 + 1.5),
        (f"{FORMULA} 与 {VALUE}", 4 + 1 + 1.5),
        ("ひらがな 한국어", 4 + 3),
        ("self-attention isn't d_k", 4.5),
        ("……、。?!", 0),
    ],
)
def test_units(text: str, length: float) -> None:
    """Sixty units are sixty Han characters or forty words."""
    assert units(text) == length


@given(
    st.lists(st.frozensets(st.sampled_from("abcdefgh"), min_size=1), max_size=12),
    st.sampled_from([0.3, 0.5, 0.6, 0.9]),
)
def test_the_index_finds_what_comparing_all_finds(sets: list[frozenset[str]], least: float) -> None:
    """Every set that is like an earlier one, with the first that it is like."""
    expected = []
    for later, one in enumerate(sets):
        for earlier, other in enumerate(sets[:later]):
            share = len(one & other) / len(one | other)
            if share > least:
                expected.append((later, earlier, share))
                break
    assert list(_pairs(sets, least)) == expected


@pytest.mark.parametrize(
    "question",
    [
        "## Which {0} does part {0} of layer {1} hide from layer {0}?",
        "## 第{0}层的第{1}个头看见什么？",
    ],
    ids=["template", "short"],
)
def test_many_cards_take_no_time(tmp_path: Path, question: str) -> None:
    """Two thousand cards that are much alike: comparing each with each would take minutes."""
    text = "\n\n".join(f"{question.format(n, n * 7919 % 1000)}\n\nSome {n}." for n in range(2000))
    made = project(tmp_path, {"a.md": text})
    cards = made.cards()
    started = time.process_time()
    lint(cards, RULES, {"cards/a.md"})
    assert time.process_time() - started < 20


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """Two files that ask the same; code that would never hold."""
    asked = "## Does a decoder attend to what comes later? {#%s}\n\n%s.\n"
    code = "\n```python\nassert False\n```\n"
    return project(tmp_path, {"a.md": asked % ("a", "No") + code, "b.md": asked % ("b", "Not it")})


def test_nothing_is_executed_or_written(made: Project) -> None:
    """A card whose code does not hold is looked at like any other; 1 where an error stands."""
    before = sorted(made.root.rglob("*"))
    run = made.invoke("lint", "--level", "full")
    assert run.returncode == 1
    assert "[assertion-failed]" not in run.stderr
    assert (
        "cards/a.md:1:4: error: this can be answered by yes or no [question-yes-no]" in run.stderr
    )
    assert run.stdout.startswith("2 cards, 3 errors, 2 warnings\nquestion-yes-no: 2\n")
    assert sorted(made.root.rglob("*")) == before


def test_one_file_is_told_beside_the_others(made: Project) -> None:
    """Only what is named is told, and a card of another file can be what it is like."""
    run = made.invoke("lint", "cards/b.md")
    assert "cards/a.md:1:4: error" not in run.stderr
    assert "the card at cards/a.md:1:4 (100%) [questions-alike]" in run.stderr
    assert run.stdout.startswith("1 card, ")


def test_forms_and_strictness(made: Project) -> None:
    """JSON holds it all; GitHub annotates; `--strict` makes errors of warnings; quiet is quiet."""
    told = json.loads(made.invoke("lint", "--level", "full", "--format", "json").stdout)
    assert told["verideck"] == 1
    assert set(told) == {"verideck", "cards", "rules", "suppressions", "problems"}
    assert told["rules"] == {"question-yes-no": 2, "source-missing": 2, "questions-alike": 1}
    assert "title=question-yes-no" in made.invoke("lint", "--format", "github").stdout
    made.write("pyproject.toml", "[tool.verideck.lint]\nquestion-yes-no = false\n")
    made.write("cards/b.md", "")
    assert made.invoke("lint").returncode == 0
    assert made.invoke("lint", "--strict").returncode == 1
    assert made.invoke("lint", "-q").stdout == ""


def test_the_profile_is_gentle_unless_somebody_asks_for_all(made: Project) -> None:
    """The flag beats the settings; a suppression of what is not asked is no idle one."""
    why = '{#later lint="source-missing: everybody knows"}'
    made.write("cards/a.md", f"## Does a decoder attend to what comes later? {why}\n\nNo.\n")
    gentle = made.invoke("lint")
    assert gentle.returncode == 0
    assert "[source-missing]" not in gentle.stderr
    assert "[suppression-unused]" not in gentle.stderr
    made.write("pyproject.toml", "[tool.verideck.lint]\nprofile = 'full'\n")
    assert "[source-missing]" in made.invoke("lint").stderr
    assert made.invoke("lint", "--level", "gentle").stderr == gentle.stderr


def test_the_table_of_rules_alone_makes_a_project(made: Project) -> None:
    """Its settings hold in the folders below it, too; what is no table is refused."""
    made.write("pyproject.toml", "[tool.verideck.lint]\nquestion-yes-no = false\n")
    assert "[question-yes-no]" not in made.invoke("lint", "a.md", folder="cards").stderr
    made.write("pyproject.toml", "[tool.verideck]\nlint = 5\n")
    assert "2:1: error: lint must be a table of rules, not 5" in made.invoke("lint").stderr


def test_an_exception_may_stand_on_either_of_two(made: Project) -> None:
    """What two cards break together is excepted by one of them."""
    why = '{#later lint="questions-alike: one is in code; question-yes-no: asked so"}'
    made.write("cards/a.md", f"## Does a decoder attend to what comes later? {why}\n\nNo.\n")
    run = made.invoke("lint")
    assert "[questions-alike]" not in run.stderr
    assert "2 suppressions with a reason: 1 questions-alike, 1 question-yes-no" in run.stdout
    assert [each.kind for each in made.cards()] == [Kind.BASIC, Kind.BASIC]
