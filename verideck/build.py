"""THE WAY: the stages in their order. Start reading here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from verideck.audit import audit
from verideck.cache import FOLDER
from verideck.files import place_name
from verideck.model import Built, Card, Limits, Note, Place, ProvenCard, Tally
from verideck.pack import pack
from verideck.parse import parse
from verideck.problems import BuildFailedError, Code, Problem, Severity, errors, keep
from verideck.read import read
from verideck.render import ready, render
from verideck.settings import Settings, place_of
from verideck.tally import tally
from verideck.update import update
from verideck.verifiers import Bench, sandbox
from verideck.verify import Watch, unwatched, verify

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """Cards that hold, and their notes; none of the problems is an error."""

    proven: tuple[ProvenCard, ...]
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
    where = bench(settings)
    if renew:
        update(keep(parse(keep(read(paths, settings), []), settings), []), where)
    cards: list[Card] = []
    proven: list[ProvenCard] = []
    sources = keep(read(paths, settings), problems)
    parsed = _noted(keep(parse(sources, settings), problems), cards)
    with closing(verify(map(ready, parsed), where)) as proving:
        holding = keep(watch("proving", proving, cards), problems)
        if settings.audit_build:
            auditing = audit(list(holding), where, settings.audit_floor)
            holding = keep(watch("auditing", auditing, cards), problems)
        notes: list[Note] = list(keep(render(_noted(holding, proven), settings), problems))
    if not notes and not errors(problems):
        problems.append(_no_notes(paths, settings))
    if strict:
        problems = [replace(problem, severity=Severity.ERROR) for problem in problems]
    counted = tally(cards, proven, sandbox(where), time.perf_counter() - started)
    if errors(problems):
        raise BuildFailedError(problems, counted, proven)
    return Checked(tuple(proven), tuple(notes), counted, tuple(problems))


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
    limits = Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})
    return Bench(
        settings.root,
        limits,
        sandbox=settings.sandbox,
        sandbox_required=settings.require_sandbox,
        sandbox_place=place_of("sandbox", settings),
        cache=settings.root / FOLDER,
        executor=settings.executor,
        executor_place=place_of("executor", settings),
        seeds=settings.audit_seeds,
    )


def _noted(values: Iterable[T], seen: list[T]) -> Iterator[T]:
    """Pass values on, and keep them for the summary: each stage begins with the first of them."""
    for value in values:
        seen.append(value)
        yield value


def _no_notes(paths: Sequence[Path], settings: Settings) -> Problem:
    first = paths[0] if paths else settings.root / settings.cards
    return Problem(
        Code.DECK_EMPTY,
        "there is no card to package",
        Place(place_name(first, settings.root)),
        "a card is a question with its answer, in a Markdown file",
    )
