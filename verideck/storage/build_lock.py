"""Builds of one project wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from verideck.storage.store import make_folder

_HELD = "building"
"""The file that a build holds, in the project's folder for what is kept."""


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Let no other build of the project run in between: they wait for each other.

    Where the folder cannot be written there is nothing to hold: nobody else can write there either.
    """
    held = FileLock(folder / _HELD)
    with suppress(OSError):
        make_folder(folder)
        held.acquire()
    try:
        yield
    finally:
        held.release()
