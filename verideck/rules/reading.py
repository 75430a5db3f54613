"""What the rules check: a card as its readers see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from verideck import markdown
from verideck.markdown import Token
from verideck.markdown.kinds import PLAYED
from verideck.markdown.prose import Prose, prose
from verideck.model import OVERVIEW, Card, Kind, Passage, Place, Role, Snippet


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, or a table."""

    items: int
    """The number of items, without those of nested lists; of a table, the rows below its head."""
    place: Place


@dataclass(frozen=True, slots=True)
class Reading:
    """The prose of a card, with what the rules need of its lists and code."""

    card: Card
    question: Prose
    answer: Prose
    """The part of the answer above `---`."""
    aside: Prose
    """The part below."""
    listings: tuple[Listing, ...]
    """The lists and tables of the answer, above `---`."""
    undescribed: tuple[Place, ...] = ()
    """Where pictures stand that have no text in their place."""

    @property
    def asks(self) -> bool:
        """Whether the card has a question; a cloze card has a statement in its place."""
        return self.card.kind is not Kind.CLOZE

    @property
    def is_overview(self) -> bool:
        """Whether the card is exempt from the rules for atomic cards."""
        return OVERVIEW in self.card.tags

    @property
    def shown(self) -> tuple[Snippet, ...]:
        """The shown code. A fence without a language is a quotation, not code."""
        roles = {Role.SHOWN, Role.TEXT}
        fences = (each for each in self.card.snippets if each.options.role in roles)
        return tuple(each for each in fences if each.language)


def reading(card: Card) -> Reading:
    """Return what the rules check of a card. Problems of its Markdown were reported before."""
    asked, answered = _tokens(card.question), _tokens(card.answer)
    above, below = markdown.divided(answered, is_needed=card.kind is not Kind.CLOZE)
    answer = card.answer or Passage("", card.place)
    return Reading(
        card,
        prose(asked, card.question),
        prose(above, answer),
        prose(below, answer),
        tuple(_listings(above, answer)),
        tuple(_undescribed([*asked, *answered])),
    )


def _undescribed(tokens: Sequence[Token]) -> Iterator[Place]:
    for token in markdown.walk(tokens):
        is_bare = token.type == "image" and not token.content.strip()
        if is_bare and Path(str(token.attrs["src"])).suffix.lower() not in PLAYED:
            yield markdown.place(token)


def _tokens(passage: Passage | None) -> Sequence[Token]:
    return markdown.parse(passage).tokens if passage else ()


_ITEMS = {
    "bullet_list_open": "list_item_open",
    "ordered_list_open": "list_item_open",
    "tbody_open": "tr_open",
}
"""The token that opens a listing, and the token that opens one of its items."""


def _listings(tokens: Sequence[Token], passage: Passage) -> Iterator[Listing]:
    lines = passage.text.split("\n")
    for number, token in enumerate(tokens):
        if token.type in _ITEMS and token.map:
            items = 0
            for at in range(number + 1, len(tokens)):  # a slice would copy all that is below
                inner = tokens[at]
                if inner.level <= token.level:
                    break
                items += inner.type == _ITEMS[token.type] and inner.level == token.level + 1
            row = lines[token.map[0]]
            yield Listing(items, passage.at(token.map[0], len(row) - len(row.lstrip())))
