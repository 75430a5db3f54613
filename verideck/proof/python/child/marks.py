"""Which blocks of the author's code were entered, and which of its assertions were reached.

The syntax tree of the code is given marks (see `tracer`): statements that note that the block in
which they stand was entered. A mark costs as much as one store into a list, and needs no hook of
the interpreter's, so that debuggers, `torch.compile` and the author's own hooks work as ever.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Finding

use_own_builtins(globals())

_MOST_SHARED = 1 << 14
_NOT_RUN = "code-not-run"


class BlockKind(StrEnum):
    """What is marked."""

    FUNCTION = "function"
    BRANCH = "branch"
    ASSERTION = "assertion"
    HELPER = "helper"
    """A class, or a function that the card does not show: nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the author's code that is executed as a whole or not at all."""

    kind: BlockKind
    name: str
    """Of a function; for others, what to call it."""
    file: str
    line: int
    column: int
    """In characters of the code, counted from 0."""
    outer: int
    """The number of the block that it stands in; -1 at the top."""
    step: int
    """The number of the step that shows it; -1 if none does."""
    first: int
    """Its first line, with its decorators."""

    def is_among(self, lines: Collection[tuple[str, int]]) -> bool:
        """Whether it begins at one of these files' lines."""
        return any((self.file, line) in lines for line in range(self.first, self.line + 1))


class SharedMarks:
    """The marks of a process that a card forked; the card's own process reads them."""

    def __init__(self, shared: mmap.mmap) -> None:
        """Take memory that both processes share."""
        self._shared = shared

    def __setitem__(self, number: int, mark: int) -> None:
        """Put a mark."""
        if number < _MOST_SHARED:
            self._shared[number] = mark


class Marks:
    """The marks of all code that was compiled for a card."""

    def __init__(self) -> None:
        """Begin without any."""
        self.ran: list[int] = []
        """By number of a block: 1 if it was entered since `sweep` was called last."""
        self.blocks: list[Block] = []
        self.entered: set[int] = set()
        """The blocks that had been entered when `sweep` was called last."""
        self.examples: list[tuple[str, int, int]] = []
        """The files, lines and columns of examples in the docstrings of shown code."""
        self.elsewhere = 0
        """The shown steps whose code was entered in processes that the card forked, as bits."""
        self._shared = mmap.mmap(-1, _MOST_SHARED)
        self._is_forked = False

    def in_fork(self) -> SharedMarks:
        """What the marks of a forked process are put into, so that this one sees them.

        Called in the forked one, which leaves them to this one.
        """
        self._is_forked = True
        return SharedMarks(self._shared)

    def add(self, block: Block) -> int:
        """Take a block; returns its number."""
        self.blocks.append(block)
        self.ran.append(0)
        return len(self.blocks) - 1

    def sweep(self) -> int:
        """Clear the marks; returns the shown steps whose code was entered since, as bits."""
        steps = 0
        if not self._is_forked and self._shared.find(b"\1", 0) >= 0:
            self._sweep_shared()
        if 1 in self.ran:
            for number, was_entered in enumerate(self.ran):
                if was_entered:
                    self.ran[number] = 0
                    self.entered.add(number)
                    step = self.blocks[number].step
                    if step >= 0:
                        steps |= 1 << step
        return steps

    def _sweep_shared(self) -> None:
        for number, block in enumerate(self.blocks[:_MOST_SHARED]):
            if self._shared[number]:
                self._shared[number] = 0
                self.entered.add(number)
                if block.step >= 0:
                    self.elsewhere |= 1 << block.step

    def is_entered(self, number: int) -> bool:
        """Whether a block has been entered."""
        return number in self.entered or bool(self.ran[number])

    def findings(self, is_read: Collection[tuple[str, int]] = ()) -> Iterator[Finding]:
        """Blocks that were never entered and assertions that were never reached, as findings.

        `is_read` are files and lines of functions and classes whose source the shown code read: it
        is about their text. Of blocks in each other only the outermost is reported, but for a
        function in a branch: a branch is a warning, a function an error.
        """
        self.sweep()
        for number, block in enumerate(self.blocks):
            if number in self.entered or block.kind is BlockKind.HELPER:
                continue
            around = self._around(number)
            if any(self.blocks[each].is_among(is_read) for each in (number, *around)):
                continue
            missed = {self.blocks[each].kind for each in around if each not in self.entered}
            missed.discard(BlockKind.HELPER)
            is_told = block.kind is BlockKind.BRANCH and (missed or self._has_assertion(number))
            if BlockKind.FUNCTION not in missed and not is_told:
                yield _finding(block)

    def untried(self) -> Iterator[Finding]:
        """The examples in shown docstrings, as findings: nothing has executed them."""
        for file, line, column in self.examples:
            yield Finding(
                _NOT_RUN,
                "the examples in this docstring are not executed",
                file,
                line,
                column + 1,
                "write them in a ```pycon fence; or, in a ```python {.check} below, "
                "`import doctest` and call `doctest.run_docstring_examples(…, globals())`",
                warning=True,
            )

    def _has_assertion(self, number: int) -> bool:
        """Whether an assertion stands in a block, which is reported itself."""
        return any(
            each.outer == number and each.kind is BlockKind.ASSERTION for each in self.blocks
        )

    def _around(self, number: int) -> list[int]:
        """The blocks around a block, the innermost first."""
        around: list[int] = []
        while (number := self.blocks[number].outer) >= 0:
            around.append(number)
        return around


def _finding(block: Block) -> Finding:
    message, hint = {
        BlockKind.FUNCTION: (
            f"{block.name} was never entered: nothing shows that it is right",
            "call it, here or in a ```python {.check} below, and assert what it gives",
        ),
        BlockKind.BRANCH: (
            f"{block.name} was never entered: nothing shows that it is right",
            "add a case that enters it, here or in a ```python {.check} below; or leave it out",
        ),
        BlockKind.ASSERTION: (
            "this assertion was never reached, so it proves nothing",
            "call the function that it stands in, or take away what keeps it from being reached",
        ),
    }[block.kind]
    return Finding(
        _NOT_RUN,
        message,
        block.file,
        block.line,
        block.column + 1,
        hint,
        warning=block.kind is BlockKind.BRANCH,
    )
