"""Card -> ProvenCard. Executes each card in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

from verideck.events import CardFailed, CardProven, Counted, Executing, Listener, unheard
from verideck.model import Card, Proof, ProvenCard
from verideck.problems import Problem, Problems, has_errors
from verideck.proof.executors import Executors
from verideck.proof.gathered import gathered
from verideck.proof.languages import ProofsOrProblems
from verideck.proof.near_outputs import near_outputs
from verideck.proof.scheduling import Batch, executed


class Proving:
    """The proofs of one run: cards are added one by one, then proved together."""

    def __init__(self, executors: Executors) -> None:
        """Prove by these executors."""
        self._batch: Batch[int, ProofsOrProblems] = Batch(executors.prover, executors.stop)
        self._cards: list[Card] = []
        self._executed: set[int] = set()
        """The indices of the cards with code to execute."""

    def add(self, card: Card) -> None:
        """Add a card. Its executors prepare for it while others are still being added."""
        if snippets := executed(card):
            self._executed.add(len(self._cards))
            self._batch.add(len(self._cards), snippets)
        self._cards.append(card)

    def finish(self, problems: Problems, on_event: Listener = unheard) -> list[ProvenCard]:
        """Execute the cards that have no cached proof. Returns the cards that hold, in their order.

        Reports the problems of all cards, in the order of the cards.
        """
        on_event(Counted(len(self._cards)))
        proven: list[ProvenCard | None] = [None] * len(self._cards)
        by_card: dict[int, list[Problem]] = {}

        def done(number: int, answers: Sequence[ProofsOrProblems]) -> None:
            card = self._cards[number]
            proven[number], by_card[number] = weighed(card, answers)
            if holds := proven[number]:
                on_event(CardProven(card, holds.proofs))
            else:
                on_event(CardFailed(card.place, tuple(by_card[number])))

        for number, card in enumerate(self._cards):
            if number not in self._executed:
                proven[number] = ProvenCard(card, ())
                if on_event is not unheard:  # in a large deck, events would be most of the work
                    on_event(CardProven(card, ()))
        self._batch.run(
            done,
            lambda numbers: on_event(Executing(tuple(self._cards[each] for each in numbers))),
        )
        problems.extend(gathered(each for number in sorted(by_card) for each in by_card[number]))
        return [each for each in proven if each]


def weighed(
    card: Card, answers: Sequence[ProofsOrProblems]
) -> tuple[ProvenCard | None, list[Problem]]:
    """What the answers of a card's executors come to: the card, if it holds, and its problems."""
    outcome = [each for answer in answers for each in answer]
    problems = [each for each in outcome if isinstance(each, Problem)]
    if has_errors(problems):
        return None, problems
    proofs = tuple(each for each in outcome if isinstance(each, Proof))
    return ProvenCard(card, proofs), [*problems, *near_outputs(card.snippets, proofs)]
