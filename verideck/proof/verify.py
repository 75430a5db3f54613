"""Stage 3: Card -> ProvenCard. Each card is executed in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

from verideck.events import CardFailed, CardProven, Counted, Listener, unheard
from verideck.model import Card, Proof, ProvenCard
from verideck.problems import Problem, Problems, has_errors
from verideck.proof.executors import Executors
from verideck.proof.languages import Found
from verideck.proof.scheduling import Batch, executed


class Proving:
    """The proofs of one run: cards are added as they are found, then proved together."""

    def __init__(self, executors: Executors) -> None:
        """Prove by these executors."""
        self._batch: Batch[int, Found] = Batch(executors.prover, executors.stop)
        self._cards: list[Card] = []
        self._executed: set[int] = set()
        """The numbers of the cards of which something is executed."""

    def add(self, card: Card) -> None:
        """Take a card; its executor gets ready for it."""
        if snippets := executed(card):
            self._executed.add(len(self._cards))
            self._batch.add(len(self._cards), snippets)
        self._cards.append(card)

    def finish(self, problems: Problems, on_event: Listener = unheard) -> list[ProvenCard]:
        """Execute what is not proved yet. Returns the cards that hold, in their order.

        Reports what is wrong with the others, in the order of the cards, too.
        """
        on_event(Counted(len(self._cards)))
        proven: dict[int, ProvenCard] = {}
        told: dict[int, list[Problem]] = {}

        def done(number: int, answers: Sequence[Found]) -> None:
            card, found = self._cards[number], [each for answer in answers for each in answer]
            told[number] = [each for each in found if isinstance(each, Problem)]
            if has_errors(told[number]):
                on_event(CardFailed(card.place, tuple(told[number])))
                return
            proofs = tuple(each for each in found if isinstance(each, Proof))
            proven[number] = ProvenCard(card, proofs)
            on_event(CardProven(card, proofs))

        for number, card in enumerate(self._cards):
            if number not in self._executed:
                proven[number] = ProvenCard(card, ())
                on_event(CardProven(card, ()))
        self._batch.run(done)
        for number in sorted(told):
            problems.extend(told[number])
        return [proven[number] for number in sorted(proven)]
