"""What runs inside a card's process: the snippets in their order, and a report of each.

Reads a request from standard input: `root`, and `steps` with `kind` (code, include, value),
`code`, `path`, `line`, `column`, `symbol`, `raises`, `match`. Writes a line of JSON for each step
to what was standard output when it started, and a last one when every statement of every step has
been executed; whoever reads it knows by the last line, and by nothing else, that the card ran to
its end.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import ctypes
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import io
import json
import logging
import os
import random
import re
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, BinaryIO

from verideck.verifiers.python.assertions import NAME, Recorder, Rewriter

Step = dict[str, Any]

_HAN = ["Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "PingFang SC", "Microsoft YaHei"]
"""Fonts with Chinese, as Debian (whose collection goes by its first name), macOS and Windows have
them."""


class Refusal(Exception):  # noqa: N818 - a verdict, not an error of ours
    """A step does not hold; carries what the report tells."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """Name the problem's code, its message and what to do."""
        super().__init__(message)
        self.code, self.hint = code, hint


class Child:
    """Executes the steps of one card in one namespace."""

    def __init__(self, root: Path, printed: Path) -> None:
        """Import project modules from `root`; read what was printed from `printed`."""
        self.root = root
        self.printed = printed
        self.stdout = sys.stdout
        self.recorder = Recorder()
        self.imports = Imports(root, self.recorder)
        self.module = ModuleType("__main__")
        self.space = self.module.__dict__
        self.space[NAME] = self.recorder
        self.thread_failures: list[BaseException] = []
        sys.modules["__main__"] = self.module
        sys.path.insert(0, str(root))
        sys.meta_path.insert(0, self.imports)
        threading.excepthook = self._thread_failed
        random.seed(0)

    def report(self, step: Step) -> dict[str, object]:
        """Execute one step and tell how it went."""
        start, seconds = self.printed.stat().st_size, time.perf_counter()
        held_before, entered_before = self.recorder.held, self.recorder.entered
        self.recorder.failed = None
        told: dict[str, object] = {"error": None, "value": "", "raised": "", "figures": []}
        try:
            told["value"], told["raised"] = self._execute(step)
            told["figures"] = _figures()
            self._refuse_hidden_failures(str(told["raised"]), held_before, entered_before)
        except BaseException as error:  # noqa: BLE001 - whatever an author's code raises is theirs to see
            told["error"] = self._told(error, step)
        self.stdout.flush()
        with self.printed.open("rb") as printed:
            printed.seek(start)
            told["stdout"] = printed.read().decode("utf-8", "backslashreplace")
        told["held"] = self.recorder.held - held_before + bool(told["raised"])
        told["seconds"] = time.perf_counter() - seconds
        return told

    def environment(self) -> list[tuple[str, str]]:
        """The distributions that the author's code imports, with the versions that are here."""
        return sorted(_distributions(self.imports.named - self.imports.own))

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
        return self.imports.compiled(step["code"], self._file(step), start, mode)

    def _raised(self, step: Step) -> str:
        """Run a step that must raise; returns what it raised."""
        try:
            self._run(step)
        except BaseException as error:
            wanted = self._exception(step["raises"])
            if not isinstance(error, wanted):
                message = f"{_said(error)}\nbut the fence announces {step['raises']}"
                raise Refusal("exception-expected", message) from error
            if not re.search(step["match"], str(error)):
                message = f"{_said(error)}\nwhich does not match {step['match']!r}"
                raise Refusal("exception-expected", message) from error
            return _said(error)
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
        held = self.recorder.held - held_before
        entered = self.recorder.entered - entered_before
        unseen = self.recorder.failed and not raised.startswith("AssertionError")
        if unseen or (entered > held and not raised):
            message = "an assertion failed, and the snippet went on as if it had held"
            hint = "do not catch what an assertion raises; to show a failure, write {raises=…}"
            raise Refusal("assertion-swallowed", message, hint) from self.recorder.failed

    def _thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value:
            self.thread_failures.append(failed.exc_value)

    def _file(self, step: Step) -> Path:
        return self.root / str(step["path"])

    def _told(self, error: BaseException, step: Step) -> dict[str, object]:
        """A failure in the author's words: what, at which line of theirs, called from where."""
        code, hint = "exception-raised", ""
        message = _said(error)
        cause = error
        match error:
            case Refusal():
                code, hint, message = error.code, error.hint, str(error)
                cause = error.__cause__ or error
            case AssertionError():
                code = "assertion-failed"
                notes = getattr(error, "__notes__", None)
                if isinstance(notes, list) and NAME in notes:  # made by `Recorder.failure`
                    hint, message = getattr(error, "hint", ""), str(error)
            case SystemExit():
                code = "ended-early"
                message = f"the snippet ended the process with {_said(error)}"
                hint = "a card's code must run to its end; nothing after this point was executed"
            case SyntaxError():
                code = "syntax-error"
                message = f"{error.msg}"
        frames = list(self._frames(cause.__traceback__))
        if isinstance(cause, SyntaxError) and (path := self._own(cause.filename)):
            number = cause.lineno or step["line"]
            before, _ = self.imports.line(str(cause.filename), number)
            frames.append((path, number, before + (cause.offset or 1)))
        path, line, column = frames[-1] if frames else ("", 0, 0)
        places = dict.fromkeys(f"{p}:{n}" for p, n, _ in reversed(frames))
        calls = [f"called from {each}" for each in list(places)[1:]]
        return {
            "code": code,
            "message": "\n".join([_clean(message), *calls[:5]]),
            "path": path,
            "line": line,
            "column": max(column, 1),
            "hint": _clean(hint),
        }

    def _frames(self, trace: TracebackType | None) -> Iterator[tuple[str, int, int]]:
        """The author's own lines, outermost first."""
        for frame in traceback.extract_tb(trace):
            if (path := self._own(frame.filename)) and frame.lineno:
                before, text = self.imports.line(frame.filename, frame.lineno)
                characters = text.encode()[: frame.colno or 0].decode(errors="ignore")
                yield path, frame.lineno, before + len(characters) + 1

    def _own(self, filename: str | None) -> str:
        """A file of the author's as the report names it; empty for a library's."""
        file = Path(filename or "")
        if file.as_posix() not in self.imports.compiled_files:
            return ""
        inside = file.is_relative_to(self.root)
        return (file.relative_to(self.root) if inside else file).as_posix()


