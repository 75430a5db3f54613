"""What runs inside a card's process: the snippets in their order, and a report of each.

The process is given a `Request` and writes a report: one line for each step, a `StepReport`, and
an `Epilogue` when every statement of every step has been executed. A report without its epilogue is
that of a card which did not run to its end.
"""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

from verideck.proof.python.child import figures, process_env, processes
from verideck.proof.python.child.assertions import Recorder
from verideck.proof.python.child.beside import Beside
from verideck.proof.python.child.cut import cut, cut_all
from verideck.proof.python.child.dependencies import Dependencies
from verideck.proof.python.child.failures import Refusal, failure, place
from verideck.proof.python.child.flow import Flow
from verideck.proof.python.child.imports import Imports, OnImport
from verideck.proof.python.child.marks import Marks
from verideck.proof.python.child.shown_source import Examined
from verideck.proof.python.child.sources import Sources
from verideck.proof.python.child.steps import Steps, is_shown
from verideck.proof.python.child.unheard import Unheard
from verideck.proof.python.child.untouched import Untouched, keep_open, use_own_builtins
from verideck.proof.python.child.warned import Warnings, fits
from verideck.proof.python.wire.messages import (
    NOT_ASKED,
    Epilogue,
    Finding,
    Report,
    Request,
    Step,
    StepReport,
    encoded,
    replace,
)
from verideck.proof.python.wire.process import die_with_parent
from verideck.proof.python.wire.run import StepKind
from verideck.proof.python.wire.scratch import MOST_SAID, Scratch
from verideck.proof.sandbox import kernel

use_own_builtins(globals())


def run(request: Request, report: BinaryIO, scratch: Scratch) -> None:
    """Execute the steps of a request in one namespace, and write the report."""
    root = Path(request.root)
    die_with_parent()
    stack = process_env.redirect_streams(scratch)
    process_env.limit(request.limits)
    streams = (scratch.stdout, scratch.stderr, scratch.stack)
    keep_open(frozenset({report.fileno(), stack, *(each.descriptor for each in streams)}))
    sandboxed = bool(kernel.available(asked=request.sandbox))
    if sandboxed:  # before the project is on the path: it may hold a module of any name
        kernel.around(root, scratch.folder, shared_memory=request.shared_memory).enter()
    on_import = processes.on_import(scratch.shared, sandboxed=sandboxed)
    child = Child(request, scratch, on_import, sandboxed=sandboxed)
    for number in range(len(request.steps)):
        reported = child.report(number)
        _write(report, reported)
        if reported.error and not request.steps[number].goes_on:
            return
    _write(report, child.epilogue())


def _write(report: BinaryIO, line: Report) -> None:
    report.write(encoded(line) + b"\n")
    report.flush()


