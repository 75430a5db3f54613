"""What runs inside a card's process: the snippets in their order, and a report of each.

The process is given a `Request` and writes a report: one line for each step, a `StepReport`, and
an `Epilogue` when every statement of every step has been executed. A report without its epilogue is
that of a card which did not run to its end.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import os
import re
import sys
import time
from pathlib import Path
from types import CodeType, ModuleType
from typing import BinaryIO

from verideck.proof.python.child import figures, process_env
from verideck.proof.python.child.assertions import NAME, Recorder, is_idle
from verideck.proof.python.child.dependencies import Dependencies
from verideck.proof.python.child.failures import Refusal, clean, failure, shown_error
from verideck.proof.python.child.imports import Imports
from verideck.proof.python.child.sources import Sources
from verideck.proof.python.child.unheard import Unheard
from verideck.proof.python.child.warned import Warnings, fits
from verideck.proof.python.wire.messages import (
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


def run(request: Request, report: BinaryIO, scratch: Scratch) -> None:
    """Execute the steps of a request in one namespace, and write the report."""
    root = Path(request.root)
    die_with_parent()
    process_env.redirect_streams(scratch)
    process_env.limit(request.limits)
    child = Child(request, scratch)
    if request.sandbox and not kernel.missing():
        kernel.enter(root, scratch.folder)
    for step in request.steps:
        reported = child.report(step)
        _write(report, reported)
        if reported.error:
            return
    _write(report, child.epilogue())


def _write(report: BinaryIO, line: Report) -> None:
    report.write(encoded(line) + b"\n")
    report.flush()


def leave() -> None:
    """End the process. It does not wait for anything that a snippet left behind."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


