"""`[tool.verideck.folders."notes/ml"]`: what holds for all files below a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, get_type_hints

from msgspec import Meta

from verideck.problems import shown, suggestion
from verideck.setting_types import Level, MaybeSwitch, SettingError, Shared, Tags, Text, typed


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """What holds for all files in a folder, and below it, that say nothing else."""

    deck: Text = ""
    """The name above the decks of its files, instead of the project's and the folders' above it."""
    tags: Tags = ()
    """Besides those of the project, of the folders above it and of its files."""
    syntax: Text = ""
    level: Level = 0
    lang: Text = ""
    source: Text = ""
    """Where what its cards say comes from, of those that do not say it themselves."""
    verify: MaybeSwitch = None
    """None where it is not set."""
    hashtags: MaybeSwitch = None
    share: Shared = ""
    """What the fences of a document share names in: `file` or `heading`."""


Folders = Annotated[Mapping[str, FolderSettings], Meta(description="a table of folders")]
_TYPES: Mapping[str, Any] = get_type_hints(FolderSettings, include_extras=True)


def folder_settings(
    table: Mapping[str, object], root: Path, refuse: Callable[[str, SettingError], None]
) -> dict[str, FolderSettings]:
    """Return what is set for folders, by their paths from the project's folder.

    Calls `refuse` with what is wrong, and the name of the setting: `folders.notes/ml.level`.
    """
    found: dict[str, FolderSettings] = {}
    for folder, settings in table.items():
        name = f"folders.{folder}"
        values: dict[str, Any] = {}
        try:
            path = _path(folder, root)
            given = _table(name, settings)
        except SettingError as error:
            refuse(name, error)
            continue
        for key, value in given.items():
            try:
                values[key] = _value(key, value)
            except SettingError as error:
                refuse(f"{name}.{key}", error)
        found[path] = FolderSettings(**values)
    return found


def _path(folder: str, root: Path) -> str:
    """A folder's path as places name files: from the project's folder, with forward slashes."""
    path = PurePosixPath(folder.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise SettingError(f"{folder} is no folder of the project", "write its path from here")
    if not path.parts or not (root / path).is_dir():
        raise SettingError(f"there is no folder {folder}", "write its path from here: cards/ml")
    return str(path)


def _table(name: str, settings: object) -> Mapping[str, object]:
    if not isinstance(settings, dict):
        raise SettingError(f"{name} must be a table of settings, not {shown(settings)}")
    return settings


def _value(key: str, value: object) -> object:
    if key not in _TYPES:
        hint = suggestion(key, frozenset(_TYPES))
        raise SettingError(f"there is no setting {key} of a folder", hint)
    return typed(key, value, _TYPES[key])
