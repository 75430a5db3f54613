"""The user's own configuration file: what the user says of every project, or of some by name."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from verideck.caps import cap
from verideck.problems import CallerError, shown, suggestion
from verideck.push_choices import Usual
from verideck.settings import line_of, require_executor
from verideck.storage.files import resolved

_LARGEST = 1_000_000
"""Bytes of a file that is read."""


@dataclass(frozen=True, slots=True)
class UserFile:
    """What the file says."""

    trusted: frozenset[Path] = frozenset()
    """The folders of projects whose own settings hold as they are, without links."""
    require_sandbox: bool = False
    executor: str = ""
    limits: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    push: Usual = field(default_factory=Usual)


def read(file: Path | None) -> UserFile:
    """What a file says; nothing where there is none. Raises CallerError for anything wrong in it.

    A wrong name must not pass in silence: `require-sandbox` would then protect nobody.
    """
    text = _text(file) if file else ""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise CallerError(f"{file} is not TOML: {error}") from error
    said: dict[str, Any] = {}
    for name, value in table.items():
        try:
            said[name] = _converted(name, value)
        except (CallerError, msgspec.ValidationError) as error:
            raise CallerError(f"{file}:{line_of(name, text)}: {error}") from error
    return UserFile(**said)


def _converted(name: str, value: object) -> object:
    if name not in _READERS:
        raise CallerError(f"there is no {shown(name)}: {suggestion(name, frozenset(_READERS))}")
    return _READERS[name](value)


def _text(file: Path) -> str:
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CallerError(f"{file} cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CallerError(f"{file} is no file that can be read")
        content = os.read(descriptor, _LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST:
        raise CallerError(f"{file} is larger than {_LARGEST:,} bytes")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise CallerError(f"{file} is not UTF-8") from error


def _trusted(value: object) -> frozenset[Path]:
    folders = [Path(each).expanduser() for each in msgspec.convert(value, list[str])]
    for each in folders:
        if not each.is_absolute():
            raise CallerError(f"trusted holds absolute paths, and not {shown(str(each))}")
    return frozenset(map(resolved, folders))


def _switch(value: object) -> bool:
    return msgspec.convert(value, bool)


def _executor(value: object) -> str:
    executor = msgspec.convert(value, str)
    try:
        require_executor(executor)
    except ValueError as error:
        raise CallerError(str(error)) from error
    return executor


def _limits(value: object) -> Mapping[str, float]:
    table = _table(value)
    audit = table.pop("audit", {})
    flat = {**table, **{f"audit.{name}": each for name, each in _table(audit).items()}}
    return MappingProxyType({name: cap(name, each) for name, each in flat.items()})


def _push(value: object) -> Usual:
    known = frozenset(each.name for each in fields(Usual))
    for name in _table(value):
        if name not in known:
            raise CallerError(f"there is no push.{shown(name)}: {suggestion(name, known)}")
    usual = msgspec.convert(value, Usual)
    if not 0 < usual.port < _PORTS:
        raise CallerError(f"push.port must be a port, and not {shown(usual.port)}")
    return usual


_PORTS = 65_536


def _table(value: object) -> dict[str, Any]:
    return msgspec.convert(value, dict[str, Any])


_READERS: Mapping[str, Callable[[object], object]] = {
    "trusted": _trusted,
    "require_sandbox": _switch,
    "executor": _executor,
    "limits": _limits,
    "push": _push,
}
