"""The key by which the store knows this user's own rows: made once, outside of every project.

A `.verideck` that came with a repository was written with another key, so it proves nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from verideck.problems import CallerError
from verideck.storage.files import resolved
from verideck.storage.user_folders import state_folder

VARIABLE = "VERIDECK_CACHE_KEY"
"""Holds the key instead, as a text: for runs on machines that keep nothing else of the user's."""
NAME = "cache.key"
_SIZE = 32
_SHORTEST = 16
"""Characters that a key in the variable has at least."""


def cache_key(readable: Iterable[str | Path] = ()) -> bytes:
    """The user's key. It is made where there is none yet.

    Where none can be kept, or where it would lie in a folder that snippets can read in their
    sandbox, it is a key of this process alone: nothing is known again in the next run. Raises
    CallerError for a key in the variable that could be guessed.
    """
    if given := os.environ.get(VARIABLE):
        if len(given) < _SHORTEST:
            raise CallerError(f"{VARIABLE} must have at least {_SHORTEST} characters")
        return hashlib.blake2b(os.fsencode(given), digest_size=_SIZE).digest()
    folder = state_folder()
    if folder is None or _is_below(folder, readable):
        return key_of_process()
    try:
        return _kept(folder / NAME)
    except OSError:
        return key_of_process()


@cache
def key_of_process() -> bytes:
    """A key that is kept nowhere."""
    return secrets.token_bytes(_SIZE)


def _is_below(folder: Path, others: Iterable[str | Path]) -> bool:
    real = resolved(folder)
    return any(real.is_relative_to(resolved(Path(each))) for each in others)


def _kept(file: Path) -> bytes:
    """The key in a file, which is made anew where it is none. Raises OSError where it cannot be."""
    key = _read(file)
    if key is None:
        _make(file)
        key = _read(file)
    return key or key_of_process()


def _read(file: Path) -> bytes | None:
    """The key in a file; None for anything but a file of the user's that nobody else can read."""
    # Neither a link is followed, nor a FIFO waited for.
    flags = sum(getattr(os, f"O_{each}", 0) for each in ("NOFOLLOW", "NONBLOCK", "BINARY"))
    try:
        descriptor = os.open(file, os.O_RDONLY | flags)
    except OSError:
        return None
    try:
        key = os.read(descriptor, _SIZE + 1) if _is_private(os.fstat(descriptor)) else b""
    finally:
        os.close(descriptor)
    return key if len(key) == _SIZE else None


def _make(file: Path) -> None:
    """Put a new key in the place of whatever is there, unless another process has just done so.

    Raises OSError, also if what is there, or the folder, is another user's: with another user's
    home, as after `sudo`, nothing is to be left there.
    """
    for each in (_first_that_exists(file), _first_that_exists(file.parent)):
        if not _is_own(each.lstat()):
            raise PermissionError(f"{each} is another user's")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{NAME}.", dir=file.parent)
    try:
        with open(descriptor, "wb") as opened:  # noqa: PTH123 - a descriptor has no path
            opened.write(secrets.token_bytes(_SIZE))
            opened.flush()
            os.fsync(descriptor)
        try:
            os.link(name, file)  # fails if another process was faster
        except FileExistsError:
            if _read(file) is None:
                Path(name).replace(file)
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()


def _first_that_exists(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if os.path.lexists(each))


def _is_own(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _is_private(status: os.stat_result) -> bool:
    """Whether it is a regular file of the user's own. Windows has no such modes."""
    readable = os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return stat.S_ISREG(status.st_mode) and _is_own(status) and not readable
