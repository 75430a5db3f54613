"""The settings that decide how Markdown files are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from verideck.folder_settings import FolderSettings

DOCUMENT = "docs"
"""The word in place of a form of cards for a file that holds none, and is executed."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """The settings of a project that its cards depend on, besides the text of their files."""

    root: Path
    """The project's folder. Included files are inside of it."""
    deck: str
    """The first part of every deck's name."""
    every: FolderSettings = field(default_factory=FolderSettings)
    """What holds for every file that says nothing else, but for `deck`."""
    folders: Mapping[str, FolderSettings] = field(default_factory=lambda: MappingProxyType({}))
    """What holds for the files below a folder, by its path."""
    documents: tuple[str, ...] = ()
    """The paths of files that are documents, and of folders of them."""
    require_assertions: bool = False
    """Whether the fences of documents must assert."""
    verify: bool = True
    """Whether snippets are executed."""
    proved: frozenset[str] = frozenset()
    """The languages that have a verifier, by their first names in Pygments."""
    caps: tuple[tuple[str, float], ...] = ()
    """By the name of a limit: the most that the options of a fence may ask for."""
    rules: frozenset[str] = frozenset()
    """The names of the rules that a card may suppress."""
