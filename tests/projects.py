"""Deck projects that tests make on the disk, and what becomes of them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import verideck
from verideck.events import Listener, unheard
from verideck.history import lock
from verideck.history.lock import Lock
from verideck.history.recognise import recognise
from verideck.history.scope import Scope
from verideck.model import Built, Card, Place, ProvenCard, Source, Unanswered
from verideck.problems import Problem, Problems
from verideck.project import configured_settings, source_config
from verideck.project import execution_config as project_config
from verideck.proof.audit import audit as audit_cards
from verideck.proof.config import ExecutionConfig
from verideck.proof.executors import Executors
from verideck.proof.verify import Proving
from verideck.result import Result
from verideck.rules.lint import Linted
from verideck.settings import Settings
from verideck.source import read as files_read
from verideck.source.cards import cards_of
from verideck.source.collect import is_first
from verideck.storage.store import FOLDER, Store

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

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c"
    "49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A picture: a red dot, as PNG."""


@dataclass(frozen=True, slots=True)
class Project:
    """A deck project in a folder."""

    root: Path

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
        """What is found in the files."""
        settings = self.settings()
        found = read([], settings)
        sources = [each for each in found if isinstance(each, Source)]
        assert len(sources) == len(found), found
        return [each for each in parse(sources, settings) if not isinstance(each, Unanswered)]

    def cards(self) -> list[Card]:
        """The cards, in which nothing is wrong."""
        found = self.parsed()
        cards = [each for each in found if isinstance(each, Card)]
        assert len(cards) == len(found), found
        return cards

    def verified(self) -> list[ProvenCard | Problem]:
        """What executing the cards comes to."""
        return verify(self.cards(), execution_config(self.settings()))

    def proven(self) -> list[ProvenCard]:
        """The cards, which all hold."""
        found = self.verified()
        proven = [each for each in found if isinstance(each, ProvenCard)]
        assert len(proven) == len(found), found
        return proven

    def check(self) -> Result:
        """All stages but the last, as the command takes them; everything holds."""
        found = check([], self.settings())
        assert found.ok, found.problems
        return found

    def problems(self) -> list[str]:
        """What is wrong, each as `path:line:column code`, sorted by place."""
        found = check([], self.settings()).problems
        return [f"{each.place} {each.code}" for each in sorted(found, key=lambda each: each.place)]

    def build(self, output: str = "deck.apkg", build_time: int = MOMENT) -> Path:
        """Package the cards, which all hold."""
        settings = self.settings()
        file = settings.root / output
        build(check([], settings), file, build_time, settings)
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

    @staticmethod
    def environment(**more: str) -> dict[str, str]:
        """The tests' own environment, with a moment for builds."""
        return {**os.environ, "SOURCE_DATE_EPOCH": str(MOMENT), **more}


def project(folder: Path, files: dict[str, str | bytes], settings: str = SETTINGS) -> Project:
    """Make a project of some files; Markdown goes into the folder of the cards."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Project(folder)
    made.write("pyproject.toml", settings)
    for path, content in files.items():
        made.write(f"cards/{path}" if path.endswith(".md") else path, content)
    return made


def remembered(root: Path) -> Lock:
    """A project's lock, in which nothing is wrong."""
    problems = Problems()
    found = lock.read(root, problems)
    assert found is not None, list(problems)
    return found


def load(root: Path) -> list[Settings | Problem]:
    """The settings of a project, behind what is wrong with them."""
    problems = Problems()
    settings = configured_settings(root, problems)
    return [*problems, settings]


def read(paths: Sequence[Path], settings: Settings) -> list[Source | Problem]:
    """The files, behind what is wrong with them."""
    problems = Problems()
    sources = files_read.read(paths, settings, problems)
    return [*problems, *sources]


def parse(sources: Sequence[Source], settings: Settings) -> list[Card | Unanswered | Problem]:
    """What files hold, and what is wrong with them."""
    problems = Problems()
    first: dict[str, Place] = {}
    found: list[Card | Unanswered] = []
    for source in sources:
        file = cards_of(source, source_config(settings))
        problems.extend(file.problems)
        found += [card for card in file.cards if is_first(card, first, problems)]
        found += file.unanswered
    return [*found, *problems]


def execution_config(settings: Settings, *, kept: bool = True) -> ExecutionConfig:
    """Where a project's snippets are executed; their proofs are kept in its folder, or nowhere."""
    return project_config(settings, Store(settings.root / FOLDER if kept else None))


def rows(made: Project, kind: str = "proofs") -> dict[str, bytes]:
    """The rows of one kind that a project keeps, by their keys."""
    file = made.root / FOLDER / "store.sqlite"
    if not file.exists():
        return {}
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("select key, content from rows where kind = ?", (kind,))
        return dict(found.fetchall())


def verify(
    cards: Sequence[Card], config: ExecutionConfig, on_event: Listener = unheard
) -> list[ProvenCard | Problem]:
    """What executing cards comes to, in their order: those that hold, and what is wrong."""
    executors = Executors()
    executors.begin(config)
    problems = Problems()
    try:
        proving = Proving(executors)
        for each in cards:
            proving.add(each)
        proven = proving.finish(problems, on_event)
    finally:
        executors.close()
        config.store.close()
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
    """What auditing cards comes to: the cards, each behind what is wrong with it."""
    executors = Executors()
    executors.begin(config)
    problems = Problems()
    try:
        audited = audit_cards(proven, executors, floor, problems)
    finally:
        executors.close()
        config.store.close()
    return [*problems, *audited]


def lint(paths: Sequence[Path], settings: Settings) -> Linted:
    """Which rules are broken in a project that is opened for it."""
    with verideck.Project.open(settings.root) as opened:
        return opened.lint(paths)


def identified(
    cards: Sequence[Card], remembered: Lock, scope: Scope, namespace: str
) -> tuple[dict[Place, Card], list[Problem]]:
    """Cards with their identities, and what is not clear."""
    problems = Problems()
    known = recognise(cards, remembered, scope, namespace, problems)
    return known, list(problems)


def check(paths: Sequence[Path], settings: Settings, on_event: Listener = unheard) -> Result:
    """What a project comes to that is opened for it."""
    with verideck.Project.open(settings.root) as opened:
        return opened.check(paths, on_event=on_event)


def build(
    result: Result, output: Path, build_time: int, settings: Settings, *, locked: bool = False
) -> Built:
    """Package a result, in a project that is opened for it."""
    with verideck.Project.open(settings.root) as opened:
        return opened.build(result, output, build_time=build_time, locked=locked)


def card(identity: str, code: str, more: str = "") -> str:
    """A card of a question, an answer, and code."""
    return f"## What is {identity}? {{#{identity}}}\n\nThis.\n\n```python\n{code}\n```\n{more}\n"


@cache
def own_deck() -> Result:
    """The repository's own deck, proved once for a whole run of the tests (it needs torch)."""
    return Project(ROOT).check()


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


def soon(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether something comes to hold within a time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
