"""Derives the id and the guid of a note, which are the same in every build."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Collection, Container

_BYTES = 5
"""Of a hash: eight letters of an id."""


def chosen(question: str, taken: Collection[str]) -> str:
    """Return an id for a card without one: the hash of its question, or another if it is taken."""
    for attempt in itertools.count():
        digest = hashlib.sha256(f"{question}{attempt or ''}".encode()).digest()
        identity = base64.b32encode(digest[:_BYTES]).decode().lower()
        if identity not in taken:
            return identity
    raise AssertionError


def guid(namespace: str, identity: str, taken: Container[str] = ()) -> str:
    """Return a note's guid: the hash of the project's namespace and the card's id.

    If the guid is taken, another one is derived: an id can be free again, because its card got a
    new one, but its guid still belongs to the note of that card.
    """
    for attempt in itertools.count():
        again = f"\x1f{attempt}" if attempt else ""
        digest = hashlib.sha256(f"{namespace}\x1f#{identity}{again}".encode()).digest()
        candidate = base64.urlsafe_b64encode(digest[:12]).decode()
        if candidate not in taken:
            return candidate
    raise AssertionError
