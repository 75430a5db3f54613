"""Between stages 3 and 4, where it is asked for: what the assertions of a card could catch."""

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
    """Audit cards that hold. Returns them, each with what was found.

    A card whose score is under the floor is an error, reported with what survived; so is one that
    holds by luck. A card without code, or in whose code nothing can be changed, has no score.
    """
    batch: Batch[int, Audit | Problem] = Batch(executors.auditor, executors.stop)
    for number, each in enumerate(proven):
        batch.add(number, executed(each.card))
    on_event(Counted(len(proven), audits=True))
    audited: dict[int, ProvenCard] = {}
    told: dict[int, list[Problem]] = {}

    def done(number: int, answers: Sequence[Audit | Problem]) -> None:
        each, found = proven[number], answers[0] if answers else None
        if isinstance(found, Problem):
            told[number] = [found]
            on_event(CardFailed(each.card.place, (found,)))
            return
        audited[number] = replace(each, audit=found)
        if found:
            told[number] = list(_problems(each.card, found, floor))
            on_event(Audited(each.card, found))

    batch.run(done)
    for number in sorted(told):
        problems.extend(told[number])
    return [audited[number] for number in sorted(audited)]


def _problems(card: Card, found: Audit, floor: float) -> Iterator[Problem]:
    if found.flaky:
        yield Problem(
            Code.FLAKY,
            f"this holds by luck: {found.flaky}",
            found.flaky_place or card.place,
            _FOR_SEEDS if found.flaky.startswith("with seed") else _FOR_RUNS,
        )
    if found.score is not None and found.score < floor:
        judged = found.killed + len(found.survivors)
        yield Problem(
            Code.AUDIT_FLOOR,
            f"its assertions notice {found.killed} of {judged} changes of the shown code "
            f"({found.score:.0%}, the floor is {floor:.0%})",
            card.place,
            "compare with a reference or with known values; a shape alone proves little",
        )
        yield from map(survived, found.survivors)


def survived(survivor: Survivor) -> Problem:
    """A change that nothing noticed, as a warning at its line."""
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
