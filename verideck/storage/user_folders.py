"""Where the user's own files are: the configuration, and what is kept outside of all projects."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_NAME = "verideck"


def config_file() -> Path | None:
    """The path of the user's configuration file; None where the user has no folder for one."""
    folder = _absolute(platformdirs.user_config_path(_NAME, appauthor=False))
    return folder and folder / "config.toml"


def state_folder() -> Path | None:
    """The folder of what is kept for the user; None where the user has none."""
    return _absolute(platformdirs.user_state_path(_NAME, appauthor=False))


def _absolute(folder: Path) -> Path | None:
    """A relative path, as of a user without a home, would be a folder of the project's."""
    return folder if folder.is_absolute() else None
