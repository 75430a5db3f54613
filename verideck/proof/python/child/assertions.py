"""Assertions that count themselves and, when they fail, tell their operands.

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

from verideck.proof.python.child.tautology import why_true
from verideck.proof.python.child.values import (
    describe,
    difference,
    is_array,
    is_program,
    shortened,
    traced,
)

NAME = "__verideck__"
"""The recorder's name in the namespace of rewritten code, and in its exceptions its verdict's."""
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
"""What is true whatever would come of it, and what to call it; so are functions, of many types."""


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
    """Whether an exception says that nobody waits for the test any more, not that it failed."""
    asyncio = sys.modules.get("asyncio")
    return issubclass(kind, GeneratorExit) or (
        asyncio is not None and issubclass(kind, asyncio.CancelledError)
    )


class _Announced:
    """The context manager of a library's `assert_*` function: it asserts once it is left."""

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

    What happens in a thread counts once somebody has joined the thread: before that, whether it
    happens at all is a matter of luck.
    """

    def __init__(self, *, traces: bool = False) -> None:
        """Begin with nothing entered; `traces` remembers what assertions read."""
        self.failed: BaseException | None = None
        """What the last assertion that failed raised."""
        self.read: list[dict[str, Any]] = []
        """What assertions read (see `comparison.traced`), each value with its file and line."""
        self._numbers = 0
        self.doubts: list[tuple[str, int, str, str]] = []
        """Files, lines and messages of assertions that held and say less than they seem to, each
        with what is stricter."""
        self._traces = traces
        self._entered: dict[threading.Thread, int] = {}
        self._held: dict[threading.Thread, int] = {}
        self._joined = {threading.current_thread()}
        self._inside = threading.local()
        self.evaluated: dict[int, _Asserting] = {}
        """Those being evaluated now, by the frames that they stand in."""
        _HERE[:] = [self]

    def __reduce__(self) -> tuple[Callable[[], Recorder], tuple[()]]:
        """Be the process's own wherever a function with an assertion is sent."""
        return _here, ()

    @property
    def entered(self) -> int:
        """Assertions whose test was evaluated, to a verdict or not."""
        return sum(self._entered.get(thread, 0) for thread in self._joined)

    @property
    def held(self) -> int:
        """Assertions that held."""
        return sum(self._held.get(thread, 0) for thread in self._joined)

    def heed_joins(self) -> None:
        """Learn from now on which threads are joined."""
        join = threading.Thread.join

        @functools.wraps(join)
        def joined(thread: threading.Thread, timeout: float | None = None) -> None:
            join(thread, timeout)
            if not thread.is_alive():
                self._joined.add(thread)

        threading.Thread.join = joined  # type: ignore[method-assign,assignment]

    def asserting(self) -> _Asserting:
        """Evaluate an assertion inside of this."""
        return _Asserting(self)

    def count(self, *, held: bool, entered: bool = True) -> None:
        """Count an assertion that is over."""
        if entered:
            _count(self._entered)
        if held:
            _count(self._held)

    def keep(self, number: int, value: Any) -> Any:  # noqa: ANN401 - whatever an author compares
        """Remember an operand and hand it on."""
        if evaluated := self._evaluated(sys._getframe(1)):  # noqa: SLF001 - who evaluates
            evaluated.operands[number] = value
        return value

    def _evaluated(self, frame: FrameType | None) -> _Asserting | None:
        """What is being evaluated in a frame, or in the nearest that called it.

        Recursion, threads and coroutines evaluate one assertion several times at once; a generator
        in it has a frame of its own.
        """
        while frame is not None and id(frame) not in self.evaluated:
            frame = frame.f_back
        return self.evaluated.get(id(frame))

    def weigh(self, value: Any) -> Any:  # noqa: ANN401 - whatever an author asserts
        """Refuse what could never be false, and hand on all else."""
        kinds = [what for kind, what in _NEVER_FALSE if isinstance(value, kind)]
        if inspect.isroutine(value):
            kinds.append("a function that nobody called")
        if kinds:
            hint = "assert what comes of it; to see that it is there, write `is not None`"
            raise self.idle(f"{kinds[0]} is always true", hint)
        return value

    def idle(self, why: str, hint: str) -> AssertionError:
        """Refuse what held, as it must."""
        return self._refused(f"this assertion cannot fail: {why}", hint, _IDLE)

    def see(self, value: Any) -> Any:  # noqa: ANN401 - whatever an assertion is about
        """Remember what a value is that an assertion is about, and hand it on."""
        self._trace(value, sys._getframe(1))  # noqa: SLF001 - who asserts
        return value

    def hold(self, compared: Sequence[tuple[int, int]] = ()) -> None:
        """Let an assertion have held; `compared` are pairs of operands of an `allclose`."""
        evaluated = self._evaluated(sys._getframe(1))  # noqa: SLF001 - who evaluates
        assert evaluated
        evaluated.held = True
        for one, other in compared:
            self._doubt(evaluated.operands.get(one), evaluated.operands.get(other))

    def _doubt(self, one: object, other: object) -> None:
        """Doubt an `allclose` of two arrays, of which one was broadcast to the other's shape."""
        if not (is_array(one) and is_array(other)):
            return
        shapes = [tuple(each.shape) for each in (one, other)]  # type: ignore[attr-defined]
        if shapes[0] != shapes[1] and all(shapes):
            caller = sys._getframe(2)  # noqa: SLF001 - the asserting line
            message = f"allclose held by broadcasting: the shapes are {shapes[0]} and {shapes[1]}"
            strict = _STRICT["torch" if "torch" in {_library(one), _library(other)} else "numpy"]
            self.doubts.append((caller.f_code.co_filename, caller.f_lineno, message, strict))

    def failure(self, operands: dict[int, str], *message: object) -> AssertionError:
        """Build the exception of an assertion that failed, telling the operands it came to.

        Whoever catches it, or shows it, finds what Python would have raised.
        """
        evaluated = self._evaluated(sys._getframe(1))  # noqa: SLF001 - who evaluates
        values = evaluated.operands if evaluated else {}
        named = [(text, values[number]) for number, text in operands.items() if number in values]
        shown = [(text, value) for text, value in named if not is_program(value)]
        lines = [": ".join(["assertion failed", *map(str, message)])]
        lines += dict.fromkeys(f"{text} = {describe(value)}" for text, value in shown)
        hint = difference([value for _, value in shown])
        return self._refused("\n".join(lines), hint, "assertion-failed", *message)

    def _refused(self, told: str, hint: str, code: str, *message: object) -> AssertionError:
        error = AssertionError(*message)
        setattr(error, NAME, (code, told, hint))
        self.failed = error
        return error

    def counting(self, check: Callable[..., object]) -> Callable[..., object]:
        """Wrap a library's `assert_*` function, so that it counts once however it works inside."""

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
            told = traced(value, whole=self._numbers < _MOST_NUMBERS)
            self._numbers += len(told["numbers"])
            where = {"file": asserting.f_code.co_filename, "line": asserting.f_lineno}
            self.read.append({**told, **where})


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


