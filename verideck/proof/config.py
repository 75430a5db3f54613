"""Where snippets are executed, and how far they may go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from verideck.model import Limits, Place
from verideck.storage.store import Store

PROJECT = Place("pyproject.toml")
"""Where a problem of the whole project stands."""


@dataclass(frozen=True, slots=True)
class ExecutionConfig:
    """What every verifier is given."""

    root: Path
    """The project: importable in a snippet, and the folder that includes are relative to."""
    limits: Limits = field(default_factory=Limits)
    """For the snippets of one card; a fence may set its own."""
    sandbox: bool = True
    """Execute in the sandbox, where the system has one."""
    sandbox_required: bool = False
    """Execute nothing where it has none."""
    sandbox_place: Place = PROJECT
    """Where that is set, if it is."""
    store: Store = field(default_factory=lambda: Store(None))
    """Where proofs are kept; in a store without a folder none is, and everything is executed."""
    updating: bool = False
    """Take what a snippet prints for what it should print, because it is about to be written
    into the card."""
    executor: str = ""
    """The engine that executes, see `python.parent.engines`; by default the fastest one here."""
    executor_place: Place = PROJECT
    """Where that is set, if it is."""
    seeds: int = 5
    """Under how many other seeds an audit runs a card."""
