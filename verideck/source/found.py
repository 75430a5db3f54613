"""What is found in a Markdown file."""

from __future__ import annotations

from dataclasses import dataclass

from verideck.model import Card, Place, UnreadCard
from verideck.problems import Problem


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which a file is read."""

    path: str
    name: str
    """As `syntax:` says it; empty if none fits."""
    reason: str
    """Why it was taken."""
    cards: int
    """Of a document: its parts."""
    others: tuple[tuple[str, int], ...] | None = None
    """The names of other forms, with the numbers of cards with an answer that these would find;
    None where nobody has asked."""


@dataclass(frozen=True, slots=True)
class CardsOfFile:
    """All that a Markdown file says, and what that follows from besides its text."""

    cards: tuple[Card, ...] = ()
    unanswered: tuple[UnreadCard, ...] = ()
    refused: tuple[UnreadCard, ...] = ()
    """Those with which something is wrong: in the card, or in the set-up of the file."""
    problems: tuple[Problem, ...] = ()
    included: tuple[tuple[str, str], ...] = ()
    """The files that its fences include, with the hashes of their contents."""
    syntax: str = ""
    """The name of the form in which it is read; empty if none fits."""
    reason: str = ""
    """Why it is read in that form."""
    doubtful: tuple[Place, ...] = ()
    """The places of cards that may not be what their author means: all, if something is wrong with
    the file as a whole, as their deck, or what is a question at all."""
    documents: tuple[Card, ...] = ()
    """Where the file is a document: its parts, which are proved as cards are and make no notes."""
