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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import BinaryIO

from verideck.proof.python.child import figures, process_env, value_comments
from verideck.proof.python.child.assertions import Recorder, is_idle
from verideck.proof.python.child.called_tests import call_tests
from verideck.proof.python.child.dependencies import Dependencies
from verideck.proof.python.child.failures import Refusal, clean, failure, shown_error
from verideck.proof.python.child.flow import Flow
from verideck.proof.python.child.imports import Imports
from verideck.proof.python.child.marks import Marks
from verideck.proof.python.child.namespace import Namespace
from verideck.proof.python.child.sources import Sources, Text
from verideck.proof.python.child.tracer import NAME, Part
from verideck.proof.python.child.unheard import Unheard
from verideck.proof.python.child.warned import Warnings, fits
from verideck.proof.python.wire import run as wire
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
from verideck.proof.python.wire.value_comments import value_comments as comments_of
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
    for number in range(len(request.steps)):
        reported = child.report(number)
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
        self.steps = request.steps
        self.marks = Marks()
        self.follows = request.follows
        self.flow = Flow(self.marks, list(map(self._is_followed, request.steps)))
        self.recorder = Recorder(self.marks, self.flow, traces=self.traced)
        self.values = value_comments.Values(self.printed, self.stdout)
        self.sources = Sources(
            self.root, request.overlay, self.marks, self.flow, traces=self.traced
        )
        seeds = process_env.Seeds(request.seed)
        self.unheard = Unheard(self.sources)
        self.warnings = Warnings(self.sources)
        on_import = {
            **seeds.on_import,
            "matplotlib": figures.on_import,
            **self.unheard.on_import,
        }
        self.imports = Imports(self.sources, self.recorder, on_import, self._part_of)
        self.module = ModuleType("__main__")
        self.namespace = Namespace(self.module)
        self.space = self.namespace.names
        self.space[NAME] = self.recorder
        sys.modules["__main__"] = self.module
        sys.argv = [str(self._file(request.steps[0]))]
        self.unheard.listen()
        self.recorder.heed_joins()
        self.recorder.heed_forks()
        own = {str(self._file(step)) for step in request.steps}
        self.dependencies = Dependencies(self.root, own, request.unlisted)
        self.imports.install()
        self.warnings.listen()

    def report(self, number: int) -> StepReport:
        """Execute one step, by its number, and report what became of it."""
        step = self.steps[number]
        start, begun = self.printed.size, time.perf_counter()
        complained = self.complained.size
        held_before, entered_before = self.recorder.held, self.recorder.entered
        self.recorder.failed = None
        error: Finding | None = None
        value = raised = ""
        drawings: list[str] = []
        try:
            value, raised = self._execute(number)
            if step.shows_value:
                self._show_value(start)
            drawings = [] if self.traced else figures.taken()
            error = next(iter(self.unheard.taken()), None)
            if error is None and step.kind is not StepKind.SESSION:  # which looks at each example
                self._refuse_hidden_failures(raised, held_before, entered_before)
        except BaseException as caught:  # noqa: BLE001 - whatever an author's code raises is theirs to see
            error = failure(caught, step.line, self.sources, _last_line(step))
        warned, findings = self._warned(step)
        if step.warns and not error and not warned:
            error = self._not_warned(step)
        if warned:
            self.flow.hold(number)
        return StepReport(
            error=error,
            value=value,
            raised=raised,
            figures=tuple(drawings),
            stdout=self._printed_since(start),
            held=self.recorder.held - held_before + bool(raised) + warned,
            findings=(*findings, *self._findings()),
            seconds=time.perf_counter() - begun,
            said=self.values.taken(),
            stderr=self._complaint(complained) if error else "",
        )

    def epilogue(self) -> Epilogue:
        """The last line of the report: what the run depended on, and what its assertions read.

        Before it, all that runs late has been waited for.
        """
        self.namespace.close()
        unheard = self._late_failures()
        unproven = (*self.marks.findings(), *self.recorder.vacuous())
        return Epilogue(
            environment=tuple(self.imports.named()),
            sandbox=kernel.entered(),
            depends_on=self.dependencies.found(self.imports),
            read=tuple(
                replace(each, path=self.sources.own(each.path)) for each in self.recorder.read
            ),
            findings=(
                *(each.finding() for each in self.warnings.taken()),
                *map(self._placed, unproven),
                *unheard,
            ),
            bears=tuple(map(self.flow.bears, range(len(self.steps)))),
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

    def _placed(self, finding: Finding) -> Finding:
        """A finding in compiled code, at its place in the author's file."""
        before, text = self.sources.line(finding.path, finding.line)
        characters = text.encode()[: finding.column - 1].decode(errors="ignore")
        column = before + len(characters) + 1
        return replace(finding, path=self.sources.own(finding.path), column=column)

    def _execute(self, number: int) -> tuple[str, str]:
        """Execute a step; returns its value and the exception that it announced, as text."""
        step = self.steps[number]
        if step.kind is StepKind.VALUE:
            return _shown(self.namespace.execute(self._compiled(number, "eval"))), ""
        if step.raises:
            return "", self._raised(number)
        self._run(number)
        return "", ""

    def _run(self, number: int) -> None:
        step = self.steps[number]
        if step.kind is StepKind.INCLUDE:
            module = self.imports.module(self._file(step))
            public = {k: v for k, v in vars(module).items() if not k.startswith("_")}
            self.space.update(public)
            name = step.symbol.split(".")[0]
            if name:
                self.space[name] = vars(module)[name]
            self.flow.include(number, name)
            return
        self.module.__file__ = str(self._file(step))
        if step.kind is StepKind.SESSION:
            self._run_session(number)
            return
        code = self._compiled(number, "exec")
        self.flow.begin_step(number)
        self.namespace.execute(code)
        self.flow.end_step(self.space)
        if step.part is wire.Part.CHECK:
            call_tests(step.code, self.space, self._is_entered)

    def _run_session(self, number: int) -> None:
        from verideck.proof.python.child.session import Session  # noqa: PLC0415 - brings doctest

        step = self.steps[number]
        before = self.recorder.held, self.recorder.entered

        def settled(raised: str) -> None:
            nonlocal before
            self._refuse_hidden_failures(raised, *before)
            self.recorder.failed = None
            before = self.recorder.held, self.recorder.entered

        def printed() -> Callable[[], str]:
            self._flush()
            return partial(self._printed_since, self.printed.size)

        session = Session(self.sources, self.namespace, self.recorder, printed)
        part = self._part(number)
        if session.run(step, self._file(step), part, settled) and step.part is wire.Part.SHOWN:
            self.flow.hold(number)

    def _flush(self) -> None:
        with contextlib.suppress(Exception):  # an author may close it
            self.stdout.flush()

    def _printed_since(self, start: int) -> str:
        self._flush()
        return self.printed.read(start).decode("utf-8", "backslashreplace")

    def _is_followed(self, step: Step) -> bool:
        return self.follows and step.part is wire.Part.SHOWN

    def _part(self, number: int) -> Part:
        """What of a step the card shows."""
        step = self.steps[number]
        return Part(
            step=(lambda _: number) if self._is_followed(step) else (lambda _: -1),
            asserts=self.follows and step.part is not wire.Part.BEHIND,
            hooks=self.follows,
        )

    def _show_value(self, start: int) -> None:
        """Print the value of the last expression, as an interpreter does, unless it printed."""
        value, self.values.shown = self.values.shown, None
        if value is None or self.values.begun() != start:
            return
        text = repr(value)
        with contextlib.suppress(ValueError, OSError):  # an author may close it
            self.stdout.write(f"{text}\n")

    def _compiled(self, number: int, mode: str) -> CodeType:
        step = self.steps[number]
        text = Text(step.code, self._file(step), step.line, step.column)
        part, flags = self._part(number), self.namespace.flags
        comments = comments_of(step.code) if step.heeds_comments else ()
        if not comments and not step.shows_value:
            return self.sources.compiled(text, mode, part, flags)
        self.space[value_comments.NAME] = self.values

        def recorded(tree: ast.AST) -> None:
            assert isinstance(tree, ast.Module)
            last, traces = step.shows_value, self.traced
            value_comments.record(tree, step.line, comments, last=last, traces=traces)

        return self.sources.compiled(text, mode, part, flags, recorded)

    def _part_of(self, file: Path) -> Part:
        """What of a file of the project the card shows."""
        shown = [
            (range(each.line, each.line + each.code.rstrip("\n").count("\n") + 1), number)
            for number, each in enumerate(self.steps)
            if each.kind is StepKind.INCLUDE
            and self._is_followed(each)
            and self._file(each) == file
        ]

        def step(line: int) -> int:
            return next((number for lines, number in shown if line in lines), -1)

        module = self.sources.name(file).replace("/", ".")
        return Part(module, step, hooks=False)

    def _is_entered(self, function: object) -> bool:
        """Whether a function of the author's has been entered."""
        code = getattr(function, "__code__", None)
        return any(
            self.marks.is_entered(number)
            for number, block in enumerate(self.marks.blocks)
            if code and (block.file, block.line) == (code.co_filename, code.co_firstlineno)
        )

    def _raised(self, number: int) -> str:
        """Execute a step that must raise; returns the exception as text."""
        step = self.steps[number]
        try:
            self._run(number)
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
            self.flow.hold(number)
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
        if step.part is wire.Part.SHOWN and step.kind is StepKind.CODE and not step.raises:
            return step.line - 1 + max(each.lineno for each in ast.parse(step.code).body)
    return 0


def _shown(value: object) -> str:
    """A value as prose shows it: text as it is, six digits of a float, else what `str` gives."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    return clean(f"{value:.6g}" if isinstance(value, float) else str(value))
