"""The one namespace of a card: compiled code is executed in it, also code that awaits."""

from __future__ import annotations

import ast
import inspect
from contextlib import AbstractContextManager
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from verideck.proof.python.child.sources import futures_of
from verideck.proof.python.child.untouched import use_own_builtins

if TYPE_CHECKING:
    import asyncio

use_own_builtins(globals())


class Namespace:
    """Executes the code of a card, one piece after the other."""

    def __init__(self, module: ModuleType, theirs: AbstractContextManager[object]) -> None:
        """Execute in a module's namespace, inside of a context."""
        self._theirs = theirs
        self.names = module.__dict__
        self.runner: asyncio.Runner | None = None
        """The event loop of the card, once a fence has awaited something."""
        self._futures = 0

    @property
    def flags(self) -> int:
        """The compiler's flags for the next piece: what was imported from `__future__` holds on."""
        return self._futures | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def execute(self, code: CodeType) -> object:
        """Execute code. Returns the value of an expression, None for statements."""
        self._futures |= futures_of(code)
        with self._theirs:
            value = eval(code, self.names)  # noqa: S307 - what a verifier is for
            if not code.co_flags & inspect.CO_COROUTINE:
                return value
            if self.runner is None:
                import asyncio  # noqa: PLC0415 - a card that awaits nothing pays nothing for it

                self.runner = asyncio.Runner()
            return self.runner.run(value)

    def close(self) -> None:
        """Close the event loop. Tasks that are still pending are cancelled, and end here."""
        if self.runner is not None:
            self.runner.close()
