"""The moment that stamps a build: never a clock's where the cards themselves can tell."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

_YEAR_10000 = 253_402_300_800


def moment(root: Path, environment: Mapping[str, str] = os.environ) -> int:
    """Seconds since 1970.

    `SOURCE_DATE_EPOCH` if it is set (reproducible-builds.org); else the last commit of a project
    whose files are as they were committed, so that a clone of it builds the same bytes; else now,
    because Anki takes an edited note only if it is stamped later than the last one it saw.
    Raises ValueError if `SOURCE_DATE_EPOCH` is not a number above 0 of a year that has a name.
    """
    given = environment.get("SOURCE_DATE_EPOCH")
    if given:
        if not 0 < int(given) < _YEAR_10000:
            raise ValueError(given)
        return int(given)
    if _git(root, "status", "--porcelain", ".") == "":
        committed = _git(root, "log", "-1", "--format=%ct", "--", ".")
        if committed:
            return int(committed)
    return int(time.time())


def _git(root: Path, *arguments: str) -> str | None:
    """What git says of the project; None where there is no git, no repository, no commit."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(root), *arguments],  # noqa: S607 - whichever git is installed
            capture_output=True,
            check=False,
            text=True,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
