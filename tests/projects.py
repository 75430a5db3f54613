"""Deck projects that tests make on the disk, and what each stage makes of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

import verideck
from verideck.caller import TRUST
from verideck.cli.commands import verideck as verideck_command
from verideck.events import Listener, unheard
from verideck.history import lock
from verideck.history.lock import Lock
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.model import Card, Place, ProvenCard, Source, UnreadCard
from verideck.problems import Problem, Problems, told_of_files
from verideck.project import configured_settings, source_config
from verideck.project import execution_config as project_config
from verideck.proof.audit import audit as audit_cards
from verideck.proof.config import ExecutionConfig
from verideck.proof.executors import Executors
from verideck.proof.sandbox import kernel
from verideck.proof.sandbox.readable import reachable
from verideck.proof.verify import Proving
from verideck.result import Built, Result
from verideck.settings import Settings
from verideck.source import read as files_read
from verideck.source.cards import cards_of
from verideck.source.collect import Asked
from verideck.storage.cache_key import cache_key
from verideck.storage.store import FOLDER, Store

if sys.platform != "win32":
    import fcntl

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("verideck")

MOMENT = 1_700_000_000
"""When the builds of the tests are made, unless they say otherwise."""

SETTINGS = """\
[tool.verideck]
deck = "Root"
namespace = "tests"
output = "deck.apkg"
"""

EXECUTORS = ["fork", "spawn"] if sys.platform == "linux" else ["spawn"]
"""What executes cards here: forks are not safe on other systems."""

SANDBOXED = pytest.mark.skipif(bool(kernel.missing()), reason=f"no sandbox: {kernel.missing()}")
"""Marks a test that needs a sandbox."""

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c"
    "49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A picture: a red dot, as PNG."""


