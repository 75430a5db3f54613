"""The author's code in a card's process: compiled with counted assertions and with true lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType

from verideck.proof.python.child.assertions import Rewriter
from verideck.proof.python.child.computed import Computing


class Sources:
    """Compiles the author's code, and knows every line that was compiled."""

    def __init__(
        self, root: Path, overlay: Mapping[str, str], computing: Computing, *, traces: bool
    ) -> None:
        """Take the project's folder, and by file the text that replaces the file's own."""
        self.computing = computing
        self.traces = traces
        self.root = root
        self.overlay = overlay
        self.imported: set[str] = set()
        """The top-level packages that the author's code names in its imports."""
        self._files: set[str] = set()
        self._lines: dict[tuple[str, int], tuple[int, str]] = {}

    def compiled(self, code: str, file: Path, start: tuple[int, int], mode: str) -> CodeType:
        """Compile code that starts at a line and column of a file.

        Blank lines above the code make Python count lines as the author's file does, in
        tracebacks, in syntax errors and in debuggers alike.
        """
        line, column = start
        self._files.add(file.as_posix())
        for number, text in enumerate(code.split("\n"), start=line):
            self._lines[str(file), number] = column - 1, text
        padded = "\n" * (line - 1) + code
        tree = compile(padded, str(file), mode, ast.PyCF_ONLY_AST, dont_inherit=True)
        self.imported |= set(_imported(tree))
        tree = self.computing.traced(tree, self.name(file))
        rewritten = Rewriter(traces=self.traces).visit(tree)
        try:
            compiled = compile(rewritten, str(file), mode, dont_inherit=True)
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
        file = Path(filename or "")
        return self.name(file) if file.as_posix() in self._files else ""

    def line(self, filename: str, number: int) -> tuple[int, str]:
        """How many characters stand before a line of code in its file, and the line itself."""
        return self._lines.get((filename, number), (0, ""))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
