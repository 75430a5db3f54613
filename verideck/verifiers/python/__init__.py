"""Proofs for Python. A card's snippets run in a process of their own.

`engine` executes requests, in `child` and in a `box`; `kept` knows which need not be executed
again; this page makes the request of a card, and reads in its report whether everything ran to its
end, and whether anything could have failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from verideck.cache import Cache
from verideck.model import Limits, Place, Proof, Role, Snippet
from verideck.problems import Code, Problem, Severity
from verideck.verifiers.bench import Bench
from verideck.verifiers.python import box, engine, expected, kept, needs
from verideck.verifiers.python.run import End, ExecutorError, NobodyError, Run
from verideck.verifiers.python.wire import Message

_STEPS = {Role.SHOWN, Role.CHECK, Role.SETUP, Role.VALUE}

Report = Mapping[str, Any]
"""One line of the child's report, see `child.Child`."""


class Python:
    """Executes the Python snippets of cards; outputs among them are compared, not executed."""

    def __init__(self, bench: Bench, stop: Event) -> None:
        """Start nothing before it is needed; end what runs when `stop` is set."""
        self.bench = bench
        self.engine = engine.engine(bench.executor, bench.root, stop)
        self.cache = Cache(bench.cache, "proofs")

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""
        return self.engine.width

    def known(self, snippets: Sequence[Snippet]) -> list[Proof | Problem] | None:
        """What a former run proved and what still holds, without executing anything."""
        request = self.request(snippets)
        entry = self.cache.find(kept.run_key(request))
        if entry is None or not kept.holds(entry, request):
            return None
        if self.bench.sandbox_required and not entry["last"]["box"]:
            return None
        found = list(_judged(snippets, entry["reports"], entry["last"], self.bench))
        proofs = [replace(each, reused=True) for each in found if isinstance(each, Proof)]
        return list(proofs) if len(proofs) == len(found) else None

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Get ready for snippets that are about to be proved."""
        code = "\n".join(map(_text, steps_of(snippets)))
        self.engine.warm(*needs.needed(code, self.bench.root))

    def answer(self, snippets: Sequence[Snippet]) -> list[Proof | Problem]:
        """Execute the snippets of one card."""
        request = self.request(snippets)
        if refusal := self.refusal(snippets):
            return [refusal]
        try:
            run = self.engine.run(request)
        except ExecutorError as error:
            return [unexecuted(snippets, error)]
        reports, last = read(run.lines, len(request["steps"]))
        found = list(_told(snippets, run, self.bench))
        if last and self.bench.sandbox_required and not last["box"]:
            return [_unboxed(steps_of(snippets)[0], "the machine that executed it has none")]
        if last and not any(isinstance(each, Problem) for each in found):
            self.cache.keep(kept.run_key(request), kept.entry(request, reports, last))
        return found

    def refusal(self, snippets: Sequence[Snippet]) -> Problem | None:
        """Why the snippets of a card must not be executed, as far as that is known here."""
        missing = "it is turned off"
        if self.bench.sandbox:
            missing = box.missing() if self.engine.is_here else ""
        required = self.bench.sandbox_required and missing
        return _unboxed(steps_of(snippets)[0], missing) if required else None

    def request(self, snippets: Sequence[Snippet]) -> Message:
        """What the child is asked for, see there."""
        steps = steps_of(snippets)
        return {
            "root": str(self.bench.root.resolve()),
            "steps": [_step(each) for each in steps],
            "limits": asdict(_limits(steps, self.bench.limits)),
            "box": self.bench.sandbox,
            "seed": 0,
            "overlay": {},
            "trace": False,
        }

    def close(self) -> None:
        """End whatever runs."""
        self.engine.close()


def steps_of(snippets: Sequence[Snippet]) -> list[Snippet]:
    """Those of a card's snippets that are executed."""
    return [each for each in snippets if each.options.role in _STEPS]


def unexecuted(snippets: Sequence[Snippet], error: ExecutorError) -> Problem:
    """A card that nobody executed; if nobody executes any, that is the project's problem."""
    nobody = isinstance(error, NobodyError)
    place = Place("pyproject.toml") if nobody else steps_of(snippets)[0].place
    return Problem(Code.EXECUTOR_FAILED, str(error), place)


def _text(snippet: Snippet) -> str:
    """Code that imports what a snippet imports."""
    if snippet.options.include:
        return f"import {'.'.join(Path(snippet.options.include).with_suffix('').parts)}"
    return snippet.code


def _limits(steps: Sequence[Snippet], default: Limits) -> Limits:
    """The default, with what fences set: where several do, the most generous."""
    allowed: dict[str, float] = {}
    for step in steps:
        for name, limit in step.options.limits:
            allowed[name] = max(limit, allowed.get(name, limit))
    return replace(default, **allowed)  # type: ignore[arg-type] # whole numbers but for timeout


