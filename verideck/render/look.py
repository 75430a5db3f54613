"""What a card looks like, as far as it is remembered; and the note that it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

from verideck.model import Card, Kind, Media, Note
from verideck.problems import Problem


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of the project that a card shows or plays."""

    name: str
    """In Anki: it follows from the content."""
    path: str
    hash: str
    """Of its content; empty where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a card looks like, whichever note it is."""

    fields: dict[str, str]
    """HTML by field name; all but those that are told of the card itself."""
    content: str
    """The hash of what the note tells (see `model.content_of`)."""
    figures: tuple[Media, ...] = ()
    """Drawn by the card's code."""
    images: tuple[ImageFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Where there is one, the card becomes no note."""


def depends_on_run(card: Card) -> bool:
    """Tell whether what a card looks like follows from its proofs, or from what it was before."""
    is_executed = card.verified and any(each.executable for each in card.snippets)
    return is_executed or card.kind is Kind.CLOZE


def note_of(card: Card, look: Rendered, images: Mapping[str, bytes]) -> Note:
    """The note of an identified card. `images` holds the contents of its image files, by name."""
    assert card.identity
    media = {each.name: each for each in look.figures}
    media |= {each.name: Media(each.name, images[each.name]) for each in look.images}
    return Note(
        kind=card.kind,
        deck=card.deck,
        fields=MappingProxyType(
            {**look.fields, "Id": escape(card.identity.id), "Reverse": reverse(card)}
        ),
        tags=card.tags,
        media=tuple(media[name] for name in sorted(media)),
        place=card.place,
        identity=card.identity,
        content=look.content,
    )


def reverse(card: Card) -> str:
    """The field that makes a second card, which asks for the question."""
    return "yes" if card.reverse else ""


def media_name(content: bytes, suffix: str) -> str:
    """The name of a media file: it follows from the content, so a changed picture has another."""
    return f"verideck-{hashlib.sha256(content).hexdigest()[:20]}{suffix}"
