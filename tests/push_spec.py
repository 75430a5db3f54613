"""What a push would do to a learner's collection, for the cases of `spec/pushes.md`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model.learner import Learner, judge
from projects import MOMENT

import verideck
from verideck.push_choices import Choices
from verideck.push_plan import Plan
from verideck.targets.anki.collection import Closed


def planned(package: Path, project: Path, choices: Choices, change: Callable[[], None]) -> Plan:
    """Return the plan of a push into the collection of somebody who has a project's package.

    The learner does what the files below `learner/` say, and `change` makes the cards what they are
    to be.
    """
    learner = Learner(project.parent / "User 1")
    learner.take(package)
    for file in sorted((project / "learner").glob("*.txt")):
        what, _, word = file.read_text("utf-8").strip().partition(": ")
        _act(learner, file.stem, what, word)
    learner.collection.close()
    change()
    closed = Closed(Path(learner.collection.path))
    try:
        with verideck.Project.open(project) as opened:
            return opened.plan(opened.check(), closed, choices, build_time=MOMENT + 60)
    finally:
        closed.close()


def _act(learner: Learner, identity: str, what: str, word: str) -> None:
    """The learner moves a note's cards, answers them, adds a field to its type, or edits it."""
    collection, note = learner.collection, learner.notes()[identity]
    match what:
        case "deck":
            deck = collection.decks.id(word)
            assert deck
            collection.set_deck([card.id for card in learner.cards(identity)], deck)
        case "review":
            for _ in range(int(word)):
                judge(collection, learner.cards(identity)[0], 3)
        case "field":
            note_type = note.note_type()
            assert note_type
            collection.models.add_field(note_type, collection.models.new_field(word))
            collection.models.update_dict(note_type)
        case _:
            note[what] = word
            collection.update_note(note)
    if what not in {"deck", "review"}:
        assert collection.db
        collection.db.execute("update notes set mod = ?", MOMENT + 30)