def _unboxed(snippet: Snippet, why: str) -> Problem:
    return Problem(
        Code.SANDBOX_MISSING,
        f"a box is required, and there is none: {why}",
        snippet.place,
        "without require_sandbox, snippets are executed with your rights",
    )


def _told(snippets: Sequence[Snippet], run: Run, bench: Bench) -> Iterator[Proof | Problem]:
    """What a run came to: proofs of everything, or problems."""
    steps = steps_of(snippets)
    reports, last = read(run.lines, len(steps))
    failed = reports[-1]["error"] if reports else None
    refused = run.end is End.DISK and failed and failed["code"] == Code.DISK_LIMIT
    if run.end in {End.OUTPUT, End.DISK, End.PROCESSES} and not refused:
        yield _unfinished(run, steps[min(len(reports), len(steps) - 1)], steps, bench)
        return
    if last is None and not failed:
        yield _unfinished(run, steps[min(len(reports), len(steps) - 1)], steps, bench)
    yield from _judged(snippets, reports, last, bench)


def _judged(
    snippets: Sequence[Snippet], reports: Sequence[Report], last: Report | None, bench: Bench
) -> Iterator[Proof | Problem]:
    """What the reports say; proofs only where everything holds."""
    proofs: list[Proof] = []
    for snippet, report in zip(steps_of(snippets), reports, strict=False):
        yield from map(_doubted, report["doubts"])
        if report["error"]:
            yield _failed(report["error"], snippet)
        else:
            environment = last["environment"] if last else ()
            proofs.append(_proof(snippet, report, environment))
    verdicts = list(_verdicts(snippets, proofs, bench))
    yield from verdicts
    complete = last is not None and not any(report["error"] for report in reports)
    if complete and not any(isinstance(each, Problem) for each in verdicts):
        yield from proofs


def read(lines: Sequence[str], steps: int) -> tuple[list[Message], Message | None]:
    """The report of each step, and the last line; it tells that the card ran to its end.

    Where a snippet wrote among the reports, nothing behind that is believed.
    """
    reports: list[Message] = []
    for line in lines:
        try:
            report = json.loads(line)
        except ValueError:
            break
        if not isinstance(report, dict):
            break
        if len(reports) == steps:
            return reports, report if "environment" in report else None
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


def _failed(error: Report, snippet: Snippet) -> Problem:
    """A failure at the author's line; the fence's own, if no line of theirs is known."""
    place = Place(error["path"], error["line"], error["column"]) if error["line"] else None
    return Problem(Code(error["code"]), error["message"], place or snippet.place, error["hint"])


def _doubted(doubt: Report) -> Problem:
    return Problem(
        Code.SHAPES_DIFFER,
        doubt["message"],
        Place(doubt["path"], doubt["line"]),
        "assert the shapes too, or compare with torch.testing.assert_close, which does",
        Severity.WARNING,
    )


def _unfinished(run: Run, running: Snippet, steps: Sequence[Snippet], bench: Bench) -> Problem:
    """A card that did not come to its end, at the line where it was, if that is known."""
    limits = _limits(steps, bench.limits)
    code, message, setting = {
        End.TIME: (Code.TIME_LIMIT, f"still running after {limits.timeout:g} s", "timeout"),
        End.OUTPUT: (
            Code.OUTPUT_LIMIT,
            f"printed more than {limits.max_output:,} bytes",
            "max_output",
        ),
        End.DISK: (Code.DISK_LIMIT, f"wrote more than {limits.disk:,} megabytes", "disk"),
        End.PROCESSES: (
            Code.PROCESS_LIMIT,
            f"started more than {limits.processes} processes",
            "processes",
        ),
        End.BY_ITSELF: (
            Code.ENDED_EARLY,
            f"the process ended before the last statement ({run.how})",
            "",
        ),
    }[run.end]
    hint = f"allow more by {setting} in [tool.verideck], or by {{{setting}=…}} on the fence"
    if not setting:
        hint = "a card's code must run to its end; nothing after this point was executed"
    return Problem(code, message, _where(run, steps, bench.root) or running.place, hint)


def _where(run: Run, steps: Sequence[Snippet], root: Path) -> Place | None:
    """The author's line at which a process was when it was ended."""
    root = root.resolve()
    cards = {each.origin.path for each in steps}
    for name, line in run.stack:
        file = Path(name)
        inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else name
        if inside in cards or (inside != name and not file.is_relative_to(sys.prefix)):
            return Place(inside, line)
    return None


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
