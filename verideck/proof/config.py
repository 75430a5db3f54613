"""The settings of the execution of snippets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from verideck.model import Limits, Place
from verideck.storage.store import Store

PROJECT = Place("pyproject.toml")
"""The place of a problem of the whole project."""


@dataclass(frozen=True, slots=True)
class ExecutionConfig:
    """The settings that all verifiers and auditors share."""

    root: Path
    """The project's folder. Snippets can import from it, and includes are relative to it."""
    limits: Limits = field(default_factory=Limits)
    """The limits for the snippets of one card. The options of a fence replace them."""
    sandbox: bool = True
    """Whether to execute in the sandbox, if the system has one."""
    sandbox_required: bool = False
    """Whether to execute nothing if the system has no sandbox."""
    sandbox_place: Place = PROJECT
    """The place of the `sandbox` setting."""
    warnings_are_errors: bool = False
    """Whether a card does not hold if one of its snippets gives a warning."""
    shared_memory: bool = False
    """Whether the sandbox opens the shared memory and the semaphores of all processes."""
    store: Store = field(default_factory=lambda: Store(None))
    """The cache of proofs. A store without a folder stores nothing, so everything is executed."""
    updating: bool = False
    """Whether to accept any output of a snippet: it is about to be written into the card."""
    executor: str = ""
    """The engine that executes (see `python.parent.engines`); empty for the fastest one here."""
    executor_place: Place = PROJECT
    """The place of the `executor` setting."""
    jobs: int = 0
    """How many cards are executed at once at most; 0 leaves it to who executes."""
    seeds: int = 5
    """How many other seeds an audit runs a card with."""
