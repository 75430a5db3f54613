"""The author's code in a card's process: compiled with counted assertions and with true lines."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from verideck.proof.python.child.assertions import Recorder
from verideck.proof.python.child.rewriter import Rewriter
from verideck.proof.python.child.shown_source import Examined, ShownSource
from verideck.proof.python.child.tracer import Part, Tracer
from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_FUTURES = [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]


@dataclass(frozen=True, slots=True)
class Text:
    """Code of the author's, and where it stands."""

    code: str
    file: Path
    line: int = 1
    column: int = 1
    """Of its first character in the file."""

    @property
    def is_whole_file(self) -> bool:
        """Whether it is that of a module. No fence is: its opening line is above it."""
        return (self.line, self.column) == (1, 1)


class Sources:
    """Compiles the author's code, and knows every line that was compiled."""

    def __init__(
        self,
        root: Path,
        overlay: Mapping[str, str],
        recorder: Recorder,
        *,
        traces: bool,
    ) -> None:
        """Take the project's folder, and by file the text that replaces the file's own."""
        self.marks = recorder.marks
        self.flow = recorder.flow
        self.computing = recorder.computing
        self.traces = traces
        self.root = root
        self.overlay = overlay
        self.imported: set[str] = set()
        """The top-level packages that the author's code names in its imports."""
        self.rejected: list[SyntaxError] = []
        """What was raised because a text of the author's is not Python."""
        self.compiling: Callable[[str], AbstractContextManager[object]] = nullcontext
        """The context in which a file is compiled."""
        self.on_compile: Callable[[str], None] = lambda _: None
        """Called with a text before it is compiled."""
        self._names: dict[str, str] = {}
        """By file of the author's: its name in reports."""
        self._lines: dict[tuple[str, int], tuple[int, str]] = {}
        self._shown = ShownSource(lambda filename: bool(self.own(filename)))

    @property
    def examined(self) -> list[Examined]:
        """The author's functions, classes and modules whose source was read while it ran."""
        return self._shown.examined

    def compiled(
        self,
        text: Text,
        mode: str,
        part: Part,
        flags: int = 0,
        also: Callable[[ast.AST], None] | None = None,
    ) -> CodeType:
        """Compile code where it stands in its file; `also` changes its tree, too.

        Blank lines above the code make Python count lines as the author's file does, in
        tracebacks, in syntax errors and in debuggers alike. `flags` are the compiler's. In the mode
        `single` the values of all expressions are printed, as by an interpreter that is typed into.
        """
        self.know(text)
        self.on_compile(text.code)
        padded = "\n" * (text.line - 1) + text.code
        try:
            return self._compiled(padded, text.file, mode, part, flags, also)
        except SyntaxError as error:
            self.rejected.append(error)
            raise

    def know(self, text: Text) -> None:
        """Take lines for the author's: `own` and `line` know them."""
        file, name = str(text.file), self.name(text.file)
        self._names.setdefault(file, name)
        if not text.is_whole_file or name in self.overlay:
            self._shown.show(file, text.line, text.code)
        for number, line in enumerate(text.code.split("\n"), start=text.line):
            self._lines[file, number] = text.column - 1, line

    def _compiled(
        self,
        padded: str,
        file: Path,
        mode: str,
        part: Part,
        flags: int,
        also: Callable[[ast.AST], None] | None,
    ) -> CodeType:
        parsed_as = "eval" if mode == "eval" else "exec"
        with self.compiling(str(file)):
            tree: ast.AST = compile(
                padded, str(file), parsed_as, ast.PyCF_ONLY_AST | flags, dont_inherit=True
            )
        self.imported |= set(_imported(tree))
        tree = self.computing.traced(tree, self.name(file))
        if isinstance(tree, ast.Module):
            for facts in Tracer(self.marks, self.flow, str(file), part).traced(tree):
                self.flow.know(facts)
        rewritten = Rewriter(traces=self.traces).visit(tree)
        if also:
            also(rewritten)
        if mode == "single":
            rewritten = ast.Interactive(rewritten.body)
        try:
            with self.compiling(str(file)):
                compiled = compile(rewritten, str(file), mode, flags, dont_inherit=True)
        except SyntaxError as error:  # one of the compiler's, which counts bytes; parsers do not
            _, text = self.line(str(file), error.lineno or 0)
            before = text.encode()[: max((error.offset or 1) - 1, 0)]
            error.offset = len(before.decode(errors="ignore")) + 1
            raise
        assert isinstance(compiled, CodeType)
        return compiled

    def text(self, file: Path, read: str) -> str:
        """The text of a file of the project: what was read, unless it is replaced."""
        return self.overlay.get(self.name(file), read)

    def name(self, file: Path) -> str:
        """A file's name in reports: relative to the project if it is inside."""
        inside = file.is_relative_to(self.root)
        return (file.relative_to(self.root) if inside else file).as_posix()

    def own(self, filename: str | None) -> str:
        """The name in reports of a file of the author's; empty for a library's."""
        return self._names.get(filename or "", "")

    def line(self, filename: str, number: int) -> tuple[int, str]:
        """How many characters stand before a line of code in its file, and the line itself."""
        return self._lines.get((filename, number), (0, ""))


def futures_of(code: CodeType) -> int:
    """The compiler's flags for what code has imported from `__future__`."""
    return sum({flag for flag in _FUTURES if code.co_flags & flag})


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
