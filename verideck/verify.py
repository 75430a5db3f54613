"""Stage 3 of 5: Card -> ProvenCard. Drives verifiers/; each card runs in a world of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from verideck.fences import is_executable
from verideck.model import Card, Proof, ProvenCard, Role, Snippet
from verideck.problems import Problem
from verideck.verifiers import VERIFIERS, Bench

Proven = Generator[ProvenCard | Problem, None, None]
Watch = Callable[[Proven, Sequence[Card]], Proven]
"""Passes on what becomes of the cards, and may show it go by."""


def unwatched(proven: Proven, _: Sequence[Card]) -> Proven:
    """Show nothing."""
    return proven


def verify(cards: Iterable[Card], bench: Bench) -> Proven:
    """Execute what the cards show, as many cards at a time as there are processors.

    The results come in the order of the cards. When whoever asks for them gives up, whatever is
    running ends at once.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        proving = [pool.submit(_prove, card, bench) for card in cards]
        try:
            for each in proving:
                yield from each.result()
        finally:
            bench.stop.set()
            pool.shutdown(cancel_futures=True)


def _prove(card: Card, bench: Bench) -> list[ProvenCard | Problem]:
    found: list[Proof | Problem] = []
    if card.verified:
        for language, snippets in _by_language(card).items():
            found += VERIFIERS[language](snippets, bench)
    problems = [each for each in found if isinstance(each, Problem)]
    proofs = tuple(each for each in found if isinstance(each, Proof))
    return list(problems) if problems else [ProvenCard(card, proofs)]


def _by_language(card: Card) -> dict[str, list[Snippet]]:
    """What is executed, for each verifier; an output goes with the fence above it."""
    languages: dict[str, list[Snippet]] = {}
    above: list[Snippet] = []
    for snippet in card.snippets:
        if is_executable(snippet):
            above = languages.setdefault(snippet.language, [])
            above.append(snippet)
        elif snippet.options.role is Role.OUTPUT:
            above.append(snippet)
    return languages
