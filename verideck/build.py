"""THE WAY: the stages in their order. Start reading here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from verideck.files import place_name
from verideck.model import Built, Card, Note, Place, ProvenCard, Tally
from verideck.pack import pack
from verideck.parse import parse
from verideck.problems import BuildFailedError, Code, Problem, Severity, errors, keep
from verideck.read import read
from verideck.render import render
from verideck.settings import Settings
from verideck.tally import tally
from verideck.update import update
from verideck.verifiers import Bench
from verideck.verify import Watch, unwatched, verify


@dataclass(frozen=True, slots=True)
class Checked:
    """Notes that hold; none of the problems is an error."""

    notes: tuple[Note, ...]
    tally: Tally
    problems: tuple[Problem, ...]


def check(
    paths: Sequence[Path],
    settings: Settings,
    *,
    strict: bool = False,
    renew: bool = False,
    watch: Watch = unwatched,
) -> Checked:
    """Read, parse, verify and render: everything but package.

    Without a path, the project's cards folder is read. `strict` makes errors of warnings. `renew`
    writes what snippets print into the cards that show it, before anything is judged. `watch` sees
    the cards go by as they are proven. Raises BuildFailedError with every problem of the run if
    one of them is an error.
    """
    started = time.perf_counter()
    problems: list[Problem] = []
    if renew:
        update(keep(parse(keep(read(paths, settings), []), settings), []), bench(settings))
    sources = keep(read(paths, settings), problems)
    cards: list[Card] = list(keep(parse(sources, settings), problems))
    with closing(verify(cards, bench(settings))) as proving:
        proven: list[ProvenCard] = list(keep(watch(proving, cards), problems))
    notes: list[Note] = list(keep(render(proven, settings), problems))
    if not notes and not errors(problems):
        problems.append(_no_notes(paths, settings))
    if strict:
        problems = [replace(problem, severity=Severity.ERROR) for problem in problems]
    counted = tally(cards, proven, time.perf_counter() - started)
    if errors(problems):
        raise BuildFailedError(problems, counted)
    return Checked(tuple(notes), counted, tuple(problems))


def build(checked: Checked, output: Path, moment: int, settings: Settings) -> Built:
    """Package what was checked, stamped with a moment in Unix seconds.

    Raises BuildFailedError if the file cannot be written.
    """
    built = pack(checked.notes, output, moment, settings.root)
    if isinstance(built, Problem):
        raise BuildFailedError([*checked.problems, built], checked.tally)
    return built


def bench(settings: Settings) -> Bench:
    """Where this project's snippets are executed."""
    return Bench(settings.root, settings.timeout, settings.max_output)


def _no_notes(paths: Sequence[Path], settings: Settings) -> Problem:
    first = paths[0] if paths else settings.root / settings.cards
    return Problem(
        Code.DECK_EMPTY,
        "there is no card to package",
        Place(place_name(first, settings.root)),
        "a card is a question with its answer, in a Markdown file",
    )
