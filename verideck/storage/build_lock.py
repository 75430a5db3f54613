"""Builds of one project wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from verideck.storage.kept import HELD, make_folder


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Let no other build of the project run in between: they wait for each other.

    Where the folder cannot be written there is nothing to hold: nobody else can write there either.
    """
    held = FileLock(folder / HELD)
    with suppress(OSError):
        make_folder(folder)
        held.acquire()
    try:
        yield
    finally:
        held.release()
