"""Stage 3 of 5: Card -> ProvenCard. Drives verifiers/; each card runs in a world of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from verideck.fences import is_executable
from verideck.model import Card, Proof, ProvenCard, Role, Snippet
from verideck.problems import Problem, errors
from verideck.verifiers import VERIFIERS, Bench, Found, Verifier

Proven = Generator[ProvenCard | Problem, None, None]
Watch = Callable[[Proven, Sequence[Card]], Proven]
"""Passes on what becomes of the cards, and may show it go by. The cards are all of them once the
first result comes."""


def unwatched(proven: Proven, _: Sequence[Card]) -> Proven:
    """Show nothing."""
    return proven


@dataclass(frozen=True, slots=True)
class _Begun:
    """A card, what is known of its snippets already, and who is to prove the others."""

    card: Card
    known: Found
    asked: list[tuple[Verifier, Sequence[Snippet]]]


def verify(cards: Iterable[Card], bench: Bench) -> Proven:
    """Execute what the cards show, as many cards at a time as there are processors.

    Whatever executes them gets ready while the cards are still coming. The results come in the
    order of the cards. When whoever asks for them gives up, whatever is running ends at once.
    """
    verifiers = {language: opened(bench) for language, opened in VERIFIERS.items()}
    width = max(verifier.width for verifier in verifiers.values())
    with ThreadPoolExecutor(max_workers=width) as pool, _ending(verifiers, pool, bench):
        begun = [_begun(card, verifiers) for card in cards]
        proving = [
            (each, [pool.submit(verifier.prove, snippets) for verifier, snippets in each.asked])
            for each in begun
        ]
        for each, running in proving:
            found = [*each.known, *(one for future in running for one in future.result())]
            yield from _outcome(each.card, found)


@contextmanager
def _ending(
    verifiers: dict[str, Verifier], pool: ThreadPoolExecutor, bench: Bench
) -> Iterator[None]:
    """End what is running, however the run ends."""
    try:
        yield
    finally:
        bench.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for verifier in verifiers.values():
            verifier.close()


def _begun(card: Card, verifiers: dict[str, Verifier]) -> _Begun:
    begun = _Begun(card, [], [])
    for language, snippets in (executed(card) if card.verified else {}).items():
        verifier = verifiers[language]
        found = verifier.known(snippets)
        if found is None:
            verifier.expect(snippets)
            begun.asked.append((verifier, snippets))
        else:
            begun.known.extend(found)
    return begun


def _outcome(card: Card, found: Found) -> Iterator[ProvenCard | Problem]:
    problems = [each for each in found if isinstance(each, Problem)]
    yield from problems
    if not errors(problems):
        yield ProvenCard(card, tuple(each for each in found if isinstance(each, Proof)))


def executed(card: Card) -> dict[str, list[Snippet]]:
    """What of a card is executed, for each verifier; an output goes with the fence above it."""
    languages: dict[str, list[Snippet]] = {}
    above: list[Snippet] = []
    for snippet in card.snippets:
        if is_executable(snippet):
            above = languages.setdefault(snippet.language, [])
            above.append(snippet)
        elif snippet.options.role is Role.OUTPUT:
            above.append(snippet)
    return languages
