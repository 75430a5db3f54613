"""Privileges of a card's process: it has none, also where the user is root.

What root may do by capabilities(7) reaches everything that neither Landlock nor a filter sees: it
ignores owners of files, raises its own limits, makes namespaces and devices, watches all files.
"""

from __future__ import annotations

import ctypes
import itertools
import os

_DROP_FROM_BOUNDING_SET = 24
_AMBIENT, _CLEAR_ALL = 47, 4
_VERSION = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3: two words for each set, see capget(2)."""


class _Header(ctypes.Structure):
    """Linux's cap_user_header_t."""

    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Sets(ctypes.Structure):
    """Linux's cap_user_data_t, twice: effective, permitted, inheritable."""

    _fields_ = (("words", ctypes.c_uint32 * 6),)


def drop() -> None:
    """Give up all capabilities, for good. Raises OSError if the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Only who has privileges can shrink the set of those that a program may bring; nobody else
    # gets any from it once no new ones are allowed.
    for each in itertools.count():
        if libc.prctl(_DROP_FROM_BOUNDING_SET, each, 0, 0, 0):
            break
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    if libc.capset(ctypes.byref(_Header(_VERSION, 0)), ctypes.byref(_Sets())):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "capset")
