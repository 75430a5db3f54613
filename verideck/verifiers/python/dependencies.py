"""What a run depended on, besides its own code: kept with its proof, and looked at again later."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from verideck.verifiers.python.imports import Imports, is_installed, loaded

ABSENT = ""
"""Stands for the content of a file that is not there."""


class Dependencies:
    """Watches what a card's process opens and imports."""

    def __init__(self, root: Path) -> None:
        """Watch from now on; what is opened inside of the project is remembered."""
        self.root = root
        self._opened: set[str] = set()
        self._listed: set[str] = set()
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            remembered = self._opened
        elif event in {"os.listdir", "os.scandir"}:
            remembered = self._listed
        else:
            return
        path = arguments[0]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, str | os.PathLike):
            name = os.path.abspath(path)  # noqa: PTH100 - called for every open
            if name.startswith(str(self.root)):
                remembered.add(name)

    def told(self, imports: Imports) -> dict[str, object]:
        """The project's files with their contents' hashes, and the distributions in use.

        Also which of the names that the card imports are not the project's: a file of that name
        would change what is imported.
        """
        modules = set(_modules(self.root))
        opened = [Path(name) for name in self._opened]
        mine = [file for file in opened if self._is_mine(file)]
        folders = {self.root, *(module.parent for module in modules)}
        listed = [Path(name) for name in self._listed]
        contents = {file: content(file) for file in [*mine, *modules]}
        contents |= {
            folder: content(folder)
            for folder in listed
            if folder not in folders and self._is_mine(folder)
        }
        foreign = imports.sources.imported - imports.own
        for name in foreign:
            contents |= {self.root / f"{name}.py": ABSENT, self.root / name: ABSENT}
        return {
            "files": {
                imports.sources.name(file): hashed for file, hashed in sorted(contents.items())
            },
            "loaded": loaded(),
        }

    def _is_mine(self, file: Path) -> bool:
        return file.is_relative_to(self.root) and not is_installed(file, self.root)


def content(file: Path) -> str:
    """The hash of a file's bytes, or of the names in a folder; `ABSENT` where there is neither.

    A folder without Python counts as absent: it is no package of the project's.
    """
    try:
        if file.is_dir():
            names = sorted(each.name for each in file.iterdir())
            return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ABSENT


def _modules(root: Path) -> Iterator[Path]:
    """The files of imported modules that no installation answers for: they change as they like."""
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.endswith(".py"):
            file = Path(name)
            inside = file.is_relative_to(root) and not is_installed(file, root)
            if inside or not any(file.is_relative_to(place) for place in _INSTALLED):
                yield file


_INSTALLED = (Path(sys.prefix), Path(sys.base_prefix), Path(os.__file__).parent)
