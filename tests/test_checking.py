"""A check card by card comes to what a check of all cards comes to, whatever is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from projects import Project, card, project
from spec_cases import SPEC, cases

import verideck
from verideck.model import Passage, Place
from verideck.problems import BuildFailedError, Code, Problem


def found_card_by_card(opened: verideck.Project) -> tuple[list[Problem], set[Place]]:
    """Every problem, and the places of the notes."""
    with opened.checking() as checking:
        cards = checking.cards
        verdicts = [checking.prove(each, cards[n + 1 :]) for n, each in enumerate(cards)]
    of_cards = [problem for verdict in verdicts for problem in verdict.problems]
    places = {verdict.note.place for verdict in verdicts if verdict.note}
    assert {each.card.place for each in verdicts if not each.holds}.isdisjoint(places)
    return [*checking.problems, *of_cards], places


_EACH = 3
"""One of so many problems is taken: most of them cost a process, and time that they waste."""


def problems_of_the_manual(folder: Path) -> Project:
    """A project with problems of the manual that one file of cards has, each in its file."""
    given = [case.given for case in cases(SPEC / "problems.md")]
    alone = [fences[0] for fences in given if len(fences) == 1 and fences[0].word == "markdown"]
    texts = [fence.text for fence in alone if not fence.options.strip()]
    texts = texts[::_EACH]
    assert len(texts) > 20
    return project(folder, {f"{number:03}.md": text for number, text in enumerate(texts)})


def test_problems_of_the_manual_are_found_card_by_card(tmp_path: Path) -> None:
    """What many cards meet is told once by a check, and of each card by its own verdict."""
    with verideck.Project.open(problems_of_the_manual(tmp_path).root) as opened:
        one_by_one, notes = found_card_by_card(opened)
        result = opened.check()
    told = {(each.place, each.code, each.severity) for each in result.problems}
    of_each = {(each.place, each.code, each.severity) for each in one_by_one}
    assert told <= of_each
    others = [each for each in one_by_one if (each.place, each.code, each.severity) not in told]
    assert all("ModuleNotFoundError" in each.message for each in others), others
    assert notes == {note.place for note in result.notes}
    assert len(told) > 20


def test_a_card_is_executed_when_it_is_asked_for(tmp_path: Path) -> None:
    """The verdict says what was executed, and what a former run had proved."""
    text = card("one", "x = 1\nassert x == 1\nprint(x)") + "## Why? {#why}\n\nSo.\n"
    made = project(tmp_path, {"a.md": text})
    with verideck.Project.open(made.root) as opened:
        with opened.checking() as checking:
            one, why = checking.cards
            assert checking.files == {"cards/a.md"}
            fresh, prose = checking.prove(one), checking.prove(why)
            with pytest.raises(KeyError):
                checking.prove(replace(one, place=Place("cards/none.md")))
        with opened.checking(audit=True) as checking:
            again = checking.prove(checking.cards[0])
        assert opened.check().stats.reused == 1
    assert (fresh.holds, fresh.reused, fresh.assertions, fresh.proofs[0].stdout) == (
        True, False, 1, "1\n",
    )  # fmt: skip
    assert fresh.seconds > 0
    assert (prose.holds, prose.reused, prose.proofs, prose.seconds) == (True, False, (), 0)
    assert (again.holds, again.reused, again.seconds) == (True, True, 0)
    assert fresh.note
    assert again.note
    assert fresh.note.fields["Proof"] != again.note.fields["Proof"]  # which has a score


def test_a_set_up_from_elsewhere_is_part_of_the_proof(tmp_path: Path) -> None:
    """It is executed before the cards with Python below it; with another one they run anew."""
    made = project(
        tmp_path,
        {"a.md": card("one", "one = two - 1\nassert one == 1") + "## Why? {#why}\n\nSo.\n"},
    )

    def proved(text: str) -> tuple[bool, bool, list[Problem], int]:
        def setup_of(path: str) -> Sequence[Passage]:
            assert path == "cards/a.md"
            return [Passage(text, Place("conftest.py", 3))]

        with (
            verideck.Project.open(made.root) as opened,
            opened.checking(setup_of=setup_of, audit=True) as checking,
        ):
            one, why = map(checking.prove, checking.cards)
        assert why.holds
        return one.holds, one.reused, list(one.problems), len(one.proofs)

    assert proved("two = 2") == (True, False, [], 1)
    assert proved("two = 2") == (True, True, [], 1)
    holds, _, (wrong,), _ = proved("two = 3")
    assert not holds
    assert wrong.place == Place("cards/a.md", 7, 1)
    holds, _, (wrong,), _ = proved("one = 1\ntwo = none")
    assert not holds
    assert (wrong.place, wrong.code) == (Place("conftest.py", 4, 7), Code.EXCEPTION_RAISED)
    assert not made.result().ok  # a check knows nothing of it


def test_wrong_settings_are_told_before_anything_is_read(tmp_path: Path) -> None:
    """Nothing is executed by settings that do not hold."""
    made = project(tmp_path, {"a.md": card("one", "assert True")}, "[tool.verideck]\nwhat = 1\n")
    with (
        verideck.Project.open(made.root) as opened,
        pytest.raises(BuildFailedError, match="what"),
        opened.checking(),
    ):
        pass