@dataclass(frozen=True, slots=True)
class Project:
    """A deck project in a folder."""

    root: Path
    trusted: bool = False
    """Whether its own settings hold as they are for whoever runs the command."""

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file of the project, and the folders above it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def settings(self) -> Settings:
        """The project's settings, in which nothing is wrong."""
        (found,) = load(self.root)
        assert isinstance(found, Settings)
        return found

    def parsed(self) -> list[Card | Problem]:
        """The cards of all files, and what is wrong with them."""
        settings = self.settings()
        sources = read([], settings)
        right = [each for each in sources if isinstance(each, Source)]
        wrong = [each for each in sources if isinstance(each, Problem)]
        found = [each for each in parse(right, settings) if not isinstance(each, UnreadCard)]
        return [*wrong, *found]

    def cards(self) -> list[Card]:
        """The cards of all files, in which nothing is wrong."""
        found = self.parsed()
        cards = [each for each in found if isinstance(each, Card)]
        assert len(cards) == len(found), found
        return cards

    def verified(self) -> list[ProvenCard | Problem]:
        """The cards that hold, and what is wrong with the others, in their order."""
        return verify(self.cards(), execution_config(self.settings()))

    def proven(self) -> list[ProvenCard]:
        """The cards, which all hold, with their proofs."""
        found = self.verified()
        proven = [each for each in found if isinstance(each, ProvenCard)]
        assert len(proven) == len(found), found
        return proven

    def result(
        self,
        *paths: Path,
        verify: bool = True,
        executor: str = "",
        on_event: Listener = unheard,
    ) -> Result:
        """What a check of some files, or of all, comes to, whatever is wrong."""
        with verideck.Project.open(
            self.root, verify=verify, executor=executor, trust=self.trusted
        ) as opened:
            return opened.check(paths, on_event=on_event)

    def check(self) -> Result:
        """What a check of all files comes to, in which nothing is wrong."""
        found = self.result()
        assert found.ok, found.problems
        return found

    def problems(self) -> list[str]:
        """What is wrong, each as `path:line:column code`, sorted by place."""
        found = self.result().problems
        return [f"{each.place} {each.code}" for each in sorted(found, key=lambda each: each.place)]

    def package(
        self,
        result: Result,
        output: str = "deck.apkg",
        build_time: int = MOMENT,
        *,
        locked: bool = False,
    ) -> Built:
        """Package a result; the output is a path from the project's folder."""
        with verideck.Project.open(self.root, trust=self.trusted) as opened:
            return opened.build(result, self.root / output, build_time=build_time, locked=locked)

    def build(self, output: str = "deck.apkg", build_time: int = MOMENT) -> Path:
        """Check all files and package the result; returns the package's file."""
        file = self.root / output
        with verideck.Project.open(self.root, trust=self.trusted) as opened:
            opened.build(opened.check(), file, build_time=build_time)
        return file

    def run(
        self, *words: str, folder: str = ".", through: Sequence[str] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in the project, or in a folder of it, maybe through another command."""
        return subprocess.run(
            [*through, str(COMMAND), *words],
            cwd=self.root / folder,
            env=self.environment(**environment),
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    def invoke(
        self, *words: str, folder: str = ".", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as `run` does, but in this process: no other Python starts."""
        with chdir(self.root / folder):
            done = CliRunner().invoke(
                verideck_command, words, env=self.environment(**environment), prog_name="verideck"
            )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command in the project."""
        return subprocess.Popen(
            [str(COMMAND), *words],
            cwd=self.root,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def environment(self, **more: str) -> dict[str, str]:
        """The tests' own environment, with a moment for builds."""
        trusted = {TRUST: "1"} if self.trusted else {}
        return {**os.environ, "SOURCE_DATE_EPOCH": str(MOMENT), **trusted, **more}


def project(
    folder: Path,
    files: dict[str, str | bytes],
    settings: str = SETTINGS,
    *,
    trusted: bool = False,
) -> Project:
    """Make a project of some files; Markdown goes into the folder of the cards."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Project(folder, trusted)
    made.write("pyproject.toml", settings)
    for path, content in files.items():
        made.write(f"cards/{path}" if path.endswith(".md") else path, content)
    return made


def card(identity: str, code: str, more: str = "") -> str:
    """A card of a question, an answer, and code."""
    return f"## What is {identity}? {{#{identity}}}\n\nThis.\n\n```python\n{code}\n```\n{more}\n"


def remembered(root: Path) -> Lock:
    """A project's lock, in which nothing is wrong."""
    problems = Problems()
    found = lock.read(root, problems)
    assert found is not None, list(problems)
    return found


# One stage alone. What is wrong comes along with what was found, instead of going to a sink.


def load(root: Path) -> list[Settings | Problem]:
    """The settings of a project, and before them what is wrong with them."""
    problems = Problems()
    settings = configured_settings(root, problems)
    return [*problems, settings]


def read(paths: Sequence[Path], settings: Settings) -> list[Source | Problem]:
    """The text of some files, or of all, and before it what is wrong with them."""
    problems = Problems()
    sources = files_read.read(paths, settings, problems)
    return [*problems, *sources]


def parse(sources: Sequence[Source], settings: Settings) -> list[Card | UnreadCard | Problem]:
    """The cards of files, the questions without an answer, and then what is wrong."""
    problems = Problems()
    asked = Asked()
    found: list[Card | UnreadCard] = []
    for source in sources:
        file = cards_of(source, source_config(settings))
        problems.extend(file.problems)
        found += [card for card in file.cards if asked.is_first(card, problems)]
        found += file.unanswered
    return [*found, *told_of_files(problems)]


def execution_config(settings: Settings, *, kept: bool = True) -> ExecutionConfig:
    """How a project's snippets are executed; `kept=False` stores no proof in its folder."""
    root = settings.root
    return project_config(settings, Store(root / FOLDER, user_key(root)) if kept else Store(None))


def user_key(root: Path) -> bytes:
    """The key of the rows that commands keep in a project."""
    return cache_key(reachable(root))


@contextmanager
def _executing(config: ExecutionConfig) -> Iterator[Executors]:
    """Executors for a run; afterwards nothing is open."""
    executors = Executors()
    executors.begin(config)
    try:
        yield executors
    finally:
        executors.close()
        config.store.close()


def verify(
    cards: Sequence[Card], config: ExecutionConfig, on_event: Listener = unheard
) -> list[ProvenCard | Problem]:
    """The cards that hold, and what is wrong with the others, in the order of the cards."""
    problems = Problems()
    with _executing(config) as executors:
        proving = Proving(executors)
        for each in cards:
            proving.add(each)
        proven = proving.finish(problems, on_event)
    places = [each.place for each in cards]
    found: list[ProvenCard | Problem] = [*proven, *problems]
    return sorted(found, key=lambda each: _number(each, places))


def _number(found: ProvenCard | Problem, places: Sequence[Place]) -> int:
    """The number of the card that something was found of."""
    if isinstance(found, ProvenCard):
        return places.index(found.card.place)
    above = [n for n, place in enumerate(places) if place <= found.place]
    return max(above, default=len(places))


def audit(
    proven: Sequence[ProvenCard], config: ExecutionConfig, floor: float
) -> list[ProvenCard | Problem]:
    """The cards with their audits, and before them what is wrong."""
    problems = Problems()
    with _executing(config) as executors:
        audited = audit_cards(proven, executors, floor, problems)
    return [*problems, *audited]


def identified(
    cards: Sequence[Card], remembered: Lock, scope: Scope, namespace: str
) -> tuple[dict[Place, Card], list[Problem]]:
    """Cards with their identities, by their places; and what is not clear."""
    problems = Problems()
    known = recognise(cards, remembered, scope, namespace, problems)
    return known, list(problems)


@cache
def own_deck() -> Result:
    """The repository's own deck, proved once for a whole run of the tests (it needs torch)."""
    return Project(ROOT).check()


@dataclass(frozen=True, slots=True)
class Held:
    """A file that the processes of a snippet hold as long as one of them lives (flock(2))."""

    file: Path

    @staticmethod
    def of(made: Project) -> Held:
        """A new file of a project, which a snippet may read."""
        return Held(made.write("held", ""))

    @property
    def opened(self) -> str:
        """A line of code that opens the file, also for programs with `close_fds=False`."""
        return (
            f"import fcntl, os; held = open({str(self.file)!r}); "
            "os.set_inheritable(held.fileno(), True); "
            "hold = lambda: fcntl.flock(held, fcntl.LOCK_SH)"
        )

    def is_free(self) -> bool:
        """Whether no process holds the file: none has called `hold()` yet, or all have ended."""
        assert sys.platform != "win32"
        with self.file.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def is_held(self) -> bool:
        """Whether a snippet has called `hold()`, and some process of it lives."""
        return not self.is_free()


def files(folder: Path) -> set[str]:
    """Every file and folder below a folder, but the cache, which may come and go."""
    every = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return {name for name in every if name.partition("/")[0] != FOLDER}


def processes(word: str) -> Iterator[int]:
    """The processes in whose command line a word stands (Linux)."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended in between
                continue
            if word.encode() in line:
                yield int(entry.name)


def soon(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether something comes to hold within a time, which a busy machine may need."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
