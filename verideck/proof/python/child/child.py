"""What runs inside a card's process: the snippets in their order, and a report of each.

A request holds `root`, `steps` (each with `kind`: code, include or value; `code`, `path`, `line`,
`column`, `symbol`, `raises`, `match`), `limits`, `box`, `seed`, `overlay` (other text for files of
the project) and `trace` (tell the values that assertions read). The report is a line of JSON for
each step, and a last one when every statement of every step has been executed; whoever reads it
knows by the last line, and by nothing else, that the card ran to its end.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, BinaryIO

from verideck.model import Limits
from verideck.proof.python.child import failures, figures, process_env
from verideck.proof.python.child.assertions import NAME, Recorder, is_idle
from verideck.proof.python.child.dependencies import Dependencies
from verideck.proof.python.child.failures import Refusal, clean, said
from verideck.proof.python.child.imports import Imports
from verideck.proof.python.child.sources import Sources
from verideck.proof.python.wire.channel import Message
from verideck.proof.python.wire.process import die_with_parent
from verideck.proof.python.wire.scratch import Scratch, Stream
from verideck.proof.sandbox import kernel

Step = dict[str, Any]


def run(request: Message, report: BinaryIO, scratch: Scratch) -> None:
    """Execute the steps of a request in a world of their own, and report."""
    root = Path(request["root"])
    die_with_parent()
    process_env.redirect_streams(scratch)
    process_env.limit(Limits(**request["limits"]))
    child = Child(request, scratch.printed)
    if request["box"] and not kernel.missing():
        kernel.enter(root, scratch.folder)
    for step in request["steps"]:
        told = child.report(step)
        _write(report, told)
        if told["error"]:
            return
    _write(report, child.epilogue())


def _write(report: BinaryIO, told: dict[str, object]) -> None:
    report.write(json.dumps(told).encode() + b"\n")
    report.flush()


def leave() -> None:
    """End the process. Threads that a snippet left behind do not keep the build waiting."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


class Child:
    """Executes the steps of one card in one namespace."""

    def __init__(self, request: Message, printed: Stream) -> None:
        """Take over the process: what is imported and raised from now on is the card's."""
        self.root = Path(request["root"])
        self.traced = request["trace"]
        self.printed = printed
        self.stdout = sys.stdout
        self.recorder = Recorder(traces=self.traced)
        self.sources = Sources(self.root, request["overlay"], traces=self.traced)
        seeds = process_env.Seeds(request["seed"])
        ready = {**seeds.ready, "matplotlib": figures.ready}
        self.imports = Imports(self.sources, self.recorder, ready)
        self.module = ModuleType("__main__")
        self.space = self.module.__dict__
        self.space[NAME] = self.recorder
        self.thread_failures: list[BaseException] = []
        sys.modules["__main__"] = self.module
        sys.argv = [str(self._file(request["steps"][0]))]
        threading.excepthook = self._thread_failed
        self.recorder.heed_joins()
        own = {str(self._file(step)) for step in request["steps"]}
        self.dependencies = Dependencies(self.root, own)
        self.imports.install()

    def report(self, step: Step) -> dict[str, object]:
        """Execute one step and tell how it went."""
        start, seconds = self.printed.size, time.perf_counter()
        held_before, entered_before = self.recorder.held, self.recorder.entered
        self.recorder.failed = None
        told: dict[str, object] = {"error": None, "value": "", "raised": "", "figures": []}
        try:
            told["value"], told["raised"] = self._execute(step)
            told["figures"] = [] if self.traced else figures.taken()
            self._refuse_hidden_failures(str(told["raised"]), held_before, entered_before)
        except BaseException as error:  # noqa: BLE001 - whatever an author's code raises is theirs to see
            told["error"] = failures.told(error, step["line"], self.sources)
        self.stdout.flush()
        told["stdout"] = self.printed.read(start).decode("utf-8", "backslashreplace")
        told["held"] = self.recorder.held - held_before + bool(told["raised"])
        told["doubts"] = self._doubts()
        told["seconds"] = time.perf_counter() - seconds
        return told

    def epilogue(self) -> dict[str, object]:
        """The last line of the report: what the run depended on."""
        return {
            "environment": self.imports.named(),
            "box": kernel.entered(),
            "read": [
                {**each, "file": self.sources.own(each["file"])} for each in self.recorder.read
            ],
            **self.dependencies.told(self.imports),
        }

    def _execute(self, step: Step) -> tuple[str, str]:
        """Run a step; returns the value it comes to and the exception that it announced."""
        if step["kind"] == "value":
            code = self._compiled(step, "eval")
            return _shown(eval(code, self.space)), ""  # noqa: S307 - what a verifier is for
        if step["raises"]:
            return "", self._raised(step)
        self._run(step)
        return "", ""

    def _run(self, step: Step) -> None:
        if step["kind"] == "include":
            module = self.imports.module(self._file(step))
            public = {k: v for k, v in vars(module).items() if not k.startswith("_")}
            self.space.update(public)
            name = step["symbol"].split(".")[0]
            if name:
                self.space[name] = vars(module)[name]
            return
        self.module.__file__ = str(self._file(step))
        exec(self._compiled(step, "exec"), self.space)  # noqa: S102 - what a verifier is for

    def _compiled(self, step: Step, mode: str) -> CodeType:
        start = step["line"], step["column"]
        return self.sources.compiled(step["code"], self._file(step), start, mode)

    def _raised(self, step: Step) -> str:
        """Run a step that must raise; returns what it raised."""
        try:
            self._run(step)
        except BaseException as error:
            if is_idle(error):
                raise
            wanted = self._exception(step["raises"])
            if not isinstance(error, wanted):
                message = f"{said(error)}\nbut the fence announces {step['raises']}"
                raise Refusal("exception-expected", message) from error
            if not re.search(step["match"], str(error)):
                message = f"{said(error)}\nwhich does not match {step['match']!r}"
                raise Refusal("exception-expected", message) from error
            return said(error)
        message = f"nothing was raised, but the fence announces {step['raises']}"
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
        """See that no assertion failed unseen; one that the fence announces was seen."""
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

    def _doubts(self) -> list[dict[str, object]]:
        """Assertions that held and say less than they seem to, each told once."""
        doubts = []
        for filename, line, message, strict in dict.fromkeys(self.recorder.doubts):
            if path := self.sources.own(filename):
                told = {"path": path, "line": line, "message": message, "strict": strict}
                doubts.append(told)
        self.recorder.doubts.clear()
        return doubts

    def _thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value:
            self.thread_failures.append(failed.exc_value)

    def _file(self, step: Step) -> Path:
        return self.root / str(step["path"])


def _shown(value: object) -> str:
    """A value as prose shows it: text as it is, six digits of a float, else what `str` gives."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    return clean(f"{value:.6g}" if isinstance(value, float) else str(value))
