"""Finds out whether a card's assertions could have caught a mistake, and whether they hold by luck.

Every mutant is executed as the card is: alone, within limits, in the sandbox. It is judged by what
becomes of it:

- *killed*: an assertion fails;
- *crashed*: it fails otherwise, which says nothing of the assertions;
- *survived*: an assertion reads, or an output shows, something else, and holds all the same;
- *uncovered*: what assertions read is as it was, and the shown code computes something else (see
  `child.computed`); or its line never ran, so that it is not executed at all. It has survived, too;
- *equivalent*: all that the shown code computes is as it was. A change whose effect may be in no
  value, as that of `detach`, never is: it survives if it is not killed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from verideck.model import Audit, Place, Role, Snippet, Survivor
from verideck.problems import Code, Problem
from verideck.proof.python.audit import audit_cache
from verideck.proof.python.audit.changes import parsed
from verideck.proof.python.audit.comparison import Outcome, outcome_of
from verideck.proof.python.audit.mutations import Kind, Mutant, mutants, silenced
from verideck.proof.python.audit.seeds import Trial, code_of, hashed, luck, seeded
from verideck.proof.python.parent import proof_cache
from verideck.proof.python.parent.prover import Python, unexecuted
from verideck.proof.python.parent.request import request_of, steps_of
from verideck.proof.python.parent.testimony import Testimony, heard, is_believable
from verideck.proof.python.wire import messages
from verideck.proof.python.wire.messages import Computed, Finished, Lines, Request
from verideck.proof.python.wire.run import ExecutorError
from verideck.proof.python.wire.transcript import with_prompts, without_prompts

_KILLS = {
    Code.ASSERTION_FAILED,
    Code.ASSERTION_SWALLOWED,
    Code.EXCEPTION_EXPECTED,
    Code.OUTPUT_DIFFERS,
}
"""Problems that an assertion finds."""
_GRACE, _TIMES = 5.0, 10.0
"""A mutant is given this many seconds, plus this many times what the card itself takes."""


_UNREACHED = "what it alters reaches no assertion"
_NEVER_RAN = "this line never ran"
_NEVER_EVALUATED = "this was never evaluated"


class _Fate(StrEnum):
    """What became of a mutant. The values are the fields of an `Audit` that count them."""

    KILLED = "killed"
    CRASHED = "crashed"
    EQUIVALENT = "equivalent"
    SURVIVED = "survivors"


@dataclass(frozen=True, slots=True)
class _Source:
    """Shown code of one step."""

    number: int
    """That of the step."""
    snippet: Snippet
    code: str
    begin: Place
    """Of its first line."""
    first: int
    last: int
    """The lines of the code that are shown, counted from 1."""

    def at(self, line: int) -> Place:
        """The place of a line of the code."""
        return replace(self.begin, line=self.begin.line + line - 1)


@dataclass(frozen=True, slots=True)
class _Changed:
    """A mutant of a card: its place, its line in its file, and the request that executes it."""

    place: Place
    mutant: Mutant
    request: Request
    never: str
    """Why it is not executed: what it changes never ran. Empty if it is."""

    @property
    def runs(self) -> bool:
        """Whether what it changes is executed."""
        return not self.never


class Auditor:
    """Audits the Python snippets of proved cards, for many runs (see `scheduling.Executor`)."""

    def __init__(self, python: Python) -> None:
        """Take what proves cards. What it executes with is shared, and closed by its owner."""
        self.python = python
        self.rows = audit_cache.rows(python.config.store)
        self.seeds = python.config.seeds
        self._pool: ThreadPoolExecutor | None = None
        """Executes the runs of all cards side by side, as many at a time as is worth it."""

    @property
    def width(self) -> int:
        """How many cards are worth auditing at the same time."""
        return self.python.width

    def begin(self) -> None:
        """Begin nothing: what proves cards has begun."""

    def cached(self, snippets: Sequence[Snippet]) -> Audit | None:
        """What a former audit found, if it is still true. Executes nothing."""
        request = request_of(snippets, self.python.config)
        row = self.rows.find(audit_cache.audit_key(snippets, request, self.seeds))
        installed, files = self.python.installed, self.python.files
        if row is None or not proof_cache.is_fresh(row.run, request, installed, files):
            return None
        if not is_believable(row.run.reports, row.run.last, request):
            return None
        return audit_cache.audit_of(row, snippets, self.python.config.root)

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Prepare for snippets that are about to be audited."""
        self._pool = self._pool or ThreadPoolExecutor(max_workers=self.width)
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
        """Wait for what runs."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def _audited(self, snippets: Sequence[Snippet]) -> Audit:
        asked = request_of(snippets, self.python.config)
        request = messages.replace(
            asked, traces=True, follows=False, shown=tuple(_shown(snippets, asked))
        )
        run, said = self._heard(request)
        original = outcome_of(run, said, snippets)
        if original.problem:  # not every library bears to be looked at
            request = messages.replace(request, shown=())
            run, said = self._heard(request)
            original = outcome_of(run, said, snippets)
        reports, last = said.reports, said.last
        trial = Trial(snippets, request, original)
        if last is None or original.problem:
            flaky = original.message or "it does not hold when it is run again"
            return Audit(flaky=flaky, flaky_place=trial.place(original.place))
        again = self._outcome(snippets, messages.replace(request, passing=True))
        audit = self._mutated(trial, again)
        files = [each for each in last.depends_on.files if each.endswith(".py")]
        runs = [*seeded(trial, self.seeds), *hashed(trial, files)]
        outcomes = self._outcomes([(of, asked) for _, of, asked in runs])
        others = [(how, outcome) for (how, *_), outcome in zip(runs, outcomes, strict=True)]
        if found := luck(trial, again, others):
            # Not stored: a failure by chance, or of a busy machine, is looked for again.
            return replace(audit, flaky=found[0], flaky_place=found[1])
        self.rows.keep(
            audit_cache.audit_key(snippets, asked, self.seeds),
            audit_cache.audited_run(audit, snippets, request, reports, last),
        )
        return audit

    def _mutated(self, trial: Trial, again: Outcome) -> Audit:
        """What became of the mutants of a card; of other kinds only where no other is judged."""
        limits = trial.request.limits
        timeout = min(limits.timeout, _GRACE + _TIMES * trial.original.seconds)
        limits = messages.replace(limits, timeout=timeout)
        limited = messages.replace(trial.request, limits=limits, passing=True)
        sources = list(_sources(trial.snippets, limited))
        ignored = sum(silenced(each.code, each.first, each.last) for each in sources)
        audit = Audit(ignored=ignored)
        for kind in Kind:
            changed = [
                changed
                for source in sources
                for changed in _changed(source, trial.original.computed, limited, kind)
            ]
            executed = [each for each in changed if each.runs]
            outcomes = iter(self._outcomes([(trial.snippets, each.request) for each in executed]))
            for each in changed:
                outcome = next(outcomes) if each.runs else None
                audit = _with(audit, each, outcome, trial.original, again)
            if audit.judged or (ignored and not audit.mutants):
                break
        return audit

    def _heard(self, request: Request) -> tuple[Finished, Testimony]:
        run = self._begun(request).result()
        return run, heard(run, request, self.python.files)

    def _begun(self, request: Request) -> Future[Finished]:
        assert self._pool, "snippets are expected before they are audited"
        return self._pool.submit(self.python.engine.run, request)

    def _outcome(self, snippets: Sequence[Snippet], request: Request) -> Outcome:
        return outcome_of(*self._heard(request), snippets)

    def _outcomes(self, asked: Sequence[tuple[Sequence[Snippet], Request]]) -> list[Outcome]:
        """The outcomes of several runs, side by side."""
        runs = [self._begun(request) for _, request in asked]
        try:
            files = self.python.files
            return [
                outcome_of(run.result(), heard(run.result(), request, files), snippets)
                for run, (snippets, request) in zip(runs, asked, strict=True)
            ]
        finally:
            for run in runs:
                run.cancel()


def _with(
    audit: Audit, each: _Changed, outcome: Outcome | None, original: Outcome, again: Outcome
) -> Audit:
    """An audit with one more mutant; the outcome is None if it was not executed."""
    mutant = each.mutant
    fate = _fate(mutant, outcome, original, again)
    if mutant.advisory:
        told = fate in {_Fate.SURVIVED, _Fate.EQUIVALENT}
        return replace(audit, advised=(*audit.advised, each.place)) if told else audit
    audit = replace(audit, mutants=audit.mutants + 1)
    if fate is not _Fate.SURVIVED:
        return replace(audit, **{fate: getattr(audit, fate) + 1})
    uncovered, moved = each.never, None
    if outcome:
        uncovered = _UNREACHED if original.agrees(outcome) else ""
        moved = original.farthest(outcome)
    survivor = Survivor(each.place, mutant.before, mutant.after, moved, uncovered)
    return replace(audit, survivors=(*audit.survivors, survivor))


def _fate(mutant: Mutant, outcome: Outcome | None, original: Outcome, again: Outcome) -> _Fate:
    if outcome is None:
        return _Fate.SURVIVED
    if outcome.problem in _KILLS:
        return _Fate.KILLED
    if outcome.problem:
        return _Fate.CRASHED
    same = original.agrees(outcome) and original.computes(outcome, again)
    return _Fate.EQUIVALENT if same and not mutant.hidden else _Fate.SURVIVED


def _sources(snippets: Sequence[Snippet], request: Request) -> Iterator[_Source]:
    """The shown code; of an included file, all of it, so that it can be executed."""
    for number, snippet in enumerate(steps_of(snippets)):
        if snippet.options.role is not Role.SHOWN:
            continue
        if path := snippet.options.include:
            first = snippet.origin.line
            last = first + snippet.code.rstrip("\n").count("\n")
            code = code_of(path, Path(request.root))
            yield _Source(number, snippet, code, Place(path), first, last)
        else:
            code = without_prompts(snippet.code) if snippet.session else snippet.code
            yield _Source(number, snippet, code, snippet.origin, 1, 1 + code.count("\n"))


def _shown(snippets: Sequence[Snippet], request: Request) -> Iterator[Lines]:
    """The lines of the shown code, in the files that it is in."""
    for each in _sources(snippets, request):
        yield Lines(each.begin.path, each.at(each.first).line, each.at(each.last).line)


def _changed(
    source: _Source, computed: Computed | None, request: Request, kind: Kind
) -> Iterator[_Changed]:
    """Every mutant of some shown code."""
    never = _never(source, computed)
    for mutant in mutants(source.code, source.first, source.last, kind):
        if path := source.snippet.options.include:
            changed = messages.replace(request, overlay={path: mutant.code})
        elif (text := _as_shown(source.snippet, mutant.code)) is not None:
            steps = list(request.steps)
            steps[source.number] = messages.replace(steps[source.number], code=text)
            changed = messages.replace(request, steps=tuple(steps))
        else:
            continue
        yield _Changed(source.at(mutant.line), mutant, changed, never(mutant))


def _as_shown(snippet: Snippet, code: str) -> str | None:
    """Changed code as the fence shows it: a session with its prompts, and what it prints."""
    return with_prompts(code, snippet.code) if snippet.session else code


def _never(source: _Source, computed: Computed | None) -> Callable[[Mutant], str]:
    """Why what a mutant changes never ran; the answer is empty if it did, or if it is not known."""
    try:
        tree = parsed(source.code) if computed else None
    except (SyntaxError, ValueError, RecursionError):
        tree = None
    if computed is None or tree is None:
        return lambda _: ""
    first: dict[int, int] = {}
    # Outer statements come before those in them, which are told by their own lines.
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            decorators = getattr(node, "decorator_list", ())
            start = min([node.lineno, *(each.lineno for each in decorators)])
            lines = range(start, (node.end_lineno or node.lineno) + 1)
            first.update(dict.fromkeys(lines, node.lineno))
    path, above = source.begin.path, source.begin.line - 1
    executed = {each.line - above for each in computed.ran if each.path == path}
    skipped = [
        ((each.line - above, each.column), (each.last_line - above, each.last_column))
        for each in computed.unevaluated
        if each.path == path
    ]

    def never(mutant: Mutant) -> str:
        if mutant.line in first and first[mutant.line] not in executed:
            return _NEVER_RAN
        inside = any(start <= mutant.start < end for start, end in skipped)
        return _NEVER_EVALUATED if inside else ""

    return never
