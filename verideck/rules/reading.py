"""A card as a reader sees it: what the rules are asked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verideck import markdown
from verideck.markdown import Token
from verideck.markdown.prose import Prose, prose
from verideck.model import Card, ClozeDeletion, Kind, Passage, Place, Role, Snippet

OVERVIEW = "overview"
"""The tag of a card that asks for the whole of a topic, beside the atomic cards for its parts."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, or a table."""

    items: int
    """Its own: what is nested in them is another list. Of a table, the rows under its head."""
    place: Place


@dataclass(frozen=True, slots=True)
class Reading:
    """The prose of a card; of its answer, what stands above `---` is the answer proper."""

    card: Card
    question: Prose
    answer: Prose
    aside: Prose
    listings: tuple[Listing, ...]
    """Those of the answer."""
    deletions: tuple[ClozeDeletion, ...]
    """Those of a cloze card."""

    @property
    def asks(self) -> bool:
        """Whether the question is one: that of a cloze card is a statement."""
        return self.card.kind is not Kind.CLOZE

    @property
    def is_overview(self) -> bool:
        """Whether the rules that hold for atomic cards do not hold for it."""
        return OVERVIEW in self.card.tags

    @property
    def shown(self) -> tuple[Snippet, ...]:
        """The code that stands on the card; a fence without a language is a quotation."""
        roles = {Role.SHOWN, Role.TEXT}
        found = (each for each in self.card.snippets if each.options.role in roles)
        return tuple(each for each in found if each.language)


def reading(card: Card) -> Reading:
    """Read a card. What its Markdown leaves open was told when it was parsed."""
    asked, answered = _tokens(card.question), _tokens(card.answer)
    above, below = markdown.divided(answered)
    answer = card.answer or Passage("", card.place)
    return Reading(
        card,
        prose(asked, card.question),
        prose(above, answer),
        prose(below, answer),
        tuple(_listings(above, answer)),
        card.deletions,
    )


def _tokens(passage: Passage | None) -> Sequence[Token]:
    return markdown.parse(passage).tokens if passage else ()


_LISTS = {"bullet_list_open": "list_item_open", "ordered_list_open": "list_item_open"}
_ITEMS = {**_LISTS, "tbody_open": "tr_open"}
"""What opens a listing, and what opens an item of it."""


def _listings(tokens: Sequence[Token], passage: Passage) -> Iterator[Listing]:
    lines = passage.text.split("\n")
    for number, token in enumerate(tokens):
        if token.type in _ITEMS and token.map:
            items = 0
            for inner in tokens[number + 1 :]:
                if inner.level <= token.level:
                    break
                items += inner.type == _ITEMS[token.type] and inner.level == token.level + 1
            row = lines[token.map[0]]
            yield Listing(items, passage.at(token.map[0], len(row) - len(row.lstrip())))
