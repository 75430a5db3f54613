"""Makes a folder a deck project. Nothing is overwritten, and all files are written or none."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from verideck.init import files
from verideck.init.survey import Survey, survey
from verideck.problems import Code, Problem, Problems
from verideck.settings import PYPROJECT, Settings, load
from verideck.storage.files import name_as_text
from verideck.storage.reading import Limit, read
from verideck.storage.writing import write_together

GITIGNORE = ".gitignore"
WORKFLOW = Path(".github", "workflows", "verideck.yml")
EXAMPLE = Path("cards", "first.md")


@dataclass(frozen=True, slots=True)
class Begun:
    """A folder that is a project now."""

    survey: Survey
    written: tuple[str, ...]
    """The files that were made or added to, as paths below the folder."""
    kept: tuple[str, ...]
    """Those that had all of it already."""


def begin(root: Path, problems: Problems, *, ci: bool = False) -> Begun | None:
    """Write what makes a folder a project: settings, .gitignore, an example where there is no note.

    With `ci`, a workflow of GitHub's too. Executes nothing. Returns None where a problem is
    reported, and then nothing is written. Raises OSError where a file cannot be read or written.
    """
    settings = load(root, problems)
    if problems.has_errors:
        return None
    found = survey(settings)
    wanted = {root / PYPROJECT: _settings(settings, found, problems)}
    wanted[root / GITIGNORE] = files.with_lines(_former(root / GITIGNORE), files.KEPT_FROM_GIT)
    if not found.has_markdown:
        wanted[root / EXAMPLE] = files.EXAMPLE
    if ci:
        wanted[root / WORKFLOW] = _former(root / WORKFLOW) or files.WORKFLOW
    if problems.has_errors:
        return None
    changed = {file: text.encode() for file, text in wanted.items() if _former(file) != text}
    write_together(changed, root)
    names = {file: file.relative_to(root).as_posix() for file in wanted}
    return Begun(
        found,
        tuple(names[file] for file in wanted if file in changed),
        tuple(names[file] for file in wanted if file not in changed),
    )


def _settings(settings: Settings, found: Survey, problems: Problems) -> str:
    """The pyproject.toml, with a table of ours behind what it holds."""
    former = _former(settings.root / PYPROJECT)
    if "verideck" in tomllib.loads(former).get("tool", {}):
        return former
    whole = files.with_table(former, files.table(name_as_text(settings.root), found))
    if whole is None:
        message = f"{PYPROJECT} has no place for [tool.verideck] at its end"
        hint = "write the table yourself, and run `verideck init` for the rest"
        problems.report(Problem(Code.SETTING_INVALID, message, settings.at(""), hint))
        return former
    return whole


def _former(file: Path) -> str:
    """What a file holds; empty where there is none."""
    try:
        return read(file, Limit.TEXT, (file.parent,)).decode()
    except FileNotFoundError:
        return ""
