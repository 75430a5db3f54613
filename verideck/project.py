"""A deck project that is open: what can be done with it, and what outlives a run.

What verideck does with a project is done here. The command line adds words and exit codes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from verideck import pipeline
from verideck.events import Listener, unheard
from verideck.history import ids, lock
from verideck.history.build_time import build_time as now
from verideck.history.diff import Difference, differences
from verideck.history.lock import Lock
from verideck.history.recognise import Identities, recognise
from verideck.memo import Memo
from verideck.model import Built, Card, Limits, Packaged, Place, Rewritten
from verideck.problems import RULE_NAMES, BuildFailedError, Code, Problem, Problems, has_errors
from verideck.proof.config import ExecutionConfig
from verideck.proof.executors import Executors
from verideck.proof.languages import VERIFIERS, sandbox
from verideck.result import Result, Run
from verideck.settings import PYPROJECT, Settings, find_root, load, require_executor
from verideck.source.collect import Collected, collect
from verideck.source.config import SourceConfig
from verideck.stats import stats_of
from verideck.storage.build_lock import build_lock
from verideck.storage.files import place_name
from verideck.storage.store import FOLDER, Store
from verideck.targets import check_suffix, require_suffix

if TYPE_CHECKING:
    from verideck.rules.lint import Linted


@dataclass(frozen=True, slots=True)
class Overrides:
    """What beats the settings, as a flag of the command line does."""

    verify: bool = True
    """False: execute nothing."""
    require_sandbox: bool = False
    """Execute nothing where there is no sandbox."""
    executor: str = ""
    """Who executes, where it is not empty."""


Paths = str | Path | Sequence[str | Path]
"""Markdown files and folders of them, or one; none for all cards of the project."""


class Project:
    """A deck project that is open. It holds the settings, what is remembered, and who executes."""

    def __init__(self, root: Path, overrides: Overrides) -> None:
        """Open the project in a folder; see `open`."""
        self.root = root
        self._overrides = overrides
        self._lock = Lock()
        self._store = Store(root / FOLDER)
        self._memo = Memo(root, self._store)
        self._identities = Identities()
        self._executors = Executors()
        self._is_closed = False

    @classmethod
    def open(
        cls,
        folder: str | Path = ".",
        *,
        verify: bool = True,
        require_sandbox: bool = False,
        executor: str = "",
    ) -> Self:
        """Open the project that a folder is in: the nearest with `[tool.verideck]`, or itself.

        `verify=False` executes nothing, `require_sandbox` executes nothing without a sandbox, and
        `executor` names who executes; the settings hold otherwise. Raises FileNotFoundError where
        there is no such folder, and ValueError for an executor that is not known.
        """
        if executor:
            require_executor(executor)
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"there is no folder {folder}")
        found = find_root(Path(folder)) or Path(folder).absolute()
        return cls(found, Overrides(verify, require_sandbox, executor))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End whatever runs, and let go of what is kept. Only `open` opens it again."""
        self._is_closed = True
        self._executors.close()
        self._store.close()

    # What can be done

    def settings(self, problems: Problems) -> Settings:
        """The settings as they are now, with what beats them. Reports what is wrong with them."""
        settings = configured_settings(self.root, problems)
        overrides = self._overrides
        return replace(
            settings,
            verify=settings.verify and overrides.verify,
            require_sandbox=settings.require_sandbox or overrides.require_sandbox,
            executor=overrides.executor or settings.executor,
        )

    def check(
        self,
        paths: Paths = (),
        *,
        audit: bool | None = None,
        on_event: Listener | None = None,
    ) -> Result:
        """Find out what holds, in some files or in the whole project; package nothing.

        Always returns, whatever an author wrote; what `on_event` raises ends the check, and is
        raised. `audit` says whether to audit; None leaves it to the settings. `on_event` is called
        with each event, in this thread (see `events`).
        """
        started = time.perf_counter()
        files, problems = _listed(paths), Problems()
        settings = self.settings(problems)
        if problems.has_errors:
            return Result(problems=tuple(problems), inputs=frozenset({PYPROJECT}))
        run = self._run(settings, problems, on_event)
        try:
            result = pipeline.check(
                run,
                files,
                problems,
                audits=run.settings.audit_build if audit is None else audit,
            )
        finally:
            done = dict(self._memo.done)
            self._memo.end()
        found = [*result.problems]
        if not result.notes and not has_errors(found):
            found.append(self._deck_empty(files, run.settings))
        seconds = time.perf_counter() - started
        where = sandbox(execution_config(run.settings, self._store))
        stats = stats_of(result.cards, result.proven, where, seconds, done)
        inputs = result.inputs | {PYPROJECT}
        return replace(result, problems=tuple(found), stats=stats, inputs=inputs)

    def build(
        self,
        result: Result,
        output: str | Path | None = None,
        *,
        locked: bool = False,
        build_time: int | None = None,
        on_event: Listener | None = None,
    ) -> Built:
        """Package what was checked, and remember it in the lock.

        What has changed is stamped with `build_time`, in Unix seconds, or with now. With `locked`,
        nothing may have: a lock that would be written is an error. Builds of one project wait for
        each other; one that another has overtaken identifies its cards again, by what that one
        remembered. Raises BuildFailedError where anything is wrong, and then nothing is written;
        ValueError for another project's result, and for an output that is no package.
        """
        problems = self._buildable(result)
        if output:
            require_suffix(Path(output))
        with build_lock(self.root / FOLDER):
            run = self._run(self.settings(problems), problems, on_event)
            file = Path(output) if output else self.root / run.settings.output
            result = self._known_again(run, result, problems)
            time_ = _moment(build_time)
            built = pipeline.package(run, result, file, time_, problems, locked=locked)
        if built is None:
            raise BuildFailedError(problems)
        return built

    def diff(
        self,
        result: Result,
        former: Mapping[str, Packaged],
        *,
        build_time: int | None = None,
    ) -> tuple[Difference, ...]:
        """Tell what an import of a build would do to the notes of a former package.

        Writes nothing. Raises BuildFailedError where anything is wrong; ValueError for another
        project's result.
        """
        problems = self._buildable(result)
        run = self._run(self.settings(problems), problems)
        result = self._known_again(run, result, problems)
        _require_no_error(problems)
        output = self.root / run.settings.output
        contents, after = pipeline.stamped(run, result, output, _moment(build_time))
        return tuple(differences(contents, run.lock, after, former))

    def lint(self, paths: Paths = ()) -> Linted:
        """Tell which rules for cards are broken in some files, or in the project. Executes nothing.

        Some rules hold among cards: the project's other cards are read for them.
        """
        from verideck.rules import configured  # noqa: PLC0415 - a build asks for no rule
        from verideck.rules.lint import lint  # noqa: PLC0415

        problems = Problems()
        run = self._run(self.settings(problems), problems)
        found = self._collected(run, paths, problems)
        cards = [*found.context_cards, *found.cards]
        rules = configured(run.settings.lint, _rule_place(run.settings), Problems())
        linted = lint(cards, rules, found.files)
        return replace(linted, problems=(*problems, *linted.problems))

    def audit(self, paths: Paths = (), *, on_event: Listener | None = None) -> Result:
        """Check, and find out of every card that holds what its assertions could have caught."""
        return self.check(paths, audit=True, on_event=on_event)

    def assign_ids(self, paths: Paths = ()) -> list[Card]:
        """Write ids into the Markdown. Returns the cards that got one; executes nothing.

        Raises BuildFailedError where anything is wrong, and then nothing is written.
        """
        problems = Problems()
        run = self._run(self.settings(problems), problems)
        found = self._collected(run, paths, problems)
        known = recognise(
            found.cards,
            run.lock,
            pipeline.scope_of(found, self.root),
            run.settings.namespace,
            problems,
        )
        _require_no_error(problems)
        return ids.name_cards(known.values(), self.root)

    def update_outputs(self, paths: Paths = ()) -> list[Rewritten]:
        """Write what snippets give into the cards that say it. Returns what was replaced.

        A card that fails is left as it is: a check tells why. Raises BuildFailedError where the
        settings are wrong, and then nothing is executed; OSError where a file cannot be written.
        """
        from verideck.proof.update import update  # noqa: PLC0415 - few runs do

        problems = Problems()
        settings = self.settings(problems)
        _require_no_error(problems)
        run = self._run(settings, Problems())
        found = self._collected(run, paths, Problems(), write=True)
        return update(found.cards, execution_config(run.settings, self._store))

    def _run(self, settings: Settings, problems: Problems, on_event: Listener | None = None) -> Run:
        """What a run uses: the settings, the lock as it is now, and what outlives a run."""
        if self._is_closed:
            raise ValueError("this project is closed")
        self._lock = lock.read(self.root, problems, self._lock) or Lock()
        self._memo.begin(source_config(settings))
        self._executors.begin(execution_config(settings, self._store))
        return Run(
            settings,
            self._lock,
            self._memo,
            self._identities,
            self._executors,
            self._store,
            on_event or unheard,
        )

    def _collected(
        self, run: Run, paths: Paths, problems: Problems, *, write: bool = False
    ) -> Collected:
        """The cards of some files, of which none is executed yet."""
        found = collect(_listed(paths), run.settings, self._memo, problems, on_card=lambda _: None)
        self._memo.end(write=write)
        return found

    def _known_again(self, run: Run, result: Result, problems: Problems) -> Result:
        """The result, identified by the lock as it is now: another build may have written it."""
        if run.lock == result.lock:
            return result
        notes = pipeline.noted(run, result.proven, result.cards, result.scope, problems)
        return replace(result, notes=tuple(notes), lock=run.lock)

    def _buildable(self, result: Result) -> Problems:
        """The problems of a result, none of which is an error.

        Raises ValueError for another project's result: all notes here would seem to be gone.
        """
        problems = Problems(result.problems)
        _require_no_error(problems)
        if result.scope.root != self.root:
            raise ValueError(f"this result is of {result.scope.root}, and not of {self.root}")
        return problems

    def _deck_empty(self, paths: Sequence[Path], settings: Settings) -> Problem:
        first = paths[0] if paths else self.root / settings.cards
        return Problem(
            Code.DECK_EMPTY,
            "there is no card to package",
            Place(place_name(first, self.root)),
            "a card is a question with its answer, in a Markdown file",
        )


