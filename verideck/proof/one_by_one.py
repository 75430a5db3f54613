"""Card -> ProvenCard, for whoever asks for one card after another."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from verideck.model import Card, Place, ProvenCard, Snippet
from verideck.problems import Problem
from verideck.proof.executors import Executors
from verideck.proof.languages import ProofsOrProblems
from verideck.proof.scheduling import Executor, executed
from verideck.proof.verify import weighed

_AHEAD = 2
"""How many cards are begun for each that can be executed at once, so that none of these waits."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What the proof of a card came to."""

    proven: ProvenCard | None
    """None for a card that does not hold."""
    problems: tuple[Problem, ...]
    seconds: float
    """How long its execution took, without the time for which it waited; 0 if nothing was."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A card whose proof has begun: the answers that are there already, and those to come."""

    answers: list[ProofsOrProblems]
    waiting: list[Future[tuple[ProofsOrProblems, float]]] = field(default_factory=list)


class OneByOne:
    """Proves the card that is asked for, and begins with those that will be asked for next."""

    def __init__(self, executors: Executors) -> None:
        """Prove by these executors."""
        self._executors = executors
        self._pools: dict[str, ThreadPoolExecutor] = {}
        """For each language, as many threads as its executor is worth."""
        self._begun: dict[Place, _Begun] = {}
        self._width = 1

    def prove(self, card: Card, ahead: Iterable[Card] = ()) -> Proved:
        """Return what the proof of a card comes to.

        Of `ahead`, which are the cards that come next, as many are begun as are worth it; they go
        on after this returns, and wait until they are asked for.
        """
        begun = self._begin(card)
        for each in ahead:
            if len(self._begun) > _AHEAD * self._width:
                break
            self._begin(each)
        done = [future.result() for future in begun.waiting]
        del self._begun[card.place]
        proven, problems = weighed(card, [*begun.answers, *(answer for answer, _ in done)])
        return Proved(proven, tuple(problems), sum(seconds for _, seconds in done))

    def close(self) -> None:
        """Break off whatever was begun."""
        self._executors.stop.set()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        self._executors.stop.clear()
        self._begun.clear()

    def _begin(self, card: Card) -> _Begun:
        if card.place in self._begun:
            return self._begun[card.place]
        begun = self._begun[card.place] = _Begun([])
        for language, snippets in executed(card).items():
            if executor := self._executors.prover(language):
                answer = executor.cached(snippets)
                if answer is None:
                    executor.expect(snippets)
                    pool = self._pool(language, executor)
                    begun.waiting.append(pool.submit(_timed, executor, snippets))
                else:
                    begun.answers.append(answer)
        return begun

    def _pool(self, language: str, executor: Executor[ProofsOrProblems]) -> ThreadPoolExecutor:
        if language not in self._pools:
            self._width = max(self._width, executor.width)
            self._pools[language] = ThreadPoolExecutor(max_workers=executor.width)
        return self._pools[language]


def _timed(
    executor: Executor[ProofsOrProblems], snippets: Sequence[Snippet]
) -> tuple[ProofsOrProblems, float]:
    started = time.perf_counter()
    answer = executor.execute(snippets)
    return answer, time.perf_counter() - started
