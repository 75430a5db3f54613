"""Python as it was before the author's code ran: what an author patches is theirs alone.

A card may replace `len`, stop the clock, close a stream or clear a module to show what happens
then. Our code runs in the same process, so it is kept apart:

- A module whose functions run in the midst of the author's code calls `use_own_builtins` before it
  makes them. Python gives a function the builtins that its module has when the function is made.
- Our code between two steps runs inside of an `Untouched`: the modules that it calls are as they
  were, and the author's patches come back before the next step.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import io
import itertools
import json
import linecache
import os
import posixpath
import re
import sys
import threading
import time
import tokenize
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from errno import EBADF
from operator import is_
from types import ModuleType
from typing import Any

_BUILTINS = dict(vars(builtins))


def use_own_builtins(names: dict[str, object]) -> None:
    """Give a module, by its `globals()`, builtins that no author can patch."""
    names["__builtins__"] = _BUILTINS


use_own_builtins(globals())

MODULES: tuple[ModuleType, ...] = (
    builtins, contextlib, functools, inspect, io, itertools, json, json.encoder, linecache, os,
    posixpath, re, threading, time, tokenize, traceback,
)  # fmt: skip
"""What our code calls between two steps."""
_ABSENT = object()


class Untouched:
    """Keeps what the author's code has patched away from ours.

    Inside of this context the modules are as they were when it was made; behind it the author's
    patches are back. Inside of its `theirs` it is the other way round.
    """

    def __init__(self, modules: Sequence[ModuleType] = MODULES) -> None:
        """Take the modules; they are to be remembered when all of ours has been set up."""
        self._modules = modules
        self._kept: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._depth = sys.getrecursionlimit()
        self._put_away: list[_Patched] = []
        self.theirs = _Theirs(self)

    def remember(self) -> None:
        """Remember the modules as they are now, and no longer as they were before."""
        self._kept = [(vars(module), dict(vars(module))) for module in self._modules]
        self._depth = sys.getrecursionlimit()

    def __enter__(self) -> None:
        depth = sys.getrecursionlimit()
        patched = _Patched([], depth if depth < self._depth else 0)
        if patched.depth:
            sys.setrecursionlimit(self._depth)
        for space, kept in self._kept:
            if len(space) < len(kept) or not all(map(is_, kept.values(), space.values())):
                changed = _patches(space, kept)
                patched.spaces.append((space, changed))
                space.update({name: kept[name] for name in changed})
        self._put_away.append(patched)

    def __exit__(self, *_: object) -> None:
        if not self._put_away:  # none of the author's code has run yet
            return
        patched = self._put_away.pop()
        for space, changed in patched.spaces:
            for name, value in changed.items():
                if value is _ABSENT:
                    del space[name]
                else:
                    space[name] = value
        if patched.depth:
            sys.setrecursionlimit(patched.depth)


@dataclass(slots=True)
class _Patched:
    """What was patched when our code began to run."""

    spaces: list[tuple[dict[str, object], dict[str, object]]]
    """Of each module its names, and those that were patched."""
    depth: int
    """The limit of recursion; 0 if it is no lower than ours."""


class _Theirs:
    """A context in which the author's code runs with its own patches."""

    def __init__(self, untouched: Untouched) -> None:
        self._untouched = untouched

    def __enter__(self) -> None:
        self._untouched.__exit__()

    def __exit__(self, *_: object) -> None:
        self._untouched.__enter__()


def _patches(space: dict[str, object], kept: dict[str, object]) -> dict[str, object]:
    """The names of a module that have other values than were kept, with these values."""
    return {
        name: found
        for name, value in kept.items()
        if (found := space.get(name, _ABSENT)) is not value
    }


def keep_open(descriptors: frozenset[int]) -> None:
    """Hide descriptors of ours from `os.close` and `os.closerange`: they are not the card's."""
    close, closerange = os.close, os.closerange

    @functools.wraps(close)
    def closed(fd: int) -> None:
        if fd in descriptors:
            raise OSError(EBADF, os.strerror(EBADF))
        close(fd)

    @functools.wraps(closerange)
    def range_closed(fd_low: int, fd_high: int, /) -> None:
        for kept in sorted(each for each in descriptors if fd_low <= each < fd_high):
            closerange(fd_low, kept)
            fd_low = kept + 1
        closerange(fd_low, fd_high)

    os.close, os.closerange = closed, range_closed
