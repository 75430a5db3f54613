"""The ids of notes and cards in a package, which follow from the notes' guids."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

_EARLIEST = 1_000_000_000_000
_SPAN = 600_000_000_000
"""Anki's ids are moments in milliseconds: these lie between September 2001 and September 2020."""


def ids_of(guids: Iterable[str]) -> Mapping[str, int]:
    """Ids that follow from the guids: positive, in the past, unique in the package.

    A learner who deleted a note and imports it again gets its old reviews back, because Anki
    finds them by the ids. Ids leave room for the ids of the note's cards behind them.
    """
    taken: set[int] = set()
    found: dict[str, int] = {}
    for each in sorted(guids):
        digest = hashlib.sha256(each.encode()).digest()
        number = _EARLIEST + int.from_bytes(digest[:8]) % _SPAN
        while number in taken:
            number += 1
        taken.add(number)
        found[each] = number
    return found
