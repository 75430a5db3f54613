"""What packages that the user has installed add to verideck: their entry points.

A package is looked for only where Python installs packages. What merely lies on the path, as a
project in which somebody works, adds nothing: its code would run with the user's rights.
"""

from __future__ import annotations

import os
import pkgutil
import site
import sys
from collections.abc import Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from verideck.problems import CallerError

SYNTAXES = "verideck.syntaxes"
"""The group of entry points that are forms of cards, each a `Syntax`."""
TARGETS = "verideck.targets"
"""The group of those that are kinds of output, each a `Target`, called as its suffix is."""
_SUFFIXES = (".dist-info", ".egg-info")


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point of an installed package."""

    name: str
    value: str
    """Where it is: `module:attribute`."""
    package: str
    """The package's name and version, as its folder says them."""
    listed: Path
    """The file that lists it."""

    def load(self) -> object:
        """Return what it names. Raises CallerError where that cannot be imported."""
        try:
            return pkgutil.resolve_name(self.value)
        except Exception as error:
            raise CallerError(f"{self}, cannot be imported: {error!r}") from error

    def __str__(self) -> str:
        return f"{self.value}, which {self.package} adds as {self.name}"


class _Lists(ConfigParser):
    """Reads the lists of entry points, in which capitals count."""

    def optionxform(self, optionstr: str) -> str:
        """Return a name as it is."""
        return optionstr


@cache
def installed(group: str) -> tuple[Plugin, ...]:
    """Return the entry points of a group, by their names and packages."""
    found = (plugin for file in _lists() for plugin in _plugins(file, group))
    return tuple(sorted(found, key=lambda each: (each.name, each.package)))


def version(group: str) -> list[object]:
    """Return what changes with the code of a group's entry points."""
    files: list[Path] = []
    for plugin in installed(group):
        spec = find_spec(plugin.value.partition(":")[0].partition(".")[0])
        folders = spec.submodule_search_locations if spec else None
        modules = [file for each in folders or () for file in sorted(Path(each).rglob("*.py"))]
        files += [plugin.listed, *modules, *([Path(spec.origin)] if spec and spec.origin else [])]
    return [(str(file), file.stat().st_mtime_ns) for file in files]


def _lists() -> Iterator[Path]:
    """Yield the files of installed packages that may list entry points of ours."""
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    for folder in dict.fromkeys([*site.getsitepackages(), *user]):
        if folder in sys.path and Path(folder).is_dir():
            with os.scandir(folder) as entries:
                names = sorted(each.name for each in entries if each.name.endswith(_SUFFIXES))
            yield from (Path(folder, name, "entry_points.txt") for name in names)


def _plugins(file: Path, group: str) -> Iterator[Plugin]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return
    if group not in text:
        return
    parser = _Lists(delimiters=("=",), interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except Error as error:
        raise CallerError(f"{file} cannot be read: {error}") from error
    if parser.has_section(group):
        for name, value in parser.items(group):
            package = file.parent.name.rpartition(".")[0]
            yield Plugin(name, value.partition("[")[0].strip(), package, file)
