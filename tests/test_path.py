"""In which order a learner meets the decks, by the real Anki: what `deck-order` rests on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from model.learner import Learner
from projects import MOMENT, Project, project

from verideck.rules.order import sorted_as

PARTS = st.sampled_from(
    [
        *("01", "2", "10", "1 a", "1-a", "_", "a", "A b", "B", "ä", "Z", "ß", "st"),
        "注意力",
        "位置",
        "😀",
    ]
)
NAMES = st.lists(st.lists(PARTS, min_size=1, max_size=3).map("::".join), min_size=2, max_size=9)


@given(names=NAMES)
@settings(max_examples=10)
@example(names=["2", "10", "1 a", "1", "1::z", "A b", "a::x", "注意力", "位置"])
def test_anki_asks_decks_as_the_rule_sorts_them(names: list[str]) -> None:
    """Whatever the decks are called, `deck-order` knows their order."""
    decks = {sorted_as(name): name for name in names}  # to Anki those that differ in case are one
    with tempfile.TemporaryDirectory() as folder:
        learner = Learner(Path(folder))
        try:
            kind = learner.collection.models.by_name("Basic")
            assert kind is not None
            for name in decks.values():
                note = learner.collection.new_note(kind)
                note["Front"] = name
                deck = learner.collection.decks.id(f"Top::{name}")
                assert deck is not None
                learner.collection.add_note(note, deck)
            (day,) = learner.days("Top")
            asked = [card.note()["Front"] for card in day]
        finally:
            learner.collection.close()
    assert asked == [decks[key] for key in sorted(decks)]


PAIR = """\
# Pair

## A note of {{c1::two}} blanks {{c2::shows}} each {#pair .cloze}

Twice.
"""


def test_two_blanks_of_a_note_come_on_one_day_unless_siblings_are_buried(tmp_path: Path) -> None:
    """What the README says of the deck's options: one choice, and each has a day of its own."""
    package = project(tmp_path / "author", {"a.md": PAIR}).build("pair.apkg")
    asked = {}
    for bury in (False, True):
        learner = Learner(tmp_path / f"bury-{bury}")
        learner.take(package)
        (deck,) = {card.did for card in learner.cards()}
        options = learner.collection.decks.config_dict_for_deck_id(deck)
        assert not options["new"]["bury"]
        assert not options["rev"]["bury"]
        options["new"]["bury"] = bury
        learner.collection.decks.update_config(options)
        asked[bury] = [[card.ord for card in day] for day in learner.days("Root")]
        learner.collection.close()
    assert asked == {False: [[0, 1]], True: [[0], [1]]}


CARDS = """\
# {first}

## What is asked first? {{#one}}

This.

# {second}

## What is asked next? {{#two}}

That.
"""


@pytest.fixture
def author(tmp_path: Path) -> Project:
    """An author whose decks sort otherwise than they stand."""
    return project(tmp_path / "author", {"a.md": CARDS.format(first="Zoo", second="Ark")})


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    """Somebody who has nothing yet."""
    one = Learner(tmp_path / "learner")
    yield one
    one.collection.close()


NUMBERED = CARDS.format(first="01 Zoo", second="02 Ark") + "\n## And then? {#three}\n\nMore.\n"
DECKS = {"one": "Root::Zoo", "two": "Root::Ark"}
RENAMED = {"one": "Root::01 Zoo", "two": "Root::02 Ark"}


def test_a_renamed_deck_leaves_cards_where_the_learner_has_them(
    author: Project, learner: Learner
) -> None:
    """An import moves nothing, a new note goes to the new deck, and every review stays."""
    learner.take(author.build("old.apkg"))
    studied = learner.study("one")
    author.write("cards/a.md", NUMBERED)
    told = author.invoke("diff", "old.apkg").stdout
    assert told.count("moved") >= len(DECKS)
    assert learner.take(author.build("new.apkg", MOMENT + 60)) == {"new": 1, "duplicate": 2}
    assert _decks(learner) == DECKS | {"three": "Root::02 Ark"}
    assert learner.cards("one")[0].due == studied.due
    # Now both decks are there, so the learner moves the cards, as Change Deck in the browser does.
    _rename(learner, "Root::Ark", "Root::02 Ark")
    assert _decks(learner)["two"] == "Root::02 Ark+"
    found = learner.collection.decks.id_for_name("Root::01 Zoo")
    assert found is not None
    learner.collection.set_deck([studied.id], found)
    assert _decks(learner)["one"] == "Root::01 Zoo"
    assert learner.cards("one")[0].due == studied.due


def test_a_deck_that_the_learner_renames_first_stays_whole(
    author: Project, learner: Learner
) -> None:
    """Who gives the decks their new names before the import has old and new notes together."""
    learner.take(author.build("old.apkg"))
    studied = learner.study("one")
    for name, deck in DECKS.items():
        _rename(learner, deck, RENAMED[name])
    author.write("cards/a.md", NUMBERED)
    learner.take(author.build("new.apkg", MOMENT + 60))
    assert _decks(learner) == RENAMED | {"three": "Root::02 Ark"}
    assert learner.cards("one")[0].due == studied.due
    assert [card.note()["Id"] for day in learner.days("Root") for card in day] == ["two", "three"]


def _decks(learner: Learner) -> dict[str, str]:
    """The deck of each note's card."""
    decks = learner.collection.decks
    return {card.note()["Id"]: decks.name(card.did) for card in learner.cards()}


def _rename(learner: Learner, old: str, new: str) -> None:
    """Rename a deck, as a learner does in Anki's list of decks."""
    decks = learner.collection.decks
    found = decks.id_for_name(old)
    assert found is not None
    decks.rename(found, new)