_HERE: list[Recorder] = []
"""This process's own, once there is one."""


def _here() -> Recorder:
    return _HERE[0] if _HERE else Recorder()


def verdict(error: BaseException | None) -> tuple[str, str, str] | None:
    """The code, the message and the hint of what a recorder refused; None of any other."""
    found: object = inspect.getattr_static(error, NAME, None)
    match found:
        case (str(code), str(message), str(hint)):
            return code, message, hint
    return None


def is_idle(error: BaseException | None) -> bool:
    """Whether an exception refuses an assertion that cannot fail."""
    return (verdict(error) or ("",))[0] == _IDLE


def _count(counts: dict[threading.Thread, int]) -> None:
    thread = threading.current_thread()
    counts[thread] = counts.get(thread, 0) + 1


class Rewriter(ast.NodeTransformer):
    """Rewrites the assertions of one module or snippet."""

    def __init__(self, *, traces: bool = False) -> None:
        """`traces` lets the recorder see all that assertions are about."""
        self._traces = traces

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Let what a library's `assert_*` function is given be seen."""
        match node.value:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if self._traces:
                if name.startswith("assert_"):
                    _Seen().generic_visit(node)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        """Rewrite one assertion; where its text shows that it holds, holding is refused."""
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
        told = ast.Dict(
            keys=[ast.Constant(number) for number in operands],
            values=[ast.Constant(text) for text in operands.values()],
        )
        arguments: list[ast.expr] = [told] + ([node.msg] if node.msg else [])
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
        """Keep what a call is given; what an `allclose` compares is looked at when it holds."""
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
            return expression  # a literal tells its value itself
        number = next(_OPERANDS)
        text = shortened(ast.unparse(expression))
        operands[number] = text
        kept = _call("keep", ast.Constant(number), expression)
        _put(kept, expression)
        return kept


class _Seen(ast.NodeTransformer):
    """Shows the recorder every value that has a name, or that a call returns.

    `y` in `y.shape == (2, 3)`: an assertion on a shape is about a tensor, and says little of it.
    """

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Show what a name stands for."""
        if not isinstance(node.ctx, ast.Load) or node.id == NAME:
            return node
        return self._seen(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Show what a call returns, unless it is one of ours, or says no more than its operands."""
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
    """Whether a call only measures a difference, as `abs(x - y)` does, whose sides are seen.

    The difference itself is rounding noise where they agree, of which nobody could tell any more
    how large it may be.
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
    """Give a new node, and what is new inside of it, the place of the one that it stands for."""
    ast.fix_missing_locations(ast.copy_location(node, at))


def _number_of(expression: ast.expr) -> int | None:
    """The number under which the recorder keeps an operand, if it does."""
    match expression:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="keep"),
            args=[ast.Constant(value=int(number)), _],
        ) if name == NAME:
            return number
    return None
