"""What a command costs, commands measured in turn, and the bounds that their ratios are held to."""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median
from typing import TypeVar

README = Path(__file__).with_name("README.md")
ROOT = README.parents[1]
VERIDECK = Path(sys.executable).with_name("verideck")

TODAY, FIRST = "verideck", "first edition"
"""The editions that are measured, as the tables name them."""

Command = Sequence[str | Path]
Sizes = TypeVar("Sizes")
"""How large the decks of a benchmark are; each has its own type of them."""

_OF_THIS_SHELL = re.compile("PYTEST_.*|PYTHONDONTWRITEBYTECODE|PYTHONPATH")
"""What would burden some only: the installed have their bytecode, an editable one writes it."""

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not _OF_THIS_SHELL.fullmatch(name)},
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # each peer loads its own plugin and no other's
}

SAMPLED = 0.1
"""Seconds between two looks at the memory of a command."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a command took."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds of user and system time, of the command and of every process that it waited for."""
    memory: int = 0
    """The most bytes that its processes held together; 0 if that was not measured."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What several runs of one thing took."""

    runs: tuple[Cost, ...]

    @property
    def wall(self) -> float:
        """The median."""
        return median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median."""
        return median(run.cpu for run in self.runs)

    @property
    def memory(self) -> int:
        """The greatest."""
        return max(run.memory for run in self.runs)


@dataclass(frozen=True, slots=True)
class Work:
    """Something that is measured, under a name that no other has."""

    name: str
    run: Callable[[int], Cost]
    """Takes the number of the round, from 0; prepares what must not be timed, and runs."""


class Time(Enum):
    """The time that a bound compares."""

    CPU = "CPU"
    WALL = "wall"

    def of(self, costs: Costs) -> float:
        """Return this time of what was measured, in seconds."""
        return costs.cpu if self is Time.CPU else costs.wall


@dataclass(frozen=True, slots=True)
class Bound:
    """A ratio, and the most that it may be."""

    what: str
    beside: str
    compares: str
    ratio: float
    most: float
    first: float | None = None
    """The first edition's ratio; None if it has none."""

    @property
    def verdict(self) -> str:
        """Whether the bound is reached, with both figures if it is not."""
        if self.ratio <= self.most:
            return "reached"
        return f"not reached: {self.ratio:.4g} of {self.most:g}"


def bound(costs: Mapping[str, Costs], what: str, beside: str, time: Time, most: float) -> Bound:
    """Return the bound on one measured work beside another.

    Both are named as they were measured, without the edition that did them. The first edition's
    ratio is there if its work was measured.
    """
    now, first = (_ratio(costs, edition, what, beside, time) for edition in (TODAY, FIRST))
    assert now is not None, what
    return Bound(what, beside, time.value, now, most, first)


def of_edition(edition: str, what: str) -> str:
    """Return the name of a work that one edition does."""
    return f"{edition}, {what}"


def _ratio(
    costs: Mapping[str, Costs], edition: str, what: str, beside: str, time: Time
) -> float | None:
    """Return what a work of an edition takes beside another, or beside what no edition does."""
    mine, other = of_edition(edition, what), of_edition(edition, beside)
    if mine not in costs:
        return None
    return time.of(costs[mine]) / time.of(costs[other if other in costs else beside])


def about(facts: str, rounds: int) -> str:
    """Return what was measured, how often, and where."""
    return f"{facts}, medians of {rounds}; {machine()}."


def report(about: str, bounds: Sequence[Bound], costs: Mapping[str, Costs]) -> str:
    """Return what was measured, the bounds, and a row for each work."""
    return "\n\n".join([about, bound_table(bounds), cost_table(costs)])


def make_environment(folder: Path, made_of: str, what: str, install: Callable[[], None]) -> None:
    """Make a virtual environment and fill it, unless it is there and was made of just this."""
    stamp = folder / "made_of.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == made_of:
        return
    progress(f"making the environment of {what}")
    run((sys.executable, "-m", "venv", "--clear", folder), ROOT)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    install()
    stamp.write_text(made_of, encoding="utf-8")


