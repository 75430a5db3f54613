"""The paths of a project at which verideck writes: a link there would lead it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from verideck.model import Place
from verideck.problems import Code, Problem, Problems
from verideck.settings import Settings
from verideck.storage.files import absolute, place_name
from verideck.storage.kept import FOLDER, foreign, require_own
from verideck.storage.reading import UnusableFileError, hint_of


def check_own_paths(settings: Settings, problems: Problems) -> None:
    """Report what is a link, or no file and no folder, where verideck keeps or writes something.

    `cards.lock` is looked at where it is read.
    """
    root = settings.root
    try:
        require_own(root / FOLDER)
    except UnusableFileError as error:
        path = Path(str(error.filename))
        problems.report(unsafe_path(path, error.strerror or "", hint_of(error), root))
    for path in _to(root / settings.output, root):
        if what := foreign(path):
            hint = "remove it, or name another file by output in [tool.verideck]"
            problems.report(unsafe_path(path, what, hint, root))
            break


def _to(file: Path, root: Path) -> Iterator[Path]:
    """A file of the project, and the folders above it, the outermost first."""
    named, folder = absolute(file), absolute(root)
    if named.is_relative_to(folder):
        parts = named.relative_to(folder).parts
        yield from (folder.joinpath(*parts[:number]) for number in range(1, len(parts) + 1))


def unsafe_path(path: Path, what: str, hint: str, root: Path) -> Problem:
    """The problem of a path at which verideck would write, and does not."""
    message = f"this is {what}, and verideck writes through none"
    return Problem(Code.PATH_UNSAFE, message, Place(place_name(path, root)), hint)
