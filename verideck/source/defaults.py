"""What holds for a file by where it stands: the project's settings, and those of its folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from verideck.folder_settings import FolderSettings
from verideck.model import Source
from verideck.source.config import DOCUMENT, SourceConfig
from verideck.source.front_matter import FrontMatter

_SETTABLE = ("syntax", "level", "lang", "source", "verify", "hashtags", "share")
"""The keys of front matter of which the nearest value holds. Tags add up, and `deck` is a part of
a name in a folder, and a whole name in a file."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for a file that says nothing itself."""

    deck: tuple[str, ...]
    """The parts of its deck's name above its titles."""
    settings: FolderSettings

    def under(self, meta: FrontMatter) -> FrontMatter:
        """Return a file's front matter, with what it does not set."""
        unset = {key: value for key, value in _set(self.settings) if key not in meta.places}
        return replace(meta, tags=(*self.settings.tags, *meta.tags), **unset)


def defaults_of(source: Source, config: SourceConfig) -> Defaults:
    """Return what holds for a file: the nearest folder's settings, else the project's."""
    deck = (config.deck, *source.folders)
    merged = config.every
    if any(f"{source.path}/".startswith(f"{each}/") for each in config.documents):
        merged = replace(merged, syntax=DOCUMENT)
    for folder, settings in _above(source.path, config):
        if settings.deck:
            below = source.path.removeprefix(f"{folder}/")
            deck = (settings.deck, *below.split("/")[:-1])
        merged = replace(merged, tags=(*merged.tags, *settings.tags), **dict(_set(settings)))
    return Defaults(deck, merged)


def _set(settings: FolderSettings) -> Iterator[tuple[str, Any]]:
    for key in _SETTABLE:
        value = getattr(settings, key)
        if value or value is False:
            yield key, value


def _above(path: str, config: SourceConfig) -> Iterator[tuple[str, FolderSettings]]:
    """The folders above a file for which something is set, the outermost first."""
    parts = path.split("/")[:-1] if config.folders else []
    for depth in range(1, len(parts) + 1):
        folder = "/".join(parts[:depth])
        if folder in config.folders:
            yield folder, config.folders[folder]
