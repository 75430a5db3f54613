"""Judges a card by its report: whether everything ran to its end, and could have failed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from verideck.model import EXECUTED, Place, Proof, Role, Snippet
from verideck.problems import BY_UPDATE, Code, Problem, Severity, has_errors
from verideck.proof import expected
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.parent.comments import (
    Judged,
    could_fail,
    judged_comments,
    place_of,
    rewritten,
)
from verideck.proof.python.parent.followed import causes
from verideck.proof.python.parent.places import trusted_place
from verideck.proof.python.parent.printed import beneath
from verideck.proof.python.parent.request import limits_of, steps_of
from verideck.proof.python.parent.testimony import Testimony
from verideck.proof.python.wire.messages import (
    MOST_FINDINGS,
    Epilogue,
    Finding,
    Finished,
    StepReport,
)
from verideck.proof.python.wire.run import End

_UPDATE = f"{BY_UPDATE} to write what it"


_OF_A_CARD = re.compile(
    r"\bcard(?=s share|s run|s are executed| is about| holds|'s code| reads|$)"
    r"|(?<=into the )card\b"
)
"""Where a hint says what of."""


def verdict(
    snippets: Sequence[Snippet],
    run: Finished,
    said: Testimony,
    config: ExecutionConfig,
) -> Iterator[Proof | Problem]:
    """What a run shows: proofs of all snippets, or problems."""
    yield from _called(_shown(snippets, run, said, config), snippets)


def _called(
    found: Iterable[Proof | Problem], snippets: Sequence[Snippet]
) -> Iterator[Proof | Problem]:
    """Proofs and problems; a hint for a document does not call it a card."""
    is_document = any(each.in_document for each in snippets)
    for each in found:
        if is_document and isinstance(each, Problem):
            said, brace, code = each.hint.partition("{")  # behind it are words of the author's
            yield replace(each, hint=_OF_A_CARD.sub("document", said) + brace + code)
        else:
            yield each


def _shown(
    snippets: Sequence[Snippet],
    run: Finished,
    said: Testimony,
    config: ExecutionConfig,
) -> Iterator[Proof | Problem]:
    """Proofs of all snippets, or problems."""
    steps, reports, last = steps_of(snippets), said.reports, said.last
    failed = reports[-1].error if reports else None
    is_stopped = failed and not steps[len(reports) - 1].in_document
    running = steps[min(len(reports), len(steps) - 1)]
    refused = run.end is End.DISK and failed and failed.code == Code.DISK_LIMIT
    if run.end in {End.OUTPUT, End.REPORT, End.DISK, End.PROCESSES} and not refused:
        yield _unfinished(run, running, steps, config)
        return
    if said.wrong:
        yield _unbelieved(said.wrong, _unfinished(run, running, steps, config))
    elif last is None and not is_stopped:
        yield _unfinished(run, running, steps, config)
    yield from _judged(snippets, reports, last, config)


def judged(
    snippets: Sequence[Snippet],
    reports: Sequence[StepReport],
    last: Epilogue | None,
    config: ExecutionConfig,
) -> Iterator[Proof | Problem]:
    """What the reports show: problems, and proofs if everything holds."""
    yield from _called(_judged(snippets, reports, last, config), snippets)


def _judged(
    snippets: Sequence[Snippet],
    reports: Sequence[StepReport],
    last: Epilogue | None,
    config: ExecutionConfig,
) -> Iterator[Proof | Problem]:
    proofs: list[Proof] = []
    told: list[Proof | Problem] = []
    steps = steps_of(snippets)
    commented = [list(judged_comments(*each)) for each in zip(steps, reports, strict=False)]
    left = MOST_FINDINGS
    failures = [number for number, report in enumerate(reports) if report.error]
    following = causes(steps, reports)
    for number, (snippet, report, comments) in enumerate(
        zip(steps, reports, commented, strict=False)
    ):
        findings = sorted(report.findings, key=lambda each: each.warning)[: max(left, 1)]
        left -= len(findings)
        yield from (_found(each, [snippet], config) for each in findings)
        if report.error and number not in following:
            failed = _found(report.error, [snippet], config)
            message = beneath(failed.message, report.stdout, report.stderr)
            below = [steps[each].place for each, cause in following.items() if cause == number]
            yield replace(failed, message=message + _with(below))
        elif not report.error:
            proofs.append(_proof(snippet, report, comments, last))
        if not config.updating:
            told += [_refuted(snippet, each) for each in comments if each.refuted]
    bearing = _bearing(steps, commented, last)
    verdicts = [*told, *_verdicts(snippets, proofs, bearing, config)]
    if last is not None:
        untold = _OF_WHOLE_RUNS if failures else frozenset()
        found = (each for each in last.findings if each.code not in untold)
        verdicts += [_found(each, steps, config) for each in found]
    fails = last is None or any(_is_error(report) for report in reports)
    yield from _honest(verdicts, fails=fails)
    complete = last is not None and not any(report.error for report in reports)
    if complete and not has_errors(each for each in verdicts if isinstance(each, Problem)):
        yield from proofs


_OF_WHOLE_RUNS = frozenset({Code.CODE_NOT_RUN, Code.NOTHING_ASSERTED})
"""What is true only of code that was executed to its end."""


def _with(places: Sequence[Place]) -> str:
    """What a failure adds for fences below that failed for want of a name."""
    if not places:
        return ""
    lines = ", ".join(str(each.line) for each in places)
    which = "a fence below, on line" if len(places) == 1 else "fences below, on lines"
    return f"\nthen a name was missing in {which} {lines}"


def _is_error(report: StepReport) -> bool:
    return report.error is not None or any(not each.warning for each in report.findings)


def _honest(verdicts: Sequence[Proof | Problem], *, fails: bool) -> Iterator[Proof | Problem]:
    """The verdicts; where a card fails otherwise, no hint promises that an update mends it."""
    problems = [each for each in verdicts if isinstance(each, Problem)]
    fails = fails or has_errors(each for each in problems if each.code is not Code.OUTPUT_DIFFERS)
    for each in verdicts:
        if fails and isinstance(each, Problem) and each.hint.startswith(_UPDATE):
            yield replace(each, hint=f"when all else of the card holds, {each.hint}")
        else:
            yield each


def _proof(
    snippet: Snippet, report: StepReport, comments: Sequence[Judged], last: Epilogue | None
) -> Proof:
    return Proof(
        snippet=snippet,
        assertions=report.held + could_fail(comments),
        stdout=report.stdout,
        value=report.value,
        raised=report.raised,
        figures=report.figures,
        seconds=report.seconds,
        environment=last.environment if last else (),
        files=tuple(last.depends_on.files) if last else (),
        stale=tuple(
            rewritten(snippet, each) for each in comments if each.refuted and each.writable
        ),
    )


def _refuted(snippet: Snippet, judged: Judged) -> Problem:
    """A comment that says another value than its statement gave."""
    told, actual, place = judged.comment.text, judged.actual, place_of(snippet, judged.comment)
    remark = (
        "" if judged.comment.is_block or judged.comment.is_plain else "; a remark takes no arrow"
    )
    if judged.comment.is_block and (differs := expected.difference(told, actual)):
        if differs.undecided:
            return _undecided(place)
        told, actual = differs.expected, differs.actual
        place = replace(place, line=place.line + differs.line - 1)
    hint = f"{_UPDATE} gives into the card{remark}"
    if not judged.once or expected.unwritable(judged.actual):
        hint = f"write what it gives{remark}"
    elif judged.actual == "None":
        hint = "it gives nothing: write the value behind an expression of its own, as `xs  # → [1]`"
    return Problem(
        Code.OUTPUT_DIFFERS,
        f"this comment says something else than the code gives\nexpected  {told}\n"
        f"actual    {actual}",
        place,
        hint,
    )


def _found(found: Finding, steps: Sequence[Snippet], config: ExecutionConfig) -> Problem:
    """A finding at the author's line; at the first of its fences if no line of theirs is known."""
    place = trusted_place(Place(found.path, found.line, found.column), steps, config.root)
    is_error = found.code == Code.WARNING_GIVEN and config.warnings_are_errors
    severity = Severity.WARNING if found.warning and not is_error else Severity.ERROR
    return Problem(Code(found.code), found.message, place or steps[0].place, found.hint, severity)


