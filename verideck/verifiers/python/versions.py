"""What a run depends on, in few characters: a file by its hash, a distribution by its version."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

ABSENT = ""
"""Stands for the content of a file that is not there."""


def content(file: Path) -> str:
    """The hash of a file's bytes, or of the names in a folder; `ABSENT` where there is neither."""
    try:
        if file.is_dir():
            names = sorted(each.name for each in file.iterdir())
            return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ABSENT


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
