"""What syntaxes return: cards as they are written, in passages of a file."""

from __future__ import annotations

from dataclasses import dataclass

from verideck.model import IdSlot, Kind, Passage, Place


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a syntax reads where attributes cannot say it, and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class RawCard:
    """A question and its answer as passages of a file, and what else its syntax knows of them.

    Attributes behind the question say more, in every syntax. They win over what is known here.
    """

    question: Passage
    answer: Passage | None
    titles: tuple[str, ...]
    """The headings above the card, outermost first: parts of the deck's name."""
    lines: range
    """The lines of the file that belong to the card, counted from 0."""
    id: Written | None = None
    """The id that another tool wrote, in a place of its own. No part of it is in the question."""
    id_slot: IdSlot | None = None
    """Where an id is inserted, if not as an attribute behind the question."""
    kind: Kind | None = None
    """None where attributes and deletions decide."""
    reverse: bool = False
    """Whether a second card asks for the question."""
    tags: tuple[Written, ...] = ()
    deck: Written | None = None
    """The full name of its deck, in place of the one that folders and titles give."""
    lacks: str = "write the answer beneath it"
    """What to do where it has no answer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The cards that a syntax finds on a page."""

    cards: tuple[RawCard, ...]
    is_certain: bool = True
    """False if an underlined text may not have been meant as a heading."""
    is_empty: bool = False
    """Whether nothing on the page is meant as a card, not even an incomplete one."""
    among_notes: bool = False
    """Whether the cards stand among notes that are none, so that code beside them is no slip."""
    about: tuple[range, ...] = ()
    """The lines, counted from 0, on no card by which the file says something about itself, or
    divides its cards, in this syntax alone: no text is left out there."""
