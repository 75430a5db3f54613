"""An author's project and a learner's Anki, into which is pushed."""

from __future__ import annotations

from pathlib import Path

from anki_connect import RunningAnki
from model.learner import Learner, judge
from projects import MOMENT, project

import verideck
from verideck.push_choices import Choices, Retired
from verideck.push_plan import Plan, Pushed
from verideck.targets.anki.collection import Closed
from verideck.targets.anki.connect import Connect
from verideck.targets.anki.receiver import Receiver

FILES: dict[str, str | bytes] = {
    "one.md": "# One\n\n## What is a? {#a}\n\nA letter.\n\n## What is b? {#b}\n\nAnother letter.\n",
    "two.md": "# Two\n\n- The {{c1::moon}} goes round the {{c2::earth}}. {#c}\n",
}
ALL = Choices(moves=True, retired=Retired.DELETE, sync=False)


class World:
    """An author's project, and a learner's Anki, into which is pushed by either way."""

    def __init__(self, folder: Path, way: str) -> None:
        """Begin with three notes, and an empty collection."""
        self.made = project(folder / "author", dict(FILES))
        self.learner = Learner(folder / "learner" / "User 1")
        self.way = way
        self.now = MOMENT
        self.patience = 8.0
        self.anki = RunningAnki(self.learner.collection)
        self.anki.__enter__()

    def close(self) -> None:
        """End all."""
        self.anki.__exit__(None, None, None)
        self.learner.collection.close()

    def receiver(self) -> Receiver:
        """What takes the push. A closed collection is closed for it."""
        if self.way == "closed":
            self.learner.collection.close()
            return Closed(Path(self.learner.collection.path))
        receiver = Connect(self.anki.port, patience=self.patience)
        assert receiver.is_there()
        return receiver

    def plan(self, choices: Choices = ALL) -> Plan:
        """Plan, and do nothing."""
        return self._with(choices, push=False)[0]

    def push(self, choices: Choices = ALL) -> Pushed:
        """Build and push."""
        pushed = self._with(choices, push=True)[1]
        assert pushed
        return pushed

    def _with(self, choices: Choices, *, push: bool) -> tuple[Plan, Pushed | None]:
        self.now += 10
        receiver = self.receiver()
        try:
            with verideck.Project.open(self.made.root) as opened:
                result = opened.check()
                assert result.ok, result.problems
                plan = opened.plan(result, receiver, choices, build_time=self.now)
                pushed = opened.push(result, receiver, plan) if push else None
        finally:
            receiver.close()
            if self.way == "closed":
                self.learner.collection.reopen()
                self.learner.collection.models._clear_cache()  # noqa: SLF001 - as Anki's window does
        return plan, pushed

    def edit(self, path: str, old: str, new: str) -> None:
        """The author edits a file."""
        file = self.made.root / "cards" / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def rows(self, query: str, *values: str | float) -> list[list[object]]:
        """Rows of the learner's collection."""
        return self.anki.rows(query, *values)

    def ids(self) -> list[int]:
        """The ids of all notes."""
        return [int(str(number)) for (number,) in self.rows("select id from notes")]

    def review_all(self) -> None:
        """The learner answers every card."""
        for card in self.learner.cards():
            judge(self.learner.collection, card, 3)

    def own(self, identity: str, field: str, text: str) -> None:
        """The learner writes into a field, now by the author's clock."""
        self.now += 10
        note = self.learner.notes()[identity]
        note[field] = text
        self.learner.collection.update_note(note)
        assert self.learner.collection.db
        self.learner.collection.db.execute(
            "update notes set mod = ? where id = ?", self.now, note.id
        )

    def deck_of(self, identity: str) -> set[str]:
        """The decks of a note's cards."""
        return {self.learner.collection.decks.name(c.did) for c in self.learner.cards(identity)}


def prepare(world: World) -> None:
    """Something to do of every kind."""
    world.edit("one.md", "## What is a? {#a}\n\nA letter.\n\n", "")
    world.edit("one.md", "Another letter.", "The second letter.")
    world.edit("two.md", "# Two", "# Second")
