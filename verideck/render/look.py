"""The rendered card, which can be cached, and the note that is made from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

from verideck.model import Card, Kind, Media, Note
from verideck.problems import Problem
from verideck.render.anki_text import inert


@dataclass(frozen=True, slots=True)
class Search:
    """A search for a file by its name, in which more follows from the project than one file."""

    name: str
    folder: str
    """That of the note which names it."""
    found: tuple[str, ...]
    """See `storage.named_files`."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of the project that a card shows, plays or links to."""

    name: str
    """Its name in Anki, which is derived from its content; empty if there is no such file."""
    path: str
    """Relative to the project, as written: what `..` means behind a link is left to the system."""
    hash: str
    """The hash of its content; the reason if it is outside the project or cannot be read."""
    search: Search | None = None
    """How it was found, if its path does not stand in the Markdown."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The HTML and the media of a card, without its identity."""

    fields: dict[str, str]
    """HTML by field name, for all fields but `Id` and `Reverse`."""
    content: str
    """The hash of the note's fields and tags (see `model.content_of`)."""
    figures: tuple[Media, ...] = ()
    """The figures that the card's code drew."""
    images: tuple[ImageFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    """If one of them is an error, the card becomes no note."""


def without_html(look: Rendered) -> Rendered:
    """Return what a look tells and the files that it shows, without its HTML."""
    if not look.images and not look.problems:
        return _NOTHING
    return Rendered(_NO_FIELDS, "", images=look.images, problems=look.problems)


_NO_FIELDS: dict[str, str] = {}
_NOTHING = Rendered(_NO_FIELDS, "")


def depends_on_run(card: Card) -> bool:
    """Return whether the HTML of a card depends on more than its Markdown.

    That of an executed card depends on its proofs, that of a cloze card on its former numbers.
    """
    is_executed = card.verified and card.is_executable
    return is_executed or card.kind is Kind.CLOZE


def note_of(card: Card, look: Rendered, images: Mapping[str, bytes]) -> Note:
    """Return the note of an identified card. `images` are the contents of its files by name."""
    assert card.identity
    media = {each.name: each for each in look.figures}
    media |= {each.name: Media(each.name, images[each.name]) for each in look.images if each.name}
    return Note(
        kind=card.kind,
        deck=card.deck,
        fields=MappingProxyType(
            {**look.fields, "Id": inert(escape(card.identity.id)), "Reverse": reverse(card)}
        ),
        tags=card.tags,
        media=tuple(media[name] for name in sorted(media)),
        place=card.place,
        identity=card.identity,
        content=look.content,
    )


def reverse(card: Card) -> str:
    """Return the content of the field `Reverse`. If it is not empty, Anki makes a reverse card."""
    return "yes" if card.reverse else ""


def media_name(content: bytes, suffix: str) -> str:
    """Return the name of a media file, from its content: a changed picture has another name."""
    return name_of_media(hashlib.sha256(content).hexdigest(), suffix)


def name_of_media(content_hash: str, suffix: str) -> str:
    """Return the name of a media file, from the hash of its content."""
    return f"verideck-{content_hash[:20]}{suffix}"
