"""Markdown questions and answers become an Anki deck, and every snippet is proved first."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verideck.pipeline import build, check
    from verideck.problems import BuildFailedError

__version__ = "0.1.0"

__all__ = ["BuildFailedError", "build", "check"]

_HOMES = {"BuildFailedError": "problems", "build": "pipeline", "check": "pipeline"}


def __getattr__(name: str) -> object:
    """Import what is asked for: the processes that execute cards ask for none of it."""
    if name in _HOMES:
        return getattr(import_module(f"verideck.{_HOMES[name]}"), name)
    raise AttributeError(name)
