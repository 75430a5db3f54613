"""Where snippets are executed, and how far they may go."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bench:
    """What every verifier is given."""

    root: Path
    """The project: importable in a snippet, and the folder that includes are relative to."""
    timeout: float
    """Wall time in seconds for the snippets of one card."""
    max_output: int
    """Bytes that the snippets of one card may print."""
    accept_output: bool = False
    """Take what a snippet prints for what it should print, because it is about to be written
    into the card."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the run is broken off: whatever is running ends at once."""
