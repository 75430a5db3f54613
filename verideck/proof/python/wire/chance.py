"""Text without the parts that differ from one run to the next."""

from __future__ import annotations

import re

_CHANCE = re.compile(r" at 0x[0-9a-f]+|(?<=verideck-)[a-z0-9_]{8}(?![a-z0-9_])")
"""An address; the end of the name of the folder that a card works in."""


def without_chance(text: str) -> str:
    """Text without addresses and names of temporary folders."""
    return _CHANCE.sub("", text)
