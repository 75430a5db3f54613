"""Which place a report may name: a problem is shown with the line of its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from verideck.model import Place, Snippet
from verideck.proof.python.parent.project_files import ProjectFiles


def trusted_place(place: Place, snippets: Sequence[Snippet], root: Path) -> Place | None:
    """A reported place; None if it is no line of the card's files, nor of the project's modules.

    A forged report must not choose the file of which a line is shown.
    """
    line = line_at(place, snippets, root)
    if line is None:
        return None
    return replace(place, column=min(max(place.column, 1), len(line) + 1))


def line_at(place: Place, snippets: Sequence[Snippet], root: Path) -> str | None:
    """The line of a reported place: what the card has of it, else what its file has; None as above.

    Of a module, it is that of a regular file in the project, wherever links lead.
    """
    own = [each for each in snippets if each.origin.path == place.path]
    for snippet in own:
        lines, number = snippet.code.split("\n"), place.line - snippet.origin.line
        if 0 <= number < len(lines):
            return " " * (snippet.origin.column - 1) + lines[number]
    if not own and not place.path.endswith(".py"):
        return None
    return ProjectFiles(root).line(place.path, place.line)
