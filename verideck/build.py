"""THE WAY: the stages in their order. Start reading here."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from verideck import lock, packages
from verideck.audit import audit
from verideck.cache import FOLDER, Cache, alone
from verideck.changes import changes, turned
from verideck.diff import Difference, differences
from verideck.files import place_name
from verideck.highlight import Highlighter
from verideck.identity import short
from verideck.lint import Linted
from verideck.lint import lint as follow_rules
from verideck.lock import Last, Lock
from verideck.model import (
    Built,
    Card,
    Draft,
    Fate,
    Limits,
    Note,
    Place,
    ProvenCard,
    Source,
    Tally,
)
from verideck.naming import name_cards
from verideck.pack import pack
from verideck.packages import NoPackageError, Packaged
from verideck.parse import parse
from verideck.problems import BuildFailedError, Code, Problem, Severity, errors, keep
from verideck.reach import Reach
from verideck.read import read
from verideck.recognise import identified, recognise
from verideck.render import ready, render
from verideck.settings import Settings, place_of
from verideck.stamp import stamp
from verideck.tally import tally
from verideck.update import update
from verideck.verifiers import Bench, sandbox
from verideck.verify import Watch, unwatched, verify

T = TypeVar("T")

_MOST_TOLD = 10
"""Changes that an error names."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Cards that hold, and their notes; none of the problems is an error."""

    proven: tuple[ProvenCard, ...]
    notes: tuple[Note, ...]
    tally: Tally
    problems: tuple[Problem, ...]
    cards: tuple[Card, ...]
    reach: Reach
    """What was read of the project."""
    lock: Lock
    """What the notes were known by."""


def check(
    paths: Sequence[Path],
    settings: Settings,
    *,
    strict: bool = False,
    renew: bool = False,
    watch: Watch = unwatched,
) -> Checked:
    """Read, parse, verify, recognise and render: everything but package.

    Without a path, the project's cards folder is read. `strict` makes errors of warnings. `renew`
    writes what snippets print into the cards that show it, before anything is judged. `watch` sees
    the cards go by as they are proven. Raises BuildFailedError with every problem of the run if
    one of them is an error.
    """
    started = time.perf_counter()
    problems: list[Problem] = []
    where = bench(settings)
    if renew:
        update(_cards(keep(read(paths, settings), []), settings, []), where)
    reach = Reach(settings.root, _is_whole(paths, settings))
    cards: list[Card] = []
    proven: list[ProvenCard] = []
    remembered = _remembered(settings, problems)
    highlighter = _highlighter(settings)
    parsed = _noted(_parsed(paths, settings, problems, reach), cards)
    with closing(verify(ready(parsed, highlighter), where)) as proving:
        holding = keep(watch("proving", proving, cards), problems)
        if settings.audit_build:
            auditing = audit(list(holding), where, settings.audit_floor)
            holding = keep(watch("auditing", auditing, cards), problems)
        holding = _noted(holding, proven)
        known = recognise(holding, cards, remembered, reach, settings.namespace)
        notes = _rendered(known, settings, highlighter, problems)
    if not notes and not errors(problems):
        problems.append(_no_notes(paths, settings))
    if strict:
        problems = [replace(problem, severity=Severity.ERROR) for problem in problems]
    counted = tally(cards, proven, sandbox(where), time.perf_counter() - started)
    if errors(problems):
        raise BuildFailedError(problems, counted, proven)
    return Checked(
        tuple(proven), tuple(notes), counted, tuple(problems), tuple(cards), reach, remembered
    )


def build(
    checked: Checked, output: Path, moment: int, settings: Settings, *, locked: bool = False
) -> Built:
    """Package what was checked, and remember it in the lock.

    What has changed is stamped with a moment in Unix seconds. With `locked`, nothing may have: a
    lock that would be written is an error. Builds of one project wait for each other here, and one
    that another has overtaken knows its cards again by what that one remembered. Raises
    BuildFailedError if anything is wrong, and then nothing was written.
    """
    with alone(settings.root / FOLDER):
        problems = list(checked.problems)
        before = _remembered(settings, problems, checked.lock)
        notes: Sequence[Note] = checked.notes
        if before != checked.lock:
            known = recognise(
                checked.proven, checked.cards, before, checked.reach, settings.namespace
            )
            notes = _rendered(known, settings, _highlighter(settings), problems)
        former = partial(_former, output, settings)
        edition, after = stamp(notes, before, checked.reach, former, moment)
        if locked and before != after:
            problems.append(_stale(before, after, checked.reach))
        if errors(problems):
            raise BuildFailedError(problems, checked.tally)
        built = pack(edition, None if locked else after, output, settings.root)
    if isinstance(built, Problem):
        raise BuildFailedError([*problems, built], checked.tally)
    return replace(built, changes=tuple(changes(before, after, checked.reach)))


def compare(
    checked: Checked, former: Mapping[str, Packaged], moment: int, settings: Settings
) -> tuple[Difference, ...]:
    """What an import of a build would do for whoever has the notes of a former package."""
    last = partial(_former, settings.root / settings.output, settings)
    edition, after = stamp(checked.notes, checked.lock, checked.reach, last, moment)
    return tuple(differences(edition, checked.lock, after, former))


