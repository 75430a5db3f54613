"""The keys of front matter: ours, other names of them, and those that other tools read alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from types import MappingProxyType

from verideck.model import Place


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a file sets for all of its cards."""

    deck: str = ""
    """The deck's full name, instead of the one that folders and titles give."""
    title: str = ""
    """The file's part of the deck's name, where no heading above the questions gives one."""
    tags: tuple[str, ...] = ()
    syntax: str = ""
    level: int = 0
    """The level of the headings that are questions; 0 if the file does not say it."""
    lang: str = ""
    verify: bool = True
    hashtags: bool = False
    """Whether `#tag` in a text is a tag of its card, and `a/b` one of two parts."""
    source: str = ""
    """Where the answers can be looked up, for cards that do not say so themselves."""
    share: str = ""
    """What the fences of a document share names in: `heading`, or else the whole file."""
    noteid: str = ""
    """The id of the card, where the whole file is one; only yanki says it."""
    place: Place = field(default=Place(""))
    """Of the file's first character."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Of each key that the file sets."""

    def at(self, key: str) -> Place:
        """Where a key stands; the top of the file for a key that is not set."""
        return self.places.get(key, self.place)


KEYS = frozenset(each.name for each in fields(FrontMatter)) - {"noteid", "place", "places"}

_OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "anki-deck": "deck",
        "cards-deck": "deck",
        "target-deck": "deck",
        "deck-name": "deck",
        "tag": "tags",
        "anki-tags": "tags",
        "file-tags": "tags",
        "language": "lang",
        "name": "title",
        "noteid": "noteid",
        "sources": "source",
    }
)
"""What the tools that make cards of notes call the same: Obsidian's plugins, hashcards, Pandoc."""

OF_MANY = frozenset({"language", "name", "sources", "tag"})
"""Names that many tools have for something of their own: a value that does not fit is theirs."""

ADDED = frozenset({"tags"})
"""Keys of ours whose values under several names add up: a vault's tags and those for the cards."""

OF_THE_NOTE = frozenset({"alias", "aliases", "cssclass", "cssclasses"})
"""Keys of Obsidian that say how a note is found and shown there. They mean nothing for a card, and
are no slip, so that nothing is told of them."""

NAMED = re.compile(
    rf"^[^\S\n]*[\"']?(?:{'|'.join(sorted({*KEYS, *_OTHER_NAMES})).replace('-', '[ _-]')})\b",
    re.MULTILINE | re.IGNORECASE,
)
"""Matches a line that begins with a key of ours."""


def spelt(key: str) -> str:
    """Return a key in the spelling of the tables here: `Anki_Deck` as `anki-deck`."""
    return re.sub(r"[ _]", "-", key.strip().lower())


def meant(key: str) -> str:
    """Return the key of ours that a key of a file is, by whichever name; empty if it is none."""
    word = spelt(key)
    return word if word in KEYS else _OTHER_NAMES.get(word, "")


@lru_cache(maxsize=512)
def misspelt(key: str) -> str:
    """Return the key of ours from which a word differs by one slip of the fingers, if one does."""
    word = spelt(key)
    return next((ours for ours in sorted(KEYS) if _is_slip(word, ours)), "")


def _is_slip(word: str, key: str) -> bool:
    """Tell whether a letter is too many, missing or another one, or two changed places."""
    start = _shared(word, key)
    end = _shared(word[start:][::-1], key[start:][::-1])
    written, right = word[start : len(word) - end], key[start : len(key) - end]
    return max(len(written), len(right)) <= 1 or (len(right) == 2 and written == right[::-1])  # noqa: PLR2004 - two letters


def _shared(one: str, other: str) -> int:
    """Return how many first characters two texts share."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
