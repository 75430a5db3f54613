"""What a run has found, for whichever form tells it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from verideck.findings import Findings
from verideck.model import Card, Place, ProvenCard, Rewritten, Role, Snippet
from verideck.problems import Code, Problem, errors
from verideck.result import Built, Result
from verideck.source.found import Form

if TYPE_CHECKING:
    from verideck.rules.lint import Linted


class Verdict(StrEnum):
    """What a run says of a card, or of a part of a document."""

    PROVED = "proved"
    """Its code was executed, now or by a former run, and it holds."""
    FAILED = "failed"
    """It does not hold, or makes no note."""
    NO_CODE = "no-code"
    """There is nothing in it to execute; otherwise it holds."""
    UNVERIFIED = "unverified"
    """Its code was not executed, as verify is off."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One card, or one part of a document, and what became of it."""

    card: Card
    is_document: bool
    id: str
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    """Those that are its own."""
    assertions: int = 0
    seconds: float = 0.0
    """How long its snippets ran, now or in the run that proved them."""
    cached: bool = False
    """Whether it was proved by former runs alone."""
    not_run: int = 0
    """Fences that are declared not to be run."""
    no_verifier: int = 0
    """Fences in languages that nobody executes."""
    score: float | None = None
    """Of an audit; None where there was none, or nothing to judge."""

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.card.place


@dataclass(frozen=True, slots=True)
class Told:
    """All that can be told of a run."""

    root: Path
    problems: Sequence[Problem] = ()
    """In the order of their places."""
    found: Findings = field(default_factory=Result)
    """What was counted; and the cards, where a form tells of each."""
    failures: Mapping[Place, Sequence[Problem]] = field(default_factory=dict)
    """The problems of each card that did not hold when it was executed."""
    stopped: bool = False
    """Whether it ended at the first of these: no card was to become a note."""
    summary: str = ""
    """The last lines, for people."""
    packages: bool = False
    """Whether a package was to be written."""
    built: Built | None = None
    left_out: Sequence[tuple[Place, str]] = ()
    """Where the cards stand that make no note, and what they ask."""
    updated: Sequence[Rewritten] | None = None
    """What `--update` replaced; None without it."""
    forms: Sequence[Form] | None = None
    """In which form each file is read; None where that is not told."""
    audited: Sequence[ProvenCard] | None = None
    """What was audited; None where nothing was to be."""
    linted: Linted | None = None
    """What `lint` asked and found; None for another command."""
    failed_on: Sequence[str] = ()
    """What `--fail-on` found."""
    usage: str = ""
    """What is wrong with the command line, if nothing ran for that."""


def of_no_card(told: Told, entries: Sequence[Entry]) -> Sequence[Problem]:
    """Return the problems that are none of these entries' own."""
    own = {problem for entry in entries for problem in entry.problems}
    return [problem for problem in told.problems if problem not in own]


def entries_of(told: Told) -> list[Entry]:
    """Return what became of each card of a run, in the order of their places.

    A card's own problems are those of its execution; those at its first line; and, if it makes no
    note for no such reason, those in its lines.
    """
    result, problems = told.found, told.problems
    assert isinstance(result, Result), "no card was asked for"
    proven = {each.card.place: each for each in result.proven}
    noted = {note.place for note in result.notes}
    documents = {part.place for part in result.documents}
    every = sorted([*result.cards, *result.documents], key=lambda card: card.place)
    starts = [card.place for card in every]
    failed: dict[tuple[Place, Code], list[Place]] = {}
    for place, causes in told.failures.items():
        for cause in {(each.place, each.code) for each in causes}:
            failed.setdefault(cause, []).append(place)
    below: dict[Place, list[Problem]] = {}
    executed: dict[Place, list[Problem]] = {}
    for problem in problems:
        for place in failed.get((problem.place, problem.code), ()):
            executed.setdefault(place, []).append(problem)
        at = bisect_right(starts, problem.place) - 1
        if at >= 0 and starts[at].path == problem.place.path:
            below.setdefault(starts[at], []).append(problem)
    found: list[Entry] = []
    for card in every:
        place = card.place
        is_document = place in documents
        holds = place in proven and (is_document or told.stopped or place in noted)
        of_execution = executed.get(place, [])
        has_reason = holds or bool(told.failures.get(place))
        own = [
            each
            for each in below.get(place, ())
            if each.place == place or each in of_execution or not has_reason
        ]
        elsewhere = [each for each in of_execution if each not in own]
        identified = result.known.get(place, card)
        name = identified.identity.id if identified.identity else card.id
        held = proven.get(place) if holds else None
        found.append(_entry(card, name, held, (*own, *elsewhere), is_document=is_document))
    return found


def _entry(
    card: Card,
    name: str,
    proven: ProvenCard | None,
    problems: tuple[Problem, ...],
    *,
    is_document: bool,
) -> Entry:
    proofs = proven.proofs if proven else ()
    audit = proven.audit if proven else None
    return Entry(
        card,
        is_document,
        name,
        _verdict(card, proven, problems),
        problems,
        assertions=sum(proof.assertions for proof in proofs),
        seconds=sum(proof.seconds for proof in proofs),
        cached=bool(proofs) and all(proof.reused for proof in proofs),
        not_run=sum(bool(each.options.reason) for each in card.snippets),
        no_verifier=sum(map(_has_no_verifier, card.snippets)),
        score=audit.score if audit else None,
    )


def _verdict(card: Card, proven: ProvenCard | None, problems: Sequence[Problem]) -> Verdict:
    if proven is None or errors(problems):
        return Verdict.FAILED
    if not card.is_executable:
        return Verdict.NO_CODE
    return Verdict.PROVED if card.verified else Verdict.UNVERIFIED


def _has_no_verifier(snippet: Snippet) -> bool:
    return snippet.options.role is Role.SHOWN and not snippet.executable
