"""What it costs to prove snippets, beside what other tools take for the same ones.

`python benchmarks/verify.py` prints the tables; `--write` also puts them into README.md here.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from statistics import median

from corpus import (
    RECORD,
    Snippet,
    cheap_snippets,
    recorded,
    torch_snippets,
    write_pages,
    write_project,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VERIDECK = Path(sys.executable).with_name("verideck")
PEERS = ROOT / ".venv-peers"
PEERS_PYTHON = PEERS / "bin" / "python"
REQUIREMENTS = HERE / "peers.txt"
README = HERE / "README.md"
MARKERS = ("<!-- verify -->", "<!-- /verify -->")

CACHE = ".verideck"
"""The folder of a project in which verideck may keep what it has proved."""

FRESH = 4
"""How many snippets are given a process each; their time is scaled to all."""

GROWTH = (125, 250, 500, 1000)
"""How many snippets verideck is given, to see how its cost grows."""

_OF_THIS_SHELL = re.compile("PYTEST_.*|PYTHONDONTWRITEBYTECODE")
"""What would burden some only: the installed have their bytecode, an editable one writes it."""

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not _OF_THIS_SHELL.fullmatch(name)},
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # each peer loads its own plugin and no other's
}

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


Command = tuple[str | Path, ...]


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
    commands: tuple[Command, ...]
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

    times: tuple[float, ...]
    """Its seconds, in the order of the rounds."""
    isolated: str
    """What its snippets have for themselves."""
    without_cache: bool
    """It was to live on a cache, and none was found."""

    @property
    def median(self) -> float:
        """The time that stands for all."""
        return median(self.times)


def main() -> None:
    """Measure, print, and maybe write."""
    given = _arguments()
    prepare_peers()
    snippets = torch_snippets(given.snippets)
    with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
        results = compare(Path(scratch), snippets, given.rounds)
        told = [facts(len(snippets), given.rounds), table(results, len(snippets)), aims(results)]
        if given.growth:
            told.append(growth(Path(scratch, "growth")))
    report = "\n\n".join(told)
    print(report)
    if given.write:
        write(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=5, help="runs of each contestant")
    parser.add_argument("--snippets", type=_positive, default=50, help="how many are proved")
    parser.add_argument(
        "--growth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also measure up to 1000 snippets without torch",
    )
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def prepare_peers() -> None:
    """Make the peers' environment, unless it is there with just these requirements."""
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    stamp = PEERS / REQUIREMENTS.name
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _progress("making the environment of the peers")
        _call((sys.executable, "-m", "venv", PEERS), ROOT)
        (PEERS / ".gitignore").write_text("*\n", encoding="utf-8")
        _call((PEERS_PYTHON, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS), ROOT)
        stamp.write_text(wanted, encoding="utf-8")
    ours, theirs = _torch(sys.executable), _torch(PEERS_PYTHON)
    if ours != theirs:
        sys.exit(f"torch is {ours} for verideck and {theirs} for its peers: they must be the same")


def _torch(python: str | Path) -> str:
    """The version of Python and of torch in an environment."""
    code = "import platform as p, importlib.metadata as m; print(p.python_version(), end=' ')"
    return _call((python, "-c", f"{code}; print(m.version('torch'))"), ROOT).strip()


def compare(folder: Path, snippets: Sequence[Snippet], rounds: int) -> Mapping[str, Result]:
    """Run all contestants over the snippets; gives what they took, by their names."""
    isolated = control(folder / "control", snippets)
    *contestants, fresh = lay_out(folder / "timed", snippets)
    without_cache = {each.name for each in contestants if not _filled(each)}
    times: dict[str, list[float]] = {each.name: [] for each in (*contestants, fresh)}
    for number in range(rounds):
        first = number % len(contestants)
        for each in (*contestants[first:], *contestants[:first]):
            times[each.name].append(_timed(each, f"round {number + 1} of {rounds}"))
    times[fresh.name].append(_timed(fresh, "once"))
    return {
        name: Result(tuple(taken), isolated[name], name in without_cache)
        for name, taken in times.items()
    }


def _filled(contestant: Contestant) -> bool:
    """Fill the cache of a contestant that lives on one; false if none is there afterwards."""
    if contestant.cache is not Cache.KEPT:
        return True
    run(contestant)
    return (contestant.folder / CACHE).exists()


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
        _progress(f"control: {each.name} executed {len(executed)} snippets")
    return {**isolated, "verideck warm": isolated["verideck cold"]}


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
    cold = _verideck("verideck cold", folder / "cold", snippets, Cache.EMPTIED)
    warm = _verideck("verideck warm", folder / "warm", snippets, Cache.KEPT)
    sybil = _peer("sybil", folder / "sybil", snippets, "cards")
    (sybil.folder / "conftest.py").write_text(SYBIL, encoding="utf-8")
    words = ["-p", "pytest_examples", "test_cards.py"]
    examples = _peer("pytest-examples", folder / "examples", snippets, *words)
    (examples.folder / "test_cards.py").write_text(EXAMPLES, encoding="utf-8")
    words = ["-p", "pytest_markdown_docs.plugin", "--markdown-docs", "cards"]
    docs = _peer("pytest-markdown-docs", folder / "docs", snippets, *words)
    bare, fresh = _plain(folder / "plain", snippets)
    return bare, cold, warm, sybil, examples, docs, fresh


