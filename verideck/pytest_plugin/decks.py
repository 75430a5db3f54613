"""The deck projects that a session of pytest has open: one `Project` for each, read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from types import TracebackType

import pytest

from verideck import Place, Problem, Project
from verideck.caps import caps_of
from verideck.checking import Checking, Verdict
from verideck.model import Card, Passage
from verideck.problems import Problems
from verideck.pytest_plugin import deck_folder, here
from verideck.pytest_plugin.setup import setup_above
from verideck.storage.files import absolute

_MARKDOWN = {".md", ".markdown"}
_ARGUMENTS, _SETTINGS = pytest.Config.ArgsSource.ARGS, pytest.Config.ArgsSource.TESTPATHS
"""Who says what is collected."""


class Deck:
    """A project that is open, and its cards as far as they have been asked for."""

    def __init__(self, project: Project, config: pytest.Config, named: Sequence[Path]) -> None:
        """Read nothing yet.

        `named` are the Markdown files that the command line names, and the folders of which it
        names the form.
        """
        self.project = project
        self._config = config
        self._opened = ExitStack()
        settings = project.settings(Problems())
        self._folder = project.root / settings.cards
        self._documents = [absolute(project.root / each) for each in settings.docs_paths]
        self._named = [each for each in named if not self._is_the_projects(each)]
        self.tells_project = True
        """Whether what belongs to no file is still to be told."""

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    def holds(self, file: Path) -> bool:
        """Whether a file is the project's, or is named on the command line."""
        return self._is_the_projects(file) or any(map(file.is_relative_to, self._named))

    def _is_the_projects(self, file: Path) -> bool:
        """Whether a file is one of the project's cards, or of its documents."""
        return any(map(file.is_relative_to, (self._folder, *self._documents)))

    @cached_property
    def checking(self) -> Checking:
        """The cards of the project, which are read once, and of the files that are named.

        Raises BuildFailedError where the settings are wrong.
        """
        folders = [self._folder] if self._folder.is_dir() else []
        paths = [*folders, *self._documents, *self._named] if self._named else []
        audit = True if flag(self._config, "audit") else None
        opened = self.project.checking(paths, audit=audit, setup_of=self._setup_of)
        return self._opened.enter_context(opened)

    @property
    def is_read(self) -> bool:
        """Whether its cards were asked for, and its settings hold."""
        return "checking" in vars(self)

    @cached_property
    def cards(self) -> dict[str, list[Card]]:
        """The cards by the files that they are in."""
        found: dict[str, list[Card]] = {each: [] for each in self.checking.files}
        for card in self.checking.cards:
            found[card.place.path].append(card)
        return found

    @cached_property
    def problems(self) -> dict[Place | str, list[Problem]]:
        """What is wrong before anything is executed, by the card or the file that it belongs to.

        What belongs to no Markdown file is the project's, under an empty name.
        """
        places = {card.place for card in self.checking.cards}
        found: dict[Place | str, list[Problem]] = {}
        for problem in self.checking.problems:
            path = problem.place.path
            is_of_file = path in self.cards or self.holds(self.root / path)
            owner = problem.place if problem.place in places else path if is_of_file else ""
            found.setdefault(owner, []).append(problem)
        return found

    def prove(self, card: Card, ahead: Iterable[Card]) -> Verdict:
        """Return the verdict on a card. `ahead` are those that come next."""
        return self.checking.prove(card, ahead)

    def passed_over(self) -> set[Path]:
        """The folders with cards that pytest was to collect, and does not enter for their names."""
        patterns = self._config.getini("norecursedirs")
        folders = [each for each in named_paths(self._config) if each.is_dir()]
        found: set[Path] = set()
        for path, cards in self.cards.items():
            above = list((self.root / path).parents)
            for folder in folders if cards else ():
                below = above[: above.index(folder)] if folder in above else []
                passed = [each for each in below if any(fnmatch(each.name, it) for it in patterns)]
                found.update(passed[-1:])
        return found

    def not_named(self) -> list[str]:
        """The project's folders and documents that pytest was to collect nothing of."""
        owned = [path for path in (self._folder, *self._documents) if path.exists()]
        named = named_paths(self._config)
        return [
            self.name(path)
            for path in owned
            if not any(path.is_relative_to(it) or it.is_relative_to(path) for it in named)
        ]

    @property
    def executes_here(self) -> bool:
        """Whether a card that fails is to be executed once more, in this process."""
        return bool(self._config.getoption("verideck_executor") == here.NAME)

    def traceback_here(self, card: Card) -> TracebackType | None:
        """Where a card fails that is executed here, if the caller wants that; else None."""
        if not card.is_executable or not self.executes_here:
            return None
        return here.traceback_of(self._setup_of(card.place.path), card.snippets, self.root)

    def name(self, file: Path) -> str:
        """A file as places name it."""
        return file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else ""

    def close(self) -> None:
        """End whatever runs."""
        self._opened.close()
        self.project.close()

    def _setup_of(self, path: str) -> Sequence[Passage]:
        return setup_above(self.root / path, self.root, self._config)


