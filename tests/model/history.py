"""An author and a learner, through several seasons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from model.author import Author
from model.edits import EDITS
from model.reader import Reader

OWN = ["Question", "Answer", "Hint", "tag", "style", "deck"]


@dataclass(frozen=True, slots=True)
class Season:
    """What an author and a learner do between two builds."""

    edits: list[tuple[str, int, int]]
    back: int
    """How far the author's clock is behind at the build, in seconds."""
    taken: bool
    """Whether the learner imports the build."""
    pushed: bool
    """Whether by a push, which moves cards."""
    studied: list[tuple[int, int]]
    own: list[tuple[str, int]]
    """What the learner makes of notes and note types."""


PICK = st.integers(0, 59)
SEASONS = st.builds(
    Season,
    edits=st.lists(st.tuples(st.sampled_from(list(EDITS)), PICK, PICK), min_size=1, max_size=5),
    back=st.sampled_from([0, 0, 0, 25, 5000]),
    taken=st.sampled_from([True, True, False]),
    pushed=st.booleans(),
    studied=st.lists(st.tuples(PICK, st.integers(1, 4)), max_size=6),
    own=st.lists(st.tuples(st.sampled_from(OWN), PICK), max_size=3),
)


class History:
    """An author and a learner."""

    def __init__(self, folder: Path, first: int = 8) -> None:
        """Begin with some cards of all kinds."""
        self.folder = folder
        self.author = Author(folder / "author")
        self.reader = Reader(folder / "reader", self.author)
        for number in range(first):
            assert self.author.edit("insert", number, number)

    def pass_by(self, season: Season) -> None:
        """Let a season go by."""
        for name, one, other in season.edits:
            self.author.edit(name, one, other)
        self.author.build(season.back)
        if season.taken and season.pushed:
            self.reader.push()
        elif season.taken:
            self.reader.take()
        for one, ease in season.studied:
            self.reader.study(one, ease)
        for name, one in season.own:
            self.reader.own(name, one)

    def end(self) -> None:
        """Build once more, for the learner and for one who has nothing yet."""
        self.author.build()
        self.reader.take()
        newcomer = Reader(self.folder / "newcomer", self.author)
        try:
            newcomer.take()
            newcomer.judge_all_new()
        finally:
            newcomer.collection.close()


@contextmanager
def history(folder: Path, first: int = 8) -> Iterator[History]:
    """A history, whose collection is closed at its end."""
    made = History(folder, first)
    try:
        yield made
    finally:
        made.reader.collection.close()
