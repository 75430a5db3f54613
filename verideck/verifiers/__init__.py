"""Proofs by language. To add one: a file here, a line in `VERIFIERS`, a case in tests/spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from verideck.model import Proof, Snippet
from verideck.problems import Problem
from verideck.verifiers.bench import Bench
from verideck.verifiers.python import Python, box

__all__ = ["VERIFIERS", "Bench", "Found", "Verifier", "sandbox"]

Found = list[Proof | Problem]
"""A proof for each executed snippet of a card; or the problems for which there is none."""


class Verifier(Protocol):
    """Executes the snippets of cards: each card's in their order, in a namespace of its own.

    Its methods may be called by several threads at once.
    """

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""

    def known(self, snippets: Sequence[Snippet]) -> Found | None:
        """What need not be executed again, if it need not."""

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Get ready for snippets that are about to be proved."""

    def prove(self, snippets: Sequence[Snippet]) -> Found:
        """Execute the snippets of one card."""

    def close(self) -> None:
        """End whatever runs."""


VERIFIERS: Mapping[str, Callable[[Bench], Verifier]] = MappingProxyType({"python": Python})
"""By the language's first name in Pygments."""


def sandbox(bench: Bench) -> str:
    """The box that snippets are executed in, in a person's words."""
    if not bench.sandbox:
        return "none: turned off"
    missing = box.missing()
    return f"none: {missing}" if missing else box.NAME