class Imports(importlib.abc.MetaPathFinder):
    """Imports the project's modules with counting assertions; readies libraries for a snippet."""

    def __init__(self, root: Path, recorder: Recorder) -> None:
        """Know the project by its folder."""
        self.root = root
        self.recorder = recorder
        self.named: set[str] = set()
        """The top-level packages that the author's code names in its imports."""
        self.own: set[str] = set()
        """Those of them that are the project's."""
        self.compiled_files: set[str] = set()
        self._lines: dict[tuple[str, int], tuple[int, str]] = {}
        self._after: dict[str, Callable[[ModuleType], None]] = {
            "numpy": lambda module: module.random.seed(0),
            "matplotlib": _ready_matplotlib,
            "torch": _ready_torch,
            "numpy.testing": self._count,
            "torch.testing": self._count,
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module as Python does, and see to it that it is readied."""
        spec = self._folder(fullname, path) or importlib.machinery.PathFinder.find_spec(
            fullname, path, target
        )
        if spec is None or spec.loader is None or spec.origin is None:
            return spec
        origin = Path(spec.origin)
        if origin.is_relative_to(self.root) and not self._is_installed(origin):
            self.own.add(fullname.partition(".")[0])
            if isinstance(spec.loader, importlib.machinery.SourceFileLoader):
                spec.loader = _ProjectLoader(fullname, spec.origin, self)
        elif fullname in self._after:
            _then(spec.loader, self._after[fullname])
        return spec

    def _is_installed(self, file: Path) -> bool:
        """Tell a library in the project's virtual environment from the project's own modules."""
        prefix = Path(sys.prefix)
        return file.is_relative_to(prefix) and prefix.is_relative_to(self.root)

    def _folder(
        self, fullname: str, path: Sequence[str] | None
    ) -> importlib.machinery.ModuleSpec | None:
        """The project's own folder of modules, even without an `__init__.py`.

        Python prefers any package to such a folder, and who knows which packages are installed.
        """
        folder = self.root / fullname
        if path is not None or not any(folder.glob("*.py")):
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(self.root)])

    def module(self, file: Path) -> ModuleType:
        """Import a file of the project by the name that other files import it by."""
        name = ".".join(file.relative_to(self.root).with_suffix("").parts)
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            if module.__file__ == str(file):
                return module
        # The name is taken, or no name: the file is a module all the same.
        loader = _ProjectLoader(f"_included_{name}", str(file), self)
        spec = importlib.util.spec_from_file_location(loader.name, file, loader=loader)
        assert spec
        module = importlib.util.module_from_spec(spec)
        sys.modules[loader.name] = module
        loader.exec_module(module)
        return module

    def line(self, filename: str, number: int) -> tuple[int, str]:
        """How many characters stand before a line of code in its file, and the line itself."""
        return self._lines.get((filename, number), (0, ""))

    def compiled(self, code: str, file: Path, start: tuple[int, int], mode: str) -> CodeType:
        """Compile code that starts at a line and column of a file, with counting assertions.

        Blank lines above the code make Python count lines as the author's file does, in
        tracebacks and in syntax errors alike.
        """
        line, column = start
        self.compiled_files.add(file.as_posix())
        for number, text in enumerate(code.split("\n"), start=line):
            self._lines[str(file), number] = column - 1, text
        padded = "\n" * (line - 1) + code
        tree = compile(padded, str(file), mode, ast.PyCF_ONLY_AST, dont_inherit=True)
        self.named |= set(_imported(tree))
        rewritten = Rewriter().visit(tree)
        compiled = compile(rewritten, str(file), mode, dont_inherit=True)
        assert isinstance(compiled, CodeType)
        return compiled

    def _count(self, testing: ModuleType) -> None:
        for name, check in list(vars(testing).items()):
            if name.startswith("assert_") and callable(check):
                setattr(testing, name, self.recorder.counting(check))


class _ProjectLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of the project from its source, never from a cache."""

    def __init__(self, fullname: str, path: str, imports: Imports) -> None:
        super().__init__(fullname, path)
        self._imports = imports

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname) or ""
        return self._imports.compiled(source, Path(self.path), (1, 1), "exec")

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[NAME] = self._imports.recorder
        super().exec_module(module)


