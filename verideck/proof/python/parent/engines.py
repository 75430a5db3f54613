"""Opens the engine that executes cards: on this machine or on a cluster."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from verideck.proof.python.parent import local
from verideck.proof.python.parent.cluster import Cluster
from verideck.proof.python.parent.engine import Engine


def opened(executor: str, root: Path, stop: Event) -> Engine:
    """The engine of an executor's name: `fork`, `spawn`, a cluster's address, or empty."""
    return (
        Cluster(executor, root, stop) if "://" in executor else local.opened(executor, root, stop)
    )
