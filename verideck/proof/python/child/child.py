"""What runs inside a card's process: the snippets in their order, and a report of each.

The process is given a `Request` and writes a report: one line for each step, a `StepReport`, and
an `Epilogue` when every statement of every step has been executed. A report without its epilogue is
that of a card which did not run to its end.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import re
import sys
import threading
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
from verideck.proof.python.wire.scratch import Scratch, Stream
from verideck.proof.sandbox import kernel


def run(request: Request, report: BinaryIO, scratch: Scratch) -> None:
    """Execute the steps of a request in one namespace, and write the report."""
    root = Path(request.root)
    die_with_parent()
    process_env.redirect_streams(scratch)
    process_env.limit(request.limits)
    child = Child(request, scratch.stdout)
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
    """End the process. It does not wait for threads that a snippet left behind."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


class Child:
    """Executes the steps of one card in one namespace."""

    def __init__(self, request: Request, printed: Stream) -> None:
        """Take over the process: what is imported and raised from now on is the card's."""
        self.root = Path(request.root)
        self.traced = request.traces
        self.printed = printed
        self.stdout = sys.stdout
        self.recorder = Recorder(traces=self.traced, shown=request.shown)
        self.computes = bool(request.shown)
        computing = self.recorder.computing
        self.sources = Sources(self.root, request.overlay, computing, traces=self.traced)
        seeds = process_env.Seeds(request.seed)
        on_import = {**seeds.on_import, "matplotlib": figures.on_import}
        self.imports = Imports(self.sources, self.recorder, on_import)
        self.module = ModuleType("__main__")
        self.space = self.module.__dict__
        self.space[NAME] = self.recorder
        self.thread_failures: list[BaseException] = []
        sys.modules["__main__"] = self.module
        sys.argv = [str(self._file(request.steps[0]))]
        threading.excepthook = self._thread_failed
        self.recorder.heed_joins()
        own = {str(self._file(step)) for step in request.steps}
        self.dependencies = (
            None if request.passing else Dependencies(self.root, own, request.unlisted)
        )
        self.imports.install()

    def report(self, step: Step) -> StepReport:
        """Execute one step and report what became of it."""
        start, begun = self.printed.size, time.perf_counter()
        held_before, entered_before = self.recorder.held, self.recorder.entered
        self.recorder.failed = None
        error: Finding | None = None
        value = raised = ""
        drawings: list[str] = []
        try:
            value, raised = self._execute(step)
            drawings = [] if self.traced else figures.taken()
            self._refuse_hidden_failures(raised, held_before, entered_before)
        except BaseException as caught:  # noqa: BLE001 - whatever an author's code raises is theirs to see
            error = failure(caught, step.line, self.sources)
        self.stdout.flush()
        return StepReport(
            error=error,
            value=value,
            raised=raised,
            figures=tuple(drawings),
            stdout=self.printed.read(start).decode("utf-8", "backslashreplace"),
            held=self.recorder.held - held_before + bool(raised),
            findings=self._findings(),
            seconds=time.perf_counter() - begun,
        )

    def epilogue(self) -> Epilogue:
        """The last line of the report: what the run depended on, and what its assertions read."""
        return Epilogue(
            environment=tuple(self.imports.named()) if self.dependencies else (),
            sandbox=kernel.entered(),
            depends_on=self.dependencies.found(self.imports) if self.dependencies else NOT_ASKED,
            read=tuple(
                replace(each, path=self.sources.own(each.path)) for each in self.recorder.read
            ),
            computed=self.recorder.computing.found() if self.computes else None,
        )

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
        """The exception class of a dotted name, in the snippet's namespace or to be imported."""
        first, *rest = name.split(".")
        found: object = self.space.get(first, getattr(builtins, first, None))
        if found is None and rest:
            with contextlib.suppress(ImportError):
                found = importlib.import_module(first)
        for part in rest:
            found = getattr(found, part, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
        message = f"{name} is no exception that this snippet knows"
        raise Refusal("exception-expected", message)

    def _refuse_hidden_failures(self, raised: str, held_before: int, entered_before: int) -> None:
        """Raise if an assertion failed and the snippet went on; one that is announced may fail."""
        for error in self.thread_failures:
            raise error
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

    def _thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value:
            self.thread_failures.append(failed.exc_value)

    def _file(self, step: Step) -> Path:
        return self.root / step.path


def _shown(value: object) -> str:
    """A value as prose shows it: text as it is, six digits of a float, else what `str` gives."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    return clean(f"{value:.6g}" if isinstance(value, float) else str(value))
