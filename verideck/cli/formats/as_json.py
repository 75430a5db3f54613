"""A run as one JSON object. docs/report.schema.json has its form, with a sentence on every key."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from verideck.cli.formats.told import Entry, Told, entries_of
from verideck.cli.report import asked, times_by_code
from verideck.history.diff import Difference
from verideck.model import ChangeKind, ProvenCard
from verideck.problems import Problem
from verideck.source.found import Form

if TYPE_CHECKING:
    from verideck.rules.lint import Linted


VERSION = 1
"""Of the form. A key that is added leaves it; one that changes or goes raises it."""


def run(told: Told) -> str:
    """Return a check, a build or an audit. Keys of what was not asked for are left out.

    If a package was to be written, its keys are there; they are null if none was. What is wrong
    with the command line has an object of its own.
    """
    if told.linted:
        return of_lint(told.linted)
    if told.usage:
        return json.dumps({"verideck": VERSION, "usage": told.usage}, indent=2)
    stats = told.found.stats
    value = {
        "verideck": VERSION,
        **({} if told.updated is None else {"updated": _updated(told)}),
        "cards": stats.cards if told.audited is None else _audits(told.audited),
        "documents": stats.documents,
        "snippets": stats.snippets,
        "assertions": stats.assertions,
        "reused": stats.reused,
        "not_run": stats.not_run,
        "no_verifier": stats.unverifiable,
        "unverified": stats.unverified,
        "sandbox": stats.sandbox,
        "seconds": round(stats.seconds, 3),
        "verdicts": list(map(_verdict, entries_of(told))),
        "failed_on": list(told.failed_on),
        "problems": list(map(_problem, told.problems)),
        **({} if told.forms is None else {"forms": list(map(_form, told.forms))}),
        **(_package(told) if told.packages else {}),
    }
    return json.dumps(value, indent=2)


def _verdict(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id or None,
        "kind": "document" if entry.is_document else "card",
        "path": entry.place.path,
        "line": entry.place.line,
        "question": asked(entry.card),
        "verdict": entry.verdict,
        "assertions": entry.assertions,
        "seconds": round(entry.seconds, 3),
        "cached": entry.cached,
        "not_run": entry.not_run,
        "no_verifier": entry.no_verifier,
        "score": entry.score,
    }


def _updated(told: Told) -> list[dict[str, object]]:
    return [
        {
            "path": each.place.path,
            "line": each.place.line,
            "before": each.before,
            "after": each.after,
        }
        for each in told.updated or ()
    ]


def _package(told: Told) -> dict[str, object]:
    built = told.built
    if built is None:
        keys = ("output", "sha256", "notes", "retired", "changes", "left_out")
        return dict.fromkeys(keys)
    return {
        "output": built.path,
        "sha256": built.sha256,
        "notes": built.notes,
        "retired": built.retired,
        "changes": [
            {"fate": each.kind, "id": each.id, "before": each.before, "after": each.after}
            for each in built.changes
            if each.kind is not ChangeKind.UNTOUCHED
        ],
        "left_out": [
            {"path": place.path, "line": place.line, "question": question}
            for place, question in told.left_out
        ],
    }


def _form(form: Form) -> dict[str, object]:
    """Return a form as a value for JSON; what others would find, where that was asked."""
    others = {} if form.others is None else {"others": dict(form.others)}
    return {
        "path": form.path,
        "form": form.name or None,
        "reason": form.reason or None,
        "cards": form.cards,
        **others,
    }


def _problem(problem: Problem) -> dict[str, object]:
    """Return a problem as a value for JSON."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "hint": problem.hint,
    }


def of_lint(linted: Linted) -> str:
    """Return a lint as one JSON object, with all problems and all suppressions."""
    run = {
        "verideck": VERSION,
        "cards": linted.cards,
        "rules": times_by_code(linted),
        "suppressions": [
            {
                "rule": each.rule,
                "reason": each.reason,
                "path": each.place.path,
                "line": each.place.line,
            }
            for each in linted.suppressions
        ],
        "problems": [_problem(each) for each in sorted(linted.problems, key=lambda p: p.place)],
    }
    return json.dumps(run, indent=2)


def _audits(proven: Sequence[ProvenCard]) -> list[dict[str, object]]:
    """Return what an audit found of each card that it judged."""
    return [
        {
            "id": each.card.id,
            "path": each.card.place.path,
            "line": each.card.place.line,
            "score": each.audit.score,
            "mutants": each.audit.mutants,
            "killed": each.audit.killed,
            "crashed": each.audit.crashed,
            "equivalent": each.audit.equivalent,
            "uncovered": each.audit.uncovered,
            "ignored": each.audit.ignored,
            "advised": len(each.audit.advised),
            "flaky": each.audit.flaky,
            "survivors": [
                {
                    "path": survivor.place.path,
                    "line": survivor.place.line,
                    "before": survivor.before,
                    "after": survivor.after,
                    "moved": _number(survivor.moved),
                    "uncovered": survivor.uncovered,
                }
                for survivor in each.audit.survivors
            ],
        }
        for each in proven
        if each.audit
    ]


def _number(value: float | None) -> float | None:
    """Return a number for JSON, which has no infinity: None in its place."""
    return value if value is not None and math.isfinite(value) else None


def of_differences(differences: Sequence[Difference]) -> str:
    """Return what an import would do as one JSON object."""
    notes = [
        {
            "id": each.id,
            "fates": list(each.kinds),
            "question": each.question,
            "path": each.place.path if each.place else None,
            "line": each.place.line if each.place else None,
            "arrives": each.arrives,
            "edits": dict(each.edits),
        }
        for each in differences
    ]
    counts = Counter(kind for each in differences for kind in each.kinds)
    value = {
        "verideck": VERSION,
        "counts": {kind: counts[kind] for kind in ChangeKind},
        "notes": notes,
    }
    return json.dumps(value, indent=2)
