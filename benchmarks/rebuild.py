"""What it costs to build a large deck, and to build it again, of which nothing is executed.

`python benchmarks/rebuild.py` prints the tables; `--write` also puts them into README.md here.
`--only` measures some of the tables; `--profile` prints instead where a build spends its time.
"""

from __future__ import annotations

import os
import pstats
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import decks
import first_edition
import measure
from decks import Deck
from first_edition import EDITIONS
from measure import (
    TODAY,
    VERIDECK,
    Bound,
    Cost,
    Costs,
    Time,
    Work,
    bound,
    of_edition,
)

BARE = Path(__file__).with_name("bare.py")

FLOOR = """\
import hashlib
from pathlib import Path

for file in sorted(Path("cards").rglob("*.md")):
    hashlib.sha256(file.read_bytes()).hexdigest()
"""

GIGABYTE = 1_000_000_000
FIRST_BUILD = "first build"
NOTHING = "nothing changed"
TEN = "10 cards changed"
HUNDRED = "100 questions reworded"
FIRST_TIME, AGAIN = "first", "again"
"""The builds that can be profiled."""
SHOWN = 30
"""How many functions a profile names."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the decks are."""

    mixed: Deck
    prose: Deck
    large: Deck
    """Ten times the prose, in files of the same size."""
    reworded: tuple[int, int]
    """How many questions of the prose are reworded, few and many, to see how matching grows."""


FULL = Sizes(
    mixed=Deck(2_000, 40, mixed=True),
    prose=Deck(10_000, 200),
    large=Deck(100_000, 2_000),
    reworded=(1_000, 10_000),
)
QUICK = Sizes(
    mixed=Deck(80, 4, mixed=True),
    prose=Deck(200, 4),
    large=Deck(2_000, 40),
    reworded=(20, 200),
)