def _verideck(name: str, folder: Path, snippets: Sequence[Snippet], cache: Cache) -> Contestant:
    write_project(folder, snippets)
    assertions = sum(snippet.assertions for snippet in snippets)
    says = (rf"\b{len(snippets)} snippets?\b", rf"\b{assertions} assertions? held\b")
    return Contestant(
        name, folder, ((VERIDECK, "check"),), says, ("--update",), cache, tuple(snippets)
    )


def _peer(name: str, folder: Path, snippets: Sequence[Snippet], *words: str) -> Contestant:
    write_pages(folder / "cards", snippets)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    says = (rf"\b{len(snippets)} passed in\b",)
    command: Command = (PEERS_PYTHON, "-m", "pytest", *words)
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


def _timed(contestant: Contestant, when: str) -> float:
    taken, _ = run(contestant)
    _progress(f"{when}: {contestant.name} {taken:.2f} s")
    return taken


def run(contestant: Contestant) -> tuple[float, str]:
    """Run a contestant, or end the benchmark if it fails.

    Gives its seconds for all snippets, and what it printed.
    """
    if contestant.cache is Cache.EMPTIED:
        shutil.rmtree(contestant.folder / CACHE, ignore_errors=True)
    start = time.perf_counter()
    said = "".join([_call(command, contestant.folder) for command in contestant.commands])
    taken = time.perf_counter() - start
    for pattern in contestant.says:
        if not re.search(pattern, said):
            sys.exit(f"{contestant.name}: does not say {pattern}\n{said}")
    return taken * contestant.scale, said


def _call(command: Command, folder: Path) -> str:
    """Run a command in a folder; gives what it printed, or ends the benchmark if it fails."""
    done = subprocess.run(  # noqa: S603 - the commands of this file, over code of this folder
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        words = " ".join(map(str, command))
        sys.exit(f"exit status {done.returncode} of {words}\n{done.stdout}")
    return done.stdout


def facts(snippets: int, rounds: int) -> str:
    """Where it was measured, and how."""
    python, torch = _torch(sys.executable).split()
    times = "once" if rounds == 1 else f"{rounds} times, in turn"
    return (
        f"{snippets} snippets that import torch, each contestant run {times}; {os.cpu_count()} "
        f"cores, {platform.system()} {platform.machine()}, Python {python}, torch {torch}."
    )


def table(results: Mapping[str, Result], snippets: int) -> str:
    """A row for each contestant."""
    lines = [
        "| contestant | median s | least to most s | of sybil | of the floor | isolated |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, result in results.items():
        row = (
            name,
            f"{result.median:.2f}",
            f"{min(result.times):.2f} to {max(result.times):.2f}",
            f"{result.median / results['sybil'].median:.2f}",
            f"{result.median / results['bare'].median:.2f}",
            result.isolated,
        )
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "", _legend(snippets)])


def _legend(snippets: int) -> str:
    measured = len(_few(snippets))
    scaled = f", scaled from {measured} snippets to {snippets}" if measured < snippets else ""
    return (
        "`bare`, the floor, is one process that executes all snippets one after the other; `fresh` "
        f"is one process for each, measured once{scaled}. Isolated is what a snippet has for "
        "itself, as found by marks that the snippets leave: its names and its interpreter (yes), "
        "its names only, or neither (no)."
    )


def aims(results: Mapping[str, Result]) -> str:
    """What verideck is meant to take, and what it takes."""
    sybil = results["sybil"].median
    lines = []
    for name, most in (("verideck cold", 1.0), ("verideck warm", 0.2)):
        ratio = results[name].median / sybil
        verdict = "reached" if ratio <= most else "missed"
        why = " (no cache was found)" if results[name].without_cache else ""
        lines.append(f"- {name} / sybil at most {most:.1f}: {ratio:.2f}, {verdict}{why}")
    return "\n".join(lines)


def growth(folder: Path) -> str:
    """What verideck takes for ever more snippets that cost nothing themselves, one run each."""
    lines = ["| snippets without torch | verideck cold s | ms a snippet |", "|---:|---:|---:|"]
    each: dict[int, float] = {}
    for count in GROWTH:
        project = folder / str(count)
        contestant = _verideck("verideck cold", project, cheap_snippets(count), Cache.EMPTIED)
        taken = _timed(contestant, f"{count} snippets")
        each[count] = taken / count
        lines.append(f"| {count} | {taken:.2f} | {1000 * each[count]:.2f} |")
    ratio = each[1000] / each[250]
    said = f"A snippet of 1000 takes {ratio:.2f} of what one of 250 takes; linear is about 1."
    return "\n".join([*lines, "", said])


def write(report: str) -> None:
    """Put the report between the markers of the README, which is made if it is missing."""
    begin, end = MARKERS
    fresh = f"# Benchmarks\n\n{begin}\n{end}\n"
    page = README.read_text(encoding="utf-8") if README.exists() else fresh
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        sys.exit(f"no {begin} … {end} in {README.name}: the report was not written")
    README.write_text(f"{before}{begin}\n\n{report}\n\n{end}{after}", encoding="utf-8")


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
