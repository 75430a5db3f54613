"""What it costs to prove snippets, beside what other tools take for the same ones.

`python benchmarks/verify.py` prints the tables; `--write` also puts them into README.md here.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import first_edition
import measure
from corpus import (
    RECORD,
    Snippet,
    cheap_snippets,
    recorded,
    torch_snippets,
    write_pages,
    write_project,
)
from first_edition import EDITIONS
from measure import (
    ROOT,
    TODAY,
    Cost,
    Costs,
    Time,
    Work,
    bound,
    bound_table,
    figure,
    of_edition,
    progress,
)

PEERS = ROOT / ".venv-peers"
PEERS_PYTHON = PEERS / "bin" / "python"
REQUIREMENTS = Path(__file__).with_name("peers.txt")

UNFOLLOWED = Path(__file__).with_name("unfollowed.py")

CACHE = ".verideck"
"""The folder of a project in which verideck may keep what it has proved."""

FRESH = 4
"""How many snippets are given a process each; their time is scaled to all."""

GROWTH = (125, 250, 500, 1000)
"""How many snippets verideck is given, to see how its cost grows."""

COLD, WARM = "cold", "nothing changed"
FOLLOWED, NOT_FOLLOWED = "followed", "not followed"

BARE = """\
from pathlib import Path

files = sorted(Path("snippets").glob("*.py"))
for file in files:
    exec(compile(file.read_text(), str(file), "exec"), {"__name__": "__main__"})
print(len(files), "executed")
"""

SYBIL = """\
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"]).pytest()
"""

EXAMPLES = """\
import pytest
from pytest_examples import CodeExample, EvalExample, find_examples


@pytest.mark.parametrize("example", list(find_examples("cards")), ids=str)
def test_example(example: CodeExample, eval_example: EvalExample) -> None:
    eval_example.run(example)
"""


class Cache(Enum):
    """What becomes of a contestant's cache before it is timed."""

    NONE = "it has none"
    EMPTIED = "emptied before each run"
    KEPT = "filled before the first run"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A user's command, or several that are timed as one."""

    name: str
    folder: Path
    commands: tuple[tuple[str | Path, ...], ...]
    says: tuple[str, ...] = ()
    """Patterns of what the command prints if it has taken all snippets."""
    tells: tuple[str, ...] = ()
    """Words that make the command tell what snippets print, in its output or in the Markdown."""
    cache: Cache = Cache.NONE
    snippets: tuple[Snippet, ...] = ()
    """What it executes."""
    scale: float = 1.0
    """All snippets, by those that it executes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a contestant."""

    costs: Costs
    isolated: str
    """What its snippets have for themselves."""


