"""Executes requests (see `child`), several at a time.

In forks of a warm parent where this system forks safely, else each in an interpreter of its own; or
on a cluster.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Protocol

from verideck.proof.python.wire.channel import Message
from verideck.proof.python.wire.run import Run


class Engine(Protocol):
    """Whatever executes cards."""

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""

    @property
    def is_here(self) -> bool:
        """Whether cards are executed on this machine."""

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Get ready for cards that import these modules and use these words."""

    def run(self, request: Message) -> Run:
        """Execute one card.

        Raises StoppedError when the whole run is being broken off, ExecutorError when there is
        nobody to execute the card.
        """

    def close(self) -> None:
        """End whatever runs."""


def engine(executor: str, root: Path, stop: Event, folder: Path | None = None) -> Engine:
    """Whoever an executor's name means: `fork`, `spawn` or a cluster's address.

    By default, forks on Linux; on macOS a fork of a process that has used its libraries is not
    safe, on Windows there is none. What it writes goes into the folder, where there is one; forks
    remove it with all else that is in it when the last of them ends, whoever was killed.
    """
    # Whoever is not asked for need not be imported.
    if "://" in executor:
        from verideck.proof.python.parent.cluster import Cluster  # noqa: PLC0415

        return Cluster(executor, root, stop)
    if executor == "fork" or (not executor and sys.platform == "linux"):
        from verideck.proof.python.parent.forks import Forks  # noqa: PLC0415

        return Forks(stop, folder)
    from verideck.proof.python.parent.spawned import Spawns  # noqa: PLC0415

    return Spawns(stop)