class Child:
    """Executes the steps of one card in one namespace."""

    def __init__(self, request: Request, scratch: Scratch) -> None:
        """Take over the process: what is imported and raised from now on is the card's."""
        self.root = Path(request.root)
        self.traced = request.traces
        self.printed, self.complained = scratch.stdout, scratch.stderr
        self.stdout, self.stderr = sys.stdout, sys.stderr
        self.recorder = Recorder(traces=self.traced)
        self.sources = Sources(self.root, request.overlay, traces=self.traced)
        seeds = process_env.Seeds(request.seed)
        self.unheard = Unheard(self.sources)
        self.warnings = Warnings(self.sources)
        on_import = {
            **seeds.on_import,
            "matplotlib": figures.on_import,
            **self.unheard.on_import,
        }
        self.imports = Imports(self.sources, self.recorder, on_import)
        self.module = ModuleType("__main__")
        self.space = self.module.__dict__
        self.space[NAME] = self.recorder
        sys.modules["__main__"] = self.module
        sys.argv = [str(self._file(request.steps[0]))]
        self.unheard.listen()
        self.recorder.heed_joins()
        own = {str(self._file(step)) for step in request.steps}
        self.dependencies = Dependencies(self.root, own, request.unlisted)
        self.imports.install()
        self.warnings.listen()

    def report(self, step: Step) -> StepReport:
        """Execute one step and report what became of it."""
        start, begun = self.printed.size, time.perf_counter()
        complained = self.complained.size
        held_before, entered_before = self.recorder.held, self.recorder.entered
        self.recorder.failed = None
        error: Finding | None = None
        value = raised = ""
        drawings: list[str] = []
        try:
            value, raised = self._execute(step)
            drawings = [] if self.traced else figures.taken()
            error = next(iter(self.unheard.taken()), None)
            if error is None:
                self._refuse_hidden_failures(raised, held_before, entered_before)
        except BaseException as caught:  # noqa: BLE001 - whatever an author's code raises is theirs to see
            error = failure(caught, step.line, self.sources, _last_line(step))
        warned, findings = self._warned(step)
        if step.warns and not error and not warned:
            error = self._not_warned(step)
        self.stdout.flush()
        return StepReport(
            error=error,
            value=value,
            raised=raised,
            figures=tuple(drawings),
            stdout=self.printed.read(start).decode("utf-8", "backslashreplace"),
            held=self.recorder.held - held_before + bool(raised) + warned,
            findings=(*findings, *self._findings()),
            seconds=time.perf_counter() - begun,
            stderr=self._complaint(complained) if error else "",
        )

    def epilogue(self) -> Epilogue:
        """The last line of the report: what the run depended on, and what its assertions read.

        Before it, all that runs late has been waited for.
        """
        unheard = self._late_failures()
        return Epilogue(
            environment=tuple(self.imports.named()),
            sandbox=kernel.entered(),
            depends_on=self.dependencies.found(self.imports),
            read=tuple(
                replace(each, path=self.sources.own(each.path)) for each in self.recorder.read
            ),
            findings=(*(each.finding() for each in self.warnings.taken()), *unheard),
        )

    def _late_failures(self) -> list[Finding]:
        """What fails when all steps have been executed, and what nobody asked for until then."""
        self.recorder.failed = None
        found = self.unheard.finish()
        if self.recorder.failed and not found:
            try:
                self._refuse_hidden_failures("", self.recorder.held, self.recorder.entered)
            except BaseException as hidden:  # noqa: BLE001 - an author's assertion, or its refusal
                found.append(failure(hidden, 0, self.sources))
        return found

    def _execute(self, step: Step) -> tuple[str, str]:
        """Execute a step; returns its value and the exception that it announced, as text."""
        if step.kind is StepKind.VALUE:
            code = self._compiled(step, "eval")
            return _shown(eval(code, self.space)), ""  # noqa: S307 - what a verifier is for
        if step.raises:
            return "", self._raised(step)
        self._run(step)
        return "", ""

    def _run(self, step: Step) -> None:
        if step.kind is StepKind.INCLUDE:
            module = self.imports.module(self._file(step))
            public = {k: v for k, v in vars(module).items() if not k.startswith("_")}
            self.space.update(public)
            name = step.symbol.split(".")[0]
            if name:
                self.space[name] = vars(module)[name]
            return
        self.module.__file__ = str(self._file(step))
        exec(self._compiled(step, "exec"), self.space)  # noqa: S102 - what a verifier is for

    def _compiled(self, step: Step, mode: str) -> CodeType:
        start = step.line, step.column
        return self.sources.compiled(step.code, self._file(step), start, mode)

    def _raised(self, step: Step) -> str:
        """Execute a step that must raise; returns the exception as text."""
        try:
            self._run(step)
        except BaseException as error:
            if is_idle(error):
                raise
            wanted = self._exception(step.raises)
            if not isinstance(error, wanted):
                message = f"{shown_error(error)}\nbut the fence announces {step.raises}"
                raise Refusal("exception-expected", message) from error
            if not re.search(step.match, str(error)):
                message = f"{shown_error(error)}\nwhich does not match {step.match!r}"
                raise Refusal("exception-expected", message) from error
            return shown_error(error)
        message = f"nothing was raised, but the fence announces {step.raises}"
        raise Refusal("exception-expected", message)

    def _exception(self, name: str) -> type[BaseException]:
        if found := self._class(name):
            return found
        message = f"{name} is no exception that this snippet knows"
        raise Refusal("exception-expected", message)

    def _class(self, name: str) -> type[BaseException] | None:
        """The exception class of a dotted name, in the snippet's namespace or to be imported."""
        first, *rest = name.split(".")
        found: object = self.space.get(first, getattr(builtins, first, None))
        if found is None and rest:
            with contextlib.suppress(ImportError):
                found = importlib.import_module(first)
        for part in rest:
            found = getattr(found, part, None)
        return found if isinstance(found, type) and issubclass(found, BaseException) else None

    def _refuse_hidden_failures(self, raised: str, held_before: int, entered_before: int) -> None:
        """Raise if an assertion failed and the snippet went on; one that is announced may fail."""
        if self.recorder.failed and is_idle(self.recorder.failed):
            raise self.recorder.failed
        held = self.recorder.held - held_before
        entered = self.recorder.entered - entered_before
        unseen = self.recorder.failed and not raised.startswith("AssertionError")
        if unseen or (entered > held and not raised):
            message = "an assertion failed, and the snippet went on as if it had held"
            hint = "do not catch what an assertion raises; to show a failure, write {raises=…}"
            raise Refusal("assertion-swallowed", message, hint) from self.recorder.failed

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
        category = self._class(step.warns) if step.warns else None
        others = [each for each in given if not (category and fits(each, category, step.match))]
        return len(others) < len(given), [each.finding() for each in others]

    def _not_warned(self, step: Step) -> Finding:
        message = f"the fence announces {step.warns}, and no such warning was given"
        hint = f'Python ignores some: warnings.simplefilter("always", {step.warns}) shows all'
        if self._class(step.warns) is None:
            message, hint = f"{step.warns} is no warning that this snippet knows", ""
        return failure(Refusal("warning-expected", message, hint), 0, self.sources)

    def _complaint(self, start: int) -> str:
        """The end of what a step wrote to standard error, from a position on."""
        self.stderr.flush()
        written = self.complained.read(max(start, self.complained.size - MOST_SAID))
        return written.decode("utf-8", "backslashreplace")

    def _file(self, step: Step) -> Path:
        return self.root / step.path


def _last_line(step: Step) -> int:
    """The line of the last statement of a fence that is shown; 0 for any other step."""
    with contextlib.suppress(SyntaxError, ValueError):
        if step.shown and step.kind is StepKind.CODE and not step.raises:
            return step.line - 1 + max(each.lineno for each in ast.parse(step.code).body)
    return 0


def _shown(value: object) -> str:
    """A value as prose shows it: text as it is, six digits of a float, else what `str` gives."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    return clean(f"{value:.6g}" if isinstance(value, float) else str(value))
