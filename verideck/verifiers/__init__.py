"""Proofs by language. To add one: a file here, a line in `VERIFIERS`, a case in tests/spec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from verideck.model import Proof, Snippet
from verideck.problems import Problem
from verideck.verifiers import python
from verideck.verifiers.bench import Bench

__all__ = ["VERIFIERS", "Bench", "Verifier"]

Verifier = Callable[[Sequence[Snippet], Bench], Iterator[Proof | Problem]]
"""Executes the snippets of one card, in their order and in one namespace that no other card sees.

Yields a proof for each executed snippet, or the problem at which it stopped.
"""

VERIFIERS: Mapping[str, Verifier] = MappingProxyType({"python": python.prove})
"""By the language's first name in Pygments."""