def run(
    command: Command,
    folder: Path,
    *,
    sampled: bool = False,
) -> tuple[Cost, str]:
    """Run a command in a folder; return its cost and what it printed.

    `sampled` measures the memory too, where there is a /proc. Ends the benchmark if the command
    fails.
    """
    with tempfile.TemporaryFile() as printed:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands of the benchmarks
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        with _sampling(process.pid) if sampled else nullcontext([0]) as held:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        said = printed.read().decode("utf-8", errors="replace")
    if process.returncode:
        words = " ".join(map(str, command))
        sys.exit(f"exit status {process.returncode} of {words}\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(held)), said


@contextmanager
def _sampling(pid: int) -> Iterator[list[int]]:
    """Fill a list with the bytes that a process and those beneath it hold, again and again."""
    held = [0]
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLED):
            held.append(sum(map(_memory, _tree(pid))))

    thread = threading.Thread(target=sample)
    thread.start()
    yield held
    ended.set()
    thread.join()


def _tree(pid: int) -> list[int]:
    """Return a process and those beneath it."""
    found = [pid]
    with suppress(OSError):  # it has ended
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="ascii").split():
                found += _tree(int(child))
    return found


def _memory(pid: int) -> int:
    """Return a process's share of the memory: what several hold is divided among them."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # it has ended
        return 0
    found = re.search(r"^Pss: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def in_turn(works: Sequence[Work], rounds: int) -> dict[str, Costs]:
    """Run all works in each round, each round beginning with another; return their costs."""
    runs: dict[str, list[Cost]] = {work.name: [] for work in works}
    for number in range(rounds):
        first = number % len(works)
        for work in (*works[first:], *works[:first]):
            cost = work.run(number)
            runs[work.name].append(cost)
            progress(
                f"round {number + 1} of {rounds}: {work.name} "
                f"{cost.wall:.2f} s, CPU {cost.cpu:.2f} s"
            )
    return {name: Costs(tuple(each)) for name, each in runs.items()}


def machine() -> str:
    """Where it was measured."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def figure(value: float) -> str:
    """Write a number with about three digits that mean something."""
    places = next((n for n, least in enumerate((100, 10, 0.2, 0)) if value >= least), 3)
    return f"{value:,.{places}f}"


def cost_table(costs: Mapping[str, Costs]) -> str:
    """A row for each work, with its medians."""
    rows = (
        (
            name,
            figure(each.cpu),
            figure(each.wall),
            span(each),
        )
        for name, each in costs.items()
    )
    return table(("what", "CPU s", "wall s", "least to most wall s"), rows)


def span(costs: Costs) -> str:
    """The least and the most wall time of the runs."""
    times = [run.wall for run in costs.runs]
    return f"{figure(min(times))} to {figure(max(times))}"


def bound_table(bounds: Sequence[Bound]) -> str:
    """A row for each bound, with the first edition's figure and the verdict."""
    rows = (
        (
            each.what,
            each.beside,
            each.compares,
            "–" if each.first is None else figure(each.first),
            figure(each.ratio),
            figure(each.most),
            each.verdict,
        )
        for each in bounds
    )
    heads = ("work", "beside", "compares", "first edition", "now", "at most", "")
    return table(heads, rows, words=(0, 1, 2, 6))


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[int] = (0,)
) -> str:
    """A Markdown table, whose columns hold numbers, but for those that are counted in `words`."""
    rule = ("---" if column in words else "---:" for column in range(len(heads)))
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(rule)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def arguments(
    description: str | None, rounds: int, tables: Collection[str] = ()
) -> argparse.ArgumentParser:
    """Return a parser of the options that all benchmarks of time have.

    One that makes several tables has `--only`, too.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=positive, default=rounds, help="runs of each")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it runs")
    if tables:
        parser.add_argument(
            "--only", nargs="+", choices=tables, default=tuple(tables), help="measure these tables"
        )
    return parser


def measure_tables(
    given: argparse.Namespace, tables: Mapping[str, Callable[[Path, Sizes, int], str]], sizes: Sizes
) -> None:
    """Measure the tables that are asked for, each in a folder of its own, and tell each.

    `given` is what a parser of `arguments` has read. A table takes a folder, the sizes of its decks
    and how often each work is done.
    """
    with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
        for name in given.only:
            tell(name, tables[name](Path(scratch, name), sizes, given.rounds), write=given.write)


def positive(text: str) -> int:
    """Read a number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def write_report(name: str, report: str) -> None:
    """Put a report between the markers of its name in the README."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = README.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        sys.exit(f"no {begin} … {end} in {README.name}: the report was not written")
    README.write_text(f"{before}{begin}\n\n{report}\n\n{end}{after}", encoding="utf-8")


def tell(name: str, report: str, *, write: bool) -> None:
    """Print a report, and put it into the README if that is asked for."""
    print(f"{report}\n")
    if write:
        write_report(name, report)


def progress(message: str) -> None:
    """Tell on standard error how far it is."""
    print(message, file=sys.stderr, flush=True)
