"""Long histories: an author edits and builds, a learner studies and imports, and nothing is lost.

The real Anki is the judge. What should be is kept by a model, `tests/model/`.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model.history import SEASONS, History, Season, history
from model.learner import FINE, Learner, judge
from model.shown import hidden_texts
from projects import MOMENT, ROOT, Project, project, remembered

from verideck.targets import packages


@given(seasons=st.lists(SEASONS, min_size=4, max_size=9))
@settings(max_examples=25)
def test_any_history(seasons: list[Season]) -> None:
    """Whatever an author and a learner do, no review is lost, and no edit of either."""
    with tempfile.TemporaryDirectory() as folder, history(Path(folder)) as both:
        for season in seasons:
            both.pass_by(season)
        both.end()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[History]:
    """An author with some cards of all kinds, and a learner who has nothing yet."""
    with history(tmp_path) as made:
        yield made


def test_half_a_deck_is_reworked(tmp_path: Path) -> None:
    """Of a deck that was studied whole, and then was reworked, no review is lost or doubled."""
    with history(tmp_path, first=40) as both:
        author, reader = both.author, both.reader
        for number in range(0, 40, 8):
            assert author.edit("reverse", number, 0)
        author.build()
        reader.take()
        studied = len(reader.cards())
        for number in range(studied):
            reader.study(number, 1 + number % 4)
        assert len(reader.reviewed) == studied > 55
        reviews, rows = reader.rows("select * from revlog"), reader.cards()
        done = 0
        for number in range(20):
            for name in ("reword", "both", "move", "retag", "hide", "renumber", "hide otherwise"):
                done += author.edit(name, 2 * number, number)
        for number, name in enumerate(
            ("reorder", "reform", "rename", "rename", "reform", "reorder")
        ):
            done += author.edit(name, number, number + 1)
        assert done > 80
        author.build()
        reader.take()
        assert reader.rows("select * from revlog") == reviews
        assert {number: reader.cards()[number] for number in rows} == rows
        assert reader.collection.note_count() == 40
        both.end()


def test_a_newcomer_has_the_last_build(both: History) -> None:
    """What has come and gone before is nothing to learn for who comes late."""
    for edits in (("insert", "reword"), ("delete", "answer"), ("unhide", "delete"), ("move",)):
        for number, name in enumerate(edits):
            assert both.author.edit(name, number, number + 1)
        both.author.build()
    assert sum(not note.numbers for note in both.author.told.values()) == 2
    both.reader.take()
    both.reader.judge_all_new()


def test_a_learners_own_style_stays(both: History) -> None:
    """It outlives each build that has no other style, whatever else is new, and no longer."""
    both.author.build()
    both.reader.take()
    for one in range(3):
        both.reader.restyle(one)
    for name in ("reword", "insert", "delete"):
        assert both.author.edit(name, 1, 1)
        both.author.build()
        both.reader.take()
        assert all("/* own" in css for css, _ in both.reader.styles.values())
    assert both.author.edit("restyle", 1, 0)
    both.author.build()
    both.reader.take()
    assert all("/* own" not in css for css, _ in both.reader.styles.values())


# Found by histories

ORBITS = "The {{c1::moon}} goes round the {{c2::earth}}."


def test_a_former_question_is_asked_anew(tmp_path: Path) -> None:
    """A card that asks what another one asked, before that was named and reworded, is another."""
    made = project(tmp_path, {})
    answer = "\n\nOne attention of several.\n\n"
    again = "## What is a head?\n\nThe upper end of a neck.\n"
    versions = [
        f"## What is a head?{answer}",
        f"## What is a head? {{#head}}{answer}",
        f"## What is one head of many? {{#head}}{answer}",
        f"## What is one head of many? {{#head}}{answer}{again}",
    ]
    for build_time, text in enumerate(versions):
        made.write("cards/a.md", text)
        package = made.build(build_time=MOMENT + build_time)
    assert len(packages.read(package)) == 2


@pytest.mark.parametrize(
    ("versions", "handed"),
    [
        (
            [
                "The moon goes round the {{c1::earth}}.",
                "The moon goes round the {{c2::earth}} in {{c1::27 days}}.",
            ],
            "27 days",
        ),
        (["In {{c1::27 days}} the {{c2::bright moon}} goes round the {{c3::earth}}."], "27 days"),
        (["The moon goes round the {{c1::blue earth}}."], "blue earth"),
    ],
    ids=["dropped before", "counted on and changed", "counted back and changed"],
)
def test_a_number_is_not_handed_on(tmp_path: Path, versions: list[str], handed: str) -> None:
    """Nothing but the moon is ever asked for under the moon's number."""
    made = project(tmp_path, {})
    for build_time, text in enumerate([ORBITS, *versions]):
        made.write("cards/a.md", f"- {text} {{#orbits}}\n")
        package = made.build(build_time=MOMENT + build_time)
    (note,) = packages.read(package).values()
    assert hidden_texts(note.fields["Question"]).get(1) != handed


def test_a_newcomer_gets_nothing_to_learn_of_what_is_retired(both: History) -> None:
    """A note without cards comes without one; what Check Database makes of it later says it is old.

    Anki has a card for every note then, and no package can tell it otherwise.
    """
    both.author.build()
    assert both.author.edit("delete", 0, 0)
    both.author.build()
    both.reader.take()
    both.reader.judge_all_new()
    before = set(both.reader.collection.find_cards(""))
    assert both.reader.collection.fix_integrity() == FINE
    made = set(both.reader.collection.find_cards("")) - before
    assert made == set(both.reader.collection.find_cards("tag:verideck::retired"))


# The repository's own deck


def test_the_own_deck_is_reworked_and_no_review_is_lost(tmp_path: Path) -> None:
    """Every card is reviewed, half of the files are reworked, and all of it is imported again."""
    shutil.copytree(ROOT / "cards", tmp_path / "cards")
    for name in ("pyproject.toml", "cards.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "snippets", tmp_path / "snippets")
    made = Project(tmp_path)

    def built(build_time: int) -> Path:
        made.package(made.result(verify=False), "deck.apkg", build_time)
        return tmp_path / "deck.apkg"

    before = remembered_moment(tmp_path)
    reader = Learner(tmp_path / "learner")
    try:
        cards = reader.take(built(before + 60)).get("new", 0)
        assert cards == len(reader.notes()) > 200
        for each in reader.cards():
            judge(reader.collection, each, 3)
        known = {each.id: (each.note()["Id"], each.ord, each.reps) for each in reader.cards()}
        files = sorted((tmp_path / "cards").glob("*.md"))
        for file in files[::2]:
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(r"(?m)^## ", "## 请问：", text), encoding="utf-8")
            file.rename(file.with_name(f"reworked-{file.name}"))
        fates = reader.take(built(before + 120))
        after = {each.id: (each.note()["Id"], each.ord, each.reps) for each in reader.cards()}
        lost = [each for each, what in known.items() if after.get(each) != what]
        assert (lost, after.keys() - known.keys()) == ([], set())
        assert fates.get("updated", 0) > 100
        assert set(fates) <= {"updated", "duplicate"}
        reviews = reader.collection.db
        assert reviews
        assert reviews.scalar("select count() from revlog") == len(known)
    finally:
        reader.collection.close()


def remembered_moment(root: Path) -> int:
    """When anything of a project last changed."""
    return remembered(root).build_time
