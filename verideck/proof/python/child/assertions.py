"""Counts assertions while they are executed, and shows their operands when they fail.

Runs inside the child, called by what `rewriter.Rewriter` puts in the place of an `assert`. One that
cannot fail is refused when it is executed: on a constant or a tuple, as its text shows, or on a
function. One that held without having compared anything (`all` of nothing, an empty tensor) is
refused at the end, unless it has held in another way, too.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FrameType,
    GeneratorType,
    ModuleType,
    TracebackType,
)
from typing import Any

from verideck.proof.python.child import comparisons
from verideck.proof.python.child.computed import Computing
from verideck.proof.python.child.flow import Began, Flow
from verideck.proof.python.child.marks import Marks, SharedMarks
from verideck.proof.python.child.tracer import NAME
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.child.values import (
    describe,
    difference,
    is_program,
    is_routine,
    traced,
)
from verideck.proof.python.wire.messages import Finding, Lines, ReadValue

use_own_builtins(globals())

_IDLE = "nothing-asserted"
"""The code of an assertion that cannot fail."""
UNRELATED = "assertion-unrelated"
"""The code of one that has to do with nothing on the card."""
_MOST_READ = 5000
_MOST_NUMBERS = 200_000
_NEVER_FALSE = (
    (AsyncGeneratorType | CoroutineType, "something that nobody awaited"),
    (GeneratorType | map | filter | zip | enumerate | reversed, "an iterator that nobody read"),
    (ModuleType, "a module"),
    (type, "a class"),
    (functools.partial, "a function that nobody called"),
)
"""Types whose values are always true, and what to call them. Functions are left to `weigh`."""


class _Asserting:
    """One evaluation of one assertion, from its first operand to its verdict."""

    def __init__(self, recorder: Recorder, site: int) -> None:
        self._recorder = recorder
        self._frame = 0
        self.site = site
        self.began: Began | None = None
        self.operands: dict[int, Any] = {}
        self.held = False
        self.vacuous = ""
        """Why its holding says nothing; empty if it says something."""

    def __enter__(self) -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - the asserting function's own
        self._frame = id(frame)
        self._recorder.evaluated[self._frame] = self
        self.began = self._recorder.flow.ask(self.site, frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        del error, trace
        del self._recorder.evaluated[self._frame]
        self.operands.clear()
        self._recorder.count(held=self.held, entered=kind is None or not _is_given_up(kind))


def _is_given_up(kind: type[BaseException]) -> bool:
    """Whether an exception ends a test that is no longer waited for; then the test did not fail."""
    asyncio = sys.modules.get("asyncio")
    return issubclass(kind, GeneratorExit) or (
        asyncio is not None and issubclass(kind, asyncio.CancelledError)
    )


class _Announced:
    """The context manager of a library's `assert_*` function; it asserts when it is left."""

    def __init__(self, manager: Any, recorder: Recorder) -> None:  # noqa: ANN401 - any library's
        self._manager = manager
        self._recorder = recorder
        self._began = recorder.flow.begin_anonymous()

    def __enter__(self) -> object:
        return self._manager.__enter__()

    def __exit__(self, *raised: object) -> object:
        held = False
        try:
            result = self._manager.__exit__(*raised)
            held = bool(result) or raised[0] is None
            self._recorder.flow.announce(self._began)
        except BaseException as error:
            self._recorder.failed = error
            raise
        finally:
            self._recorder.count(held=held)
        return result

    def __getattr__(self, name: str) -> object:
        return getattr(self._manager, name)


