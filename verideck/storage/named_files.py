"""Finds files of a project by their names, as a vault of Obsidian's embeds them: `![[a.png]]`.

A name is written as its reader can tell it from others: `a.png`, `pictures/a.png`, `../a.png`.
What is found is read through the door for a project's files (see `reading`) like any other file.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, cached_property, partial
from pathlib import Path
from unicodedata import normalize

from verideck.storage.files import is_file, is_folder

_VAULT = ".obsidian"
"""The folder in which Obsidian keeps its settings: what stands beside it is the vault."""


class NamedFiles:
    """The files of a project by their names. Its folders are looked at once, when first needed."""

    def __init__(self, root: Path) -> None:
        """Look below a project's folder."""
        self._root = root
        self._vault_of = cache(partial(vault_of, root))

    def find(self, name: str, folder: str) -> tuple[str, ...]:
        """Return the files that a note in a folder may mean by a name; none if there is none.

        The folder and the files are paths from the project. A file beside the note is meant, else
        one that stands in the vault as the name says, else the only one whose path ends with it;
        where there are several, all are returned. Upper and lower case do not matter, unless two
        files differ in nothing else. A name that leads upward is a path from the note.
        """
        if ".." in name.split("/") or name.startswith("./"):
            return (posixpath.join(folder, name),)
        beside = posixpath.join(folder, name)
        if is_file(self._root / beside) and not name.startswith("/"):
            return (beside,)
        vault = self._vault_of(folder) or ""
        wanted = _key(name.lstrip("/"))
        found = [
            path
            for path in self._by_name.get(posixpath.basename(wanted), ())
            if path.startswith(vault) and f"/{_key(path)}".endswith(f"/{wanted}")
        ]
        places = [vault] if name.startswith("/") else [posixpath.join(folder, ""), vault]
        for place in places:
            here = [path for path in found if _key(path) == _key(f"{place}{wanted}")]
            if len(here) == 1:
                return tuple(here)
        return tuple(found)

    def is_in_vault(self, folder: str) -> bool:
        """Return whether a folder is in a vault."""
        return self._vault_of(folder) is not None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """The paths of the files by the keys of their names, in order."""
        found = defaultdict[str, list[str]](list)
        for path in sorted(self._files()):
            found[_key(posixpath.basename(path))].append(path)
        return dict(found)

    def _files(self) -> Iterator[str]:
        """Yield what is not hidden. Links to folders are not followed: they may lead in circles."""
        for parent, folders, names in os.walk(self._root):
            folders[:] = [each for each in folders if not each.startswith(".")]
            above = Path(parent).relative_to(self._root)
            for name in names:
                if not name.startswith("."):
                    yield (above / name).as_posix()


def vault_of(root: Path, folder: str) -> str | None:
    """Return the vault of Obsidian's in which a folder of a project is: the nearest one.

    It is a path from the project, empty or with a slash at its end; None if there is none, or it
    would be outside of the project.
    """
    if posixpath.isabs(folder) or ".." in folder.split("/"):
        return None
    parts = [*filter(None, folder.split("/"))]
    for depth in range(len(parts), -1, -1):
        above = "".join(f"{part}/" for part in parts[:depth])
        if is_folder(root / above / _VAULT):
            return above
    return None


def _key(path: str) -> str:
    """Return a path as names are compared: systems differ in case and in composed characters."""
    return normalize("NFC", path).casefold()