def _then(loader: importlib.abc.Loader, ready: Callable[[ModuleType], None]) -> None:
    """Let `ready` see a module as soon as it has been executed."""
    execute = loader.exec_module

    def execute_and_ready(module: ModuleType) -> None:
        execute(module)
        ready(module)

    loader.exec_module = execute_and_ready  # type: ignore[method-assign]


def _ready_torch(torch: ModuleType) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def _ready_matplotlib(matplotlib: ModuleType) -> None:
    """Draw what the default font lacks in one that has it, as a browser does."""
    matplotlib.rcParams["font.family"] = ["sans-serif", *_HAN]
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # one of them will do


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _distributions(names: set[str]) -> Iterator[tuple[str, str]]:
    """Each distribution with its public version: a build's local label differs by machine."""
    for name in names - sys.stdlib_module_names:
        distributions = [name]
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            distributions = importlib.metadata.packages_distributions().get(name, [])
            if not distributions:
                continue
            version = importlib.metadata.version(distributions[0])
        yield distributions[0], version.partition("+")[0]


def _figures() -> list[str]:
    """The open matplotlib figures as SVG, the same bytes for the same drawing; they are closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    drawings = []
    settled = {"svg.hashsalt": "verideck", "svg.fonttype": "path"}
    with (
        sys.modules["matplotlib"].rc_context(settled),
        warnings.catch_warnings(action="always", record=True) as said,
    ):
        for number in pyplot.get_fignums():
            drawing = io.StringIO()
            pyplot.figure(number).savefig(
                drawing,
                format="svg",
                transparent=True,
                bbox_inches="tight",
                metadata={"Date": None, "Creator": None},
            )
            drawings.append(drawing.getvalue())
    pyplot.close("all")
    boxes = [str(each.message) for each in said if "missing from font" in str(each.message)]
    if boxes:
        glyph, _, _ = boxes[0].partition(" missing from font")
        message = f"an empty box stands in the figure\n{glyph} is in no font here"
        raise Refusal("figure-glyph", message, "install a font that has it, or write another")
    return drawings


def _shown(value: object) -> str:
    """A value as prose shows it: text as it is, six digits of a float, else what `str` gives."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    return _clean(f"{value:.6g}" if isinstance(value, float) else str(value))


def _said(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an author's __str__ may raise anything
        text = "(whose text cannot be had)"
    name = type(error).__qualname__
    return _clean(f"{name}: {text}" if text else name)


def _clean(text: str) -> str:
    """Text that any stream can carry, and no more of it than a person reads."""
    return text.encode("utf-8", "backslashreplace").decode()[:4000]


def _own_streams(printed: str) -> BinaryIO:
    """Give the snippets other standard streams; returns the report's, which they do not know."""
    report = os.fdopen(os.dup(1), "wb")
    os.register_at_fork(after_in_child=report.close)  # a fork neither reports nor is waited for
    output = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the process's life
    sys.stdout = open(  # noqa: SIM115 - for the process's life
        1, "w", encoding="utf-8", errors="backslashreplace", closefd=False
    )
    return report


def _die_with_parent() -> None:
    """Leave no orphan, even where the parent is killed (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main() -> None:
    """Read a request, execute its steps, report."""
    _die_with_parent()
    request = json.loads(sys.stdin.buffer.read())
    report = _own_streams(sys.argv[1])
    child = Child(Path(request["root"]), Path(sys.argv[1]))
    for step in request["steps"]:
        told = child.report(step)
        _write(report, told)
        if told["error"]:
            return
    _write(report, {"environment": child.environment()})


def _write(report: BinaryIO, told: dict[str, object]) -> None:
    report.write(json.dumps(told).encode() + b"\n")
    report.flush()


if __name__ == "__main__":
    main()
    # Threads that a snippet left behind do not keep the build waiting.
    sys.stdout.flush()
    os._exit(0)
