"""Executes a session: examples behind prompts, compared with what they print, as doctest does."""

from __future__ import annotations

import ast
import doctest
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

from verideck.proof.python.child.assertions import Recorder, is_idle
from verideck.proof.python.child.failures import Found, clean, shown_error
from verideck.proof.python.child.namespace import Namespace
from verideck.proof.python.child.sources import Sources, Text
from verideck.proof.python.child.tracer import Part
from verideck.proof.python.child.transcripts import Example, TranscriptError, examples
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Finding, Step, replace

use_own_builtins(globals())

_SHOWN_LINES = 8
"""How many lines of a text are shown when it differs."""
_SAYS_NOTHING = re.compile(r"(?:\.\.\.|\s)*")

Settled = Callable[[str], None]
"""Called when an example has been executed, with the exception that it announced as text. Raises
if an assertion of it failed unseen."""


class Session:
    """Executes the sessions of one card."""

    def __init__(
        self,
        sources: Sources,
        namespace: Namespace,
        recorder: Recorder,
        printed: Callable[[], Callable[[], str]],
    ) -> None:
        """`printed` begins to listen; what it returns gives all that was printed since."""
        self._sources = sources
        self._namespace = namespace
        self._recorder = recorder
        self._printed = printed
        self._checker = doctest.OutputChecker()
        self._agreed = 0
        self._part = Part()

    def run(self, step: Step, file: Path, part: Part, settled: Settled) -> bool:
        """Execute a session. Returns whether any of its examples printed what it was to print.

        Raises what an example raises, and Found if one prints otherwise. All examples that print
        otherwise are told, up to one that raises.
        """
        self._part = part
        before = self._agreed
        false: list[Finding] = []
        try:
            for example in self._examples(step, file):
                if example.has(doctest.SKIP):
                    self._recorder.findings.append(_skipped(example, step, file))
                elif differs := self._executed(example, step, file, settled):
                    false.append(differs)
                    if example.has(doctest.FAIL_FAST):
                        break
        except BaseException:
            self._recorder.findings += false
            raise
        if false:
            self._recorder.findings += false[1:]
            raise Found(self._own(false[0]))
        return self._agreed > before

    def _own(self, finding: Finding) -> Finding:
        return replace(finding, path=self._sources.own(finding.path))

    def _examples(self, step: Step, file: Path) -> list[Example]:
        # Nothing may have been compiled yet: the file is known from here on.
        self._sources.know(Text(step.code, file, step.line, step.column))
        try:
            return examples(step.code)
        except TranscriptError as error:
            place = Finding(
                "syntax-error",
                clean(str(error)),
                str(file),
                step.line + error.line,
                step.column,
                error.hint,
            )
            raise Found(self._own(place)) from error

    def _executed(
        self, example: Example, step: Step, file: Path, settled: Settled
    ) -> Finding | None:
        """Execute an example. Returns the finding that it prints something else."""
        printed = self._printed()
        flow = self._recorder.flow
        first, began = len(flow.sites), flow.begin_anonymous()
        raised: BaseException | None = None
        try:
            for code in self._compiled(example, step, file):
                self._namespace.execute(code)
        except BaseException as error:
            if is_idle(error) or not example.raises:
                raise
            raised = error
        got = printed() if raised is None else _text_of(raised)
        settled("" if raised is None else shown_error(raised))
        want = example.raises if raised is not None else example.want
        if self._agree(want, got, example.flags, is_exception=raised is not None):
            says_nothing = example.flags & doctest.ELLIPSIS and _SAYS_NOTHING.fullmatch(want)
            if want and not says_nothing:
                self._agreed += 1
                flow.printed(first, began)
                self._recorder.count(held=True)
            return None
        return self._differs(example, want, got, step, file)

    def _compiled(self, example: Example, step: Step, file: Path) -> Iterator[CodeType]:
        """The code of an example, in one or two pieces: only the last may show its value."""
        line, column = step.line + example.line, step.column + example.column
        for offset, source, mode in _pieces(example):
            text = Text(source, file, line + offset, column)
            yield self._sources.compiled(text, mode, self._part, self._namespace.flags)

    def _agree(self, want: str, got: str, flags: int, *, is_exception: bool) -> bool:
        if self._checker.check_output(want, got, flags):
            return True
        loosely = is_exception and flags & doctest.IGNORE_EXCEPTION_DETAIL
        return bool(loosely) and self._checker.check_output(_type_of(want), _type_of(got), flags)

    def _differs(self, example: Example, want: str, got: str, step: Step, file: Path) -> Finding:
        column = step.column + (example.column - len(">>> ") if not example.is_cell else 0)
        is_exception = want == example.raises != ""
        return Finding(
            "output-differs",
            f"this example prints something else\nexpected  {_side(want)}\nprinted   {_side(got)}",
            str(file),
            step.line + (example.below if want else example.below - 1),
            max(column, 1),
            self._hint(want, got, example.flags, is_exception=is_exception),
        )

    def _hint(self, want: str, got: str, flags: int, *, is_exception: bool) -> str:
        for option, name, effect in (
            (doctest.NORMALIZE_WHITESPACE, "NORMALIZE_WHITESPACE", "any white space is the same"),
            (doctest.ELLIPSIS, "ELLIPSIS", "`...` stands for any text"),
            (doctest.IGNORE_EXCEPTION_DETAIL, "IGNORE_EXCEPTION_DETAIL", "any message is the same"),
        ):
            if self._agree(want, got, flags | option, is_exception=is_exception):
                return f"under `# doctest: +{name}`, {effect}"
        if not want:
            return "write what it prints beneath it, or give the value a name: `_ = …`"
        return ""


def _pieces(example: Example) -> Iterator[tuple[int, str, str]]:
    """Pieces of code, each with its first line and the mode in which it is compiled."""
    source = example.source
    if not example.is_cell:
        yield 0, source, "single"
        return
    if source.rstrip().endswith(";"):
        yield 0, source, "exec"
        return
    try:
        body = ast.parse(source).body
    except SyntaxError:  # told when it is compiled, or it awaits
        body = []
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr) or last.col_offset:
        yield 0, source, "single" if isinstance(last, ast.Expr) or not body else "exec"
        return
    lines = source.split("\n")
    above = last.lineno - 1
    if len(body) > 1:
        yield 0, "\n".join(lines[:above]), "exec"
    yield above, "\n".join(lines[above:]), "single"


def _text_of(error: BaseException) -> str:
    """An exception as the end of a traceback shows it, without the lines of code above it."""
    lines = traceback.format_exception_only(error)
    kind = type(error)
    names = (kind.__qualname__, f"{kind.__module__}.{kind.__qualname__}")
    first = next((n for n, line in enumerate(lines) if line.startswith(names)), len(lines) - 1)
    return "".join(lines[first:])


def _type_of(exception: str) -> str:
    """The name of an exception without its module and its message."""
    return exception.partition("\n")[0].partition(":")[0].rpartition(".")[2] + "\n"


def _side(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], "…"]
    return clean("\n          ".join(lines)) if text.strip() else "(nothing)"


def _skipped(example: Example, step: Step, file: Path) -> Finding:
    return Finding(
        "code-not-run",
        "this example is skipped",
        str(file),
        step.line + example.line,
        step.column + example.column,
        "it is executed without +SKIP",
        warning=True,
    )
