"""The settings that decide how Markdown files are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """The settings of a project that its cards depend on, besides the text of their files."""

    root: Path
    """The project's folder. Included files are inside of it."""
    deck: str
    """The first part of every deck's name."""
    lang: str = ""
    """The language of files that name none."""
    verify: bool = True
    """Whether snippets are executed."""
    proved: frozenset[str] = frozenset()
    """The languages that have a verifier, by their first names in Pygments."""
    rules: frozenset[str] = frozenset()
    """The names of the rules that a card may suppress."""
