"""A run as JUnit's XML, in the form that Jenkins' schema describes: a test for each card."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby

from verideck import inert
from verideck.cli.formats.told import Entry, Told, Verdict, entries_of, of_no_card
from verideck.cli.report import format_problem
from verideck.model import FORBIDDEN
from verideck.problems import Problem, errors

_NO_XML = re.compile(f"{FORBIDDEN.pattern}|[\ufffe\uffff]")


def run(told: Told) -> str:
    """Return one suite for each Markdown file, with a test for each of its cards.

    What is wrong with a file and belongs to no card is a test `(file)`; what belongs to no file
    with cards is a suite of its own. What is wrong with the command line is an error.
    """
    suites = ET.Element("testsuites", name="verideck")
    entries = entries_of(told)
    by_file = {path: list(each) for path, each in groupby(entries, lambda it: it.place.path)}
    problems: dict[str, list[Problem]] = {}
    for problem in of_no_card(told, entries):
        problems.setdefault(problem.place.path, []).append(problem)
    for path in sorted({*by_file, *problems}):
        _suite(suites, path, by_file.get(path, []), problems.get(path, []), told)
    if told.usage:
        suite = ET.SubElement(suites, "testsuite", _counts("(usage)", 1, failed=0, wrong=1))
        case = ET.SubElement(suite, "testcase", name="(usage)", classname="verideck")
        error = ET.SubElement(case, "error", type="usage", message=_text(told.usage))
        error.text = _text(told.usage)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_ascii(suites)}\n'


def _suite(
    suites: ET.Element, path: str, entries: Sequence[Entry], problems: Sequence[Problem], told: Told
) -> None:
    wrong = errors(problems)
    failed = sum(each.verdict is Verdict.FAILED for each in entries) + bool(wrong)
    skipped = sum(each.verdict is Verdict.UNVERIFIED for each in entries)
    count = len(entries) + bool(problems)
    attributes = _counts(path, count, failed=failed, wrong=0)
    seconds = sum(each.seconds for each in entries)
    suite = ET.SubElement(
        suites, "testsuite", {**attributes, "skipped": str(skipped), "time": f"{seconds:.3f}"}
    )
    if problems:
        case = ET.SubElement(suite, "testcase", name="(file)", classname=_text(path))
        _failure(case, wrong, told)
        _told(case, problems, told)
    for entry in entries:
        _case(suite, entry, told)


def _case(suite: ET.Element, entry: Entry, told: Told) -> None:
    place = entry.place
    case = ET.SubElement(
        suite,
        "testcase",
        name=_text(entry.id or f"line-{place.line}"),
        classname=_text(place.path),
        time=f"{entry.seconds:.3f}",
    )
    wrong = errors(entry.problems)
    if entry.verdict is Verdict.UNVERIFIED:
        ET.SubElement(case, "skipped", message="not executed: verify is turned off")
    if wrong:
        _failure(case, wrong, told)
    elif entry.verdict is Verdict.FAILED:
        what = "it makes no note: see what is wrong with its file"
        ET.SubElement(case, "failure", type="card", message=what).text = what
    facts = [f"place: {place}", f"verdict: {entry.verdict}", f"assertions: {entry.assertions}"]
    facts += ["proved by an earlier run"] if entry.cached else []
    facts += [f"not run: {entry.not_run}"] if entry.not_run else []
    facts += [f"no verifier: {entry.no_verifier}"] if entry.no_verifier else []
    facts += [] if entry.score is None else [f"score: {entry.score:.3f}"]
    warned = [each for each in entry.problems if each not in wrong]
    _told(case, warned, told, "\n".join(facts))


def _failure(case: ET.Element, wrong: Sequence[Problem], told: Told) -> None:
    if wrong:
        message = _text(wrong[0].message.split("\n")[0])
        failure = ET.SubElement(case, "failure", type=wrong[0].code, message=message)
        failure.text = _text("\n\n".join(format_problem(each, told.root) for each in wrong))


def _told(case: ET.Element, problems: Sequence[Problem], told: Told, before: str = "") -> None:
    lines = [before, *(format_problem(each, told.root) for each in problems)]
    if text := "\n".join(filter(None, lines)):
        ET.SubElement(case, "system-out").text = _text(text)


def _counts(name: str, tests: int, *, failed: int, wrong: int) -> dict[str, str]:
    counts = {"tests": tests, "failures": failed, "errors": wrong}
    return {"name": _text(name), **{key: str(value) for key, value in counts.items()}}


def _text(text: str) -> str:
    """A text without what XML has no place for, or what would act where it is printed."""
    return _NO_XML.sub("\ufffd", inert.lines(text))


def _ascii(element: ET.Element) -> str:
    written: bytes = ET.tostring(element, encoding="us-ascii", xml_declaration=False)
    return written.decode("ascii")
