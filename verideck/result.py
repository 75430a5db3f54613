"""What a run uses, what it comes to, and what was written of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from verideck.events import Listener
from verideck.findings import Findings
from verideck.history.lock import Lock
from verideck.history.recognise import Identities, recognise
from verideck.history.scope import Scope
from verideck.memo import Memo
from verideck.model import (
    Card,
    Change,
    DeckContents,
    Kind,
    Note,
    NoteType,
    Place,
    ProvenCard,
    UnreadCard,
)
from verideck.problems import Problem, Problems
from verideck.proof.executors import Executors
from verideck.render.own_look import OwnLook
from verideck.settings import Settings
from verideck.source.selection import ALL, Selection
from verideck.storage.store import Store


@dataclass(frozen=True, slots=True)
class Run:
    """What a run uses of the project that is open."""

    settings: Settings
    lock: Lock
    memo: Memo
    identities: Identities
    executors: Executors
    store: Store
    on_event: Listener
    look: OwnLook
    selection: Selection = ALL
    """Which of the cards are asked for."""

    def identified(
        self, cards: Sequence[Card], scope: Scope, problems: Problems
    ) -> Mapping[Place, Card]:
        """The cards with the identities of their notes, by place. Reports what is unclear."""
        namespace = self.settings.namespace
        return recognise(cards, self.lock, scope, namespace, problems, self.identities)


@dataclass(frozen=True, slots=True)
class Result(Findings):
    """All that was found in a project, and all that is wrong with it."""

    cards: tuple[Card, ...] = ()
    """Every card that could be read, whether it holds or not."""
    proven: tuple[ProvenCard, ...] = ()
    """Those that hold."""
    notes: tuple[Note, ...] = ()
    """Those that hold, as Anki would be given them. A card that fails takes only itself away; what
    is wrong with a file as a whole, all of its cards."""
    inputs: frozenset[str] = frozenset()
    """The files that all of this follows from, as a `Place` names them: settings, the lock,
    Markdown, includes, images, what snippets that hold imported or opened, and whatever has a
    problem."""
    scope: Scope = field(default_factory=lambda: Scope(Path(), is_whole=True))
    """What of the project was read."""
    lock: Lock = field(default_factory=Lock)
    """The lock by which the notes were identified. A build compares it with the one on disk."""
    known: Mapping[Place, Card] = field(default_factory=dict)
    """The cards that are known as notes, by their places: with their identities, and also those
    that do not hold."""
    documents: tuple[Card, ...] = ()
    """The parts of documents, whether they hold or not. None of them makes a note."""
    unread: tuple[UnreadCard, ...] = ()
    """The cards that could not be read, because something is wrong with them or their set-up."""
    note_types: Mapping[Kind, NoteType] = field(default_factory=dict, repr=False)
    """The note types of the notes, with the project's own look."""

    @property
    def left_out(self) -> tuple[Card, ...]:
        """The cards that could be read, and make no note."""
        noted = {note.place for note in self.notes}
        return tuple(card for card in self.cards if card.place not in noted)


@dataclass(frozen=True, slots=True)
class Built:
    """A package, or another file for readers, that was written."""

    path: str
    sha256: str
    notes: int
    """Notes of cards of the project."""
    retired: int = 0
    """Further notes that have lost their cards."""
    changes: tuple[Change, ...] = ()
    """The changes since the last build; none for a file that Anki does not import."""
    problems: tuple[Problem, ...] = ()
    """The warnings that are the output's alone."""

    @classmethod
    def of(
        cls, contents: DeckContents, path: str, sha256: str, changes: tuple[Change, ...]
    ) -> Self:
        """Return the record of a package that was written from these contents."""
        retired = sum(note.retired for note in contents.notes)
        return cls(path, sha256, len(contents.notes) - retired, retired, changes)
