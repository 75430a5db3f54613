"""After the proofs, if asked for: measures how many mistakes a card's assertions notice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from verideck.events import Audited, CardFailed, Counted, Executing, Listener, unheard
from verideck.model import Audit, Card, ProvenCard, Role, Survivor
from verideck.problems import Code, Problem, Problems, Severity, has_errors
from verideck.proof.executors import Executors
from verideck.proof.languages import AUDITORS
from verideck.proof.scheduling import Batch, executed

_FOR_SEEDS = (
    "assert what holds for every seed, or a tolerance that does; if the seed belongs to it, write "
    "`# audit: ignore` and why"
)
_FOR_HASHES = (
    "the order of a set of texts, and `hash`, are others in each interpreter: sort it, or assert "
    "what holds for any order; if this does, write `# audit: ignore` and why behind it"
)
_FOR_RUNS = (
    "it reads the clock, or what else is never the same: assert what holds at any time; if this "
    "does, write `# audit: ignore` and why behind it"
)
_HINTS = {"with seed": _FOR_SEEDS, "with hash seed": _FOR_HASHES}
"""By how the reason begins that a card holds by luck."""


def audit(
    proven: Sequence[ProvenCard],
    executors: Executors,
    floor: float,
    problems: Problems,
    on_event: Listener = unheard,
) -> list[ProvenCard]:
    """Return proven cards with their audits, in the same order.

    Reports a card whose score is below `floor`, with the changes that survived, a card that shows
    code in which no change could be judged, unless all are ignored with a reason, and a card that
    fails under another seed or in another run. A card has no audit if it has no code. A card whose
    audit fails is reported and left out.
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

    batch.run(
        done, lambda numbers: on_event(Executing(tuple(proven[each].card for each in numbers)))
    )
    for number in sorted(by_card):
        problems.extend(by_card[number])
    return [audited[number] for number in sorted(audited)]


def is_noticed(proven: ProvenCard, floor: float) -> bool:
    """Whether a card's audit, if it has one, finds no error in it."""
    audit = proven.audit
    return audit is None or not has_errors(_problems(proven.card, audit, floor))


def _problems(card: Card, audit: Audit, floor: float) -> Iterator[Problem]:
    if audit.flaky:
        yield Problem(
            Code.FLAKY,
            f"this holds by luck: {audit.flaky}",
            audit.flaky_place or card.place,
            next((hint for how, hint in _HINTS.items() if audit.flaky.startswith(how)), _FOR_RUNS),
        )
    if audit.score is None and floor and not (audit.flaky or audit.ignored) and _shows_code(card):
        yield Problem(
            Code.AUDIT_FLOOR,
            f"no change of the shown code can be judged: {audit.unjudged}",
            card.place,
            _unjudged_hint(audit),
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


def _shows_code(card: Card) -> bool:
    """Whether a card shows code of a language that can be audited."""
    return any(
        snippet.options.role is Role.SHOWN
        for language, snippets in executed(card).items()
        if language in AUDITORS
        for snippet in snippets
    )


def _unjudged_hint(audit: Audit) -> str:
    """What to write where no change could be judged."""
    if not audit.mutants:
        return (
            "show code that computes something, and assert what comes of it; or write "
            "`# audit: ignore` and why behind a line of it"
        )
    if not audit.equivalent:
        return (
            "show code of which a mistake gives another value and not an exception, and assert the "
            "value; or write `# audit: ignore` and why behind the lines"
        )
    return (
        "choose inputs for which a mistake would give something else: different numbers, different "
        "sizes; or write `# audit: ignore` and why behind the lines"
    )


def survived(survivor: Survivor) -> Problem:
    """Return the warning for a change that no assertion noticed, at its line."""
    why = f": {survivor.uncovered}" if survivor.uncovered else ""
    message = [f"no assertion notices this change{why}", f"changed to  {survivor.after}"]
    if survivor.moved is not None:
        message.append(f"values that are asserted on moved by {survivor.moved:.3g}")
    return Problem(
        Code.MUTANT_SURVIVED,
        "\n".join(message),
        survivor.place,
        "assert what it changes; if it changes nothing, write `# audit: ignore` and why",
        Severity.WARNING,
    )
