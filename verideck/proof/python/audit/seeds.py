"""Finds out whether a card holds by luck: it runs again with the same seed, and with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from verideck.model import Place, Role, Snippet
from verideck.proof.python.audit.comparison import Outcome
from verideck.proof.python.audit.mutations import ignored
from verideck.proof.python.parent.request import steps_of
from verideck.proof.python.parent.verdicts import trusted_place
from verideck.proof.python.wire.messages import Request, replace

Execute = Callable[[Sequence[Snippet], Request], Outcome]


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
        place = trusted_place(Place(*at), self.snippets, Path(self.request.root))
        return place is not None and bool(ignored(self._line(*at)))

    def _line(self, path: str, number: int) -> str:
        """A line of a fence, or of a file of the project."""
        for snippet in self.snippets:
            lines = snippet.code.split("\n")
            if snippet.origin.path == path and 0 <= number - snippet.origin.line < len(lines):
                return lines[number - snippet.origin.line]
        with suppress(OSError, UnicodeDecodeError, IndexError):
            text = Path(self.request.root, path).read_text(encoding="utf-8-sig")
            return text.split("\n")[number - 1]
        return ""


def luck(trial: Trial, seeds: int, execute: Execute) -> tuple[str, Place] | None:
    """Why and where a card holds by luck; None if it holds every time.

    It runs once more with its own seed, then with the seeds from 1, until one breaks it.
    """
    return _again(trial, execute) or _reseeded(trial, seeds, execute)


def _again(trial: Trial, execute: Execute) -> tuple[str, Place] | None:
    again = execute(trial.snippets, trial.request)
    if again.problem:
        return again.message.split("\n")[0], trial.place(again.place)
    moved = [(each.path, each.line) for each in trial.original.moved(again)]
    restless = [at for at in moved if not trial.is_ignored(at)]
    if restless or not (moved or trial.original.agrees(again)):
        where = restless[0] if restless else again.place
        return "what its assertions read differs from one run to the next", trial.place(where)
    return None


def _reseeded(trial: Trial, seeds: int, execute: Execute) -> tuple[str, Place] | None:
    unprinted = [each for each in trial.snippets if each.options.role is not Role.OUTPUT]
    for seed in range(1, seeds + 1):
        outcome = execute(unprinted, replace(trial.request, seed=seed))
        if outcome.problem and not trial.is_ignored(outcome.place):
            first = outcome.message.split("\n")[0]
            return f"with seed {seed}: {first}", trial.place(outcome.place)
    return None
