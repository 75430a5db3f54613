"""Folders and files -> cards, for all files of a run; and what else was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from verideck.model import Card, Place, Source, UnreadCard, one_line
from verideck.problems import Code, Problem, Problems, Severity, told_of_files
from verideck.settings import Settings
from verideck.source.config import DOCUMENT
from verideck.source.found import CardsOfFile, Form
from verideck.source.read import Texts, is_whole, read, read_around
from verideck.source.selection import ALL, Selection


class Reader(Protocol):
    """Finds the cards of files; it may remember them."""

    texts: Texts
    """The texts of files that were read before."""

    def prepare(self, sources: Sequence[Source]) -> None:
        """Get ready for files that are about to be parsed."""

    def cards_of(self, source: Source) -> CardsOfFile:
        """Return the cards of a file, see `cards.cards_of`."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The cards of a run."""

    cards: tuple[Card, ...]
    """Those to be built."""
    is_whole: bool
    """Whether these are all of the project's."""
    files: frozenset[str]
    """The files of these cards."""
    context_cards: tuple[Card, ...]
    """The project's other cards, which are read so that no card is taken for one of them."""
    context_files: frozenset[str]
    unanswered: tuple[UnreadCard, ...]
    """Questions without an answer, in all of these files."""
    included: frozenset[str]
    """The files that the cards to be built include."""
    doubtful: frozenset[Place]
    """The places of cards that may not be what their author means: something is wrong with their
    file as a whole, or another card claims to be the same."""
    is_complete: bool
    """Whether every card to be built could be read."""
    forms: tuple[Form, ...] = ()
    """In which form each file of these cards is read."""
    documents: tuple[Card, ...] = ()
    """The parts of those of the files that are documents."""
    repeated: tuple[Card, ...] = ()
    """Cards with the id of another one, and cards without one that ask what another in the same
    file and deck does."""
    refused: tuple[UnreadCard, ...] = ()
    """Those to be built that could not be read."""

    @property
    def every(self) -> tuple[Card, ...]:
        """The cards to be built, and those that repeat one."""
        return (*self.cards, *self.repeated)


@dataclass(frozen=True, slots=True)
class Files:
    """The Markdown files of a run, as they were read."""

    built: Sequence[Source]
    """Those whose cards are to be built."""
    context: Sequence[Source]
    """The project's others, which are read so that no card is taken for one of theirs."""
    is_whole: bool
    """Whether the first are all of the project's."""


def files_of(
    paths: Sequence[Path],
    settings: Settings,
    texts: Texts,
    problems: Problems,
    *,
    documents: bool = True,
) -> Files:
    """Read some files, or the project's where no path is given, and the project's others.

    Without `documents`, those of the project are not read. Reports which of the first cannot be
    read, and nothing of the others.
    """
    built = read(paths, settings, problems, texts, documents=documents)
    context = read_around(paths, settings, built, texts)
    return Files(built, context, is_whole(paths, settings))


def collect(
    files: Files,
    reader: Reader,
    problems: Problems,
    on_card: Callable[[Card], None],
    selection: Selection = ALL,
) -> Collected:
    """Find the cards of files.

    Calls `on_card` with each card to be built, as soon as it is found, and with each part of a
    document. Reports what is wrong with the files of these cards, and with no other file. Cards
    that are not in the `selection` are context.
    """
    built, context = files.built, files.context
    reader.prepare([*context, *built])
    asked = Asked()
    context_files = [reader.cards_of(source) for source in context]
    context_cards = [
        card for file in context_files for card in file.cards if asked.is_first(card, Problems())
    ]
    cards: list[Card] = []
    repeated: list[Card] = []
    parts: list[Card] = []
    found: list[CardsOfFile] = []
    doubtful: set[Place] = set()
    of_files = Problems()
    for source in built:
        file, others = selection.divided(source.path, reader.cards_of(source))
        context_cards += others
        found.append(file)
        if file.syntax == DOCUMENT and not selection.documents:
            continue
        of_files.extend(file.problems)
        for part in file.documents:
            parts.append(part)
            on_card(part)
        for card in file.cards:
            if asked.is_first(card, of_files):
                cards.append(card)
                on_card(card)
            else:
                doubtful.add(asked.place_of(card))
                repeated.append(card)
        doubtful.update(file.doubtful)
    problems.extend(told_of_files(of_files))
    return Collected(
        tuple(cards),
        files.is_whole,
        frozenset(source.path for source in built),
        tuple(context_cards),
        frozenset(source.path for source in context),
        tuple(each for file in [*context_files, *found] for each in file.unanswered),
        frozenset(path for file in found for path, _ in file.included),
        frozenset(doubtful),
        is_complete=not problems.has_errors,
        forms=tuple(_form(*each) for each in zip(built, found, strict=True)),
        documents=tuple(parts),
        repeated=tuple(repeated),
        refused=tuple(each for file in found for each in file.refused),
    )


def _form(source: Source, file: CardsOfFile) -> Form:
    count = len(file.cards or file.documents)
    return Form(source.path, file.syntax, file.reason, count)


class Asked:
    """What the cards before ask. The cards of a file come one after the other."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ids: dict[str, Place] = {}
        self._anywhere: dict[str, Place] = {}
        """Of the cards without an id: by what they ask, in their deck."""
        self._here: dict[str, Place] = {}
        """Those of the file that is being read."""
        self._path = ""

    def is_first(self, card: Card, problems: Problems) -> bool:
        """Tell whether no card before this one is the same to verideck.

        That is one with its id; or where neither has an id, one that asks the same in the same file
        and deck. Reports a repetition, and one in another file of the same deck, where a learner
        cannot tell them apart. The card is one of those before from now on.
        """
        if card.place.path != self._path:
            self._path, self._here = card.place.path, {}
        known, key = (self._ids, card.id) if card.id else (self._here, _asked(card))
        place = known.setdefault(key, card.place)
        if place is not card.place:
            problems.report(_repeated(card, place))
            return False
        if not card.id and (twin := self._anywhere.setdefault(key, place)) is not place:
            problems.report(_asked_elsewhere(card, twin))
        return True

    def place_of(self, card: Card) -> Place:
        """Return the place of the card that is the same as one of this file."""
        return self._ids[card.id] if card.id else self._here[_asked(card)]


def _asked(card: Card) -> str:
    return f"{one_line(card.question.text)}\x1f{card.deck}"


def _repeated(card: Card, first: Place) -> Problem:
    if card.id:
        return Problem(
            Code.ID_REPEATED,
            f"the id {card.id} is taken by the card at {first}",
            card.place,
            "give one of the two cards another id: reviews hang on it",
        )
    return Problem(
        Code.ID_REPEATED,
        f"the card at {first} asks the same, and neither has an id",
        card.place,
        "let `verideck id` write ids behind them, or reword one of the questions",
    )


def _asked_elsewhere(card: Card, first: Place) -> Problem:
    """What tells cards apart, for verideck, is their file; no learner sees it."""
    return Problem(
        Code.ID_REPEATED,
        f"the card at {first} asks the same in the same deck",
        card.place,
        "in Anki nothing tells them apart: name the topic in the question, or title each file",
        Severity.WARNING,
    )