def configured_settings(root: Path, problems: Problems) -> Settings:
    """A project's settings. What is wrong with any of them is reported, for all stages."""
    settings = load(root, problems)
    if settings.lint:
        from verideck.rules import configured  # noqa: PLC0415 - most projects set no rule

        configured(settings.lint, _rule_place(settings), problems)
    check_suffix(settings, problems)
    return settings


def _require_no_error(problems: Problems) -> None:
    if problems.has_errors:
        raise BuildFailedError(problems)


def _moment(build_time: int | None) -> int:
    return now() if build_time is None else build_time


def _rule_place(settings: Settings) -> Callable[[str], Place]:
    return lambda name: settings.at(f"lint.{name}")


def _listed(paths: Paths) -> tuple[Path, ...]:
    return (Path(paths),) if isinstance(paths, str | Path) else tuple(map(Path, paths))


def execution_config(settings: Settings, store: Store) -> ExecutionConfig:
    """Where a project's snippets are executed, and where their proofs are kept."""
    limits = Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})
    return ExecutionConfig(
        settings.root,
        limits,
        sandbox=settings.sandbox,
        sandbox_required=settings.require_sandbox,
        sandbox_place=settings.at("sandbox"),
        warnings_are_errors=settings.warnings == "error",
        shared_memory=settings.shared_memory,
        store=store,
        executor=settings.executor,
        executor_place=settings.at("executor"),
        seeds=settings.audit_seeds,
    )


def source_config(settings: Settings) -> SourceConfig:
    """What a project's Markdown follows from, besides its text."""
    return SourceConfig(
        settings.root,
        settings.deck,
        settings.lang,
        settings.verify,
        frozenset(VERIFIERS),
        RULE_NAMES,
    )
