"""What is found in a Markdown file."""

from __future__ import annotations

from dataclasses import dataclass

from verideck.model import Card, Unanswered
from verideck.problems import Problem


@dataclass(frozen=True, slots=True)
class CardsOfFile:
    """All that a Markdown file says, and what that follows from besides its text."""

    cards: tuple[Card, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    problems: tuple[Problem, ...] = ()
    included: tuple[tuple[str, str], ...] = ()
    """The files that its fences include, with the hashes of their contents."""
    is_sound: bool = True
    """Whether nothing is wrong with the file as a whole. Otherwise its cards may not be what their
    author means: their deck, tags or language, or what is a question at all."""