def _unfinished(
    run: Finished, running: Snippet, steps: Sequence[Snippet], config: ExecutionConfig
) -> Problem:
    """A card that did not run to its end, at the line where it was if that is known."""
    limits = limits_of(steps, config.limits)
    code, message, setting = {
        End.TIME: (Code.TIME_LIMIT, f"still running after {limits.timeout:g} s", "timeout"),
        End.OUTPUT: (
            Code.OUTPUT_LIMIT,
            f"printed more than {limits.max_output:,} bytes",
            "max_output",
        ),
        End.REPORT: (
            Code.OUTPUT_LIMIT,
            "reported more than a card has to say, figures and outputs among it",
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
    if run.end not in {End.OUTPUT, End.REPORT}:  # of which there is too much
        message = beneath(message, run.stdout, run.stderr)
    return Problem(code, message, _where(run, steps, config.root) or running.place, hint)


def _unbelieved(why: str, unfinished: Problem) -> Problem:
    """A card of which no end is known, because its report is not believed."""
    return replace(
        unfinished,
        message=f"{unfinished.message}\nits report is not believed: {why}",
        hint="a card's code must not write where it has opened nothing, nor into what executes it",
    )


def _where(run: Finished, steps: Sequence[Snippet], root: Path) -> Place | None:
    """The author's line at which a process was when it was ended."""
    root = root.resolve()
    for name, line in run.stack:
        file = Path(name)
        inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else name
        place = trusted_place(Place(inside, line), steps, root)
        if place and not (file.is_relative_to(sys.prefix) and file.is_relative_to(root)):
            return place
    return None


@dataclass(slots=True)
class _Group:
    """A shown fence, and the assertions of it and of the checks and the output under it."""

    first: Snippet
    assertions: int = 0
    bears: bool = False
    """Whether one of them is about what the fence computes."""


def _bearing(
    steps: Sequence[Snippet], commented: Sequence[Sequence[Judged]], last: Epilogue | None
) -> set[Place]:
    """The places of the steps that bear on an assertion, or on a value comment, that held.

    Of a card that did not run to its end, or in which something was raised behind its back, nobody
    can tell: all of them.
    """
    if last is None or any(each.code == Code.EXCEPTION_RAISED for each in last.findings):
        return {step.place for step in steps}
    return {
        step.place
        for step, comments, bears in zip(steps, commented, last.bears, strict=False)
        if bears or could_fail(comments)
    }


def _verdicts(
    snippets: Sequence[Snippet],
    proofs: Sequence[Proof],
    bearing: AbstractSet[Place],
    config: ExecutionConfig,
) -> Iterator[Proof | Problem]:
    """Proofs of the outputs, or problems.

    A fence in which nothing could have failed is one, and a fence that bears on no assertion.
    """
    by_place = {proof.snippet.place: proof for proof in proofs}
    groups: list[_Group] = []
    above: Proof | None = None
    is_whole = True
    for snippet in snippets:
        role = snippet.options.role
        is_first = role is Role.SHOWN or (role is Role.CHECK and not groups)
        if is_first and snippet.must_assert:
            groups.append(_Group(snippet, bears=snippet.place in bearing))
        if role is Role.OUTPUT and above:
            compared = list(_compared(snippet, above, config))
            could_differ = sum(
                each.assertions if isinstance(each, Proof) else 1 for each in compared
            )
            for group in groups[-1:]:
                group.assertions += could_differ
                group.bears |= could_differ > 0
            yield from compared
        elif role in EXECUTED:
            above = by_place.get(snippet.place)
            if above is None and not snippet.in_document:
                return
            is_whole &= above is not None
            if groups and above and role is not Role.SETUP:
                groups[-1].assertions += above.assertions
    yield from _unproved(groups if is_whole else ())


def _unproved(groups: Iterable[_Group]) -> Iterator[Problem]:
    """A problem for each fence in which nothing could have failed, or that bears on nothing."""
    for group in groups:
        if not group.assertions:
            yield Problem(
                Code.NOTHING_ASSERTED,
                "this snippet ran, and nothing in it could have failed",
                group.first.place,
                "assert what it shows, here or in a ```python {.check} under it; or show what it "
                "prints in an ```output under it",
            )
        elif not group.bears:
            yield Problem(
                Code.ASSERTION_UNRELATED,
                "no assertion that held read anything that this snippet computes",
                group.first.place,
                "use what it defines: call it on known values and assert what comes of it; that it "
                "is there, or what it was given, proves nothing",
            )


def _compared(snippet: Snippet, above: Proof, config: ExecutionConfig) -> Iterator[Proof | Problem]:
    difference = expected.difference(snippet.code, above.stdout, snippet.options.tolerance)
    if difference is None or config.updating:
        shown = above.stdout if config.updating else snippet.code
        yield Proof(snippet, int(expected.could_differ(shown)), stdout=above.stdout)
        return
    if difference.undecided:
        yield _undecided(snippet.place)
        return
    what, sides = "something else", (difference.expected, difference.actual)
    if difference.in_space:
        what = "other white space (· is a blank, → a tab)"
        sides = (_spaces_shown(sides[0]), _spaces_shown(sides[1]))
    yield Problem(
        Code.OUTPUT_DIFFERS,
        f"the snippet above prints {what}\nexpected  {sides[0]}\nprinted   {sides[1]}",
        replace(snippet.place, line=snippet.place.line + difference.line),
        _how_to_mend(above),
    )


def _undecided(place: Place) -> Problem:
    """An output that may be what was printed, or may not."""
    return Problem(
        Code.OUTPUT_DIFFERS,
        "this output cannot be compared: behind its ..., so many numbers agree with each other "
        "that there are too many places to try",
        place,
        "show all of what is printed before the numbers, or fewer numbers",
    )


def _how_to_mend(above: Proof) -> str:
    """What to do about an output that differs from what the fence above it printed."""
    if why := expected.unwritable(above.stdout):
        return f"--update cannot write it: {why}"
    if above.stdout.strip():
        return f"{_UPDATE} prints into the card"
    if _has_bare_value(above.snippet):
        return (
            "an expression's value is not printed, unless it is the last statement: write print(…)"
        )
    return "print what is to be shown, or leave out the output; --update erases nothing"


def _has_bare_value(snippet: Snippet) -> bool:
    """Whether a snippet has an expression whose value goes nowhere."""
    try:
        statements = ast.parse(snippet.code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(each, ast.Expr) and _is_bare(each.value) for each in statements)


def _is_bare(value: ast.expr) -> bool:
    """Whether an expression is a value and no call, which may be there for what it does."""
    return not isinstance(value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom) and not (
        isinstance(value, ast.Constant) and value.value is Ellipsis
    )


def _spaces_shown(line: str) -> str:
    return line.replace(" ", "·").replace("\t", "→")
