"""verideck: Markdown questions and answers become an Anki deck whose every snippet was proved."""

from verideck.build import build, check
from verideck.problems import BuildFailedError

__all__ = ["BuildFailedError", "build", "check"]
