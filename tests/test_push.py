"""A push into Anki: nothing of a learner's is lost, and what was done is what is told."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from anki_connect import ACTIONS, Fault, RunningAnki, cut, dripping, lost, missing, saying
from model.learner import Learner
from push_world import ALL, World, prepare

import verideck
from verideck.push_choices import Retired
from verideck.push_plan import NoteFate, Plan, PushError
from verideck.targets.anki.collection import Closed
from verideck.targets.anki.connect import Connect
from verideck.targets.anki.receiver import Asked

WAYS = ["connect", "closed"]


@pytest.fixture(params=WAYS)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Either way."""
    made = World(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[World]:
    """A running Anki."""
    made = World(tmp_path, "connect")
    yield made
    made.close()


def fates(plan: Plan) -> dict[str, str]:
    """What becomes of each note, by its id."""
    return {each.id: str(each.fate) for each in plan.notes}


def test_a_first_push_brings_all_and_a_second_changes_nothing(world: World) -> None:
    """Every note is there with its cards; then nothing is written."""
    pushed = world.push()
    assert fates(pushed.plan) == dict.fromkeys("abc", NoteFate.NEW)
    assert fates(pushed.left) == dict.fromkeys("abc", NoteFate.UNTOUCHED)
    assert pushed.left.is_empty
    assert len(world.learner.cards()) == 4
    before = world.rows("select * from notes"), world.rows("select * from cards")
    world.anki.asked.clear()
    again = world.push()
    assert again.plan.is_empty
    assert (world.rows("select * from notes"), world.rows("select * from cards")) == before
    assert not world.anki.written


def test_text_arrives_and_reviews_stay(world: World) -> None:
    """A reworded note is updated, word by word; reviews and intervals are as they were."""
    world.push()
    world.review_all()
    before = world.rows("select id, ivl, due, reps from cards"), world.rows("select * from revlog")
    world.edit("one.md", "A letter.", "The first letter.")
    pushed = world.push()
    (note,) = [each for each in pushed.plan.notes if each.id == "a"]
    assert note.fate is NoteFate.UPDATED
    assert dict(note.edits) == {"Answer": "[-A-]{+The first+} letter."}
    assert fates(pushed.left)["a"] == NoteFate.UNTOUCHED
    after = world.rows("select id, ivl, due, reps from cards"), world.rows("select * from revlog")
    assert after == before


def test_a_learners_edit_is_told_where_it_is_lost_and_where_it_stays(world: World) -> None:
    """What is newer wins, and both are told before."""
    world.push()
    world.own("a", "Answer", "Mine.")
    world.own("b", "Answer", "Mine, too.")
    plan = world.plan()
    assert fates(plan) == {"a": "kept", "b": "kept", "c": "untouched"}
    assert plan.is_empty
    world.edit("one.md", "A letter.", "The first letter.")
    pushed = world.push()
    assert fates(pushed.plan) == {"a": "overwritten", "b": "kept", "c": "untouched"}
    (lost,) = [each for each in pushed.plan.notes if each.fate is NoteFate.OVERWRITTEN]
    assert "[-Mine-]" in dict(lost.edits)["Answer"]
    assert world.learner.notes()["b"]["Answer"] == "Mine, too."
    assert "The first letter." in world.learner.notes()["a"]["Answer"]


def test_a_plan_writes_nothing(world: World) -> None:
    """Neither at the author's nor at the learner's."""
    before = world.rows("select * from notes")
    plan = world.plan()
    assert len(plan.notes) == 3
    assert world.rows("select * from notes") == before
    assert not world.anki.written
    assert not (world.made.root / "cards.lock").exists()
    assert not (world.made.root / "deck.apkg").exists()


def test_what_was_built_meanwhile_is_not_overtaken(world: World) -> None:
    """A plan of a deck that has been built otherwise since is carried out nowhere."""
    world.push()
    world.edit("one.md", "A letter.", "The first letter.")
    receiver = world.receiver()
    try:
        with verideck.Project.open(world.made.root) as opened:
            result = opened.check()
            plan = opened.plan(result, receiver, ALL, build_time=world.now + 1)
            opened.build(result, build_time=world.now + 2)
            before = (world.made.root / "cards.lock").read_bytes()
            world.anki.asked.clear()
            with pytest.raises(PushError, match="built otherwise meanwhile"):
                opened.push(result, receiver, plan)
    finally:
        receiver.close()
        if world.way == "closed":
            world.learner.collection.reopen()
    assert (world.made.root / "cards.lock").read_bytes() == before
    assert not world.anki.asked
    assert "A letter." in world.learner.notes()["a"]["Answer"]


def test_cards_follow_out_of_decks_in_which_they_stood(world: World) -> None:
    """Also where a build without a push came in between; what the learner filed stays."""
    world.push()
    world.review_all()
    own = world.learner.collection.decks.id("Mine")
    assert own
    world.learner.collection.set_deck([world.learner.cards("b")[0].id], own)
    world.edit("one.md", "# One", "# First")
    world.made.build(build_time=world.now + 5)
    plan = world.plan(replace(ALL, moves=False))
    assert [each.id for each in plan.moves] == ["a"]
    assert plan.is_empty
    assert [(each.id, each.deck) for each in plan.spared] == [("b", "Mine")]
    pushed = world.push()
    assert world.deck_of("a") == {"Root::First"}
    assert world.deck_of("b") == {"Mine"}
    assert not pushed.left.moves
    assert len(world.rows("select * from revlog")) == 4


def test_no_card_comes_into_or_out_of_a_filtered_deck(world: World) -> None:
    """It stays where it is, and that is told."""
    world.push()
    filtered_deck(world, "Cram", "Id:a")
    filtered_deck(world, "Root::Second", "Id:nothing")
    assert world.deck_of("a") == {"Cram"}
    world.edit("one.md", "# One", "# First")
    world.edit("two.md", "# Two", "# Second")
    pushed = world.push()
    assert {each.id: each.why for each in pushed.plan.spared} == {
        "a": "it is in a filtered deck",
        "c": "the deck that it should be in is a filtered one here",
    }
    assert world.deck_of("a") == {"Cram"}
    assert world.deck_of("c") == {"Root::Two"}
    assert world.deck_of("b") == {"Root::First"}


def filtered_deck(world: World, name: str, search: str) -> None:
    """The learner makes a filtered deck of what a search finds."""
    scheduler = world.learner.collection.sched
    deck = scheduler.get_or_create_filtered_deck(0)  # type: ignore[arg-type]
    deck.name = name
    deck.config.search_terms[0].search = search
    del deck.config.search_terms[1:]
    deck.allow_empty = True
    scheduler.add_or_update_filtered_deck(deck)


def test_a_filtered_deck_is_the_same_in_capitals(world: World) -> None:
    """Anki knows a deck by its name in whatever letters; into that one no card comes either."""
    world.push()
    filtered_deck(world, "root::SECOND", "Id:nothing")
    world.edit("two.md", "# Two", "# Second")
    pushed = world.push()
    assert [(each.id, each.why) for each in pushed.plan.spared] == [
        ("c", "the deck that it should be in is a filtered one here")
    ]
    assert world.deck_of("c") == {"Root::Two"}


def test_anki_imports_what_was_planned_though_it_is_built_again(running: World) -> None:
    """A build, or another push, waits until Anki has read the package."""
    running.push()
    running.edit("one.md", "A letter.", "The first letter.")

    def build() -> None:
        with verideck.Project.open(running.made.root) as opened:
            opened.build(opened.check(), build_time=running.now + 20)

    builds = Thread(target=build)

    def begin() -> None:
        running.edit("one.md", "The first letter.", "The last letter.")
        builds.start()
        builds.join(3)

    running.anki.before["importPackage"] = begin
    pushed = running.push()
    builds.join()
    assert [each.id for each in pushed.arrived] == ["a"]
    assert running.learner.notes()["a"]["Answer"] == "The first letter."
    assert fates(running.plan()) == {"a": "updated", "b": "untouched", "c": "untouched"}


@pytest.mark.parametrize("retired", Retired)
def test_retired_notes(world: World, retired: Retired) -> None:
    """They are told with their reviews, and kept, suspended or deleted; no review is lost."""
    world.push()
    world.review_all()
    reviews = world.rows("select * from revlog")
    world.edit("one.md", "## What is a? {#a}\n\nA letter.\n\n", "")
    choices = replace(ALL, retired=retired)
    pushed = world.push(choices)
    assert [(each.id, each.reviews) for each in pushed.plan.retired] == [("a", 1)]
    by_id = world.learner.notes()
    assert ("a" in by_id) is (retired is not Retired.DELETE)
    if retired is not Retired.DELETE:
        assert "verideck::retired" in by_id["a"].tags
        assert (world.learner.cards("a")[0].queue == -1) is (retired is Retired.SUSPEND)
    assert world.rows("select * from revlog") == reviews
    world.anki.asked.clear()
    assert world.push(choices).plan.is_empty
    assert not world.anki.written


def test_who_lacks_a_retired_note_is_sent_none(world: World) -> None:
    """Anki would make a note without cards of it; nothing of it stays beside the package."""
    world.made.build(build_time=world.now)
    world.edit("one.md", "## What is a? {#a}\n\nA letter.\n\n", "")
    world.push()
    assert len(world.ids()) == 2
    assert not list(world.made.root.glob("*.push.apkg"))


def test_a_note_that_came_back_is_told(world: World) -> None:
    """It is the note that it was, without the tag."""
    world.push()
    world.edit("one.md", "## What is a? {#a}\n\nA letter.\n\n", "")
    world.push(replace(ALL, retired=Retired.KEEP))
    world.edit("one.md", "# One\n\n", "# One\n\n## What is a? {#a}\n\nA letter.\n\n")
    pushed = world.push()
    (note,) = [each for each in pushed.plan.notes if each.id == "a"]
    assert [str(each) for each in note.changes] == ["returned"]
    assert world.learner.notes()["a"].tags == []


def test_a_field_that_came_and_went_is_nobodys_text(world: World) -> None:
    """Anki stamps every note of its type then: an update is told as one that takes an edit."""
    world.push()
    models = world.learner.collection.models
    for act in (models.add_field, models.remove_field):
        found = models.by_name("verideck")
        assert found
        fields = [each for each in found["flds"] if each["name"] == "Mine"]
        act(found, fields[0] if fields else models.new_field("Mine"))
        models.update_dict(found)
    world.now = int(time.time()) + 10
    assert world.plan().is_empty
    world.edit("one.md", "A letter.", "The first letter.")
    pushed = world.push()
    assert fates(pushed.plan) == {"a": "overwritten", "b": "untouched", "c": "untouched"}
    assert fates(pushed.left)["a"] == NoteFate.UNTOUCHED


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_changed_note_type_is_refused(world: World, change: str) -> None:
    """With the name of the field, and how many notes have something in it; nothing is written."""
    world.push()
    models = world.learner.collection.models
    found = models.by_name("verideck")
    assert found
    if change == "added":
        models.add_field(found, models.new_field("Mnemonic"))
        models.update_dict(found)
        world.own("a", "Mnemonic", "think of b")
    else:
        models.remove_field(found, found["flds"][2])
        models.update_dict(found)
    world.edit("one.md", "A letter.", "The first letter.")
    before = world.rows("select * from notes"), (world.made.root / "cards.lock").read_bytes()
    world.anki.asked.clear()
    plan = world.plan()
    (refusal,) = plan.refusals
    assert ("Mnemonic" if change == "added" else "Extra") in refusal.message
    assert ("(1 of 1 now" in refusal.message) is (change == "added")
    with pytest.raises(PushError, match="field"):
        world.push()
    assert world.rows("select * from notes") == before[0]
    assert (world.made.root / "cards.lock").read_bytes() == before[1]
    assert not world.anki.written


def test_a_renamed_field_is_the_same(world: World) -> None:
    """Anki updates it by its id, and so it is compared."""
    world.push()
    models = world.learner.collection.models
    found = models.by_name("verideck")
    assert found
    models.rename_field(found, found["flds"][1], "Reply")
    models.update_dict(found)
    world.edit("one.md", "A letter.", "The first letter.")
    pushed = world.push()
    assert fates(pushed.plan)["a"] == "updated"
    assert fates(pushed.left)["a"] == "untouched"


def test_a_note_that_is_not_confirmed_is_refused(world: World) -> None:
    """Its field Id says what it is; a search alone never does."""
    world.push()
    world.own("a", "Id", "something-else")
    plan = world.plan()
    assert "another Id" in plan.refusals[0].message
    world.own("something-else", "Id", "a")
    assert not world.plan().refusals


def test_a_card_that_got_another_id_is_confirmed(world: World) -> None:
    """The learner's note still has the one that its guid follows from."""
    world.edit("two.md", " {#c}", "")
    world.push()
    world.edit("two.md", "earth}}.", "earth}}. {#later}")
    assert not world.plan().refusals
    world.edit("two.md", "goes round", "runs round")
    pushed = world.push()
    assert fates(pushed.left) == dict.fromkeys(("a", "b", "later"), "untouched")
    assert len(world.ids()) == 3


# A running Anki, and what answers in its place


def test_several_profiles_and_none_is_named(world: World) -> None:
    """A deck does not come into just any profile; where it is already, it is pushed again."""
    if world.way == "closed":
        world.push(replace(ALL, profile="User 1"))
        assert (
            "User 1, and not Other" in world.plan(replace(ALL, profile="Other")).refusals[0].message
        )
        return
    world.anki.profiles = ["User 1", "Other"]
    assert "several profiles" in world.plan().refusals[0].message
    assert "User 1, and not Other" in world.plan(replace(ALL, profile="Other")).refusals[0].message
    world.push(replace(ALL, profile="User 1"))
    assert not world.plan().refusals


@pytest.mark.parametrize("action", ["importPackage", "suspend", "changeDeck", "createDeck"])
def test_another_profile_is_opened_in_between(running: World, action: str) -> None:
    """The next writing action is not sent."""
    running.push()
    prepare(running)

    def switch() -> None:
        running.anki.profile = "Other"

    before = ["importPackage", "suspend", "changeDeck", "createDeck"]
    place = before.index(action)
    running.anki.before[before[place - 1] if place else "getProfiles"] = switch
    running.anki.asked.clear()
    with pytest.raises(PushError, match="Other"):
        running.push(SUSPENDING)
    assert action not in running.anki.asked


SUSPENDING = replace(ALL, retired=Retired.SUSPEND)


def test_another_profile_is_opened_during_a_sync(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came by the sync is looked at in the profile that was told, or in none."""
    running.push()
    prepare(running)

    def switch(anki: RunningAnki) -> None:
        anki.profile = "Other"

    monkeypatch.setitem(ACTIONS, "sync", switch)
    running.anki.asked.clear()
    with pytest.raises(PushError, match="opened the profile Other meanwhile"):
        running.push(replace(SUSPENDING, sync=True))
    assert running.anki.written == ["sync"]


def crammed(world: World) -> None:
    """The learner makes a filtered deck of a card that is about to be moved."""
    filtered_deck(world, "Cram", "Id:c")


def deleted(world: World) -> None:
    """The learner deletes a note that is about to be suspended."""
    world.learner.collection.remove_notes([world.learner.notes()["a"].id])


def reviewing(world: World) -> None:
    """The learner begins a review."""
    world.anki.in_review = True


@pytest.mark.parametrize(
    ("act", "retired", "decks", "told"),
    [
        (crammed, Retired.SUSPEND, {"Cram"}, "no longer as they were"),
        (deleted, Retired.SUSPEND, {"Root::Second"}, "no longer as they were"),
        (reviewing, Retired.DELETE, {"Root::Second"}, "a card is being asked"),
    ],
)
def test_what_a_learner_does_during_the_import(
    running: World, act: Callable[[World], None], retired: Retired, decks: set[str], told: str
) -> None:
    """Cards are looked at again before they are written: a plan is as old as its import is long."""
    running.push()
    prepare(running)
    running.anki.before["importPackage"] = lambda: act(running)
    pushed = running.push(replace(ALL, retired=retired))
    assert running.deck_of("c") == decks
    assert bool(running.learner.cards("a")) is (act is not deleted)
    assert told in pushed.told[0]
    assert len(pushed.told) == 1
    assert len(pushed.moved) == (0 if act is crammed else 2)
    assert fates(pushed.left) == dict.fromkeys("bc", "untouched")


def test_a_key(running: World) -> None:
    """It is asked for by name where it lacks or is wrong, and sent with every action."""
    running.anki.key = "secret"
    with pytest.raises(PushError, match="asks for a key") as lacking:
        Connect(running.anki.port).is_there()
    assert "VERIDECK_ANKI_KEY" in lacking.value.hint
    with pytest.raises(PushError, match="does not take the key"):
        Connect(running.anki.port, "wrong").is_there()
    assert Connect(running.anki.port, "secret").is_there()


def test_what_is_no_text_is_told(running: World) -> None:
    """A key, or a folder's name, of bytes that are not UTF-8."""
    with pytest.raises(PushError, match="not UTF-8"):
        Connect(running.anki.port, key="k\udcff").is_there()
    anki = Connect(running.anki.port)
    assert anki.is_there()
    anki.read(Asked(()))
    with pytest.raises(PushError, match="importPackage: a text is not UTF-8"):
        anki.bring(Path("/tmp/d\udcff/deck.apkg"))  # noqa: S108 - a name
    assert not running.anki.written


def test_the_profile_chooser(running: World) -> None:
    """It names a profile, and has no collection."""
    collection, running.anki.collection = running.anki.collection, None
    with pytest.raises(PushError, match="no profile open"):
        running.plan()
    running.anki.collection = collection


def test_an_anki_that_is_closed_meanwhile(running: World) -> None:
    """Between the first question and the next one it is gone: that is told, and is no crash."""
    receiver = running.receiver()
    running.anki.__exit__(None, None, None)
    try:
        with (
            verideck.Project.open(running.made.root) as opened,
            pytest.raises(PushError, match="closed meanwhile") as closed,
        ):
            opened.plan(opened.check(), receiver, ALL)
        assert closed.value.hint
        assert not Connect(running.anki.port).is_there()
    finally:
        running.anki = RunningAnki(running.learner.collection)
        running.anki.__enter__()


@pytest.mark.parametrize(
    "lacking", ["getActiveProfile", "notesModTime", "sync", "apiReflect", "mod"]
)
def test_an_old_ankiconnect(running: World, lacking: str) -> None:
    """It is named as such, with what to do."""
    running.push()
    running.own("a", "Answer", "Mine.")
    running.anki.lacking.add(lacking)
    with pytest.raises(PushError, match="too old") as old:
        running.plan()
    assert "Add-ons" in old.value.hint


def test_an_ankiconnect_that_does_not_tell_note_types_whole(running: World) -> None:
    """Fields are compared by their names then; what was renamed is refused."""
    running.anki.lacking.add("findModelsById")
    running.push()
    running.edit("one.md", "A letter.", "The first letter.")
    assert fates(running.push().left) == dict.fromkeys("abc", "untouched")
    models = running.learner.collection.models
    found = models.by_name("verideck")
    assert found
    models.rename_field(found, found["flds"][1], "Reply")
    models.update_dict(found)
    assert [each.message.split(" ")[-1] for each in running.plan().refusals]


WRONG: dict[str, tuple[Fault, str]] = {
    "cut": (cut, "cut off|breaks off"),
    "missing": (missing, "breaks off"),
    "no JSON": (saying(b"<html>"), "something else"),
    "another form": (saying(b'{"result": {"a": 1}, "error": null}'), "something else"),
    "no envelope": (saying(b"[]"), "something else"),
    "a deep one": (saying(b"[" * 200_000), "something else"),
    "other notes": (saying(b'{"result": [17], "error": null}'), "not asked for|other cards"),
    "a huge one": (saying(b" " * 65_000_000), "more than 64,000,000 bytes"),
    "a dripping one": (dripping(5.0), "has not answered"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("action", ["deckNames", "cardsToNotes"])
def test_wrong_answers(running: World, name: str, action: str) -> None:
    """Each is told within seconds, and nothing is written."""
    running.push()
    prepare(running)
    fault, told = WRONG[name]
    if (name, action) == ("other notes", "deckNames"):
        told = "something else"
    running.patience = 0.5 if fault is WRONG["a dripping one"][0] else 8.0
    running.anki.faults[action] = fault
    running.anki.asked.clear()
    with pytest.raises(PushError, match=told):
        running.push()
    assert not running.anki.written


@pytest.mark.parametrize(("action", "empty"), [("getDecks", b"{}"), ("notesModTime", b"[]")])
def test_an_empty_answer_is_none(running: World, action: str, empty: bytes) -> None:
    """That nothing is there, where something was asked about, is believed of no answer."""
    running.push()
    prepare(running)
    running.anki.faults[action] = saying(b'{"result": %b, "error": null}' % empty)
    running.anki.asked.clear()
    with pytest.raises(PushError, match="than it was asked about"):
        running.push()
    assert not running.anki.written


def test_an_answer_that_drips_for_long_is_waited_for_no_longer(running: World) -> None:
    """Also once its head has come."""
    anki = Connect(running.anki.port, patience=0.5)
    running.anki.faults["requestPermission"] = dripping(8.0)
    started = time.monotonic()
    with pytest.raises(PushError, match="has not answered"):
        anki.is_there()
    assert time.monotonic() - started < 5


def test_nothing_listens_and_a_foreign_program_does() -> None:
    """A port that is free is no Anki; one that is held by something dead is told in seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert not Connect(port).is_there()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        started = time.monotonic()
        with pytest.raises(PushError, match="has not answered"):
            Connect(held.getsockname()[1], patience=0.3).is_there()
        assert time.monotonic() - started < 5


def test_no_note_is_deleted_while_a_card_is_asked(running: World) -> None:
    """It could be that one: Anki's window would stand there without it."""
    running.push()
    prepare(running)
    running.anki.in_review = True
    pushed = running.push()
    assert "deleteNotes" not in running.anki.asked
    assert any("being asked" in each for each in pushed.told)
    assert len(running.ids()) == 3
    running.anki.in_review = False
    running.push()
    assert len(running.ids()) == 2


@pytest.mark.parametrize("sync", [None, True])
def test_without_a_sync_text_alone_is_sent(running: World, *, sync: bool | None) -> None:
    """Neither where none was asked for, nor where Anki has no account."""
    running.push()
    prepare(running)
    pushed = running.push(replace(SUSPENDING, sync=sync))
    assert {"importPackage", "createDeck"} <= set(running.anki.asked)
    assert not {"suspend", "changeDeck", "deleteNotes"} & set(running.anki.asked)
    assert "moving cards and suspending cards" in pushed.told[0]
    assert fates(pushed.left) == dict.fromkeys("bc", "untouched")
    assert pushed.left.moves


# Whatever ends a push


STEPS = ["importPackage", "suspend", "changeDeck", "createDeck", "deckNames", "notesInfo"]


def state(world: World) -> tuple[list[list[object]], ...]:
    """All that a learner has, but for when it was written."""
    return (
        world.rows("select id, guid, mod, tags, flds from notes order by id"),
        world.rows(
            "select c.id, c.queue, d.name from cards c, decks d where did = d.id order by 1"
        ),
        world.rows("select * from revlog order by id"),
    )


@pytest.mark.parametrize("retired", [Retired.SUSPEND, Retired.DELETE])
@pytest.mark.parametrize("fault", [missing, lost])
def test_killed_at_any_call(tmp_path: Path, retired: Retired, fault: Fault) -> None:
    """The same push, run again, ends where one run would: whether or not the call was heard."""
    ends: list[object] = []
    choices = replace(ALL, retired=retired)
    steps = (
        ["deleteNotes" if s == "suspend" else s for s in STEPS] if retired is ALL.retired else STEPS
    )
    for step in [None, *steps]:
        world = World(tmp_path / str(step), "connect")
        try:
            world.push()
            world.review_all()
            prepare(world)
            if step:
                world.anki.faults[step] = fault
                with pytest.raises(PushError):
                    world.push(choices)
                world.anki.faults.clear()
                world.now -= 10
            pushed = world.push(choices)
            assert pushed.left.is_empty
            assert world.push(choices).plan.is_empty
            notes, cards, reviews = state(world)
            ends.append((notes, cards, len(reviews)))
        finally:
            world.close()
    assert all(end == ends[0] for end in ends)


# The closed collection


def test_a_backup_comes_first(tmp_path: Path) -> None:
    """It holds the collection as it was before."""
    world = World(tmp_path, "closed")
    try:
        first = world.push()
        assert first.backup.endswith("backups")
        world.review_all()
        prepare(world)
        assert list(Path(world.push().backup).glob("*.colpkg"))
    finally:
        world.close()


def test_what_is_no_collection_that_can_be_written(tmp_path: Path) -> None:
    """No file is made, none is upgraded, and an open one is told."""
    nowhere = tmp_path / "User" / "collection.anki2"
    with pytest.raises(PushError, match="there is no collection"):
        Closed(nowhere)
    assert not nowhere.parent.exists()
    (tmp_path / "text.anki2").write_text("no database")
    with pytest.raises(PushError, match="no collection of Anki's"):
        Closed(tmp_path / "text.anki2")
    learner = Learner(tmp_path / "User 1")
    with pytest.raises(PushError, match="already open") as opened:
        Closed(tmp_path / "User 1/collection.anki2")
    assert "close Anki" in opened.value.hint
    learner.collection.close()
    with closing(sqlite3.connect(tmp_path / "User 1/collection.anki2")) as database:
        database.execute("update col set ver = 17")
        database.commit()
    with pytest.raises(PushError, match=r"another Anki \(schema 17\)"):
        Closed(tmp_path / "User 1/collection.anki2")


def test_a_closed_collection_is_not_synced(tmp_path: Path) -> None:
    """So text alone is sent, and it is told."""
    world = World(tmp_path, "closed")
    try:
        world.push()
        prepare(world)
        pushed = world.push(replace(SUSPENDING, sync=True))
        assert "no sync" in pushed.told[0]
        assert pushed.left.moves
    finally:
        world.close()
