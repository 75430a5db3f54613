"""What every engine offers: it executes requests, several at a time, for many runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from verideck.proof.python.wire.messages import Finished, Request


class Engine(Protocol):
    """Executes cards. `engines.opened` opens one.

    It is opened with an event and used for many runs, until it is closed. Setting the event breaks
    off the run: calls of `run` raise StoppedError and their cards' processes are ended. When all
    calls have returned, the event can be cleared and the engine used again.
    """

    @property
    def width(self) -> int:
        """How many cards are worth executing at the same time."""

    @property
    def is_here(self) -> bool:
        """Whether cards are executed on this machine."""

    def begin(self) -> None:
        """Begin a run: the installation and the project may have changed since the last one.

        No card of another run is being executed.
        """

    def warm(self, modules: Iterable[str], words: Iterable[str]) -> None:
        """Prepare for cards that import these modules and use these words (see `needs`)."""

    def run(self, request: Request) -> Finished:
        """Execute one card. Several threads may call this at once.

        Raises StoppedError if the run is broken off, ExecutorError if the card cannot be executed.
        """

    def close(self) -> None:
        """End all processes and remove all files of the engine, for good."""
