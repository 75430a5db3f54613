"""What a run depends on, in few characters: a file by its hash, a distribution by its version."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

_KEPT = ".verideck"
"""The folder that runs write into: it says nothing of the project."""
ABSENT = ""
"""Stands for the content of a file that is not there."""


def content(file: Path) -> str:
    """The hash of a file's bytes, or of the names in a folder; `ABSENT` where there is neither."""
    try:
        if file.is_dir():
            names = sorted(name for name in os.listdir(file) if name != _KEPT)  # noqa: PTH208 - heard with this module's name
            return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ABSENT


def stamp(file: Path) -> object:
    """What changes with a file, at the price of a look; of a folder, the names in it."""
    try:
        if file.is_dir():
            return content(file)
        seen = file.stat()
    except OSError:
        return ABSENT
    return (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)


def claims(folder: Path, names: AbstractSet[str]) -> list[str]:
    """What in a folder Python could take for modules of these names, whatever it prefers."""
    found: list[str] = []
    for name in _names(folder):
        stem = name.partition(".")[0]
        if stem in names:
            found.append(name)
            inside = _names(folder / name) if name == stem else []
            found += [f"{name}/{each}" for each in inside if each.partition(".")[0] == "__init__"]
            found += [f"{name}/*.py"] * any(each.endswith(".py") for each in inside)
    return sorted(found)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - heard with this module's name
    except OSError:
        return []


_packages: dict[str, Sequence[str]] = {}


def packages() -> Mapping[str, Sequence[str]]:
    """The distributions by the packages that they bring."""
    if not _packages:
        know(importlib.metadata.packages_distributions())
    return _packages


def know(packages: Mapping[str, Sequence[str]]) -> None:
    """Take the distributions from somebody who had the time to look."""
    _packages.update(packages)


def distributions(names: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Each distribution with its public version: a build's local label differs by machine."""
    for name in names:
        for distribution in packages().get(name, [])[:1]:
            yield distribution, version(distribution)


@cache
def version(distribution: str) -> str:
    """A distribution's public version; empty if it is not installed."""
    try:
        return importlib.metadata.version(distribution).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""
