"""What makes a note the same note in every build: its id, its guid, and the ids that follow."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Collection, Container

_LETTERS = 8


def chosen(question: str, taken: Collection[str]) -> str:
    """An id for a card whose author wrote none: it follows from its question."""
    for attempt in itertools.count():
        digest = hashlib.sha256(f"{question}{attempt or ''}".encode()).digest()
        found = base64.b32encode(digest).decode().lower()[:_LETTERS]
        if found not in taken:
            return found
    raise AssertionError


def guid(namespace: str, identity: str, taken: Container[str] = ()) -> str:
    """A note's guid. It follows from the project's namespace and the card's id, nothing else.

    Unless it is taken: an id that another card had before it got a new one is free, its guid never.
    """
    for attempt in itertools.count():
        again = f"\x1f{attempt}" if attempt else ""
        digest = hashlib.sha256(f"{namespace}\x1f#{identity}{again}".encode()).digest()
        found = base64.urlsafe_b64encode(digest[:12]).decode()
        if found not in taken:
            return found
    raise AssertionError
