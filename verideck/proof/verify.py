"""Stage 3 of 5: Card -> ProvenCard. Drives verifiers/; each card runs in a world of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from threading import Event

from verideck.model import Card, Proof, ProvenCard
from verideck.problems import Problem, errors
from verideck.proof.languages import VERIFIERS, ExecutionConfig
from verideck.proof.scheduling import answers
from verideck.source.fences import executed

Proven = Generator[ProvenCard | Problem, None, None]
Watch = Callable[[str, Proven, Sequence[Card]], Proven]
"""Passes on what becomes of the cards, and may show it go by, under a name. The cards are all of
them once the first result comes."""


def unwatched(_: str, proven: Proven, __: Sequence[Card]) -> Proven:
    """Show nothing."""
    return proven


def verify(cards: Iterable[Card], config: ExecutionConfig) -> Proven:
    """Execute what the cards show, as many cards at a time as there are processors.

    Whatever executes them gets ready while the cards are still coming. The results come in the
    order of the cards. When whoever asks for them gives up, whatever is running ends at once.
    """
    stop = Event()
    verifiers = {language: opened(config, stop) for language, opened in VERIFIERS.items()}
    with closing(answers(cards, executed, verifiers, stop)) as answered:
        for card, found_by_language in answered:
            found = [each for found in found_by_language for each in found]
            problems = [each for each in found if isinstance(each, Problem)]
            yield from problems
            if not errors(problems):
                yield ProvenCard(card, tuple(each for each in found if isinstance(each, Proof)))