def name(paths: Sequence[Path], settings: Settings) -> list[Card]:
    """Write ids into the Markdown, and return the cards that got one.

    Nothing is executed. Raises BuildFailedError if anything is wrong, and then nothing is written.
    """
    problems: list[Problem] = []
    remembered = _remembered(settings, problems)
    reach = Reach(settings.root, _is_whole(paths, settings))
    cards = list(_parsed(paths, settings, problems, reach))
    known, unclear = identified(cards, remembered, reach, settings.namespace)
    problems += unclear
    if errors(problems):
        raise BuildFailedError(problems, Tally(cards=len(cards)))
    return name_cards(known.values(), settings.root)


def lint(paths: Sequence[Path], settings: Settings, *, strict: bool = False) -> Linted:
    """Which rules for cards are broken in these files; what is wrong otherwise is told, too.

    Nothing is executed. Some rules hold among cards: for some files of a project, the others are
    read as well. `strict` makes errors of warnings.
    """
    problems: list[Problem] = []
    named = list(keep(read(paths, settings), problems))
    files = {source.path for source in named}
    every = named if _is_whole(paths, settings) else list(keep(read([], settings), []))
    around = every if files <= {source.path for source in every} else named
    faults: list[Problem] = []
    cards = list(_cards(around, settings, faults))
    found = follow_rules(cards, settings.lint, files)
    told = [*problems, *(each for each in faults if each.place.path in files), *found.problems]
    if strict:
        told = [replace(problem, severity=Severity.ERROR) for problem in told]
    return replace(found, problems=tuple(told))


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


def _rendered(
    known: Iterable[ProvenCard | Problem],
    settings: Settings,
    highlighter: Highlighter,
    problems: list[Problem],
) -> list[Note]:
    """The notes of proven cards, as a lock knows them."""
    return list(keep(render(keep(known, problems), settings, highlighter), problems))


def _highlighter(settings: Settings) -> Highlighter:
    return Highlighter(Cache(settings.root / FOLDER, "highlighted"))


def _remembered(settings: Settings, problems: list[Problem], known: Lock | None = None) -> Lock:
    """What the lock remembers; nothing where it cannot be read, and then nothing is written."""
    return next(keep(lock.read(settings.root, known), problems), Lock())


def _former(output: Path, settings: Settings) -> dict[str, list[Last]]:
    """The notes of the last packages, by their guids, as far as these are there."""
    found: dict[str, list[Last]] = defaultdict(list)
    for file in dict.fromkeys((settings.root / settings.output, output)):
        with suppress(OSError, NoPackageError):
            for guid, each in packages.read(file).items():
                found[guid].append(Last(each.fields, each.tags))
    return found


def _stale(before: Lock, after: Lock, reach: Reach) -> Problem:
    happened = [each for each in changes(before, after, reach) if each.fate is not Fate.UNTOUCHED]
    # Whether a text is at hand matters where the lock will be written, which is not here.
    told = [
        turned(replace(each, fate=Fate.RETIRED) if each.fate is Fate.UNTAGGED else each)
        for each in happened
    ]
    named = {each.id for each in happened}
    told += [
        f'remembered otherwise: {entry.identity.id} "{short(entry.identity.question)}"'
        for guid, entry in after.entries.items()
        if entry != before.entries.get(guid) and entry.identity.id not in named
    ]
    told += [f"two lines of one note: {each.identity.id}" for each in before.merged]
    told += [
        f"another note type: {kind}"
        for kind, former in before.styles.items()
        if former != after.styles[kind]
    ]
    more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    return Problem(
        Code.LOCK_STALE,
        "\n".join(["the cards are not what was remembered here", *told[:_MOST_TOLD], *more]),
        Place(lock.NAME),
        "run `verideck build` without --locked, and commit cards.lock with the cards",
    )


def _is_whole(paths: Sequence[Path], settings: Settings) -> bool:
    """Whether these paths are all of the project's cards."""
    cards = (settings.root / settings.cards).resolve()
    return not paths or any(path.resolve() == cards for path in paths)


def _cards(
    sources: Iterable[Source], settings: Settings, problems: list[Problem]
) -> Iterator[Card]:
    """The cards of some files, whatever they are built for."""
    return (each for each in keep(parse(sources, settings), problems) if isinstance(each, Card))


def _parsed(
    paths: Sequence[Path], settings: Settings, problems: list[Problem], reach: Reach
) -> Iterator[Card]:
    """The cards to be built. `reach` is told what is read on the way, and what is no such card."""
    sources: Iterable[Source] = _named(keep(read(paths, settings), problems), reach.built)
    if not reach.whole:
        named = list(sources)
        whole = keep(read([], settings), [])
        others = [source for source in whole if source.path not in reach.built]
        sources = [*_named(others, reach.beside), *named]
    every = parse(sources, settings)
    told = (
        each for each in every if not isinstance(each, Problem) or each.place.path in reach.built
    )
    found: Iterator[Card | Draft] = keep(told, problems)
    for each in found:
        if isinstance(each, Draft):
            reach.drafts.append(each)
        elif each.place.path in reach.built:
            yield each
        else:
            reach.others.append(each)


def _named(sources: Iterable[Source], names: set[str]) -> Iterator[Source]:
    """Pass sources on, and keep their names."""
    for source in sources:
        names.add(source.path)
        yield source


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
