"""What a run depends on, in few characters: a file by its hash, a distribution by its version."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

ABSENT = ""
"""Stands for the content of a file that does not exist."""
_PIECE = 1 << 20
"""Bytes that are read at a time."""


def content(file: Path, unlisted: str) -> str:
    """The hash of a file's bytes, or of the names in a folder but one; `ABSENT` without either.

    A pipe or a device is neither.
    """
    try:
        if file.is_dir():
            names = sorted(name for name in os.listdir(file) if name != unlisted)  # noqa: PTH208 - heard with this module's name
            return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()
        return _hash_of(file)
    except OSError:
        return ABSENT


def _hash_of(file: Path) -> str:
    """The hash of a regular file's bytes, however many. `ABSENT` for any other, and at once."""
    if not file.is_file():
        return ABSENT
    opened = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        hashed = hashlib.sha256()
        while piece := os.read(opened, _PIECE):
            hashed.update(piece)
        return hashed.hexdigest()
    finally:
        os.close(opened)


def stamp(file: Path, unlisted: str = "") -> object:
    """A value that changes with a file, without reading it; of a folder, its `content`."""
    try:
        if file.is_dir():
            return content(file, unlisted)
        seen = file.stat()
    except OSError:
        return ABSENT
    return (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)


def claims(folder: Path, names: AbstractSet[str]) -> list[str]:
    """The entries of a folder that Python could import under these names, whatever it prefers."""
    found: list[str] = []
    for name in names_in(folder):
        stem = name.partition(".")[0]
        if stem in names:
            found.append(name)
            inside = names_in(folder / name) if name == stem else []
            found += [f"{name}/{each}" for each in inside if each.partition(".")[0] == "__init__"]
            found += [f"{name}/*.py"] * any(each.endswith(".py") for each in inside)
    return sorted(found)


def names_in(folder: Path) -> list[str]:
    """The names in a folder; none if it cannot be listed. Looks for modules alone (see `child`)."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - heard with this module's name
    except OSError:
        return []


def version(distribution: str) -> str:
    """A distribution's public version; empty if it is not installed.

    A build's local label is left out: it differs from machine to machine.
    """
    try:
        return importlib.metadata.version(distribution).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""


class Installed:
    """The installed distributions. Each is looked up once: a run has an object of its own."""

    def __init__(self) -> None:
        """Look up nothing yet."""
        self._packages: dict[str, Sequence[str]] = {}
        self._versions: dict[str, str] = {}

    def know(self, packages: Mapping[str, Sequence[str]]) -> None:
        """Take the distributions by package, so that they need not be looked up."""
        self._packages.update(packages)

    def packages(self) -> Mapping[str, Sequence[str]]:
        """The distributions by the packages that they bring."""
        if not self._packages:
            self.know(importlib.metadata.packages_distributions())
        return self._packages

    def version(self, distribution: str) -> str:
        """A distribution's public version; empty if it is not installed."""
        if distribution not in self._versions:
            self._versions[distribution] = version(distribution)
        return self._versions[distribution]

    def distributions(self, packages: AbstractSet[str]) -> Iterator[tuple[str, str]]:
        """The distribution of each package, with its version."""
        for name in packages:
            for distribution in self.packages().get(name, [])[:1]:
                yield distribution, self.version(distribution)
