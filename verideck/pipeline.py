"""THE WAY: the stages in their order. Start reading here.

Each stage takes values, returns values, and reports to one sink. What is open for many runs comes
along as `Run`: the settings, the lock, what is remembered, who executes, and who listens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from verideck.events import CardRendered, Listener
from verideck.history.changes import changes, stale
from verideck.history.lock import Lock, lock_file
from verideck.history.recognise import Identities, recognise
from verideck.history.scope import Scope
from verideck.history.stamp import stamp
from verideck.memo import Memo
from verideck.model import Built, Card, DeckContents, Kind, Note, ProvenCard
from verideck.problems import Problems
from verideck.proof.audit import audit
from verideck.proof.executors import Executors
from verideck.proof.verify import Proving
from verideck.render.note_types import notetype
from verideck.result import Result
from verideck.settings import Settings
from verideck.source.collect import collect
from verideck.storage.store import Store
from verideck.targets.deliver import deliver
from verideck.targets.packages import former_notes


@dataclass(frozen=True, slots=True)
class Run:
    """What a run uses of the project that is open."""

    settings: Settings
    lock: Lock
    memo: Memo
    identities: Identities
    executors: Executors
    store: Store
    on_event: Listener


def check(run: Run, paths: Sequence[Path], problems: Problems, *, audits: bool) -> Result:
    """Everything but package: Markdown -> cards -> proofs -> identities -> notes."""
    settings, executors = run.settings, run.executors
    proving = Proving(executors.provers, executors.stop)
    found = collect(paths, settings, run.memo, problems, on_card=proving.add)
    proven = proving.finish(problems, run.on_event)
    if audits:
        proven = audit(
            proven, executors.auditors, executors.stop, settings.audit_floor, problems, run.on_event
        )
    scope = Scope(
        settings.root, found.is_whole, found.files,
        found.context_files, found.context_cards, found.unanswered,
    )  # fmt: skip
    notes = noted(run, proven, found.cards, scope, problems)
    opened = {file for each in proven for proof in each.proofs for file in proof.files}
    inputs = found.files | found.included | opened | run.memo.images()
    return Result(
        found.cards,
        tuple(proven),
        notes,
        tuple(problems),
        inputs=inputs,
        scope=scope,
        lock=run.lock,
    )


def noted(
    run: Run,
    proven: Sequence[ProvenCard],
    cards: Sequence[Card],
    scope: Scope,
    problems: Problems,
) -> tuple[Note, ...]:
    """Identify the cards, and render those that hold."""
    known = recognise(cards, run.lock, scope, run.settings.namespace, problems, run.identities)
    notes: list[Note] = []
    for each in proven:
        card = known.get(each.card.place)
        if card and (note := run.memo.note(each, card, problems)):
            run.on_event(CardRendered(note))
            notes.append(note)
    return tuple(notes)


def stamped(run: Run, result: Result, output: Path, build_time: int) -> tuple[DeckContents, Lock]:
    """The deck as it is to be packaged, and the lock that remembers it."""
    settings = run.settings
    former = partial(former_notes, [settings.root / settings.output, output])
    types = {kind: notetype(kind) for kind in Kind}
    return stamp(result.notes, run.lock, result.scope, former, build_time, types)


def package(
    run: Run, result: Result, output: Path, build_time: int, problems: Problems, *, locked: bool
) -> Built | None:
    """Stamp and deliver. With `locked`, a lock that would be written is an error."""
    contents, after = stamped(run, result, output, build_time)
    if locked and run.lock != after:
        problems.report(stale(run.lock, after, result.scope))
    if problems.has_errors:
        return None
    root = run.settings.root
    beside = {} if locked else lock_file(root, run.lock, after)
    receipt = deliver(contents, output, beside, root, run.store, problems)
    if receipt is None:
        return None
    retired = sum(note.retired for note in contents.notes)
    happened = tuple(changes(run.lock, after, result.scope))
    return Built(receipt.path, receipt.sha256, len(contents.notes) - retired, retired, happened)
