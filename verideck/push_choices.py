"""What a learner wants of a push into Anki: said by flags, or in the user's own configuration file.

Every command reads the latter, so that nothing is imported here that only a push needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Retired(StrEnum):
    """What becomes of a note at the learner's that has lost its card."""

    KEEP = "keep"
    """It is tagged, and stays."""
    SUSPEND = "suspend"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the learner wants of a push."""

    profile: str = ""
    """The only profile that may be written to; empty for the one that is open."""
    moves: bool = False
    """Whether cards follow their notes into other decks."""
    retired: Retired = Retired.KEEP
    sync: bool | None = None
    """Whether to sync before anything but text is changed. None: do not sync, and so change text
    alone; False: the learner has no other device, or has synced."""


@dataclass(frozen=True, slots=True)
class Usual:
    """How somebody pushes who says nothing else: from the user's own configuration file."""

    key: str = field(default="", repr=False)
    """AnkiConnect's, if its settings name one."""
    port: int = 8765
    """Where AnkiConnect listens: 8765 unless its settings say otherwise."""
    profile: str = ""
    moves: bool = False
    retired: Retired = Retired.KEEP
    sync: bool | None = None
