"""The cache of audits: the key of an audit, its row, and what of it is still true.

A card moves in its file. So a row counts lines from the fence that they are in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from verideck.model import Audit, Place, Snippet, Survivor
from verideck.proof.python.parent import proof_cache
from verideck.proof.python.parent.places import trusted_place
from verideck.proof.python.parent.proof_cache import ProvedRun
from verideck.proof.python.parent.request import steps_of
from verideck.proof.python.wire.messages import (
    Count,
    Decoder,
    Epilogue,
    Message,
    Name,
    Number,
    Request,
    StepReport,
    Word,
    Written,
    encoded,
    replace,
)
from verideck.storage.files import hashed
from verideck.storage.store import Rows, Store, key


class StoredPlace(Message, frozen=True):
    """A line, counted from the fence with that number; from the file's beginning if it is -1."""

    path: Name
    line: Number
    column: Number
    fence: int


class StoredSurvivor(Message, frozen=True):
    """A `Survivor`."""

    place: StoredPlace
    before: Written
    after: Written
    moved: float | None
    uncovered: Word


class StoredAudit(Message, frozen=True):
    """An `Audit` of a card that does not hold by luck."""

    mutants: Count
    killed: Count
    crashed: Count
    equivalent: Count
    survivors: tuple[StoredSurvivor, ...]
    ignored: Count
    advised: tuple[StoredPlace, ...]

    @property
    def adds_up(self) -> bool:
        """Whether each change became one thing."""
        fates = self.killed, self.crashed, self.equivalent, len(self.survivors)
        return self.mutants == sum(fates)


class AuditedRun(Message, frozen=True):
    """A row of the cache: an audit, and the run that shows what it depended on."""

    run: ProvedRun
    audit: StoredAudit


def rows(store: Store) -> Rows[AuditedRun]:
    """The audits that a store keeps."""
    decoder: Decoder[AuditedRun] = Decoder(AuditedRun)
    return Rows(store, "audits", decoder.from_text, encoded)


def audit_key(snippets: Sequence[Snippet], request: Request, seeds: int) -> str:
    """The key of an audit: all that it follows from, also by which changes and how it is judged."""
    shown = [
        [
            each.options.role,
            each.options.tolerance,
            each.code,
            each.origin.line if each.options.include else 0,
        ]
        for each in snippets
    ]
    return key("audit", proof_cache.run_key(request), shown, seeds, _code_hash())


@cache
def _code_hash() -> str:
    """The hash of the code that changes cards and judges what comes of it."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashed(b"".join(file.read_bytes() for file in files))


def audited_run(
    audit: Audit,
    snippets: Sequence[Snippet],
    request: Request,
    reports: Sequence[StepReport],
    last: Epilogue,
) -> AuditedRun:
    """The row of an audit."""
    run = proof_cache.proved_run(request, reports, replace(last, read=(), computed=None))
    # Lines that a run shows are of no account to an audit.
    return AuditedRun(replace(run, lines=None), _stored(audit, steps_of(snippets)))


def audit_of(row: AuditedRun, snippets: Sequence[Snippet], root: Path) -> Audit | None:
    """The audit of a row; None if its counts are none. Its places are checked as a report's are."""
    return _audit(row.audit, steps_of(snippets), root) if row.audit.adds_up else None


def _stored(audit: Audit, steps: Sequence[Snippet]) -> StoredAudit:
    return StoredAudit(
        audit.mutants,
        audit.killed,
        audit.crashed,
        audit.equivalent,
        tuple(
            StoredSurvivor(
                _stored_place(each.place, steps),
                each.before,
                each.after,
                each.moved,
                each.uncovered,
            )
            for each in audit.survivors
        ),
        audit.ignored,
        tuple(_stored_place(each, steps) for each in audit.advised),
    )


def _stored_place(place: Place, steps: Sequence[Snippet]) -> StoredPlace:
    fence = _fence_of(place, steps)
    line = place.line - (steps[fence].place.line if fence >= 0 else 0)
    return StoredPlace(place.path, line, place.column, fence)


def _fence_of(place: Place, steps: Sequence[Snippet]) -> int:
    for number, step in enumerate(steps):
        lines = range(1 if step.options.include else step.code.count("\n") + 2)
        if step.place.path == place.path and place.line - step.place.line in lines:
            return number
    return -1


def _audit(stored: StoredAudit, steps: Sequence[Snippet], root: Path) -> Audit:
    return Audit(
        mutants=stored.mutants,
        killed=stored.killed,
        crashed=stored.crashed,
        equivalent=stored.equivalent,
        survivors=tuple(
            Survivor(
                _place(each.place, steps, root), each.before, each.after, each.moved, each.uncovered
            )
            for each in stored.survivors
        ),
        ignored=stored.ignored,
        advised=tuple(_place(each, steps, root) for each in stored.advised),
        reused=True,
    )


def _place(stored: StoredPlace, steps: Sequence[Snippet], root: Path) -> Place:
    inside = 0 <= stored.fence < len(steps)
    first = steps[stored.fence].place if inside else Place(stored.path, 0)
    place = Place(first.path, first.line + stored.line, stored.column)
    return trusted_place(place, steps, root) or steps[0].place
