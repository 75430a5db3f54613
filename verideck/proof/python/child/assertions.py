"""Assertions that are counted and that show their operands when they fail.

Runs inside the child. `Rewriter` changes `assert` in the syntax tree into

    with recorder.asserting():
        if recorder.weigh(<test, each operand passed through recorder.keep>):
            recorder.hold()
        else:
            raise recorder.failure(<operands>, <message>)

so that an assertion counts when it is executed, not when it merely stands in the text. One that
cannot fail is refused when it is executed: on a constant or a tuple, as its text shows, or on a
function.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import sys
import threading
from collections.abc import Callable, Sequence
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FrameType,
    GeneratorType,
    ModuleType,
    TracebackType,
)
from typing import Any

from verideck.proof.python.child.computed import Computing
from verideck.proof.python.child.tautology import why_true
from verideck.proof.python.child.values import (
    describe,
    difference,
    is_array,
    is_program,
    shortened,
    traced,
)
from verideck.proof.python.wire.messages import Finding, Lines, ReadValue

NAME = "__verideck__"
"""The recorder's name in the namespace of rewritten code, and the attribute of its exceptions that
holds the verdict."""
_IDLE = "nothing-asserted"
"""The code of an assertion that cannot fail."""

_OPERANDS = itertools.count()
"""Numbers that no two operands of a run share."""
_MOST_READ = 5000
_MOST_NUMBERS = 200_000
_MEASURES = {"abs", "absolute", "amax", "fabs", "item", "max"}
_STRICT = {
    "torch": "torch.testing.assert_close, which does",
    "numpy": "numpy.testing.assert_allclose, which does",
}

_NEVER_FALSE = (
    (AsyncGeneratorType | CoroutineType, "something that nobody awaited"),
    (GeneratorType | map | filter | zip | enumerate | reversed, "an iterator that nobody read"),
    (ModuleType, "a module"),
    (type, "a class"),
)
"""Types whose values are always true, and what to call them. Functions are left to `weigh`."""


class _Asserting:
    """One evaluation of one assertion, from its first operand to its verdict."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._frame = 0
        self.operands: dict[int, Any] = {}
        self.held = False

    def __enter__(self) -> None:
        self._frame = id(sys._getframe(1))  # noqa: SLF001 - the asserting function's own
        self._recorder.evaluated[self._frame] = self

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

    def __enter__(self) -> object:
        return self._manager.__enter__()

    def __exit__(self, *raised: object) -> object:
        held = False
        try:
            result = self._manager.__exit__(*raised)
            held = bool(result) or raised[0] is None
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

    def __init__(self, *, traces: bool = False, shown: Sequence[Lines] = ()) -> None:
        """Begin at zero; with `traces`, what assertions read is recorded."""
        self.computing = Computing(shown, NAME)
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

    def heed_joins(self) -> None:
        """Record from now on which threads are joined."""
        join = threading.Thread.join

        @functools.wraps(join)
        def joined(thread: threading.Thread, timeout: float | None = None) -> None:
            join(thread, timeout)
            if not thread.is_alive():
                self._joined.add(thread)

        threading.Thread.join = joined  # type: ignore[method-assign,assignment]

    def asserting(self) -> _Asserting:
        """The context in which an assertion is evaluated."""
        return _Asserting(self)

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
        if inspect.isroutine(value):
            kinds.append("a function that nobody called")
        if kinds:
            hint = "assert what comes of it; to see that it is there, write `is not None`"
            raise self.idle(f"{kinds[0]} is always true", hint)
        return value

    def idle(self, why: str, hint: str) -> AssertionError:
        """The exception for an assertion that cannot fail."""
        return self._refused(f"this assertion cannot fail: {why}", hint, _IDLE)

    def see(self, value: Any) -> Any:  # noqa: ANN401 - whatever an assertion is about
        """Record a value that an assertion reads, and return it."""
        self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
        return value

    def hold(self, compared: Sequence[tuple[int, int]] = ()) -> None:
        """Record that an assertion held; `compared` are pairs of operands of an `allclose`."""
        evaluated = self._evaluated(sys._getframe(1))  # noqa: SLF001 - who evaluates
        assert evaluated
        evaluated.held = True
        for one, other in compared:
            self._doubt(evaluated.operands.get(one), evaluated.operands.get(other))

    def _doubt(self, one: object, other: object) -> None:
        """Record a doubt if an `allclose` compared two arrays of different shapes."""
        if not (is_array(one) and is_array(other)):
            return
        shapes = [tuple(each.shape) for each in (one, other)]  # type: ignore[attr-defined]
        if shapes[0] != shapes[1] and all(shapes):
            caller = sys._getframe(2)  # noqa: SLF001 - the asserting line
            strict = _STRICT["torch" if "torch" in {_library(one), _library(other)} else "numpy"]
            self.findings.append(
                Finding(
                    "shapes-differ",
                    f"allclose held by broadcasting: the shapes are {shapes[0]} and {shapes[1]}",
                    caller.f_code.co_filename,
                    caller.f_lineno,
                    hint=f"assert the shapes too, or compare with {strict}",
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

    def counting(self, check: Callable[..., object]) -> Callable[..., object]:
        """Wrap a library's `assert_*` function so that a call counts once, whatever it calls."""

        @functools.wraps(check)
        def counted(*args: object, **kwargs: object) -> object:
            if getattr(self._inside, "one", False):
                return check(*args, **kwargs)
            self._inside.one = True
            try:
                for value in args:
                    self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
                result = check(*args, **kwargs)
            except BaseException as error:
                self.failed = error
                self.count(held=False)
                raise
            finally:
                self._inside.one = False
            if hasattr(result, "__enter__") and hasattr(result, "__exit__"):
                return _Announced(result, self)
            self.count(held=True)
            return result

        return counted

    def _trace(self, value: object, asserting: FrameType) -> None:
        if self._traces and not is_program(value) and len(self.read) < _MOST_READ:
            path, line = asserting.f_code.co_filename, asserting.f_lineno
            read = traced(value, whole=self._numbers < _MOST_NUMBERS, path=path, line=line)
            self._numbers += len(read.numbers)
            self.read.append(read)


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


_HERE: list[Recorder] = []
"""The recorder of this process, once it has one."""


def _here() -> Recorder:
    return _HERE[0] if _HERE else Recorder()


def verdict(error: BaseException | None) -> tuple[str, str, str] | None:
    """The code, message and hint that a recorder gave an exception; None for any other."""
    found: object = inspect.getattr_static(error, NAME, None)
    match found:
        case (str(code), str(message), str(hint)):
            return code, message, hint
    return None


def is_idle(error: BaseException | None) -> bool:
    """Whether an exception is that of an assertion that cannot fail."""
    return (verdict(error) or ("",))[0] == _IDLE


def _count(counts: dict[threading.Thread, int]) -> None:
    thread = threading.current_thread()
    counts[thread] = counts.get(thread, 0) + 1


class Rewriter(ast.NodeTransformer):
    """Rewrites the assertions of one module or snippet."""

    def __init__(self, *, traces: bool = False) -> None:
        """With `traces`, the recorder sees every value that an assertion reads."""
        self._traces = traces

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Show the recorder what a library's `assert_*` function is given."""
        match node.value:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if self._traces:
                if name.startswith("assert_"):
                    _Seen().generic_visit(node)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        """Rewrite one assertion; if its text shows that it cannot fail, it raises when it holds."""
        idle = why_true(node.test)
        operands: dict[int, str] = {}
        self._compared: list[tuple[int, int]] = []
        test = self._kept_inside(node.test, operands)
        if self._traces:
            test = _Seen().visit(test)
        compared = [ast.Constant(tuple(self._compared))] if self._compared else []  # type: ignore[arg-type] # as compile takes it
        held: ast.stmt = ast.Expr(_call("hold", *compared))
        if idle:
            held = ast.Raise(exc=_call("idle", *map(ast.Constant, idle)))
        named = ast.Dict(
            keys=[ast.Constant(number) for number in operands],
            values=[ast.Constant(text) for text in operands.values()],
        )
        arguments: list[ast.expr] = [named] + ([node.msg] if node.msg else [])
        decided = ast.If(
            test=_call("weigh", test),
            body=[held],
            orelse=[ast.Raise(exc=_call("failure", *arguments))],
        )
        asserting = ast.With(items=[ast.withitem(_call("asserting"))], body=[decided])
        _put(asserting, node)
        return asserting

    def _kept_inside(self, test: ast.expr, operands: dict[int, str]) -> ast.expr:
        """Pass the operands of a test through the recorder."""
        match test:
            case ast.BoolOp():
                test.values = [self._kept_inside(value, operands) for value in test.values]
            case ast.UnaryOp(op=ast.Not()):
                test.operand = self._kept_inside(test.operand, operands)
            case ast.Compare():
                test.left = self._keep(test.left, operands)
                test.comparators = [self._keep(each, operands) for each in test.comparators]
            case ast.Call():
                if isinstance(test.func, ast.Attribute):
                    inner = test.func.value
                    compares = isinstance(inner, ast.Compare | ast.Call)
                    test.func.value = (self._kept_inside if compares else self._keep)(
                        inner, operands
                    )
                self._keep_arguments(test, operands)
                for keyword in test.keywords:
                    keyword.value = self._keep(keyword.value, operands)
            case _:
                return self._keep(test, operands)
        return test

    def _keep_arguments(self, test: ast.Call, operands: dict[int, str]) -> None:
        """Record the arguments of a call; those of an `allclose` are compared when it holds."""
        test.args = [self._keep(each, operands) for each in test.args]
        sides, name = test.args, test.func.id if isinstance(test.func, ast.Name) else ""
        if isinstance(test.func, ast.Attribute):
            name = test.func.attr
            sides = test.args if len(test.args) > 1 else [test.func.value, *test.args]
        match [_number_of(side) for side in sides[:2]]:
            case [int(one), int(other)] if name == "allclose":
                self._compared.append((one, other))

    def _keep(self, expression: ast.expr, operands: dict[int, str]) -> ast.expr:
        if isinstance(expression, ast.GeneratorExp):
            expression.elt = self._kept_inside(expression.elt, operands)
        if isinstance(expression, ast.GeneratorExp | ast.Starred | ast.Lambda):
            return expression
        if not any(isinstance(each, ast.Name) for each in ast.walk(expression)):
            return expression  # a literal shows its value itself
        number = next(_OPERANDS)
        text = shortened(ast.unparse(expression))
        operands[number] = text
        kept = _call("keep", ast.Constant(number), expression)
        _put(kept, expression)
        return kept


class _Seen(ast.NodeTransformer):
    """Shows the recorder every value that has a name, or that a call returns.

    In `y.shape == (2, 3)` this is `y`: the assertion reads a tensor, and says little of it.
    """

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Show the value of a name."""
        if not isinstance(node.ctx, ast.Load) or node.id == NAME:
            return node
        return self._seen(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Show what a call returns, unless it is a call of the recorder or only measures."""
        measures = _measures(node)
        self.generic_visit(node)
        if measures:
            return node
        match node.func:
            case ast.Attribute(value=ast.Name(id=name)) if name == NAME:
                return node
            case ast.Attribute(attr="data_ptr") | ast.Call(args=[ast.Name(id="id")]):
                return node  # an address differs from run to run and means nothing
        return self._seen(node)

    @staticmethod
    def _seen(node: ast.expr) -> ast.Call:
        seen = _call("see", node)
        _put(seen, node)
        return seen


def _measures(node: ast.Call) -> bool:
    """Whether a call only measures a difference, as `abs(x - y)` does.

    The sides are shown. The difference itself is rounding noise where they agree, and no longer
    shows how large the noise may be.
    """
    inside = list(ast.walk(node))
    calls = [each for each in inside if isinstance(each, ast.Call)]
    functions = [each.func for each in calls]
    attributes = [each for each in inside if isinstance(each, ast.Attribute)]
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            measures = name in _MEASURES
        case _:
            measures = False
    subtracts = any(isinstance(each, ast.Sub) for each in inside)
    return measures and subtracts and all(each in functions for each in attributes)


def _call(method: str, *arguments: ast.expr) -> ast.Call:
    function = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
    return ast.Call(function, list(arguments), [])


def _put(node: ast.AST, at: ast.AST) -> None:
    """Give a new node, and new nodes inside of it, the position of the node that it replaces."""
    ast.fix_missing_locations(ast.copy_location(node, at))


def _number_of(expression: ast.expr) -> int | None:
    """The number under which the recorder keeps an operand; None if it does not."""
    match expression:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="keep"),
            args=[ast.Constant(value=int(number)), _],
        ) if name == NAME:
            return number
    return None
