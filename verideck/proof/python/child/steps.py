"""Executes the steps of a card, each as its kind asks for, in one namespace."""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType

from verideck.proof.python.child import value_comments
from verideck.proof.python.child.assertions import Recorder, is_idle
from verideck.proof.python.child.beside import Beside
from verideck.proof.python.child.called_tests import call_tests
from verideck.proof.python.child.failures import Refusal, clean, shown_error
from verideck.proof.python.child.imports import Imports
from verideck.proof.python.child.namespace import Namespace
from verideck.proof.python.child.sources import Sources, Text
from verideck.proof.python.child.tracer import NAME, Part
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire import run as wire
from verideck.proof.python.wire.messages import Request, Step
from verideck.proof.python.wire.run import StepKind
from verideck.proof.python.wire.scratch import Stream
from verideck.proof.python.wire.value_comments import value_comments as comments_of

use_own_builtins(globals())


def is_shown(step: Step) -> bool:
    """Whether the card shows the code of a step."""
    return step.part is wire.Part.SHOWN


class Steps:
    """Executes the steps of one card."""

    imports: Imports
    """Set before the first step is executed."""

    def __init__(
        self,
        request: Request,
        recorder: Recorder,
        sources: Sources,
        printed: Stream,
        theirs: AbstractContextManager[object],
    ) -> None:
        """Make the card's namespace. The author's code runs inside of `theirs`."""
        self.root = Path(request.root)
        self.steps = request.steps
        self.follows = request.follows
        self.traced = request.traces
        self.recorder = recorder
        self.flow = recorder.flow
        self.sources = sources
        self.printed = printed
        self.stdout = sys.stdout
        self.theirs = theirs
        self.values = value_comments.Values(printed, self.stdout)
        self.beside: Beside | None = None
        self.module = ModuleType("__main__")
        self.namespace = Namespace(self.module, theirs)
        self.space = self.namespace.names
        self.space.update({NAME: recorder, "__builtins__": builtins})
        setattr(builtins, NAME, recorder)  # for code that has cleared its own names
        sys.modules["__main__"] = self.module

    def execute(self, number: int) -> tuple[str, str]:
        """Execute a step; returns its value and the exception that it announced, as text."""
        step, start = self.steps[number], self.printed.size
        if self.beside and step.kind is not StepKind.INCLUDE:
            self.beside.offer_named(step.code)
        if step.kind is StepKind.VALUE:
            return _shown(self.namespace.execute(self._compiled(number, "eval"))), ""
        if step.raises:
            return "", self._raised(number)
        self._run(number)
        if step.shows_value:
            self._show_value(start)
        return "", ""

    # What of the code is shown

    def part(self, number: int) -> Part:
        """What of a step the card shows."""
        step = self.steps[number]
        return Part(
            step=(lambda _: number) if self.follows and is_shown(step) else (lambda _: -1),
            asserts=self.follows and step.part is not wire.Part.BEHIND,
            hooks=self.follows,
        )

    def part_of(self, file: Path) -> Part:
        """What of a file of the project the card shows."""
        shown = [
            (range(each.line, each.line + each.code.rstrip("\n").count("\n") + 1), number)
            for number, each in enumerate(self.steps)
            if each.kind is StepKind.INCLUDE
            and self.follows
            and is_shown(each)
            and self._file(each) == file
        ]

        def step(line: int) -> int:
            return next((number for lines, number in shown if line in lines), -1)

        module = self.sources.name(file).replace("/", ".")
        return Part(module, step, hooks=False)

    def shows(self, file: str, line: int) -> bool:
        """Whether the card shows a line of a file."""
        return any(
            is_shown(each)
            and str(self._file(each)) == file
            and 0 <= line - each.line <= each.code.count("\n")
            for each in self.steps
        )

    # Execution

    def _run(self, number: int) -> None:
        step = self.steps[number]
        if step.kind is StepKind.INCLUDE:
            self._include(number)
            return
        self.module.__file__ = str(self._file(step))
        self.space.setdefault("__builtins__", builtins)  # else it would be given ours
        if step.kind is StepKind.SESSION:
            self._run_session(number)
            return
        code = self._compiled(number, "exec")
        self.flow.begin_step(number)
        self.namespace.execute(code)
        self.flow.end_step(self.space)
        if step.part is wire.Part.CHECK:
            with self.theirs:
                call_tests(step.code, self.space, self._is_entered)

    def _include(self, number: int) -> None:
        step = self.steps[number]
        with self.theirs:
            module = self.imports.module(self._file(step))
        public = {k: v for k, v in vars(module).items() if not k.startswith("_")}
        self.space.update(public)
        name = step.symbol.split(".")[0]
        if name:
            self.space[name] = vars(module)[name]
        self.flow.include(number, name)

    def _run_session(self, number: int) -> None:
        from verideck.proof.python.child.session import Session  # noqa: PLC0415 - brings doctest

        step = self.steps[number]
        before = self.recorder.held, self.recorder.entered

        def settled(raised: str) -> None:
            nonlocal before
            self.refuse_hidden_failures(raised, *before)
            self.recorder.failed = None
            before = self.recorder.held, self.recorder.entered

        def printed() -> Callable[[], str]:
            self._flush()
            return partial(self.printed_since, self.printed.size)

        session = Session(self.sources, self.namespace, self.recorder, printed)
        if session.run(step, self._file(step), self.part(number), settled) and is_shown(step):
            self.flow.hold(number)

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

    def _compiled(self, number: int, mode: str) -> CodeType:
        step = self.steps[number]
        text = Text(step.code, self._file(step), step.line, step.column)
        part, flags = self.part(number), self.namespace.flags
        comments = comments_of(step.code) if step.heeds_comments else ()
        if not comments and not step.shows_value:
            return self.sources.compiled(text, mode, part, flags)
        self.space[value_comments.NAME] = self.values

        def recorded(tree: ast.AST) -> None:
            assert isinstance(tree, ast.Module)
            last, traces = step.shows_value, self.traced
            value_comments.record(tree, step.line, comments, last=last, traces=traces)

        return self.sources.compiled(text, mode, part, flags, recorded)

    def _show_value(self, start: int) -> None:
        """Print the value of the last expression, as an interpreter does, unless it printed."""
        value, self.values.shown = self.values.shown, None
        if value is None or self.values.begun() != start:
            return
        with self.theirs:
            text = repr(value)
        with contextlib.suppress(ValueError, OSError):  # an author may close it
            self.stdout.write(f"{text}\n")

    def printed_since(self, start: int) -> str:
        """What was printed from a position on."""
        self._flush()
        return self.printed.read(start).decode("utf-8", "backslashreplace")

    def _flush(self) -> None:
        with contextlib.suppress(Exception):  # an author may close it
            self.stdout.flush()

    # Failures

    def refuse_hidden_failures(self, raised: str, held_before: int, entered_before: int) -> None:
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

    def class_of(self, name: str) -> type[BaseException] | None:
        """The exception class of a dotted name, in the snippet's namespace or to be imported."""
        first, *rest = name.split(".")
        found: object = self.space.get(first, getattr(builtins, first, None))
        if found is None and rest:
            with contextlib.suppress(ImportError):
                found = importlib.import_module(first)
        for part in rest:
            found = getattr(found, part, None)
        return found if isinstance(found, type) and issubclass(found, BaseException) else None

    def _exception(self, name: str) -> type[BaseException]:
        if found := self.class_of(name):
            return found
        message = f"{name} is no exception that this snippet knows"
        raise Refusal("exception-expected", message)

    def _is_entered(self, function: object) -> bool:
        """Whether a function of the author's has been entered."""
        code = getattr(function, "__code__", None)
        marks = self.recorder.marks
        return any(
            marks.is_entered(number)
            for number, block in enumerate(marks.blocks)
            if code and (block.file, block.first) == (code.co_filename, code.co_firstlineno)
        )

    def _file(self, step: Step) -> Path:
        return self.root / step.path


def _shown(value: object) -> str:
    """A value as prose shows it: text as it is, six digits of a float, else what `str` gives."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    return clean(f"{value:.6g}" if isinstance(value, float) else str(value))