def mixed(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """Cards with code, TeX, Chinese and tables, beside what does the same and no more."""
    deck = sizes.mixed
    decks.write(scratch / "bare", deck)
    works = [Work("bare", lambda _: _cost(scratch / "bare", first_edition.PYTHON, BARE))]
    for edition in EDITIONS:
        works += _first_and_again(edition, scratch / edition, deck)
    costs = measure.in_turn(works, rounds)
    bounds = [
        bound(costs, FIRST_BUILD, "bare", Time.CPU, 2.0),
        bound(costs, NOTHING, "bare", Time.CPU, 0.6),
    ]
    return _report(deck, rounds, costs, bounds)


def prose(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """Short cards, built again after edits, beside a look at the files."""
    deck = sizes.prose
    edits = {TEN: replace(deck, answers=10), HUNDRED: replace(deck, questions=100)}
    decks.write(scratch / "floor", deck)
    works = [Work("floor", lambda _: _cost(scratch / "floor", sys.executable, "-c", FLOOR))]
    for edition in EDITIONS:
        folder = scratch / edition
        works += _first_and_again(edition, folder, deck)
        works += [
            _edited(edition, folder / name, deck, of_edition(edition, name), edited)
            for name, edited in edits.items()
        ]
    costs = measure.in_turn(works, rounds)
    bounds = [
        bound(costs, NOTHING, "floor", Time.WALL, 12),
        bound(costs, TEN, NOTHING, Time.WALL, 1.5),
    ]
    return _report(deck, rounds, costs, bounds)


def large(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """A first build of ten times as many cards, and the memory that it takes."""
    few, many = sizes.prose, sizes.large
    what, beside = (f"{deck.cards:,} cards, {FIRST_BUILD}" for deck in (many, few))
    for name, deck in ((what, many), (beside, few)):
        decks.write(scratch / name, deck)
    works = [Work(name, partial(_sampled, scratch / name)) for name in (what, beside)]
    costs = measure.in_turn(works, rounds)
    ratio = costs[what].wall / (10 * costs[beside].wall)
    bounds = [Bound(what, f"ten times {few.cards:,}", Time.WALL.value, ratio, 1.3)]
    if memory := costs[what].memory:
        bounds.append(Bound(what, "1 GB", "memory", memory / GIGABYTE, 1.0))
    return _report(many, rounds, costs, bounds)


def matching(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """What it takes to know cards again whose questions were reworded: more than new answers do."""
    deck = sizes.prose
    edits = {
        **{f"{count} answers": replace(deck, answers=count) for count in sizes.reworded},
        **{f"{count} questions": replace(deck, questions=count) for count in sizes.reworded},
    }
    works = [_edited(TODAY, scratch / name, deck, name, edit) for name, edit in edits.items()]
    costs = measure.in_turn(works, rounds)
    rows, each = [], {}
    for count in sizes.reworded:
        questions, answers = (costs[f"{count} {what}"].cpu for what in ("questions", "answers"))
        each[count] = 1000 * (questions - answers) / count
        figures = (questions, answers, questions - answers, each[count])
        rows.append((f"{count:,}", *map("{:.2f}".format, figures)))
    heads = ("cards", "questions reworded, CPU s", "answers changed, CPU s", "more", "ms a card")
    told = [_facts(deck, rounds), measure.table(heads, rows, words=())]
    few, many = sizes.reworded
    if each[few] > 0:
        told.append(
            f"Each of {many:,} reworded questions takes {each[many] / each[few]:.1f} times what "
            f"each of {few:,} takes; linear is about 1, quadratic about {many // few}."
        )
    return "\n\n".join(told)


def _first_and_again(edition: str, folder: Path, deck: Deck) -> list[Work]:
    """A first build and one in which nothing has changed, each in a folder of its own."""
    decks.write(folder / "first", deck)
    decks.write(folder / "again", deck)
    _build(edition, folder / "again")
    return [
        Work(of_edition(edition, FIRST_BUILD), lambda _: _first_build(edition, folder / "first")),
        Work(of_edition(edition, NOTHING), lambda _: _build(edition, folder / "again")),
    ]


def _edited(edition: str, folder: Path, deck: Deck, name: str, edited: Deck) -> Work:
    """A build after an edit of the deck, in a folder of its own.

    What the build before the edit left is brought back before each run. The files that the edit
    does not touch stay as they are.
    """
    decks.write(folder, deck)
    _build(edition, folder)
    before = folder.with_name(f"{folder.name}, before")
    _copy_state(folder, before)
    decks.write(folder, edited)

    def build(_: int) -> Cost:
        _copy_state(before, folder)
        return _build(edition, folder)

    return Work(name, build)


def _first_build(edition: str, folder: Path) -> Cost:
    decks.forget_builds(folder)
    return _build(edition, folder)


def _build(edition: str, folder: Path) -> Cost:
    return _cost(folder, EDITIONS[edition], "build")


def _sampled(folder: Path, _: int) -> Cost:
    """A first build whose memory is measured too."""
    decks.forget_builds(folder)
    cost, _said = measure.run((VERIDECK, "build"), folder, sampled=True)
    return cost


def _cost(folder: Path, *command: str | Path) -> Cost:
    cost, _ = measure.run(command, folder)
    return cost


def _copy_state(source: Path, to: Path) -> None:
    """Make what a build left in one folder all that one left in another."""
    decks.forget_builds(to)
    to.mkdir(exist_ok=True)
    for name in decks.BUILDS:
        if (source / name).is_dir():
            shutil.copytree(source / name, to / name)
        elif (source / name).exists():
            shutil.copy2(source / name, to / name)


def _report(deck: Deck, rounds: int, costs: Mapping[str, Costs], bounds: list[Bound]) -> str:
    return measure.report(_facts(deck, rounds), bounds, costs)


def _facts(deck: Deck, rounds: int) -> str:
    return measure.about(f"{deck.cards:,} cards in {deck.files:,} files", rounds)


def profile(folder: Path, deck: Deck, which: str) -> None:
    """Print where a build spends its time: the first one, or one with nothing changed.

    The build is given one core, where the system can do so: a build that starts a process for each
    core then does all of its work in the process that is profiled.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    decks.write(folder, deck)
    if which == AGAIN:
        _build(TODAY, folder)
    found = folder / "profile"
    command = (sys.executable, "-m", "cProfile", "-o", found, "-m", "verideck", "build")
    measure.run(command, folder)
    stats = pstats.Stats(str(found)).strip_dirs()
    stats.sort_stats("tottime").print_stats(SHOWN)
    stats.sort_stats("cumulative").print_stats(2 * SHOWN)


TABLES = {"mixed": mixed, "prose": prose, "large": large, "matching": matching}


def main() -> None:
    """Measure, print, and maybe write."""
    parser = measure.arguments(__doc__, rounds=3, tables=TABLES)
    parser.add_argument(
        "--profile", choices=(FIRST_TIME, AGAIN), help="profile a build of the prose instead"
    )
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    if given.profile:
        with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
            profile(Path(scratch), sizes.prose, given.profile)
        return
    first_edition.prepare()
    measure.measure_tables(given, TABLES, sizes)


if __name__ == "__main__":
    main()
