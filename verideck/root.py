"""Which folders are too wide to be the root of a project, whose every file snippets may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from verideck.storage.files import resolved

_SHARED = stat.S_IWOTH | stat.S_ISVTX
"""The mode of folders like /tmp: everybody may put a pyproject.toml there."""


def too_wide(folder: Path) -> str:
    """What a folder is that must not be a project's root by itself; empty if it may be."""
    real = resolved(folder)
    if real.parent == real:
        return "the root of the disk"
    for home in _homes():
        if real == home:
            return "the home directory"
        if home.is_relative_to(real):
            return "a folder above the home directory"
    with suppress(OSError):
        if real.stat().st_mode & _SHARED == _SHARED:
            return "a folder into which everybody can write"
    return ""


def holds_repositories(folder: Path) -> bool:
    """Tell whether a folder is no repository, and holds several."""
    with suppress(OSError), os.scandir(folder) as entries:
        found = [each for each in entries if each.is_dir() and Path(each.path, ".git").exists()]
        return len(found) > 1 and not Path(folder, ".git").exists()
    return False


def _homes() -> Iterator[Path]:
    """The user's home as the environment has it, and as the system does."""
    named = [os.path.expanduser("~")]  # noqa: PTH111 - `Path.home` raises where there is none
    with suppress(ImportError, KeyError):
        import pwd  # noqa: PLC0415 - not on Windows

        named.append(pwd.getpwuid(os.getuid()).pw_dir)
    return (resolved(Path(each)) for each in named if Path(each).is_absolute())
