"""What a run depended on, besides its own code: kept with its proof, and looked at again later."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from verideck.verifiers.python import imports as modules_here
from verideck.verifiers.python.imports import Imports, is_installed
from verideck.verifiers.python.versions import content

_STARTS = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system",
    "subprocess.Popen",
}  # fmt: skip
"""What Python calls it when a process starts another one."""


class Dependencies:
    """Watches what a card's process opens and imports."""

    def __init__(self, root: Path) -> None:
        """Watch from now on; what is opened inside of the project is remembered."""
        self.root = root
        self._opened: set[str] = set()
        self._listed: set[str] = set()
        self._started = False
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            remembered = self._opened
        elif event in {"os.listdir", "os.scandir"}:
            remembered = self._listed
        else:
            self._started |= event in _STARTS
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

        Also the files, there or not, that would stand for the names that the card imports; and
        whether other processes were started, whose files nobody saw.
        """
        modules = set(modules_here.uninstalled())
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
        for name in imports.sources.imported | imports.own:
            package = self.root / name
            files = [package.with_suffix(".py"), package / "__init__.py"]
            files += [] if name in imports.own else [package]
            contents |= {file: content(file) for file in files}
        return {
            "files": {
                imports.sources.name(file): hashed for file, hashed in sorted(contents.items())
            },
            "loaded": modules_here.in_use(),
            "unseen": self._started,
        }

    def _is_mine(self, file: Path) -> bool:
        return file.is_relative_to(self.root) and not is_installed(file, self.root)
