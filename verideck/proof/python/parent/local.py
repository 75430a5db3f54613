"""The engines that execute cards on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event

from verideck.proof.python.parent.engine import Engine
from verideck.proof.python.parent.forks import Forks
from verideck.proof.python.parent.spawned import Spawns


def opened(name: str, root: Path, stop: Event, folder: Path | None = None) -> Engine:
    """The engine `fork` or `spawn`; without a name, the fastest that is safe here.

    That is `fork` on Linux. On macOS a fork of a process that has used its libraries is not safe;
    Windows has none. Forks write into the folder, if one is given, and remove it when they end.
    """
    if name == "fork" or (not name and sys.platform == "linux"):
        return Forks(root, stop, folder)
    return Spawns(stop)
