"""Exceptions that a card's code raises where nobody hears them.

Python writes them to standard error, or nowhere, and goes on: those of threads, of tasks and
futures that nobody asks, of `atexit` functions and finalizers, and what `doctest`, `unittest` and
`logging` catch. Each becomes a finding, an error at its line.
"""

from __future__ import annotations

import atexit
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial, wraps
from typing import Any

from verideck.proof.python.child.failures import NOWHERE, Place, Refusal, failure, near
from verideck.proof.python.child.sources import Sources
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Finding, replace

use_own_builtins(globals())

_IN_ASYNCIO = (
    ("Task exception was never", "in a task that nobody awaited"),
    ("Future exception was never", "in a future that nobody awaited"),
    ("unhandled exception during asyncio.run", "in a task that nobody awaited"),
    ("", "in a callback of the event loop, where nobody hears it"),
)
"""How a message of asyncio begins, and where its exception was raised."""


class Unheard:
    """Hears what is raised in one process where nobody else does."""

    def __init__(self, sources: Sources) -> None:
        """Hear nothing yet."""
        self.found: list[Finding] = []
        """What was heard since it was taken last."""
        self.on_import: Mapping[str, Callable[[Any], None]] = {
            "asyncio.base_events": self._asyncio,
            "concurrent.futures._base": self._futures,
            "doctest": self._doctest,
            "logging": self._logging,
            "multiprocessing.process": self._processes,
            "subprocess": self._programs,
            "unittest.result": self._unittest,
        }
        """By library: what is done with it as soon as it is imported."""
        self._sources = sources
        self._at_exit: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = []
        self._tasks: weakref.WeakSet[Any] = weakref.WeakSet()
        self._unasked: dict[int, tuple[object, Finding]] = {}
        """By the id of a future, process or result: it, and what nobody has asked it for."""
        self._in_results: list[tuple[weakref.ref[Any], Finding]] = []

    def listen(self) -> None:
        """Hear threads, finalizers and `atexit` functions from now on."""
        threading.excepthook = self._thread
        sys.unraisablehook = self._unraisable
        self._exits()

    def hear(self, error: BaseException, where: str, place: Place = NOWHERE) -> None:
        """Take an exception; `place` is told if no line of the author's raised it."""
        self.found.append(self._finding(error, where, place))

    def _finding(self, error: BaseException, where: str, place: Place = NOWHERE) -> Finding:
        found = failure(error, 0, self._sources)
        if not found.line:
            found = _placed(found, place)
        first, *more = found.message.split("\n")
        return replace(found, message="\n".join([first, f"raised {where}", *more]))

    def taken(self) -> list[Finding]:
        """What was heard since this was called last."""
        for result, finding in list(self._in_results):
            if result() is None:  # whoever kept the result can have looked at it
                self.found.append(finding)
                self._in_results.remove((result, finding))
        found = list(dict.fromkeys(self.found))
        self.found.clear()
        return found

    def finish(self, theirs: AbstractContextManager[object]) -> list[Finding]:
        """Do what Python does when a program ends, and return what was never heard.

        Waits for threads, calls `atexit` functions and finalizers of the author's, and asks
        whatever nobody has asked. The author's code runs inside of `theirs`.
        """
        with theirs:
            threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - as the interpreter does
        while self._at_exit:
            function, args, kwargs = self._at_exit.pop()
            late = partial(function, *args, **kwargs)
            self._call(theirs, late, "in a function that is called at exit")
        for finalizer in self._finalizers():
            self._call(theirs, finalizer, "in a finalizer that is called at exit")
        if self._tasks:
            with theirs:
                gc.collect()
        for task in list(self._tasks):
            if task.done() and not task.cancelled() and getattr(task, "_log_traceback", False):
                self.hear(task.exception(), "in a task that nobody awaited")
        self.found += [finding for _, finding in self._unasked.values()]
        return self.taken()

    def _call(
        self, theirs: AbstractContextManager[object], function: Callable[[], object], where: str
    ) -> None:
        try:
            with theirs:
                function()
        except SystemExit:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever an author's code raises
            self.hear(error, where)

    def _here(self) -> Place:
        """The author's nearest place among the callers."""
        return near(sys._getframe(1), self._sources)  # noqa: SLF001

    def _is_own(self, function: object) -> bool:
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        return bool(self._sources.own(getattr(code, "co_filename", "")))

    def _thread(self, failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value:
            self.hear(failed.exc_value, "in a thread")

    def _unraisable(self, failed: sys.UnraisableHookArgs) -> None:
        error = failed.exc_value
        if error is None or not failure(error, 0, self._sources).line:
            sys.__unraisablehook__(failed)
            return
        name = getattr(failed.object, "__qualname__", "") or "a finalizer"
        self.hear(error, f"in {name}, where nobody hears it")

    def _exits(self) -> None:
        """Keep the author's `atexit` functions; those of libraries are not called."""
        register: Callable[..., Any] = atexit.register
        unregister: Callable[..., Any] = atexit.unregister

        @wraps(register)
        def registered(function: Callable[..., Any], *args: Any, **kwargs: Any) -> object:  # noqa: ANN401
            caller = sys._getframe(1).f_code.co_filename  # noqa: SLF001
            if self._is_own(function) or self._sources.own(caller):
                self._at_exit.append((function, args, kwargs))
                return function
            return register(function, *args, **kwargs)

        @wraps(unregister)
        def unregistered(function: Callable[..., Any]) -> None:
            self._at_exit[:] = [each for each in self._at_exit if each[0] != function]
            unregister(function)

        atexit.register = registered  # type: ignore[assignment] # it takes what it took
        atexit.unregister = unregistered

    def _finalizers(self) -> list[weakref.finalize[..., Any]]:
        """The author's finalizers that Python calls at its end, the last one first."""
        registry = getattr(weakref.finalize, "_registry", {})
        own = [
            (info.index, each)
            for each, info in list(registry.items())
            if info.atexit and self._is_own(info.func)
        ]
        return [each for _, each in sorted(own, key=lambda pair: -pair[0])]

    def _asyncio(self, events: Any) -> None:  # noqa: ANN401 - the module
        loop = events.BaseEventLoop
        handle, create = loop.default_exception_handler, loop.create_task

        @wraps(handle)
        def handled(of: object, context: Mapping[str, Any]) -> None:
            error = context.get("exception")
            if not isinstance(error, BaseException):
                handle(of, context)
                return
            message = str(context.get("message", ""))
            self.hear(error, next(told for start, told in _IN_ASYNCIO if message.startswith(start)))

        @wraps(create)
        def created(of: object, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401
            task = create(of, *args, **kwargs)
            self._tasks.add(task)
            return task

        loop.default_exception_handler, loop.create_task = handled, created

    def _futures(self, base: Any) -> None:  # noqa: ANN401 - the module
        future = base.Future
        initialise, fail = future.__init__, future.set_exception
        places: weakref.WeakKeyDictionary[Any, Place] = weakref.WeakKeyDictionary()

        @wraps(initialise)
        def initialised(of: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            places[of] = self._here()
            initialise(of, *args, **kwargs)

        @wraps(fail)
        def failed(of: Any, error: BaseException | None) -> None:  # noqa: ANN401
            if error is not None:
                where = "in a future whose result nobody asked for"
                finding = self._finding(error, where, places.get(of, NOWHERE))
                self._unasked[id(of)] = of, finding
            fail(of, error)

        future.__init__, future.set_exception = initialised, failed
        for name in ("result", "exception"):
            setattr(future, name, self._asking(getattr(future, name)))
        base.LOGGER.addFilter(self._logged("in a callback or an initializer of a pool"))

    def _asking(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        """A method that asks its object for what has become of it."""

        @wraps(ask)
        def asked(of: object, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401
            try:
                return ask(of, *args, **kwargs)
            finally:
                self._unasked.pop(id(of), None)

        return asked

    def _logged(self, where: str) -> Callable[[Any], bool]:
        """A filter for a logger: hears the exceptions that a library catches and logs."""

        def heard(record: Any) -> bool:  # noqa: ANN401 - a LogRecord
            error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
            if isinstance(error, BaseException):
                self.hear(error, where)
            return True

        return heard

    def _logging(self, logging: Any) -> None:  # noqa: ANN401 - the module
        handle = logging.Handler.handleError

        @wraps(handle)
        def handled(handler: object, record: object) -> object:
            error, place = sys.exception(), self._here()
            if error is not None and place != NOWHERE:
                self.hear(error, "in a call of logging, which goes on", place)
            return handle(handler, record)

        logging.Handler.handleError = handled

    def _doctest(self, doctest: Any) -> None:  # noqa: ANN401 - the module
        runner = doctest.DocTestRunner
        for name in ("report_failure", "report_unexpected_exception"):
            setattr(runner, name, self._reporting(getattr(runner, name)))

    def _reporting(self, report: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(report)
        def reported(runner: object, out: object, test: Any, example: Any, got: Any) -> object:  # noqa: ANN401
            source = example.source.strip()
            what = got[1] if isinstance(got, tuple) else f"it gave {str(got).strip() or 'nothing'}"
            message = f"a doctest of {test.name} failed\n>>> {source}\n{what}"
            self.found.append(self._refused("assertion-failed", message, self._here()))
            return report(runner, out, test, example, got)

        return reported

    def _unittest(self, result: Any) -> None:  # noqa: ANN401 - the module
        add = result.TestResult.addError

        @wraps(add)
        def added(of: object, test: object, error: tuple[Any, BaseException, Any]) -> object:
            finding = self._finding(error[1], "in a unittest whose result nobody kept")
            self._in_results.append((weakref.ref(of), finding))
            return add(of, test, error)

        result.TestResult.addError = added

    def _processes(self, process: Any) -> None:  # noqa: ANN401 - the module
        kind = process.BaseProcess
        join, code = kind.join, kind.exitcode
        ended_by_author: weakref.WeakSet[Any] = weakref.WeakSet()

        @wraps(join)
        def joined(of: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            join(of, *args, **kwargs)
            caller = sys._getframe(1).f_code.co_filename  # noqa: SLF001
            ended = code.fget(of)
            if ended and of not in ended_by_author and self._sources.own(caller):
                message = (
                    f"a process ended with exit code {ended}, and nobody asked for its exitcode"
                )
                finding = self._refused("exception-raised", message, self._here())
                self._unasked[id(of)] = of, finding

        def ending(end: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(end)
            def ended(of: Any) -> object:  # noqa: ANN401
                ended_by_author.add(of)
                return end(of)

            return ended

        kind.join, kind.exitcode = joined, property(self._asking(code.fget))
        kind.terminate, kind.kill = ending(kind.terminate), ending(kind.kill)

    def _programs(self, subprocess: Any) -> None:  # noqa: ANN401 - the module
        unheard = self

        class CompletedProcess(subprocess.CompletedProcess):  # type: ignore[misc]
            """The result of `subprocess.run`, which notices whether anybody looks at it."""

            def __init__(self, args: object, returncode: int, *streams: Any, **named: Any) -> None:  # noqa: ANN401
                super().__init__(args, returncode, *streams, **named)
                place = unheard._here()
                if returncode and place != NOWHERE:
                    message = f"a program ended with status {returncode}, and nobody looked at it"
                    finding = unheard._refused(
                        "exception-raised", message, place, "write check=True"
                    )
                    unheard._unasked[id(self)] = self, finding

            def __getattribute__(self, name: str) -> object:
                if name in {"returncode", "stdout", "stderr", "check_returncode"}:
                    unheard._unasked.pop(id(self), None)
                return super().__getattribute__(name)

        CompletedProcess.__module__ = subprocess.__name__
        CompletedProcess.__qualname__ = "CompletedProcess"
        subprocess.CompletedProcess = CompletedProcess

    def _refused(self, code: str, message: str, place: Place, hint: str = "") -> Finding:
        return _placed(failure(Refusal(code, message, hint), 0, self._sources), place)


def _placed(finding: Finding, place: Place) -> Finding:
    path, line, column = place
    return replace(finding, path=path, line=line, column=column)
