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

from verideck.history import lock
from verideck.history.changes import changes, describe
from verideck.history.diff import Difference, differences
from verideck.history.ids import name_cards
from verideck.history.lock import LastBuilt, Lock
from verideck.history.recognise import identified, recognise
from verideck.history.scope import Scope
from verideck.history.stamp import stamp
from verideck.model import (
    Built,
    Card,
    ChangeKind,
    Limits,
    Note,
    Packaged,
    Place,
    ProvenCard,
    Source,
    Stats,
    Unanswered,
    short,
)
from verideck.problems import BuildFailedError, Code, Problem, Severity, errors, keep
from verideck.proof.audit import audit
from verideck.proof.languages import ExecutionConfig, sandbox
from verideck.proof.update import update
from verideck.proof.verify import Watch, unwatched, verify
from verideck.render.fields import ready, render
from verideck.render.highlight import Highlighter
from verideck.rules.lint import Linted
from verideck.rules.lint import lint as follow_rules
from verideck.settings import Settings, place_of
from verideck.source.cards import parse
from verideck.source.read import read
from verideck.stats import stats
from verideck.storage.files import place_name
from verideck.storage.store import FOLDER, Cache, build_lock
from verideck.targets import packages
from verideck.targets.pack import pack
from verideck.targets.packages import NoPackageError

T = TypeVar("T")

_MOST_TOLD = 10
"""Changes that an error names."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Cards that hold, and their notes; none of the problems is an error."""

    proven: tuple[ProvenCard, ...]
    notes: tuple[Note, ...]
    stats: Stats
    problems: tuple[Problem, ...]
    cards: tuple[Card, ...]
    scope: Scope
    """What was read of the project."""
    lock: Lock
    """What the notes were known by."""


def check(
    paths: Sequence[Path],
    settings: Settings,
    *,
    strict: bool = False,
    update_outputs: bool = False,
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
    where = execution_config(settings)
    if update_outputs:
        update(_cards(keep(read(paths, settings), []), settings, []), where)
    scope = Scope(settings.root, _is_whole(paths, settings))
    cards: list[Card] = []
    proven: list[ProvenCard] = []
    remembered = _remembered(settings, problems)
    highlighter = _highlighter(settings)
    parsed = _noted(_parsed(paths, settings, problems, scope), cards)
    with closing(verify(ready(parsed, highlighter), where)) as proving:
        holding = keep(watch("proving", proving, cards), problems)
        if settings.audit_build:
            auditing = audit(list(holding), where, settings.audit_floor)
            holding = keep(watch("auditing", auditing, cards), problems)
        holding = _noted(holding, proven)
        known = recognise(holding, cards, remembered, scope, settings.namespace)
        notes = _rendered(known, settings, highlighter, problems)
    if not notes and not errors(problems):
        problems.append(_no_notes(paths, settings))
    if strict:
        problems = [replace(problem, severity=Severity.ERROR) for problem in problems]
    counted = stats(cards, proven, sandbox(where), time.perf_counter() - started)
    if errors(problems):
        raise BuildFailedError(problems, counted, proven)
    return Checked(
        tuple(proven), tuple(notes), counted, tuple(problems), tuple(cards), scope, remembered
    )


def build(
    checked: Checked, output: Path, build_time: int, settings: Settings, *, locked: bool = False
) -> Built:
    """Package what was checked, and remember it in the lock.

    What has changed is stamped with a moment in Unix seconds. With `locked`, nothing may have: a
    lock that would be written is an error. Builds of one project wait for each other here, and one
    that another has overtaken knows its cards again by what that one remembered. Raises
    BuildFailedError if anything is wrong, and then nothing was written.
    """
    with build_lock(settings.root / FOLDER):
        problems = list(checked.problems)
        before = _remembered(settings, problems, checked.lock)
        notes: Sequence[Note] = checked.notes
        if before != checked.lock:
            known = recognise(
                checked.proven, checked.cards, before, checked.scope, settings.namespace
            )
            notes = _rendered(known, settings, _highlighter(settings), problems)
        former = partial(_former, output, settings)
        contents, after = stamp(notes, before, checked.scope, former, build_time)
        if locked and before != after:
            problems.append(_stale(before, after, checked.scope))
        if errors(problems):
            raise BuildFailedError(problems, checked.stats)
        built = pack(contents, None if locked else after, output, settings.root)
    if isinstance(built, Problem):
        raise BuildFailedError([*problems, built], checked.stats)
    return replace(built, changes=tuple(changes(before, after, checked.scope)))


def compare(
    checked: Checked, former: Mapping[str, Packaged], build_time: int, settings: Settings
) -> tuple[Difference, ...]:
    """What an import of a build would do for whoever has the notes of a former package."""
    last = partial(_former, settings.root / settings.output, settings)
    contents, after = stamp(checked.notes, checked.lock, checked.scope, last, build_time)
    return tuple(differences(contents, checked.lock, after, former))


def name(paths: Sequence[Path], settings: Settings) -> list[Card]:
    """Write ids into the Markdown, and return the cards that got one.

    Nothing is executed. Raises BuildFailedError if anything is wrong, and then nothing is written.
    """
    problems: list[Problem] = []
    remembered = _remembered(settings, problems)
    scope = Scope(settings.root, _is_whole(paths, settings))
    cards = list(_parsed(paths, settings, problems, scope))
    known, unclear = identified(cards, remembered, scope, settings.namespace)
    problems += unclear
    if errors(problems):
        raise BuildFailedError(problems, Stats(cards=len(cards)))
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


def execution_config(settings: Settings) -> ExecutionConfig:
    """Where this project's snippets are executed."""
    limits = Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})
    return ExecutionConfig(
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


def _former(output: Path, settings: Settings) -> dict[str, list[LastBuilt]]:
    """The notes of the last packages, by their guids, as far as these are there."""
    found: dict[str, list[LastBuilt]] = defaultdict(list)
    for file in dict.fromkeys((settings.root / settings.output, output)):
        with suppress(OSError, NoPackageError):
            for guid, each in packages.read(file).items():
                found[guid].append(LastBuilt(each.fields, each.tags))
    return found


def _stale(before: Lock, after: Lock, scope: Scope) -> Problem:
    summarise = [
        each for each in changes(before, after, scope) if each.fate is not ChangeKind.UNTOUCHED
    ]
    # Whether a text is at hand matters where the lock will be written, which is not here.
    told = [
        describe(
            replace(each, fate=ChangeKind.RETIRED) if each.fate is ChangeKind.UNTAGGED else each
        )
        for each in summarise
    ]
    named = {each.id for each in summarise}
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
    paths: Sequence[Path], settings: Settings, problems: list[Problem], scope: Scope
) -> Iterator[Card]:
    """The cards to be built. `reach` is told what is read on the way, and what is no such card."""
    sources: Iterable[Source] = _named(keep(read(paths, settings), problems), scope.built)
    if not scope.whole:
        named = list(sources)
        whole = keep(read([], settings), [])
        others = [source for source in whole if source.path not in scope.built]
        sources = [*_named(others, scope.beside), *named]
    every = parse(sources, settings)
    told = (
        each for each in every if not isinstance(each, Problem) or each.place.path in scope.built
    )
    found: Iterator[Card | Unanswered] = keep(told, problems)
    for each in found:
        if isinstance(each, Unanswered):
            scope.unanswered.append(each)
        elif each.place.path in scope.built:
            yield each
        else:
            scope.others.append(each)


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
