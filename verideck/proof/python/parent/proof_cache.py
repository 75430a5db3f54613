"""The cache of proofs: the key of a run, its row, and whether the row is still true."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from verideck.proof.python.parent import interpreter
from verideck.proof.python.parent.project_files import ProjectFiles
from verideck.proof.python.wire.messages import (
    Decoder,
    Epilogue,
    Message,
    Request,
    Step,
    StepReport,
    as_json,
    encoded,
    replace,
)
from verideck.proof.python.wire.versions import Installed
from verideck.proof.sandbox import kernel
from verideck.storage.files import hashed
from verideck.storage.store import Rows, Store, key

_NOWHERE = {"line": 0, "column": 0}
_ROOMS = ("python/child", "python/wire", "sandbox")
"""The folders of `proof` whose code a card's process executes."""


class ProvedRun(Message, frozen=True):
    """A run that proved a card: a row of the cache."""

    reports: tuple[StepReport, ...]
    last: Epilogue
    lines: tuple[tuple[int, int], ...] | None
    """The lines and columns of the steps, if the reports may show them; None if they cannot."""


def rows(store: Store) -> Rows[ProvedRun]:
    """The proofs that a store keeps."""
    decoder: Decoder[ProvedRun] = Decoder(ProvedRun)
    return Rows(store, "proofs", decoder.from_text, encoded)


def run_key(request: Request) -> str:
    """The key of a run: all that its result follows from. A step's position is left out."""
    steps = tuple(replace(step, **_NOWHERE) for step in request.steps)
    asked = as_json(replace(request, root="", steps=steps))
    code = _code_hash(Path(__file__).parents[2])
    return key(asked, interpreter.variables(), sys.version, platform.machine(), code)


def proved_run(request: Request, reports: Sequence[StepReport], last: Epilogue) -> ProvedRun:
    """The row of a run."""
    names = {Path(step.path).name for step in request.steps}
    shown = "".join(f"{each.stdout}{each.value}{each.raised}{each.said}" for each in reports)
    shows_lines = (
        any(name in shown for name in names)
        or any(each.findings for each in reports)
        or bool(last.findings)
    )
    return ProvedRun(tuple(reports), last, _lines(request.steps) if shows_lines else None)


def is_fresh(row: ProvedRun, request: Request, installed: Installed, files: ProjectFiles) -> bool:
    """Whether everything that a stored run depended on is as it was."""
    needed = row.last.depends_on
    sandboxed = bool(row.last.sandbox) or not request.sandbox or bool(kernel.missing())
    try:
        return (
            sandboxed
            and not needed.unseen
            and len(row.reports) == len(request.steps)
            and not any(report.error for report in row.reports)
            and row.lines in (None, _lines(request.steps))
            and files.are_as(needed.files, request.unlisted)
            and files.offer_as(needed.modules)
            and all(installed.version(name) == number for name, number in needed.loaded)
        )
    except ValueError:  # a forged path or name that the system does not accept
        return False


def _lines(steps: Sequence[Step]) -> tuple[tuple[int, int], ...]:
    return tuple((step.line, step.column) for step in steps)


@cache
def _code_hash(proof: Path) -> str:
    """The hash of the code that a card's process executes; no other code can change its report.

    `proof` is the folder of that package.
    """
    files = sorted(file for room in _ROOMS for file in (proof / room).glob("*.py"))
    return hashed(b"".join(file.read_bytes() for file in files))
