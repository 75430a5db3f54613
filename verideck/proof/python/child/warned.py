"""The warnings that a card's code gives, each at the author's line.

They are heard where Python would show them: its filters hold, and so does what the author catches
or ignores.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TextIO

from verideck.proof.python.child.failures import Place, clean, near
from verideck.proof.python.child.hints import name_of
from verideck.proof.python.child.sources import Sources
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Finding

use_own_builtins(globals())

_AT_COMPILE = (SyntaxWarning, DeprecationWarning)
"""What the compiler warns of. Of the second one Python tells only what `__main__` is to blame for,
and takes no code for that while it compiles it."""
_TRIGGERED = re.compile(r" ?\(Triggered internally at [^()]*\)$")
"""Where torch's own code was when it was compiled."""


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that was given."""

    category: type[Warning]
    text: str
    place: Place
    """The author's nearest; NOWHERE if no code of theirs had a part."""

    def finding(self) -> Finding:
        """What the author is told."""
        path, line, column = self.place
        name = name_of(self.category)
        return Finding(
            "warning-given",
            clean(f"{self.category.__qualname__}: {_TRIGGERED.sub('', self.text)}"),
            path,
            line,
            column,
            f'mend what it warns of; if the card is about it, announce it: {{warns="{name}"}}',
            warning=True,
        )


@dataclass(eq=False, slots=True)
class Warnings:
    """Hears the warnings of a process."""

    sources: Sources
    given: list[Warned] = field(default_factory=list)
    """Since they were taken last."""
    _told: set[Warned] = field(default_factory=set)

    def listen(self) -> None:
        """Hear every warning that Python would show from now on."""
        warnings.showwarning = self._show
        self.sources.compiling = self.compiling

    def taken(self) -> list[Warned]:
        """The warnings that were given since this was called last: each once per line and text."""
        new = [each for each in dict.fromkeys(self.given) if each not in self._told]
        self._told.update(new)
        self.given.clear()
        return new

    def _show(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        del lineno, file, line
        frame = sys._getframe(1)  # noqa: SLF001 - who warns
        if self._is_importing(frame) and not self.sources.own(filename):
            return
        self.given.append(Warned(category, str(message), near(frame, self.sources)))

    def _is_importing(self, frame: FrameType | None) -> bool:
        """Whether a library warns while it is imported.

        Where cards are forked, that has happened before the fork.
        """
        while frame is not None and not self.sources.own(frame.f_code.co_filename):
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return True
            frame = frame.f_back
        return False

    @contextmanager
    def compiling(self, file: str) -> Iterator[None]:
        """Hear what is warned of while a file of the author's is compiled in this context."""
        with warnings.catch_warnings(module=warnings, record=True) as said:
            _heed_deprecations()
            yield
        for each in said:
            if each.filename == file and issubclass(each.category, _AT_COMPILE):
                before, text = self.sources.line(file, each.lineno)
                column = before + len(text) - len(text.lstrip()) + 1
                place = self.sources.own(file), each.lineno, column
                self.given.append(Warned(each.category, str(each.message), place))


def _heed_deprecations() -> None:
    """Let `DeprecationWarning` pass, unless the author has had a say in it.

    Python's own filter that ignores all of them is never the first one.
    """
    ignored = ("ignore", None, DeprecationWarning, None, 0)
    filters = list(warnings.filters)
    if ignored in filters[1:]:
        filters.insert(filters.index(ignored), ("always", None, DeprecationWarning, None, 0))
        warnings.filters = filters


def fits(warned: Warned, category: type[BaseException], match: str) -> bool:
    """Whether a warning is one that a fence announces."""
    return issubclass(warned.category, category) and bool(re.search(match, warned.text))
