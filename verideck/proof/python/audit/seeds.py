"""Finds out whether a card holds by luck.

It is run again, under other seeds, and, if its code may depend on that, under other hash seeds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from verideck.model import Place, Role, Snippet
from verideck.proof.python.audit.changes import parsed
from verideck.proof.python.audit.comparison import Outcome
from verideck.proof.python.audit.mutations import ignored
from verideck.proof.python.parent.places import line_at, trusted_place
from verideck.proof.python.parent.project_files import ProjectFiles
from verideck.proof.python.parent.request import steps_of
from verideck.proof.python.wire.messages import Request, replace
from verideck.storage.files import decoded
from verideck.storage.reading import Limit, read

_HASH_SEEDS = (1, 2, 3)
_HASHING = {"set", "frozenset", "hash", "__hash__", "id", "keys", "intersection", "union"}
"""Names without which few programs depend on how texts are hashed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A card that is audited, and what its first run came to."""

    snippets: Sequence[Snippet]
    request: Request
    original: Outcome

    def place(self, at: tuple[str, int]) -> Place:
        """The place of a path and a line; the card's first fence if no line is known."""
        place = trusted_place(Place(*at), self.snippets, Path(self.request.root))
        return place or steps_of(self.snippets)[0].place

    def is_ignored(self, at: tuple[str, int]) -> bool:
        """Whether a line of the author's says that its luck is to be ignored."""
        line = line_at(Place(*at), self.snippets, Path(self.request.root))
        return line is not None and bool(ignored(line))


def luck(
    trial: Trial, again: Outcome, others: Sequence[tuple[str, Outcome]]
) -> tuple[str, Place] | None:
    """Why and where a card holds by luck; None if it holds every time.

    It was run again as it is; `others` are runs that differ, each with how.
    """
    return _again(trial, again) or _otherwise(trial, others)


def seeded(trial: Trial, seeds: int) -> Iterator[tuple[str, Sequence[Snippet], Request]]:
    """What is to be run under the seeds from 1; what is printed may then differ."""
    passing = replace(trial.request, shown=(), passing=True)
    unprinted = [each for each in trial.snippets if each.options.role is not Role.OUTPUT]
    for seed in range(1, seeds + 1):
        yield f"with seed {seed}", unprinted, replace(passing, seed=seed)


def hashed(trial: Trial, files: Iterable[str]) -> Iterator[tuple[str, Sequence[Snippet], Request]]:
    """What is to be run under other hash seeds, if code of the card, or of files, depends on it."""
    passing = replace(trial.request, shown=(), passing=True)
    texts = [each.code for each in steps_of(trial.snippets)]
    project = ProjectFiles(Path(trial.request.root))
    texts += [project.text(name) for name in files]
    if any(map(_may_hash, texts)):
        for seed in _HASH_SEEDS:
            yield f"with hash seed {seed}", trial.snippets, replace(passing, hash_seed=seed)


def code_of(path: str, root: Path) -> str:
    """The text of a file of the project. Raises OSError and UnicodeDecodeError."""
    return decoded(read(root / path, Limit.TEXT, (root,)))


def _may_hash(code: str) -> bool:
    """Whether what code does may depend on how texts are hashed: it makes a set, or asks for it."""
    try:
        tree = parsed(code)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(
        isinstance(node, ast.Set | ast.SetComp)
        or (isinstance(node, ast.Name) and node.id in _HASHING)
        or (isinstance(node, ast.Attribute) and node.attr in _HASHING)
        for node in ast.walk(tree)
    )


def _again(trial: Trial, again: Outcome) -> tuple[str, Place] | None:
    if again.problem:
        return again.message.split("\n")[0], trial.place(again.place)
    moved = [(each.path, each.line) for each in trial.original.moved(again)]
    restless = [at for at in moved if not trial.is_ignored(at)]
    if restless or not (moved or trial.original.agrees(again)):
        where = restless[0] if restless else again.place
        return "what its assertions read differs from one run to the next", trial.place(where)
    return None


def _otherwise(trial: Trial, others: Sequence[tuple[str, Outcome]]) -> tuple[str, Place] | None:
    for how, outcome in others:
        if outcome.problem and not trial.is_ignored(outcome.place):
            first = outcome.message.split("\n")[0]
            return f"{how}: {first}", trial.place(outcome.place)
    return None
