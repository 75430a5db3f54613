"""How long a push into Anki takes, beside the bare import of the same package.

`python benchmarks/push.py` prints the table; `--write` also puts it into README.md here. Anki is
the real library behind the tests' own AnkiConnect, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import decks
import measure
from decks import Deck
from measure import ROOT, TODAY, Cost, Time, Work, bound, of_edition

from verideck import Project
from verideck.push_choices import Choices
from verideck.targets.anki.connect import Connect
from verideck.targets.anki.receiver import Asked

SERVER = """\
import sys
sys.path.insert(0, sys.argv[1])
from anki.collection import Collection
from anki_connect import RunningAnki
with RunningAnki(Collection(sys.argv[2])) as anki:
    print(anki.port, flush=True)
    sys.stdin.read()
anki.col.close()
"""
BARE, FIRST, SOME, NOTHING = "bare import", "first push", "100 notes changed", "nothing changed"
TESTS = ROOT / "tests"
FULL = Deck(5_000, 100)
QUICK = Deck(100, 4)


@dataclass(frozen=True, slots=True)
class Scene:
    """A deck that is built, and where learners' collections are made."""

    folder: Path
    deck: Deck

    @property
    def author(self) -> Path:
        """The project's folder."""
        return self.folder / "author"


@contextmanager
def learner(scene: Scene, name: str) -> Iterator[Connect]:
    """A running Anki, with an empty collection of its own."""
    folder = Path(tempfile.mkdtemp(dir=scene.folder, prefix=name))
    words = [sys.executable, "-c", SERVER, str(TESTS), str(folder / "collection.anki2")]
    with subprocess.Popen(  # noqa: S603 - the Anki that is measured
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout
        yield Connect(int(process.stdout.readline()))
        process.communicate("")


def pushed(scene: Scene, anki: Connect) -> Cost:
    """Plan and push what is in the project; to check and to build it is not timed.

    It is checked again by the lock that the build has written, as what a push is made of.
    """
    with Project.open(scene.author, verify=False) as project:
        project.build(project.check())
        result = project.check()
        started, used = time.perf_counter(), time.process_time()
        plan = project.plan(result, anki, Choices())
        outcome = project.push(result, anki, plan)
        cost = Cost(time.perf_counter() - started, time.process_time() - used)
    assert not outcome.missing
    return cost


def bare(scene: Scene) -> Callable[[int], Cost]:
    """Ask Anki to import the package, and wait."""

    def run(_: int) -> Cost:
        with learner(scene, "bare") as anki:
            anki.read(Asked(frozenset()))
            started, used = time.perf_counter(), time.process_time()
            anki.bring(scene.author / "deck.apkg")
            return Cost(time.perf_counter() - started, time.process_time() - used)

    return run


def first(scene: Scene) -> Callable[[int], Cost]:
    """Push into a collection that has nothing."""

    def run(_: int) -> Cost:
        with learner(scene, "first") as anki:
            return pushed(scene, anki)

    return run


def later(scene: Scene, answers: int) -> Callable[[int], Cost]:
    """Push again, after so many answers were edited."""

    def run(_: int) -> Cost:
        decks.write(scene.author, scene.deck)
        with learner(scene, "later") as anki:
            pushed(scene, anki)
            decks.write(scene.author, replace(scene.deck, answers=answers))
            return pushed(scene, anki)

    return run


def table(folder: Path, deck: Deck, rounds: int) -> str:
    """Each push beside the bare import."""
    scene = Scene(folder, deck)
    decks.write(scene.author, deck)
    with Project.open(scene.author, verify=False) as project:
        project.build(project.check())
    works = [
        Work(BARE, bare(scene)),
        Work(of_edition(TODAY, FIRST), first(scene)),
        Work(of_edition(TODAY, SOME), later(scene, min(100, deck.cards))),
        Work(of_edition(TODAY, NOTHING), later(scene, 0)),
    ]
    costs = measure.in_turn(works, rounds)
    bounds = [bound(costs, what, BARE, Time.WALL, 5.0) for what in (FIRST, SOME, NOTHING)]
    facts = f"{deck.cards:,} notes, into the real Anki library behind the tests' AnkiConnect"
    return measure.report(measure.about(facts, rounds), bounds, costs)


def main() -> None:
    """Measure, print, and maybe write."""
    given = measure.arguments(__doc__, rounds=3, tables={"push": table}).parse_args()
    with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
        report = table(Path(scratch), QUICK if given.quick else FULL, given.rounds)
    measure.tell("push", report, write=given.write)


if __name__ == "__main__":
    main()