def leave() -> None:
    """End the process. It does not wait for anything that a snippet left behind."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)


class Child:
    """The process of one card: what is executed in it, and what is heard of that."""

    def __init__(
        self,
        request: Request,
        scratch: Scratch,
        on_import: Mapping[str, OnImport],
        *,
        sandboxed: bool,
    ) -> None:
        """Take over the process: what is imported and raised from now on is the card's.

        `on_import` says by module what is called with it after its import.
        """
        root = Path(request.root)
        self.steps = request.steps
        self.traced = request.traces
        self.complained, self.stderr = scratch.stderr, sys.stderr
        self.marks = Marks()
        self.flow = Flow(self.marks, [request.follows and is_shown(each) for each in self.steps])
        self.recorder = Recorder(self.marks, self.flow, traces=self.traced, shown=request.shown)
        self.computes = bool(request.shown)
        self.passing = request.passing
        self.sources = Sources(root, request.overlay, self.recorder, traces=self.traced)
        self.unheard = Unheard(self.sources)
        self.warnings = Warnings(self.sources)
        self.figures = figures.Figures()
        self.untouched = Untouched()
        self.executed = Steps(
            request, self.recorder, self.sources, scratch.stdout, self.untouched.theirs
        )
        every = {
            **process_env.Seeds(request.seed).on_import,
            "matplotlib": figures.on_import,
            **self.unheard.on_import,
            **on_import,
        }
        self.imports = Imports(self.sources, self.recorder, every, self.executed.part_of)
        self.executed.imports = self.imports
        files = [root / step.path for step in self.steps]
        sys.argv = [str(files[0])]
        self.unheard.listen()
        self.recorder.heed_joins()
        self.recorder.heed_forks()
        own = set(map(str, files))
        self.dependencies = Dependencies(root, own, request.unlisted, sandboxed=sandboxed)
        included = [step.kind is StepKind.INCLUDE for step in self.steps]
        notes = [file for file, is_file in zip(files, included, strict=True) if not is_file]
        if notes:
            beside = Beside(
                notes[0].parent,
                root,
                request.unlisted,
                links=sandboxed,
                on_read=self.dependencies.read,
            )
            self.executed.beside = beside
            self.dependencies.on_event = beside.hear
        self.imports.install([*(file.parent for file in notes[:1]), root / "src"])
        self.warnings.listen()
        self.untouched.remember()

    def report(self, number: int) -> StepReport:
        """Execute one step, by its number, and report what became of it."""
        step = self.steps[number]
        start, begun = self.executed.printed.size, perf_counter()
        complained = self.complained.size
        held_before, entered_before = self.recorder.held, self.recorder.entered
        self.recorder.failed = None
        error: Finding | None = None
        value = raised = ""
        drawings: list[str] = []
        if is_shown(step):
            self.figures.close()
        try:
            value, raised = self.executed.execute(number)
            drawings = [] if self.traced else self.figures.taken(keep=is_shown(step))
            error = next(iter(self.unheard.taken()), None)
            if error is None and step.kind is not StepKind.SESSION:  # which looks at each example
                self.executed.refuse_hidden_failures(raised, held_before, entered_before)
        except BaseException as caught:  # noqa: BLE001 - whatever an author's code raises is theirs to see
            told_in = step.path if step.goes_on else ""  # of a document: its reader made the call
            error = failure(caught, step.line, self.sources, _last_line(step), told_in)
        warned, findings = self._warned(step)
        if step.warns and not error and not warned:
            error = self._not_warned(step)
        if warned:
            self.flow.hold(number)
        return StepReport(
            error=error and cut(error),
            value=value,
            raised=raised,
            figures=tuple(drawings),
            stdout=self.executed.printed_since(start),
            held=self.recorder.held - held_before + bool(raised) + warned,
            findings=cut_all((*findings, *self._findings())),
            seconds=perf_counter() - begun,
            said=self.executed.values.taken(),
            stderr=self._complaint(complained) if error else "",
        )

    def epilogue(self) -> Epilogue:
        """The last line of the report: what the run depended on, and what its assertions read.

        Before it, all that runs late has been waited for.
        """
        unheard = self._late_failures()
        read_code = [
            (each.filename, each.line) for each in self.sources.examined if self._counts(each)
        ]
        unproven = [*self.marks.findings(read_code), *self.recorder.vacuous()]
        if "doctest" not in self.sources.imported:
            unproven += self.marks.untried()
        return Epilogue(
            environment=() if self.passing else tuple(self.imports.named()),
            sandbox=kernel.entered(),
            depends_on=NOT_ASKED if self.passing else self.dependencies.found(self.imports),
            read=tuple(
                replace(each, path=self.sources.own(each.path)) for each in self.recorder.read
            ),
            findings=cut_all(
                [
                    *(each.finding() for each in self.warnings.taken()),
                    *map(self._placed, unproven),
                    *unheard,
                ]
            ),
            bears=tuple(map(self.flow.bears, range(len(self.steps)))),
            computed=self.recorder.computing.found() if self.computes else None,
        )

    def _counts(self, examined: Examined) -> bool:
        """Whether shown code read the source of something: then the card is about its text."""
        return examined.compiled or any(
            self.executed.shows(file, line) for file, line in examined.readers
        )

    def _late_failures(self) -> list[Finding]:
        """What fails when all steps have been executed, and what nobody asked for until then."""
        self.recorder.failed = None
        with self.untouched.theirs:
            self.executed.namespace.close()
        found = self.unheard.finish(self.untouched.theirs)
        if self.recorder.failed and not found:
            try:
                self.executed.refuse_hidden_failures("", self.recorder.held, self.recorder.entered)
            except BaseException as hidden:  # noqa: BLE001 - an author's assertion, or its refusal
                found.append(failure(hidden, 0, self.sources))
        return found

    def _placed(self, finding: Finding) -> Finding:
        """A finding in compiled code, at its place in the author's file."""
        path, _, column = place(finding.path, finding.line, finding.column - 1, self.sources)
        return replace(finding, path=path, column=column)

    def _findings(self) -> tuple[Finding, ...]:
        """What was noticed at lines of the author's since it was asked last, each once."""
        findings = [
            replace(each, path=path)
            for each in dict.fromkeys(self.recorder.findings)
            if (path := self.sources.own(each.path))
        ]
        self.recorder.findings.clear()
        return tuple(findings)

    def _warned(self, step: Step) -> tuple[bool, list[Finding]]:
        """Whether a step gave the warning that it announces, and what is told of all others."""
        given = self.warnings.taken()
        category = self.executed.class_of(step.warns) if step.warns else None
        others = [each for each in given if not (category and fits(each, category, step.match))]
        return len(others) < len(given), [each.finding() for each in others]

    def _not_warned(self, step: Step) -> Finding:
        message = f"the fence announces {step.warns}, and no such warning was given"
        hint = f'Python ignores some: warnings.simplefilter("always", {step.warns}) shows all'
        if self.executed.class_of(step.warns) is None:
            message, hint = f"{step.warns} is no warning that this snippet knows", ""
        return failure(Refusal("warning-expected", message, hint), 0, self.sources)

    def _complaint(self, start: int) -> str:
        """The end of what a step wrote to standard error, from a position on."""
        with contextlib.suppress(Exception):  # an author may close it
            self.stderr.flush()
        written = self.complained.read(max(start, self.complained.size - MOST_SAID))
        return written[:MOST_SAID].decode("utf-8", "backslashreplace")


def _last_line(step: Step) -> int:
    """The line of the last statement of a fence that is shown; 0 for any other step."""
    with contextlib.suppress(SyntaxError, ValueError):
        if is_shown(step) and step.kind is StepKind.CODE and not step.raises:
            return step.line - 1 + max(each.lineno for each in ast.parse(step.code).body)
    return 0