def main() -> None:
    """Measure, print, and maybe write."""
    parser = measure.arguments(__doc__, rounds=5, tables=("verify", "following", "growth"))
    parser.add_argument("--snippets", type=measure.positive, default=50, help="how many are proved")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
        if "verify" in given.only:
            prepare_peers()
            first_edition.prepare()
            snippets = torch_snippets(4 if given.quick else given.snippets)
            results = compare(Path(scratch), snippets, given.rounds)
            measure.tell("verify", report(results, len(snippets)), write=given.write)
        if "following" in given.only:
            snippets = torch_snippets(4 if given.quick else given.snippets)
            folder = Path(scratch, "following")
            measure.tell("following", following(folder, snippets, given.rounds), write=given.write)
        if "growth" in given.only:
            counts = [count // 25 for count in GROWTH] if given.quick else GROWTH
            measure.tell("growth", growth(Path(scratch, "growth"), counts), write=given.write)


def prepare_peers() -> None:
    """Make the peers' environment, unless it is there with just these requirements."""
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    measure.make_environment(PEERS, wanted, "the peers", _install_peers)
    ours, theirs = _torch(sys.executable), _torch(PEERS_PYTHON)
    if ours != theirs:
        sys.exit(f"torch is {ours} for verideck and {theirs} for its peers: they must be the same")


def _install_peers() -> None:
    words = ("-m", "pip", "install", "--quiet", "-r", REQUIREMENTS)
    measure.run((PEERS_PYTHON, *words), ROOT)


def _torch(python: str | Path) -> str:
    """The version of Python and of torch in an environment."""
    code = "import platform as p, importlib.metadata as m; print(p.python_version(), end=' ')"
    _, said = measure.run((python, "-c", f"{code}; print(m.version('torch'))"), ROOT)
    return said.strip()


def compare(folder: Path, snippets: Sequence[Snippet], rounds: int) -> Mapping[str, Result]:
    """Run all contestants over the snippets; gives what they took, by their names."""
    isolated = control(folder / "control", snippets)
    *contestants, fresh = lay_out(folder / "timed", snippets)
    for each in contestants:
        _fill(each)
    costs = measure.in_turn([Work(each.name, _run(each)) for each in contestants], rounds)
    costs |= measure.in_turn([Work(fresh.name, _run(fresh))], 1)
    return {name: Result(taken, isolated[name]) for name, taken in costs.items()}


def _fill(contestant: Contestant) -> None:
    """Fill the cache of a contestant that lives on one."""
    if contestant.cache is Cache.KEPT:
        run(contestant)
        if not (contestant.folder / CACHE).exists():
            sys.exit(f"{contestant.name} has left no {CACHE}")


def control(folder: Path, snippets: Sequence[Snippet]) -> Mapping[str, str]:
    """See that each contestant executes every snippet, once; gives what it isolates, by its name.

    A contestant that lives on its cache has nothing to execute. It is taken for what it is when the
    cache is empty.
    """
    isolated = {}
    for each in lay_out(folder, list(map(recorded, snippets))):
        if each.cache is Cache.KEPT:
            continue
        records = _records(each)
        executed = sorted(record[0] for record in records)
        if executed != sorted(snippet.id for snippet in each.snippets):
            sys.exit(f"{each.name}: {len(executed)} executed of {len(each.snippets)} snippets")
        isolated[each.name] = _isolation(records)
        progress(f"control: {each.name} executed {len(executed)} snippets")
    warm = {of_edition(name, WARM): isolated[of_edition(name, COLD)] for name in EDITIONS}
    return {**isolated, **warm}


def _records(contestant: Contestant) -> list[tuple[str, str, str]]:
    """Run a contestant over recorded snippets; gives what each that was executed printed."""
    commands = tuple((*command, *contestant.tells) for command in contestant.commands)
    _, said = run(replace(contestant, commands=commands))
    pages = contestant.folder.glob("cards/*.md")
    told = [said, *(page.read_text(encoding="utf-8") for page in pages)]
    return re.findall(RECORD, "\n".join(told))


def _isolation(records: Iterable[tuple[str, str, str]]) -> str:
    """What the snippets had for themselves, by the marks that they found."""
    _, names, interpreters = zip(*records, strict=True)
    if "1" in names:
        return "no"
    return "names only" if "1" in interpreters else "yes"


def lay_out(folder: Path, snippets: Sequence[Snippet]) -> tuple[Contestant, ...]:
    """Write a folder for each contestant; the one that is measured once comes last."""
    editions = [
        _verideck(edition, name, folder / f"{edition} {name}", snippets, cache)
        for edition in EDITIONS
        for name, cache in ((COLD, Cache.EMPTIED), (WARM, Cache.KEPT))
    ]
    sybil = _peer("sybil", folder / "sybil", snippets, "cards")
    (sybil.folder / "conftest.py").write_text(SYBIL, encoding="utf-8")
    words = ["-p", "pytest_examples", "test_cards.py"]
    examples = _peer("pytest-examples", folder / "examples", snippets, *words)
    (examples.folder / "test_cards.py").write_text(EXAMPLES, encoding="utf-8")
    words = ["-p", "pytest_markdown_docs.plugin", "--markdown-docs", "cards"]
    docs = _peer("pytest-markdown-docs", folder / "docs", snippets, *words)
    bare, fresh = _plain(folder / "plain", snippets)
    return bare, *editions, sybil, examples, docs, fresh


def _verideck(
    edition: str, name: str, folder: Path, snippets: Sequence[Snippet], cache: Cache
) -> Contestant:
    write_project(folder, snippets)
    assertions = sum(snippet.assertions for snippet in snippets)
    says = (rf"\b{len(snippets)} snippets?\b", rf"\b{assertions} assertions? held\b")
    commands = ((EDITIONS[edition], "check"),)
    told = of_edition(edition, name)
    return Contestant(told, folder, commands, says, ("--update",), cache, tuple(snippets))


def _peer(name: str, folder: Path, snippets: Sequence[Snippet], *words: str) -> Contestant:
    write_pages(folder / "cards", snippets)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    says = (rf"\b{len(snippets)} passed in\b",)
    command: tuple[str | Path, ...] = (PEERS_PYTHON, "-m", "pytest", *words)
    return Contestant(name, folder, (command,), says, ("-s",), snippets=tuple(snippets))


def _plain(folder: Path, snippets: Sequence[Snippet]) -> tuple[Contestant, Contestant]:
    """Python itself: one process for all snippets, and one for each of a few of them."""
    (folder / "snippets").mkdir(parents=True)
    (folder / "bare.py").write_text(BARE, encoding="utf-8")
    files = [f"snippets/{number:04}.py" for number in range(len(snippets))]
    for file, snippet in zip(files, snippets, strict=True):
        (folder / file).write_text(snippet.code, encoding="utf-8")
    command = (sys.executable, "bare.py")
    says = (rf"\b{len(snippets)} executed\b",)
    bare = Contestant("bare", folder, (command,), says, snippets=tuple(snippets))
    few = _few(len(snippets))
    fresh = Contestant(
        "fresh",
        folder,
        tuple((sys.executable, files[number]) for number in few),
        snippets=tuple(snippets[number] for number in few),
        scale=len(snippets) / len(few),
    )
    return bare, fresh


def _few(count: int) -> range:
    """Which of so many snippets are given a process each: some from everywhere."""
    return range(0, count, -(-count // FRESH))


def _run(contestant: Contestant) -> Callable[[int], Cost]:
    return lambda _: run(contestant)[0]


def run(contestant: Contestant) -> tuple[Cost, str]:
    """Run a contestant, or end the benchmark if it fails.

    Gives its cost for all snippets, and what it printed.
    """
    if contestant.cache is Cache.EMPTIED:
        shutil.rmtree(contestant.folder / CACHE, ignore_errors=True)
    done = [measure.run(command, contestant.folder) for command in contestant.commands]
    said = "".join(each for _, each in done)
    for pattern in contestant.says:
        if not re.search(pattern, said):
            sys.exit(f"{contestant.name}: does not say {pattern}\n{said}")
    wall, cpu = (sum(getattr(cost, name) for cost, _ in done) for name in ("wall", "cpu"))
    return Cost(wall * contestant.scale, cpu * contestant.scale), said


def following(folder: Path, snippets: Sequence[Snippet], rounds: int) -> str:
    """What it costs to follow what shown code computes into assertions, in a cold run."""
    contestants = []
    for name, command in (
        (FOLLOWED, (EDITIONS[TODAY], "check")),
        (NOT_FOLLOWED, (sys.executable, UNFOLLOWED, "check")),
    ):
        write_project(folder / name, snippets)
        says, told = (rf"\b{len(snippets)} snippets?\b",), of_edition(TODAY, name)
        contestants.append(Contestant(told, folder / name, (command,), says, cache=Cache.EMPTIED))
    costs = measure.in_turn([Work(each.name, _run(each)) for each in contestants], rounds)
    about = measure.about(f"{len(snippets)} snippets that import torch", rounds)
    bounds = [bound(costs, FOLLOWED, NOT_FOLLOWED, Time.CPU, 1.05)]
    return measure.report(about, bounds, costs)


def report(results: Mapping[str, Result], snippets: int) -> str:
    """Where it was measured, the bounds, and a row for each contestant."""
    costs = {name: result.costs for name, result in results.items()}
    bounds = [
        bound(costs, COLD, "sybil", Time.WALL, 0.9),
        bound(costs, WARM, "sybil", Time.WALL, 0.12),
    ]
    _, torch = _torch(sys.executable).split()
    about = (
        f"{snippets} snippets that import torch, medians of {len(costs['sybil'].runs)}; "
        f"{measure.machine()}, torch {torch}."
    )
    return "\n\n".join([about, bound_table(bounds), table(results), _legend(snippets)])


def table(results: Mapping[str, Result]) -> str:
    """A row for each contestant."""
    sybil, bare = (results[name].costs.wall for name in ("sybil", "bare"))
    rows = (
        (
            name,
            figure(result.costs.cpu),
            figure(result.costs.wall),
            measure.span(result.costs),
            figure(result.costs.wall / sybil),
            figure(result.costs.wall / bare),
            result.isolated,
        )
        for name, result in results.items()
    )
    heads = ("contestant", "CPU s", "wall s", "least to most wall s", "of sybil", "of bare")
    return measure.table((*heads, "isolated"), rows, words=(0, 6))


def _legend(snippets: int) -> str:
    measured = len(_few(snippets))
    scaled = f", scaled from {measured} snippets to {snippets}" if measured < snippets else ""
    return (
        "`bare`, the floor, is one process that executes all snippets one after the other; `fresh` "
        f"is one process for each, measured once{scaled}. Isolated is what a snippet has for "
        "itself, as found by marks that the snippets leave: its names and its interpreter (yes), "
        "its names only, or neither (no)."
    )


def growth(folder: Path, counts: Sequence[int]) -> str:
    """What verideck takes for ever more snippets that cost nothing themselves, one run each."""
    each: dict[int, float] = {}
    rows = []
    for count in counts:
        snippets = cheap_snippets(count)
        contestant = _verideck(TODAY, COLD, folder / str(count), snippets, Cache.EMPTIED)
        cost, _said = run(contestant)
        each[count] = cost.wall / count
        rows.append((str(count), f"{cost.wall:.2f}", f"{1000 * each[count]:.2f}"))
        progress(f"{count} snippets {cost.wall:.2f} s")
    many, few = counts[-1], counts[1]
    told = (
        f"A snippet of {many} takes {each[many] / each[few]:.2f} of what one of {few} takes; "
        "linear is about 1."
    )
    heads = ("snippets without torch", "cold, wall s", "ms a snippet")
    return f"{measure.table(heads, rows, words=())}\n\n{told}"


if __name__ == "__main__":
    main()
