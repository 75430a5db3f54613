"""A second domain of Landlock: which files can be read, where sandlock says it of whole folders.

sandlock allows to list a folder and to read all below it, or neither. The project's folder must be
listed, for the sake of `import`, and not all in it can be read. Domains add up: a file is read only
if both allow it (landlock(7)).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of calls, equal on all processors."""
_BENEATH = 1
_EXECUTE, _READ, _MOVE = 1 << 0, 1 << 2, 1 << 13
"""LANDLOCK_ACCESS_FS_…: EXECUTE, READ_FILE, REFER. Moves are refused where no rule allows them."""


class _Ruleset(ctypes.Structure):
    """Linux's landlock_ruleset_attr, as far as the first version goes."""

    _fields_ = (("handled", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    """Linux's landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def ruleset(read: Iterable[str], written: Iterable[str]) -> int:
    """The descriptor of rules by which only what is below some paths can be read and executed.

    What is below those of the folders `written` can be moved there, too. Raises OSError if the
    kernel refuses.
    """
    handled = _Ruleset(_EXECUTE | _READ | _MOVE)
    rules = _call(_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    for path in read:
        _allow(rules, path, _EXECUTE | _READ)
    for path in written:
        is_folder = os.path.isdir(path)  # noqa: PTH112 - forked often
        _allow(rules, path, _EXECUTE | _READ | (_MOVE if is_folder else 0))
    return rules


def restrict(rules: int) -> None:
    """Hold this process to some rules, for good; their descriptor is closed.

    The process has given up new privileges already. Raises OSError if the kernel refuses.
    """
    _call(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, allowed: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # it has gone in between
        return
    try:
        rule = _Beneath(allowed, folder)
        _call(_ADD_RULE, rules, _BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(folder)


def _call(number: int, *arguments: object) -> int:
    result: int = _LIBC.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "Landlock")
    return result


_LIBC = ctypes.CDLL(None, use_errno=True)
