"""How long an author waits for the result after an edit, while the project stays open.

`python benchmarks/open_project.py` prints the tables; `--write` also puts them into README.md here.
`--only` measures some of the tables.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import decks
import first_edition
import measure
from corpus import torch_snippets, write_project
from decks import Deck
from measure import (
    ENVIRONMENT,
    FIRST,
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

PROJECT = """\
from verideck import Project

opened = Project.open

def check(project):
    result = project.check()
    assert result.ok, result.problems
"""

FIRST_CHECK = """\
import verideck
from contextlib import contextmanager
from verideck.settings import load

@contextmanager
def opened(folder):
    (settings,) = load(folder)
    yield settings

def check(settings):
    verideck.check([], settings)
"""

LOOP = """
import json, sys, time
from pathlib import Path

def clocks():
    return time.perf_counter(), time.process_time()

began = clocks()
with opened(Path(sys.argv[1])) as project:
    while True:
        check(project)
        print(json.dumps([now - then for now, then in zip(clocks(), began)]), flush=True)
        if not sys.stdin.readline():
            break
        began = clocks()
"""
"""Checks once, and once more for each line that it reads; tells what each check took."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A verideck that is measured: its command, and how it is used from Python."""

    verideck: Path
    python: str | Path
    library: str


EDITIONS = {
    TODAY: Edition(VERIDECK, sys.executable, PROJECT),
    FIRST: Edition(first_edition.VERIDECK, first_edition.PYTHON, FIRST_CHECK),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the projects are."""

    prose: Deck
    torch: int
    """How many torch cards."""


FULL = Sizes(Deck(10_000, 200), torch=12)
QUICK = Sizes(Deck(200, 4), torch=3)

FIRST_BUILD = "first build"
PROSE = "open, one card edited"
COLD = "opened cold"
CODE = "open, the code of one card edited"


class OpenProject:
    """A process in which a project is open."""

    def __init__(self, edition: Edition, folder: Path) -> None:
        """Open the project and check it once."""
        self._folder = folder
        self._process = subprocess.Popen(  # noqa: S603 - a program of this file
            (edition.python, "-c", f"{edition.library}{LOOP}", folder),
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.first = self._told()
        """What it cost to open the project and to check it."""

    def check(self) -> Cost:
        """Check the project once more; the CPU time is that of the one process."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> Cost:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"the process that had {self._folder} open has ended")
        wall, cpu = json.loads(line)
        return Cost(wall, cpu)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the project."""
        self._process.communicate()


def edited_prose(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """One card of many without code is edited; beside a first build of them all."""
    deck, works = sizes.prose, []
    with ExitStack() as stack:
        for name, edition in EDITIONS.items():
            folder = scratch / name
            decks.write(folder / "first", deck)
            decks.write(folder / "open", deck)
            measure.run((edition.verideck, "build"), folder / "open")
            project = stack.enter_context(OpenProject(edition, folder / "open"))
            works += [
                Work(of_edition(name, FIRST_BUILD), _first_build(edition, folder / "first")),
                Work(of_edition(name, PROSE), _prose_edit(project, folder / "open", deck)),
            ]
        costs = measure.in_turn(works, rounds)
    facts = f"{deck.cards:,} cards without code in {deck.files:,} files"
    return _report(facts, rounds, costs, bound(costs, PROSE, FIRST_BUILD, Time.WALL, 0.03))


def edited_code(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """The code of one torch card is edited; beside the same project opened without a cache."""
    works = []
    with ExitStack() as stack:
        for name, edition in EDITIONS.items():
            folder = scratch / name
            write_project(folder / "cold", torch_snippets(sizes.torch))
            write_project(folder / "open", torch_snippets(sizes.torch))
            project = stack.enter_context(OpenProject(edition, folder / "open"))
            works += [
                Work(of_edition(name, COLD), _cold(edition, folder / "cold")),
                Work(of_edition(name, CODE), _code_edit(project, folder / "open", sizes.torch)),
            ]
        costs = measure.in_turn(works, rounds)
    facts = f"{sizes.torch} cards that import torch"
    return _report(facts, rounds, costs, bound(costs, CODE, COLD, Time.WALL, 0.15))


def _first_build(edition: Edition, folder: Path) -> Callable[[int], Cost]:
    def build(_: int) -> Cost:
        decks.forget_builds(folder)
        cost, _said = measure.run((edition.verideck, "build"), folder)
        return cost

    return build


def _prose_edit(project: OpenProject, folder: Path, deck: Deck) -> Callable[[int], Cost]:
    """Say something else on one card, of another file in each round, and check."""

    def check(number: int) -> Cost:
        card = number * deck.cards // deck.files % deck.cards
        decks.edit_answer(folder, deck, card, f" 另见 page {number}.")
        return project.check()

    return check


def _cold(edition: Edition, folder: Path) -> Callable[[int], Cost]:
    def check(_: int) -> Cost:
        decks.forget_builds(folder)
        with OpenProject(edition, folder) as project:
            return project.first

    return check


def _code_edit(project: OpenProject, folder: Path, count: int) -> Callable[[int], Cost]:
    """Give one card other random numbers, another card in each round, and check."""

    def check(number: int) -> Cost:
        snippets = list(torch_snippets(count))
        card = number % count
        code = f"{snippets[card].code}assert torch.initial_seed() == {card}\n"
        snippets[card] = replace(snippets[card], code=f"{code}# edit {number}\n")
        write_project(folder, snippets)
        return project.check()

    return check


def _report(facts: str, rounds: int, costs: Mapping[str, Costs], held: Bound) -> str:
    return measure.report(measure.about(facts, rounds), [held], costs)


TABLES = {"edited-prose": edited_prose, "edited-code": edited_code}


def main() -> None:
    """Measure, print, and maybe write."""
    given = measure.arguments(__doc__, rounds=5, tables=TABLES).parse_args()
    first_edition.prepare()
    measure.measure_tables(given, TABLES, QUICK if given.quick else FULL)


if __name__ == "__main__":
    main()