class Decks:
    """The projects of a session, opened when the first Markdown file of theirs is met."""

    def __init__(self, config: pytest.Config, otherwise: Path | None) -> None:
        """Open nothing yet. `otherwise` is the project of files that are in none."""
        self._config = config
        self._otherwise = otherwise
        self._roots: dict[Path, Path | None] = {}
        self._open: dict[Path, Deck] = {}
        self._refused: set[Path] = set()
        has_form = config.args_source is _ARGUMENTS and config.getoption("verideck_syntax")
        self._named = [
            each
            for each in named_paths(config)
            if each.suffix.lower() in _MARKDOWN or (has_form and each.is_dir())
        ]

    def deck_of(self, file: Path) -> Deck | None:
        """The project whose cards a file holds; None for a file that holds none of any project.

        Raises CollectError, once, where a project is refused.
        """
        if file.suffix.lower() not in _MARKDOWN:
            return None
        if file.parent not in self._roots:
            self._roots[file.parent] = deck_folder(file.parent) or self._otherwise
        root = self._roots[file.parent]
        if root is None or root in self._refused:
            return None
        if root not in self._open:
            self._open[root] = self._deck(root)
        deck = self._open[root]
        return deck if deck.holds(file) else None

    def left_out(self) -> list[str]:
        """What of the project that pytest runs in `testpaths` does not name.

        Nothing where the command line chooses what is collected: then nobody misses it.
        """
        if self._config.args_source is not _SETTINGS:
            return []
        root = deck_folder(self._config.rootpath)
        if root is None or root in self._refused:
            return []
        if root not in self._open:
            try:
                self._open[root] = self._deck(root)
            except pytest.Collector.CollectError:  # told where its Markdown is collected
                return []
        return self._open[root].not_named()

    def passed_over(self) -> Iterator[Path]:
        """Yield the folders with cards of all projects that pytest does not enter."""
        for deck in self._open.values():
            if deck.is_read:
                yield from sorted(deck.passed_over())

    def close(self) -> None:
        """Close all of them."""
        for deck in self._open.values():
            deck.close()
        self._open.clear()

    def _deck(self, root: Path) -> Deck:
        """Open a project. Raises CollectError where it is refused."""
        named = [each for each in self._named if deck_folder(each.parent) in {root, None}]
        return Deck(self._opened(root), self._config, named)

    def _opened(self, root: Path) -> Project:
        executor = self._config.getoption("verideck_executor")
        try:
            return Project.open(
                root,
                verify=not flag(self._config, "no_verify"),
                require_sandbox=flag(self._config, "require_sandbox"),
                executor="" if executor == here.NAME else executor,
                syntax=_word(self._config, "syntax"),
                share=_word(self._config, "share"),
                require_assertions=flag(self._config, "require_assertions"),
                trust=self._config.getoption("verideck_trust"),
                limits=caps_of(self._config.getoption("verideck_limit")),
            )
        except ValueError as error:
            self._refused.add(root)
            raise pytest.Collector.CollectError(f"verideck: {error}") from None


def named_paths(config: pytest.Config) -> list[Path]:
    """The files and folders that the command line names, or what stands for none."""
    here = config.invocation_params.dir
    return [absolute(here / each.partition("::")[0]) for each in config.args]


def _word(config: pytest.Config, name: str) -> str:
    """What an option says, by its flag or by its ini option; empty if neither says anything."""
    return str(config.getoption(f"verideck_{name}") or config.getini(f"verideck_{name}"))


def flag(config: pytest.Config, name: str) -> bool:
    """Whether a switch is on, by its flag or by its ini option."""
    return bool(config.getoption(f"verideck_{name}") or config.getini(f"verideck_{name}"))
