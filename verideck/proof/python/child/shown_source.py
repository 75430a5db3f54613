"""The code of a card as its own process reads it, and which code was read.

Python reads the file of a function or a class to show its source. A card's file is Markdown. Here
it is replaced, for `linecache` and all that asks it (`inspect`, `traceback`, `torch.jit`), by the
code that was compiled: each fence at its own lines, all other lines blank.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_COMPILERS = ("torch.jit", "torch._sources")
"""Modules that read source to execute it in their own way."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A function, class or module of the author's whose source was read."""

    filename: str
    line: int
    """The first one, with its decorators."""
    readers: tuple[tuple[str, int], ...]
    """The author's files and lines that were being executed, the innermost first."""
    compiled: bool
    """Whether it was read to be executed by another compiler than Python's, as torch.jit's."""


class ShownSource:
    """What `linecache` holds of the author's code, and what `inspect` was asked for."""

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        """Take what tells whether a file is the author's; reading is recorded from now on."""
        self.examined: list[Examined] = []
        self._is_own = is_own
        self._lines: dict[str, list[str]] = {}
        self._record()

    def show(self, filename: str, first: int, code: str) -> None:
        """Put code at its lines of a file. What was put at other lines stays."""
        lines = self._lines.setdefault(filename, [])
        new = [f"{line}\n" for line in code.split("\n")]
        lines += ["\n"] * (first - 1 + len(new) - len(lines))
        lines[first - 1 : first - 1 + len(new)] = new
        # Without a time of change, the entry stays when the cache is compared with the disk.
        linecache.cache[filename] = (sum(map(len, lines)), None, list(lines), filename)

    def _record(self) -> None:
        find = inspect.findsource

        @functools.wraps(find)
        def found(object: Any) -> tuple[list[str], int]:  # noqa: A002, ANN401 - as `inspect` has it
            lines, index = find(object)
            filename = inspect.getfile(object)
            if self._is_own(filename):
                self._examine(filename, index + 1, sys._getframe(1))  # noqa: SLF001 - who reads
            return lines, index

        inspect.findsource = found

    def _examine(self, filename: str, line: int, frame: FrameType | None) -> None:
        readers: list[tuple[str, int]] = []
        compiled = False
        while frame is not None:
            if self._is_own(frame.f_code.co_filename):
                readers.append((frame.f_code.co_filename, frame.f_lineno))
            module = str(frame.f_globals.get("__name__"))
            compiled = compiled or module.startswith(_COMPILERS)
            frame = frame.f_back
        self.examined.append(Examined(filename, line, tuple(readers), compiled))
