"""What is believed of a card's report: only what has the form, the size and the meaning of one.

The author's code runs in the process that writes the report, and can write into it. So a report is
heard as testimony: the form and the size are those of the messages' types, and here each line is
held against what was asked. What does not fit is that card's problem; nothing behind it is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from verideck.problems import Code
from verideck.proof.python.parent import figures
from verideck.proof.python.parent.project_files import ProjectFiles
from verideck.proof.python.wire.messages import (
    FINISHED,
    REPORT,
    Epilogue,
    Finding,
    Finished,
    Request,
    Said,
    Step,
    StepReport,
    as_json,
    replace,
)
from verideck.proof.python.wire.run import StepKind

_ERROR, _WARNING = frozenset({False}), frozenset({True})
REPORTED: Mapping[str, frozenset[bool]] = MappingProxyType(
    {
        Code.SYNTAX_ERROR: _ERROR,
        Code.EXCEPTION_RAISED: _ERROR,
        Code.EXCEPTION_EXPECTED: _ERROR,
        Code.ASSERTION_FAILED: _ERROR,
        Code.ASSERTION_SWALLOWED: _ERROR,
        Code.ASSERTION_UNRELATED: _ERROR,
        Code.NOTHING_ASSERTED: _ERROR,
        Code.CODE_NOT_RUN: _ERROR | _WARNING,
        Code.OUTPUT_DIFFERS: _ERROR,
        Code.OUTPUT_LIMIT: _ERROR,
        Code.WARNING_GIVEN: _WARNING,
        Code.WARNING_EXPECTED: _ERROR,
        Code.FIGURE_GLYPH: _ERROR,
        Code.ENDED_EARLY: _ERROR,
        Code.MEMORY_LIMIT: _ERROR,
        Code.DISK_LIMIT: _ERROR,
        Code.SHAPES_DIFFER: _WARNING,
    }
)
"""What a card's process finds, and whether it is a warning. The parent finds all else itself."""
_HELD_A_SECOND = 100_000_000
"""Assertions that no processor executes in a second."""


class _UnbelievableError(Exception):
    """A line of a report is not what verideck writes; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """What is believed of a report."""

    reports: list[StepReport] = field(default_factory=list)
    """Of the steps, as far as they are believed."""
    last: Epilogue | None = None
    """None if the card did not run to its end, or something is wrong."""
    wrong: str = ""
    """What is wrong with the report; empty if nothing is."""


def heard(run: Finished, request: Request, files: ProjectFiles) -> Testimony:
    """What is believed of a run's report."""
    try:
        # An engine that is not of this machine may answer with anything.
        FINISHED.from_value(as_json(run))
    except (ValueError, TypeError, AttributeError):
        return Testimony(wrong="it is no answer to what was asked")
    reports: list[StepReport] = []
    last: Epilogue | None = None
    try:
        for number, line in enumerate(run.lines):
            _check_goes_on(reports, last, request)
            report = _decoded(line, number)
            if isinstance(report, Epilogue):
                last = _checked_end(report, run, request, number, files)
            else:
                _check_step(report, request, number)
                reports.append(report)
    except _UnbelievableError as error:
        return Testimony(reports, None, str(error))
    return Testimony(reports, last)


def is_believable(reports: Sequence[StepReport], last: Epilogue, request: Request) -> bool:
    """Whether the reports of a row of the cache are such as a card that holds can have.

    What it depends on is checked where it is compared (see `proof_cache.is_fresh`).
    """
    try:
        for number, report in enumerate(reports):
            _check_step(report, request, number)
        _check_end(last, request, len(reports))
    except _UnbelievableError:
        return False
    return not any(report.error for report in reports)


def _decoded(line: str, number: int) -> StepReport | Epilogue:
    try:
        return REPORT.from_text(line)
    except ValueError as error:
        raise _UnbelievableError(f"line {number + 1} has not the form of one") from error


def _check_goes_on(reports: Sequence[StepReport], last: Epilogue | None, request: Request) -> None:
    """Raise _UnbelievableError if the card had ended before its next line."""
    number = len(reports)
    has_failed = bool(reports) and reports[-1].error and not request.steps[number - 1].goes_on
    if last or has_failed:
        raise _UnbelievableError(f"line {number + 1} comes after the last one")


def _check_step(report: StepReport, request: Request, number: int) -> None:
    """Raise _UnbelievableError unless a step that was asked can have come to this."""
    if number >= len(request.steps):
        raise _UnbelievableError("it has more steps than the card")
    if why := _objection(report, request.steps[number], request.limits.timeout):
        raise _UnbelievableError(f"in line {number + 1}, {why}")


def _objection(report: StepReport, step: Step, timeout: float) -> str:
    """Why a step cannot have come to this; empty if it can."""
    if not all(map(_is_finding, report.findings)):
        return "something was found that a card does not find"
    if report.error and (report.error.warning or not _is_finding(report.error)):
        return "it failed as no card fails"
    if report.held > _HELD_A_SECOND * (1 + timeout):
        return "more assertions held than there is time for"
    if not _answers(report, step):
        return "there is what was not asked"
    if not _is_text("".join(_texts(report))):
        return "there is text that is none"
    found = next(filter(None, map(figures.objection, report.figures)), "")
    return f"a figure has {found}" if found else ""


def _answers(report: StepReport, step: Step) -> bool:
    """Whether a step reports a value, an exception and values of comments only if it has any."""
    return (
        (step.kind is StepKind.VALUE or not report.value)
        and bool(step.raises or not report.raised)
        and (step.heeds_comments or not report.said)
        and (not report.said or _are_in(report.said, step.code.count("\n") + 1))
    )


def _are_in(said: Sequence[Said], lines: int) -> bool:
    return all(0 < each.line <= lines for each in said)


def _checked_end(
    last: Epilogue, run: Finished, request: Request, steps: int, files: ProjectFiles
) -> Epilogue:
    """An epilogue that depends on files of the project alone. Raises _UnbelievableError."""
    _check_end(last, request, steps)
    if last.sandbox != run.sandbox:
        raise _UnbelievableError("it names another sandbox than the card was put into")
    return replace(last, depends_on=files.checked(last.depends_on))


def _check_end(last: Epilogue, request: Request, steps: int) -> None:
    """Raise _UnbelievableError unless a card that was asked can have ended with this."""
    if steps != len(request.steps):
        raise _UnbelievableError("it ends before the last step")
    if len(last.bears) != steps:
        raise _UnbelievableError("its end tells of other steps")
    if (last.computed and not request.shown) or (last.read and not request.traces):
        raise _UnbelievableError("its end has what was not asked")
    if not all(map(_is_finding, last.findings)):
        raise _UnbelievableError("at its end something was found that a card does not find")
    if not _is_text("".join(_texts_of(last.findings))):
        raise _UnbelievableError("at its end there is text that is none")
    versions = chain(last.environment, last.depends_on.loaded)
    if not "".join(chain.from_iterable(versions)).isprintable():
        raise _UnbelievableError("its end names what cannot be installed")


def _is_finding(found: Finding) -> bool:
    return found.warning in REPORTED.get(found.code, ()) and bool(found.message.strip())


def _texts(report: StepReport) -> Iterator[str]:
    yield from (report.value, report.raised, report.stdout, report.stderr)
    for said in report.said:
        yield said.printed
        yield from said.values
    yield from _texts_of(report.findings)
    if report.error:
        yield from _texts_of((report.error,))


def _texts_of(findings: Iterable[Finding]) -> Iterator[str]:
    for each in findings:
        yield from (each.message, each.hint)


def _is_text(text: str) -> bool:
    """Whether a text can be written: a half of a character cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
