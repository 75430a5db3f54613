"""What the cards of a file follow from, besides its text and the files that it includes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """The settings of a project as far as they decide what its Markdown means."""

    root: Path
    """Includes stay inside of this folder."""
    deck: str
    """The name above all decks."""
    lang: str = ""
    """Of files that name no language."""
    verify: bool = True
    """Whether snippets are executed."""
    proved: frozenset[str] = frozenset()
    """The languages that are executed, by their first names in Pygments."""
    rules: frozenset[str] = frozenset()
    """The names of the rules for cards, which a card may suppress."""
