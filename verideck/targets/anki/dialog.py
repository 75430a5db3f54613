"""Anki's own import dialog, where nothing else reaches Anki: the learner presses Import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from verideck.push_plan import PushError

NAME = "Anki's own import dialog"


def opens(package: Path, profile: str = "") -> Sequence[str]:
    """Return the command that has Anki show its dialog for a package.

    An Anki that is running takes the package over, whatever its profile. Raises PushError where no
    Anki is found.
    """
    file = str(package.absolute())
    named = ["-p", profile] if profile else []
    if found := shutil.which("anki"):
        return [found, *named, file]
    if sys.platform == "darwin":
        return ["open", "-a", "Anki", file]
    raise PushError("no Anki is running with AnkiConnect, and none was found to be started", _HINT)


_HINT = (
    "open Anki with the add-on AnkiConnect (2055492159), or name a closed collection by "
    "--collection, or import the package by hand: File, Import"
)


def show(package: Path, profile: str = "") -> None:
    """Have Anki show its dialog; it goes on when this program has ended. Raises PushError."""
    try:
        started = subprocess.Popen(  # noqa: S603 - Anki, with a path
            opens(package, profile),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise PushError(f"Anki cannot be started: {error.strerror or error}", _HINT) from error
    Thread(target=started.wait, daemon=True).start()  # who goes on does not keep what has ended
