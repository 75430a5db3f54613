"""A check card by card, for whoever decides which cards are executed, and when: a test runner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from verideck.model import Card, Note, Options, Passage, Place, Proof, ProvenCard, Role, Snippet
from verideck.pipeline import noted, scope_of
from verideck.problems import Problem, Problems, has_errors
from verideck.proof.audit import audit
from verideck.proof.one_by_one import OneByOne
from verideck.proof.scheduling import executed
from verideck.result import Run
from verideck.source.collect import Collected, collect, files_of

SetupOf = Callable[[str], Sequence[Passage]]
"""Returns the Python that is executed before each card of a file, by the path in its `Place`. The
place of each passage is where its text stands."""
_PYTHON = "python"


def no_setup(_: str) -> Sequence[Passage]:
    """Execute nothing before the cards of a file but its own set-up."""
    return ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one card."""

    card: Card
    problems: tuple[Problem, ...] = ()
    """Those of its own: of what it executes, and of how it would be shown."""
    proofs: tuple[Proof, ...] = ()
    """A proof for each executed snippet, if its code holds."""
    note: Note | None = None
    """The note that it makes; None if it makes none."""
    seconds: float = 0.0
    """How long its execution took; 0 if nothing was executed."""

    @property
    def holds(self) -> bool:
        """Whether none of its problems is an error."""
        return not has_errors(self.problems)

    @property
    def reused(self) -> bool:
        """Whether it was proved by former runs alone."""
        return bool(self.proofs) and all(proof.reused for proof in self.proofs)

    @property
    def assertions(self) -> int:
        """How many assertions were executed and held."""
        return sum(proof.assertions for proof in self.proofs)


class Checking:
    """Some files of a project that have been read, of which no card is executed yet."""

    def __init__(
        self,
        run: Run,
        paths: Sequence[Path],
        problems: Problems,
        setup_of: SetupOf,
        *,
        audits: bool,
    ) -> None:
        """Read the files, and identify their cards; see `Project.checking`."""
        self._run = run
        self._setup_of = setup_of
        self._audits = audits
        self._proving = OneByOne(run.executors)
        self._read, self._known = _read(run, paths, problems)
        every = (*self._read.cards, *self._read.documents)
        self._cards = {card.place: card for card in every}
        self.problems = tuple(problems)

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every card that could be read, and every part of a document, in its order.

        A card has an identity where that is clear.
        """
        return tuple(self._known.get(place, card) for place, card in self._cards.items())

    @property
    def files(self) -> frozenset[str]:
        """The files that could be read, as a `Place` names them, also those without a card."""
        return self._read.files

    def prove(self, card: Card, ahead: Iterable[Card] = ()) -> Verdict:
        """Execute a card, if no former run has proved it. Returns its verdict.

        `ahead` are the cards that will be asked for next: some of them are begun meanwhile.
        Raises KeyError for a card that is none of these.
        """
        own, problems = self._cards[card.place], Problems()
        ahead = (self._with_setup(self._cards[each.place]) for each in ahead)
        proved = self._proving.prove(self._with_setup(own), ahead)
        problems.extend(proved.problems)
        proven = [proved.proven] if proved.proven else []
        if self._audits:
            floor = self._run.settings.audit_floor
            proven = audit(proven, self._run.executors, floor, problems)
        mine = [_without_setup(each, own) for each in proven]
        known = {own.place: self._known[own.place]} if own.place in self._known else {}
        notes = list(noted(self._run, mine, known, problems, [own]))
        proofs = mine[0].proofs if mine else ()
        return Verdict(card, tuple(problems), proofs, notes[0] if notes else None, proved.seconds)

    def close(self) -> None:
        """Break off what was begun, and keep what was found for the next check."""
        self._proving.close()
        self._run.memo.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _with_setup(self, card: Card) -> Card:
        """The card as it is executed."""
        before = tuple(map(_as_setup, self._setup_of(card.place.path)))
        is_python = _PYTHON in executed(card)
        return replace(card, snippets=(*before, *card.snippets)) if is_python else card


def _read(
    run: Run, paths: Sequence[Path], problems: Problems
) -> tuple[Collected, Mapping[Place, Card]]:
    """The cards of some files, and those whose notes are clear, by their places."""
    files = files_of(paths, run.settings, run.memo.texts, problems)
    found = collect(files, run.memo, problems, on_card=lambda _: None)
    known = run.identified(found.cards, scope_of(found, run.settings.root), problems)
    return found, known


def _as_setup(passage: Passage) -> Snippet:
    options = Options(role=Role.SETUP)
    place = passage.place
    return Snippet(_PYTHON, passage.text, place, place, options, executable=True)


def _without_setup(proven: ProvenCard, own: Card) -> ProvenCard:
    """The card as it stands in its file, with the proofs of what does."""
    proofs = tuple(each for each in proven.proofs if each.snippet in own.snippets)
    return replace(proven, card=own, proofs=proofs)
