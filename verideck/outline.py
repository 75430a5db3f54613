"""What is held of a card that is only told of: of thousands, whole cards would fill the memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from verideck.model import Card, Link, Options, Passage, Place, Snippet

_NO_LINKS: Mapping[str, Link] = {}


@dataclass(frozen=True, slots=True)
class Outline:
    """How much of cards is held, so that they can be told apart, recognised and counted."""

    answers: bool
    """Whether answers are, too: a note is recognised by its answer if its question was reworded."""

    @property
    def name(self) -> str:
        """What tells this outline from the other."""
        return "outlines with answers" if self.answers else "outlines"

    def of_card(self, card: Card) -> Card:
        """Return a card that says where it is, what it asks, and what is counted of it.

        It can be neither executed nor rendered. Texts that many cards share are held once.
        """
        place = Place(_shared(card.place.path), card.place.line, card.place.column)
        answer = Passage(card.answer.text, place, links=_NO_LINKS) if card.answer else None
        return Card(
            id=card.id,
            kind=card.kind,
            deck=_shared(card.deck),
            question=Passage(card.question.text, place, links=_NO_LINKS),
            answer=answer if self.answers else None,
            snippets=tuple(
                _counted(each.language, each.options, each.executable) for each in card.snippets
            ),
            tags=(),
            place=place,
            reverse=card.reverse,
            verified=card.verified,
            sketch=card.sketch if self.answers else "",
            is_outline=True,
        )


@lru_cache(maxsize=4096)
def _counted(language: str, options: Options, executable: bool) -> Snippet:  # noqa: FBT001 - a key
    """A snippet with what is counted of it: there are few that differ."""
    nowhere = Place("")
    return Snippet(language, "", nowhere, nowhere, options, executable=executable)


@lru_cache(maxsize=4096)
def _shared(text: str) -> str:
    """The first of equal texts."""
    return text