class Recorder:
    """Counts assertions and keeps the operands of those being evaluated.

    What happens in a thread counts once the thread has been joined: before that, it depends on luck
    whether it has happened.
    """

    def __init__(
        self, marks: Marks, flow: Flow, *, traces: bool = False, shown: Sequence[Lines] = ()
    ) -> None:
        """Begin at zero; with `traces`, what assertions read is recorded."""
        self.computing = Computing(shown, NAME)
        self.marks = marks
        self.flow = flow
        self.ran: list[int] | dict[int, int] | SharedMarks = marks.ran
        """What marks are put into (see `marks`)."""
        self._proper: set[int] = set()
        """The sites of assertions that held and said something by that."""
        self._vacuous: dict[int, str] = {}
        self.failed: BaseException | None = None
        """What the last assertion that failed raised."""
        self.read: list[ReadValue] = []
        """What assertions read, by the paths of the process's own file system."""
        self._numbers = 0
        self.findings: list[Finding] = []
        self._traces = traces
        self._entered: dict[threading.Thread, int] = {}
        self._held: dict[threading.Thread, int] = {}
        self._joined = {threading.current_thread()}
        self._inside = threading.local()
        self.evaluated: dict[int, _Asserting] = {}
        """Those being evaluated now, by the frames that they stand in."""
        _HERE[:] = [self]

    def __reduce__(self) -> tuple[Callable[[], Recorder], tuple[()]]:
        """Unpickle to the recorder of the process that a function with an assertion is sent to."""
        return _here, ()

    @property
    def entered(self) -> int:
        """How many assertions were evaluated, to a verdict or not."""
        return sum(self._entered.get(thread, 0) for thread in self._joined)

    @property
    def held(self) -> int:
        """How many assertions held."""
        return sum(self._held.get(thread, 0) for thread in self._joined)

    def heed_forks(self) -> None:
        """Let the marks of forked processes be seen in this one."""

        def forked() -> None:
            self.ran = self.marks.in_fork()

        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=forked)

    def heed_joins(self) -> None:
        """Record from now on which threads are joined."""
        join = threading.Thread.join

        @functools.wraps(join)
        def joined(thread: threading.Thread, timeout: float | None = None) -> None:
            join(thread, timeout)
            if not thread.is_alive():
                self._joined.add(thread)

        threading.Thread.join = joined  # type: ignore[method-assign,assignment]

    def asserting(self, site: int) -> _Asserting:
        """The context in which an assertion is evaluated."""
        return _Asserting(self, site)

    def enter(self, block: int) -> None:
        """Mark a block as entered, where only an expression can stand."""
        self.ran[block] = 1

    def asked(self, site: int) -> Began:
        """Called before a statement that calls a library's assertion."""
        return self.flow.ask(site, sys._getframe(1))  # noqa: SLF001 - who asserts

    def answered(self, site: int, began: Began, value: object) -> object:
        """Called when such a statement has come to its end; returns its value."""
        self._proper.add(site)
        self.flow.held(site, began, sys._getframe(1))  # noqa: SLF001 - who asserts
        return value

    def vacuous(self) -> Iterator[Finding]:
        """The assertions that held and never said anything by that, as findings."""
        for site, why in self._vacuous.items():
            if site not in self._proper:
                block = self.marks.blocks[self.flow.sites[site].block]
                yield Finding(
                    _IDLE,
                    f"this assertion cannot fail: {why}",
                    block.file,
                    block.line,
                    block.column + 1,
                    "assert it of what could be otherwise",
                )

    def count(self, *, held: bool, entered: bool = True) -> None:
        """Count an assertion that has been evaluated."""
        if entered:
            _count(self._entered)
        if held:
            _count(self._held)

    def keep(self, number: int, value: Any) -> Any:  # noqa: ANN401 - whatever an author compares
        """Record an operand and return it."""
        if evaluated := self._evaluated(sys._getframe(1)):  # noqa: SLF001 - who evaluates
            evaluated.operands[number] = value
        return value

    def _evaluated(self, frame: FrameType | None) -> _Asserting | None:
        """The assertion that is evaluated in a frame, or in its nearest caller.

        Recursion, threads and coroutines evaluate one assertion several times at once. A generator
        in an assertion has a frame of its own.
        """
        while frame is not None and id(frame) not in self.evaluated:
            frame = frame.f_back
        return self.evaluated.get(id(frame))

    def weigh(self, value: Any) -> Any:  # noqa: ANN401 - whatever an author asserts
        """Return a value; raise if it could never be false."""
        kinds = [what for kind, what in _NEVER_FALSE if isinstance(value, kind)]
        if (mock := sys.modules.get("unittest.mock")) and isinstance(value, mock.NonCallableMock):
            kinds.append("a mock")
        if is_routine(value):
            kinds.append("a function that nobody called")
        if comparisons.is_collection_of_verdicts(value):
            raise self.idle("a collection that is not empty is true", "write `assert all(…)`")
        if kinds:
            hint = "assert what comes of it: call it, or read it, and compare that"
            raise self.idle(f"{kinds[0]} is always true", hint)
        return value

    def idle(self, why: str, hint: str, code: str = _IDLE) -> AssertionError:
        """The exception for an assertion that cannot fail, or that has to do with nothing."""
        shown = why if code != _IDLE else f"this assertion cannot fail: {why}"
        return self._refused(shown, hint, code)

    def see(self, value: Any) -> Any:  # noqa: ANN401 - whatever an assertion is about
        """Record a value that an assertion reads, and return it."""
        self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
        return value

    def each(self, function: object, values: Any) -> Any:  # noqa: ANN401 - whatever can be iterated
        """The values that `all` or `any` is given; notes if there are none."""
        evaluated = self._evaluated(sys._getframe(1))  # noqa: SLF001 - who evaluates
        if function not in (all, any) or evaluated is None:
            return values
        return _counted(values, evaluated)

    def hold(
        self,
        compared: Sequence[tuple[str, int, int]] = (),
        tolerances: Sequence[tuple[int, bool]] = (),
    ) -> None:
        """Record that an assertion held.

        `compared` are pairs of operands that it compares, each with the call that does, and
        `tolerances` operands that say how far they may be apart, each with whether it is relative.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - who evaluates
        evaluated = self._evaluated(frame)
        assert evaluated
        assert evaluated.began
        evaluated.held = True
        operands, why = evaluated.operands, evaluated.vacuous
        for name, one, other in compared:
            pair = operands.get(one), operands.get(other)
            why = why or comparisons.why_equal(*pair)
            self._notice(*comparisons.broadcast(name, *pair), frame)
        for number, relative in tolerances:
            why = why or comparisons.why_tolerant(operands.get(number), relative=relative)
        if why:
            self._vacuous.setdefault(evaluated.site, why)
            return
        self._proper.add(evaluated.site)
        self.flow.held(evaluated.site, evaluated.began, frame)

    def _notice(self, message: str, hint: str, frame: FrameType) -> None:
        """Record a warning that an assertion held by broadcasting, unless the message is empty."""
        if message:
            self.findings.append(
                Finding(
                    "shapes-differ",
                    message,
                    frame.f_code.co_filename,
                    frame.f_lineno,
                    hint=hint,
                    warning=True,
                )
            )

    def failure(self, operands: dict[int, str], *message: object) -> AssertionError:
        """The exception for an assertion that failed; its verdict shows the operands.

        Code that catches it, or shows it, finds what Python would have raised.
        """
        evaluated = self._evaluated(sys._getframe(1))  # noqa: SLF001 - who evaluates
        values = evaluated.operands if evaluated else {}
        named = [(text, values[number]) for number, text in operands.items() if number in values]
        shown = [(text, value) for text, value in named if not is_program(value)]
        lines = [": ".join(["assertion failed", *map(str, message)])]
        lines += dict.fromkeys(f"{text} = {describe(value)}" for text, value in shown)
        hint = difference([value for _, value in shown])
        return self._refused("\n".join(lines), hint, "assertion-failed", *message)

    def _refused(self, shown: str, hint: str, code: str, *message: object) -> AssertionError:
        error = AssertionError(*message)
        setattr(error, NAME, (code, shown, hint))
        self.failed = error
        return error

    def counting(
        self, check: Callable[..., object], *, of_object: bool = False
    ) -> Callable[..., object]:
        """Wrap a library's `assert_*` function so that a call counts once, whatever it calls.

        The first argument of a method, `of_object`, is nothing that it compares.
        """

        @functools.wraps(check)
        def counted(*args: object, **kwargs: object) -> object:
            if getattr(self._inside, "one", False):
                return check(*args, **kwargs)
            self._inside.one = True
            try:
                for value in args[of_object:]:
                    self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
                result = check(*args, **kwargs)
                self._refuse_vacuous(args, kwargs)
            except BaseException as error:
                self.failed = error
                self.count(held=False)
                raise
            finally:
                self._inside.one = False
            if comparisons.expects_anything(result):
                return result  # what broken code raises would do, too
            if hasattr(result, "__enter__") and hasattr(result, "__exit__"):
                return _Announced(result, self)
            self.count(held=True)
            return result

        return counted

    def _refuse_vacuous(self, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
        """Raise if a library's assertion held that could not have failed."""
        if why := comparisons.why_vacuous(args, kwargs):
            hint = "compare two values that could differ, within a tolerance that says so"
            raise self.idle(why, hint)

    def _trace(self, value: object, asserting: FrameType) -> None:
        if self._traces and not is_program(value) and len(self.read) < _MOST_READ:
            path, line = asserting.f_code.co_filename, asserting.f_lineno
            read = traced(value, whole=self._numbers < _MOST_NUMBERS, path=path, line=line)
            self._numbers += len(read.numbers)
            self.read.append(read)


def _counted(values: Any, evaluated: _Asserting) -> Iterator[Any]:  # noqa: ANN401 - of any type
    """Pass values on; an assertion that goes through none of them says nothing."""
    empty = True
    for each in values:
        empty = False
        yield each
    if empty:
        evaluated.vacuous = "it goes through no value at all"


_HERE: list[Recorder] = []
"""The recorder of this process, once it has one."""


def _here() -> Recorder:
    if not _HERE:
        marks = Marks()
        Recorder(marks, Flow(marks, ())).ran = {}  # the marks of a process that does not report
    return _HERE[0]


def verdict(error: BaseException | None) -> tuple[str, str, str] | None:
    """The code, message and hint that a recorder gave an exception; None for any other."""
    found: object = inspect.getattr_static(error, NAME, None)
    match found:
        case (str(code), str(message), str(hint)):
            return code, message, hint
    return None


def is_idle(error: BaseException | None) -> bool:
    """Whether an exception is that of an assertion that cannot fail."""
    return (verdict(error) or ("",))[0] in {_IDLE, UNRELATED}


def _count(counts: dict[threading.Thread, int]) -> None:
    thread = threading.current_thread()
    counts[thread] = counts.get(thread, 0) + 1
