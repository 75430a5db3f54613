"""Finds out whether a card's assertions could have caught a mistake, and whether they hold by luck.

Every mutant is executed as the card is: alone, within limits, in the sandbox. A mutant is killed if
an assertion fails. If it fails otherwise, it has crashed, which says nothing of the assertions. If
all that assertions read, and every output that is compared, is as it was, it is equivalent. The
other mutants survive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from threading import Event

from verideck.model import Audit, Place, Role, Snippet, Survivor
from verideck.problems import Code, Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.audit import audit_cache
from verideck.proof.python.audit.comparison import Outcome, outcome_of
from verideck.proof.python.audit.mutations import Mutant, mutants
from verideck.proof.python.audit.seeds import Trial, luck
from verideck.proof.python.parent import proof_cache
from verideck.proof.python.parent.prover import Python, unexecuted
from verideck.proof.python.parent.request import request_of, steps_of
from verideck.proof.python.parent.verdicts import read
from verideck.proof.python.wire import messages
from verideck.proof.python.wire.messages import Request
from verideck.proof.python.wire.run import ExecutorError
from verideck.proof.python.wire.transcript import with_prompts, without_prompts
from verideck.storage.store import Store

_KILLS = {
    Code.ASSERTION_FAILED,
    Code.ASSERTION_SWALLOWED,
    Code.EXCEPTION_EXPECTED,
    Code.OUTPUT_DIFFERS,
}
"""Problems that an assertion finds."""
_GRACE, _TIMES = 5.0, 10.0
"""A mutant is given this many seconds, plus this many times what the card itself takes."""


class _Fate(StrEnum):
    """What became of a mutant. The values are the fields of an `Audit` that count them."""

    KILLED = "killed"
    CRASHED = "crashed"
    EQUIVALENT = "equivalent"
    SURVIVED = "survivors"


class Auditor:
    """Audits the Python snippets of proved cards, for many runs (see `scheduling.Executor`)."""

    def __init__(self, config: ExecutionConfig, stop: Event) -> None:
        """Start nothing before it is needed. Setting `stop` breaks off the run."""
        self.python = Python(replace(config, store=Store(None)), stop)
        self.rows = audit_cache.rows(config.store)
        self.seeds = config.seeds

    @property
    def width(self) -> int:
        """How many cards are worth auditing at the same time."""
        return self.python.width

    def begin(self) -> None:
        """Begin a run: what is installed is looked up anew."""
        self.python.begin()

    def cached(self, snippets: Sequence[Snippet]) -> Audit | None:
        """What a former audit found, if it is still true. Executes nothing."""
        request = request_of(snippets, self.python.config)
        row = self.rows.find(audit_cache.audit_key(snippets, request, self.seeds))
        if row is None or not proof_cache.is_fresh(row.run, request, self.python.installed):
            return None
        return audit_cache.audit_of(row, snippets)

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Prepare for snippets that are about to be audited."""
        self.python.expect(snippets)

    def execute(self, snippets: Sequence[Snippet]) -> Audit | Problem:
        """Execute every mutant of a card, and the card under other seeds."""
        if refusal := self.python.refusal(snippets):
            return refusal
        try:
            return self._audited(snippets)
        except ExecutorError as error:
            return unexecuted(snippets, error, self.python.config)

    def close(self) -> None:
        """End all processes, for good."""
        self.python.close()

    def _audited(self, snippets: Sequence[Snippet]) -> Audit:
        asked = request_of(snippets, self.python.config)
        request = messages.replace(asked, traces=True)
        run = self.python.engine.run(request)
        reports, last = read(run.lines, len(request.steps))
        trial = Trial(snippets, request, outcome_of(run, snippets, len(request.steps)))
        if last is None or trial.original.problem:
            flaky = trial.original.message or "it does not hold when it is run again"
            return Audit(flaky=flaky, flaky_place=trial.place(trial.original.place))
        audit = self._mutated(trial)
        if found := luck(trial, self.seeds, self._outcome):
            # Not stored: a failure by chance, or of a busy machine, is looked for again.
            return replace(audit, flaky=found[0], flaky_place=found[1])
        self.rows.keep(
            audit_cache.audit_key(snippets, asked, self.seeds),
            audit_cache.audited_run(audit, snippets, request, reports, last),
        )
        return audit

    def _mutated(self, trial: Trial) -> Audit:
        """What became of the mutants of a card."""
        limits = trial.request.limits
        timeout = min(limits.timeout, _GRACE + _TIMES * trial.original.seconds)
        limited = messages.replace(trial.request, limits=messages.replace(limits, timeout=timeout))
        audit = Audit()
        for place, mutant, changed in _changed(trial.snippets, limited):
            outcome = self._outcome(trial.snippets, changed)
            fate = _fate(trial.original, outcome)
            if mutant.advisory:
                if fate in {_Fate.SURVIVED, _Fate.EQUIVALENT}:
                    audit = replace(audit, advised=(*audit.advised, place))
                continue
            audit = replace(audit, mutants=audit.mutants + 1)
            if fate is _Fate.SURVIVED:
                moved = trial.original.farthest(outcome)
                survivor = Survivor(place, mutant.before, mutant.after, moved)
                audit = replace(audit, survivors=(*audit.survivors, survivor))
            else:
                audit = replace(audit, **{fate: getattr(audit, fate) + 1})
        return audit

    def _outcome(self, snippets: Sequence[Snippet], request: Request) -> Outcome:
        return outcome_of(self.python.engine.run(request), snippets, len(request.steps))


def _fate(original: Outcome, outcome: Outcome) -> _Fate:
    if outcome.problem in _KILLS:
        return _Fate.KILLED
    if outcome.problem:
        return _Fate.CRASHED
    return _Fate.EQUIVALENT if original.agrees(outcome) else _Fate.SURVIVED


def _changed(
    snippets: Sequence[Snippet], request: Request
) -> Iterator[tuple[Place, Mutant, Request]]:
    """Every mutant of the shown code, with its place and the request that executes it."""
    for number, snippet in enumerate(steps_of(snippets)):
        if snippet.options.role is not Role.SHOWN:
            continue
        if snippet.options.include:
            path, first = snippet.options.include, snippet.origin.line
            last = first + snippet.code.rstrip("\n").count("\n")
            source = Path(request.root, path).read_text(encoding="utf-8-sig")
            for mutant in mutants(source, first, last):
                changed = messages.replace(request, overlay={path: mutant.code})
                yield Place(path, mutant.line), mutant, changed
        else:
            for mutant in _mutants_of(snippet):
                steps = list(request.steps)
                steps[number] = messages.replace(steps[number], code=mutant.code)
                line = snippet.origin.line + mutant.line - 1
                place = Place(snippet.origin.path, line, snippet.origin.column)
                yield place, mutant, messages.replace(request, steps=tuple(steps))


def _mutants_of(snippet: Snippet) -> Iterator[Mutant]:
    """The mutants of a fence. Those of a session have its prompts, and what it prints."""
    if not snippet.session:
        yield from mutants(snippet.code)
        return
    for mutant in mutants(without_prompts(snippet.code)):
        if code := with_prompts(mutant.code, snippet.code):
            yield replace(mutant, code=code)
