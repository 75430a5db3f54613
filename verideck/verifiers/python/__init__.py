"""Proofs for Python. A card's snippets run in a process of their own.

`process` starts and limits it, `child` is what runs inside, `assertions` is how it counts, and
this page reads its report: whether everything ran to its end, and whether anything could fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verideck.model import Place, Proof, Role, Snippet
from verideck.problems import Code, Problem
from verideck.verifiers.bench import Bench
from verideck.verifiers.python import expected, process

_STEPS = {Role.SHOWN, Role.CHECK, Role.SETUP, Role.VALUE}

Report = Mapping[str, Any]
"""One line of the child's report, see `child.Child`."""


def prove(snippets: Sequence[Snippet], bench: Bench) -> Iterator[Proof | Problem]:
    """Execute a card's Python snippets; outputs among them are compared, not executed."""
    steps = [each for each in snippets if each.options.role in _STEPS]
    timeout = max([each.options.timeout or 0.0 for each in steps], default=0.0) or bench.timeout
    request = json.dumps({"root": str(bench.root.absolute()), "steps": list(map(_step, steps))})
    run = process.run(request, replace(bench, timeout=timeout))
    if run.end is process.End.OUTPUT:
        yield _unfinished(run, steps[0], timeout, bench)
        return
    reports, environment = _read(run.lines, len(steps))
    completed = environment is not None
    failed = reports and reports[-1]["error"]
    proofs: list[Proof] = []
    for snippet, report in zip(steps, reports, strict=False):
        if report["error"]:
            yield _told(report["error"], snippet)
        else:
            proofs.append(_proof(snippet, report, environment or ()))
    if not completed and not failed:
        yield _unfinished(run, steps[min(len(reports), len(steps) - 1)], timeout, bench)
    verdicts = list(_verdicts(snippets, proofs, bench))
    yield from verdicts
    if completed and not failed and not any(isinstance(each, Problem) for each in verdicts):
        yield from proofs


def _read(lines: Sequence[str], steps: int) -> tuple[list[Report], Sequence[Sequence[str]] | None]:
    """The report of each step, and what the last line holds; it tells that the card ran to its end.

    Where a snippet wrote among the reports, nothing behind that is believed.
    """
    reports: list[Report] = []
    for line in lines:
        try:
            report = json.loads(line)
        except ValueError:
            break
        if not isinstance(report, dict):
            break
        if len(reports) == steps:
            return reports, report.get("environment")
        if "held" not in report:
            break
        reports.append(report)
    return reports, None


def _step(snippet: Snippet) -> dict[str, object]:
    options = snippet.options
    return {
        "kind": "value" if options.role is Role.VALUE else "include" if options.include else "code",
        "code": snippet.code,
        "path": options.include or snippet.origin.path,
        "line": snippet.origin.line,
        "column": snippet.origin.column,
        "symbol": options.symbol,
        "raises": options.raises,
        "match": options.match,
    }


def _proof(snippet: Snippet, report: Report, environment: Sequence[Sequence[str]]) -> Proof:
    return Proof(
        snippet=snippet,
        assertions=report["held"],
        stdout=report["stdout"],
        value=report["value"],
        raised=report["raised"],
        figures=tuple(report["figures"]),
        seconds=report["seconds"],
        environment=tuple((name, version) for name, version in environment),
    )


def _told(error: Report, snippet: Snippet) -> Problem:
    """A failure at the author's line; the fence's own, if no line of theirs is known."""
    place = Place(error["path"], error["line"], error["column"]) if error["line"] else None
    return Problem(Code(error["code"]), error["message"], place or snippet.place, error["hint"])


def _unfinished(run: process.Run, running: Snippet, timeout: float, bench: Bench) -> Problem:
    match run.end:
        case process.End.TIME:
            return Problem(
                Code.TIME_LIMIT,
                f"still running after {timeout:g} s",
                running.place,
                "allow more by timeout in [tool.verideck], or by {timeout=…} on the fence",
            )
        case process.End.OUTPUT:
            return Problem(
                Code.OUTPUT_LIMIT,
                f"printed more than {bench.max_output:,} bytes",
                running.place,
                "allow more by max_output in [tool.verideck]",
            )
        case process.End.BY_ITSELF:
            return Problem(
                Code.ENDED_EARLY,
                f"the process ended before the last statement ({run.how})",
                running.place,
                "a card's code must run to its end; nothing after this point was executed",
            )


@dataclass(slots=True)
class _Group:
    """A shown fence with what checks it: the checks and the output under it."""

    first: Snippet
    assertions: int = 0


def _verdicts(
    snippets: Sequence[Snippet], proofs: Sequence[Proof], bench: Bench
) -> Iterator[Proof | Problem]:
    """What the fences together show: outputs are as told, and something could have failed."""
    by_place = {proof.snippet.place: proof for proof in proofs}
    groups: list[_Group] = []
    above: Proof | None = None
    for snippet in snippets:
        role = snippet.options.role
        if role is Role.SHOWN or (role is Role.CHECK and not groups):
            groups.append(_Group(snippet))
        if role is Role.OUTPUT and above:
            groups[-1].assertions += 1
            yield from _compared(snippet, above, bench)
        elif role in _STEPS:
            above = by_place.get(snippet.place)
            if above is None:
                return
            if groups and role is not Role.SETUP:
                groups[-1].assertions += above.assertions
    for group in groups:
        if not group.assertions:
            yield Problem(
                Code.NOTHING_ASSERTED,
                "this snippet ran, and nothing in it could have failed",
                group.first.place,
                "assert what it shows, here or in a ```python {.check} under it; or show what it "
                "prints in an ```output under it",
            )


def _compared(snippet: Snippet, above: Proof, bench: Bench) -> Iterator[Proof | Problem]:
    difference = expected.difference(snippet.code, above.stdout, snippet.options.tolerance)
    if difference is None or bench.accept_output:
        yield Proof(snippet, 1, stdout=above.stdout)
        return
    yield Problem(
        Code.OUTPUT_DIFFERS,
        f"the snippet above prints something else\nexpected  {difference.expected}\n"
        f"printed   {difference.actual}",
        replace(snippet.place, line=snippet.place.line + difference.line),
        "run with --update to write what it prints into the card",
    )
