"""What a target is: where a deck can go, and what becomes of it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from verideck.model import DeckContents, ShownDeck
from verideck.problems import Problems
from verideck.storage.reading import Limit, opened


@dataclass(frozen=True, slots=True)
class AnkiTarget:
    """A file that Anki imports. What goes into it is stamped, and `cards.lock` remembers it."""

    content: Callable[[DeckContents], bytes]
    """Returns what the file holds. The same contents give the same bytes; no disk is touched."""
    require_ours: Callable[[Path], None]
    """Raises ValueError for a file that verideck did not write, and OSError for none."""


@dataclass(frozen=True, slots=True)
class ReadersTarget:
    """A file for others than Anki. Nothing is stamped for it, and nothing remembered."""

    content: Callable[[ShownDeck, Problems], bytes]
    """Returns what the file holds. Reports what of the deck it has no place for."""
    require_ours: Callable[[Path], None]
    """As of `AnkiTarget`."""
    layouts: tuple[str, ...] = ()
    """The ways in which it can lay out a deck, besides its usual one: words for `--print`."""
    shows_cards: bool = True
    """False if it takes what notes hold, and not their cards: no formula becomes MathML then."""


def begins_with(mark: bytes) -> Callable[[Path], None]:
    """Return a `require_ours` for files that begin with a mark."""

    def require(file: Path) -> None:
        with opened(file, Limit.DATA) as stream:
            if stream.read(len(mark)) != mark:
                raise ValueError(f"{file} does not begin as what verideck writes")

    return require


Target = AnkiTarget | ReadersTarget
