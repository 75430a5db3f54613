"""After the proofs, if asked for: measures how many mistakes a card's assertions notice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from verideck.events import Audited, CardFailed, Counted, Listener, unheard
from verideck.model import Audit, Card, ProvenCard, Survivor
from verideck.problems import Code, Problem, Problems, Severity
from verideck.proof.executors import Executors
from verideck.proof.scheduling import Batch, executed

_FOR_SEEDS = (
    "assert what holds for every seed, or a tolerance that does; if the seed belongs to it, write "
    "`# audit: ignore` and why"
)
_FOR_RUNS = (
    "it reads the clock, or what else is never the same: assert what holds at any time; if this "
    "does, write `# audit: ignore` and why behind it"
)


def audit(
    proven: Sequence[ProvenCard],
    executors: Executors,
    floor: float,
    problems: Problems,
    on_event: Listener = unheard,
) -> list[ProvenCard]:
    """Return proven cards with their audits, in the same order.

    Reports a card whose score is below `floor`, with the changes that survived, and a card that
    fails under another seed or in another run. A card has no audit if it has no code, and no score
    if nothing in its code can be changed. A card whose audit fails is reported and left out.
    """
    batch: Batch[int, Audit | Problem] = Batch(executors.auditor, executors.stop)
    for number, each in enumerate(proven):
        batch.add(number, executed(each.card))
    on_event(Counted(len(proven), audits=True))
    audited: dict[int, ProvenCard] = {}
    by_card: dict[int, list[Problem]] = {}

    def done(number: int, answers: Sequence[Audit | Problem]) -> None:
        each, answer = proven[number], answers[0] if answers else None
        if isinstance(answer, Problem):
            by_card[number] = [answer]
            on_event(CardFailed(each.card.place, (answer,)))
            return
        audited[number] = replace(each, audit=answer)
        if answer:
            by_card[number] = list(_problems(each.card, answer, floor))
            on_event(Audited(each.card, answer))

    batch.run(done)
    for number in sorted(by_card):
        problems.extend(by_card[number])
    return [audited[number] for number in sorted(audited)]


def _problems(card: Card, audit: Audit, floor: float) -> Iterator[Problem]:
    if audit.flaky:
        yield Problem(
            Code.FLAKY,
            f"this holds by luck: {audit.flaky}",
            audit.flaky_place or card.place,
            _FOR_SEEDS if audit.flaky.startswith("with seed") else _FOR_RUNS,
        )
    if audit.score is not None and audit.score < floor:
        yield Problem(
            Code.AUDIT_FLOOR,
            f"its assertions notice {audit.killed} of {audit.judged} changes of the shown code "
            f"({audit.score:.0%}, the floor is {floor:.0%})",
            card.place,
            "compare with a reference or with known values; a shape alone proves little",
        )
        yield from map(survived, audit.survivors)


def survived(survivor: Survivor) -> Problem:
    """Return the warning for a change that no assertion noticed, at its line."""
    message = ["no assertion notices this change", f"changed to  {survivor.after}"]
    if survivor.moved is not None:
        message.append(f"values that are asserted on moved by {survivor.moved:.3g}")
    return Problem(
        Code.MUTANT_SURVIVED,
        "\n".join(message),
        survivor.place,
        "assert what it changes; if it changes nothing, write `# audit: ignore` and why",
        Severity.WARNING,
    )
