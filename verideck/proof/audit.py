"""Between stages 3 and 4, where it is asked for: what the assertions of a card could catch."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from threading import Event

from verideck.model import Audit, Card, ProvenCard, Snippet, Survivor
from verideck.problems import Code, Problem, Severity
from verideck.proof.languages import AUDITORS, ExecutionConfig
from verideck.proof.scheduling import answers
from verideck.source.fences import executed

Audited = Generator[ProvenCard | Problem, None, None]


_FOR_SEEDS = (
    "assert what holds for every seed, or a tolerance that does; if the seed belongs to it, write "
    "`# audit: ignore` and why"
)
_FOR_RUNS = (
    "it reads the clock, or what else is never the same: assert what holds at any time; if this "
    "does, write `# audit: ignore` and why behind it"
)


def audit(proven: Iterable[ProvenCard], config: ExecutionConfig, floor: float) -> Audited:
    """Audit cards that hold; each comes with what was found.

    A card whose score is under the floor is an error, told with what survived; so is one that holds
    by luck. A card without code, or whose code nothing can be changed in, has no score.
    """
    stop = Event()
    auditors = {language: opened(config, stop) for language, opened in AUDITORS.items()}
    with closing(answers(proven, _executed, auditors, stop)) as answered:
        for each, audits in answered:
            found = audits[0] if audits else None
            if isinstance(found, Problem):
                yield found
                continue
            if found:
                yield from _problems(each.card, found, floor)
            yield replace(each, audit=found)


def _executed(proven: ProvenCard) -> Mapping[str, Sequence[Snippet]]:
    return executed(proven.card)


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
