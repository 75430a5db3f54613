"""A deck project that is open: what can be done with it, and what outlives a run.

What verideck does with a project is done here. The command line adds words and exit codes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from verideck import pipeline, plugins
from verideck.caller import Caller, fence_caps, heard, held, root_of
from verideck.events import Listener, unheard
from verideck.findings import Findings
from verideck.folder_settings import FolderSettings
from verideck.history import ids, lock
from verideck.history.build_time import build_time as now
from verideck.history.changes import stale
from verideck.history.diff import Difference, differences
from verideck.history.lock import Lock
from verideck.history.recognise import Identities, recognise
from verideck.memo import Memo
from verideck.model import Card, Limits, Packaged, Place, Rewritten, Source, Stats
from verideck.outline import Outline
from verideck.own_paths import check_own_paths
from verideck.problems import (
    RULE_NAMES,
    BuildFailedError,
    Code,
    Problem,
    Problems,
    Severity,
)
from verideck.proof.config import ExecutionConfig
from verideck.proof.executors import Executors
from verideck.proof.languages import VERIFIERS, sandbox
from verideck.proof.sandbox.readable import reachable
from verideck.render.own_look import own_look
from verideck.result import Built, Result, Run
from verideck.settings import PYPROJECT, Settings, load
from verideck.source.collect import Collected, Files, collect, files_of
from verideck.source.config import DOCUMENT, SourceConfig
from verideck.source.read import read, text_of
from verideck.source.selection import Selection
from verideck.source_line import with_lines
from verideck.stats import stats_of
from verideck.storage.build_lock import build_lock
from verideck.storage.cache_key import cache_key
from verideck.storage.files import FileCache, absolute, is_file, place_name
from verideck.storage.named_files import vault_of
from verideck.storage.reading import hint_of
from verideck.storage.store import FOLDER, Store
from verideck.targets import check_suffix, target_of
from verideck.targets.target import AnkiTarget, ReadersTarget

if TYPE_CHECKING:
    from verideck.checking import Checking, SetupOf
    from verideck.push_choices import Choices
    from verideck.push_plan import Plan, Pushed
    from verideck.rules.lint import Linted
    from verideck.source.found import Form
    from verideck.targets.anki.receiver import Receiver


Paths = str | Path | Sequence[str | Path]
"""Markdown files and folders of them, or one; none for all cards of the project."""


class Project:
    """A deck project that is open. It holds the settings, what is remembered, and who executes."""

    def __init__(self, root: Path, caller: Caller) -> None:
        """Open the project in a folder; see `open`."""
        self.root = root
        self._caller = caller
        self._lock = Lock()
        self._store = Store(root / FOLDER, cache_key(reachable(root)))
        self._memo = Memo(root, self._store)
        self._identities = Identities()
        self._executors = Executors()
        self._is_closed = False
        if plugins.installed(plugins.SYNTAXES):
            import verideck.source.syntaxes  # noqa: F401, PLC0415 - raises what is wrong with them

    @classmethod
    def open(  # noqa: PLR0913 - what a caller may say, all of it by name
        cls,
        folder: str | Path = ".",
        *,
        verify: bool = True,
        require_sandbox: bool = False,
        executor: str = "",
        syntax: str = "",
        share: str = "",
        require_assertions: bool = False,
        jobs: int = 0,
        trust: bool = False,
        limits: Mapping[str, float] = MappingProxyType({}),
    ) -> Self:
        """Open the project that a folder is in: the nearest with `[tool.verideck]`, or itself.

        `verify=False` executes nothing, `require_sandbox` executes nothing without a sandbox,
        `executor` names who executes, and `syntax` the form of files that name none. `share` says
        what the fences of a document share names in, `file` or `heading`, and
        `require_assertions` that they must assert; `jobs` is how many cards are executed at once at
        most. The settings hold otherwise, as far as the
        caller lets them: see `caller.heard`. Raises FileNotFoundError
        where there is no such folder, and CallerError, which is a ValueError, for what is not
        known, and for a folder that must be no project.
        """
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"there is no folder {folder}")
        caller = heard(
            verify=verify,
            require_sandbox=require_sandbox,
            executor=executor,
            syntax=syntax,
            share=share,
            require_assertions=require_assertions,
            jobs=jobs,
            trust=trust,
            limits=limits,
        )
        return cls(root_of([Path(folder)], caller), caller)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End whatever runs, and let go of what is kept. Only `open` opens it again."""
        self._is_closed = True
        self._executors.close()
        self._store.close()

    def break_off(self) -> None:
        """Break off what is executed: the check that waits for it raises StoppedError.

        Any thread may call this; where nothing is executed, nothing happens.
        """
        self._executors.stop.set()

    # What can be done

    def settings(self, problems: Problems) -> Settings:
        """The settings as they are now, as far as they hold. Reports what is wrong with them."""
        return held(configured_settings(self.root, problems), self._caller, problems)

    def check(
        self,
        paths: Paths = (),
        *,
        audit: bool | None = None,
        documents: bool = True,
        only: Mapping[str, Iterable[int]] | Iterable[str] = (),
        on_event: Listener | None = None,
    ) -> Result:
        """Find out what holds, in some files or in the whole project; package nothing.

        Always returns, whatever an author wrote; what `on_event` raises ends the check, and is
        raised. `audit` says whether to audit; None leaves it to the settings. Without `documents`,
        as for a build, the snippets of cards alone are executed. `only` asks for some cards: by
        their ids, or by lines of files, as places name these. `on_event` is called with each event,
        in this thread (see `events`).
        """
        started = time.perf_counter()
        given, problems = _listed(paths), Problems()
        settings = self.settings(problems)
        if problems.has_errors:
            return Result(tuple(problems), inputs=frozenset({PYPROJECT}))
        run = self._run(settings, problems, on_event)
        run = replace(run, selection=_selection(only, run.lock, documents=documents))
        audits = run.settings.audit_build if audit is None else audit
        try:
            files = files_of(given, run.settings, self._memo.texts, problems, documents=documents)
            result = self._checked(run, given, files, problems, audits=audits)
        finally:
            self._memo.end()
        return replace(
            result,
            stats=self._timed(result.stats, run, started),
            inputs=result.inputs | {PYPROJECT},
            note_types=run.look.note_types,
        )

    def findings(self, paths: Paths = (), *, on_event: Listener | None = None) -> Findings:
        """Check, and return what is told of it: `check` has more to say, and takes more memory.

        A card of which nothing is executed is held in outline only, and makes no note. Where none
        is executed, and nothing has changed since the last such call with the same paths, what that
        one told is told again; files are compared by their contents, whatever their times are.
        `on_event` is as for `check`.
        """
        started = time.perf_counter()
        given, problems = _listed(paths), Problems()
        settings = self.settings(problems)
        if problems.has_errors:
            return Findings(tuple(problems))
        run = self._run(settings, problems, on_event, outlines=True)
        try:
            files = files_of(given, run.settings, FileCache(text_of), problems)
            found = self._findings(run, given, files, problems)
        finally:
            self._memo.end()
        return replace(found, stats=self._timed(found.stats, run, started))

    def checking(
        self,
        paths: Paths = (),
        *,
        audit: bool | None = None,
        setup_of: SetupOf | None = None,
    ) -> Checking:
        """Read some files, or the whole project, to check them card by card, as a test runner does.

        The verdicts come to what `check` finds. `audit` is as there; `setup_of` returns Python that
        is executed before the cards of a file. Close what is returned before another call of this
        project. Raises BuildFailedError where the settings are wrong, and then nothing is read.
        """
        from verideck.checking import Checking, no_setup  # noqa: PLC0415 - few callers do

        problems = Problems()
        settings = self.settings(problems)
        _require_no_error(problems)
        run = self._run(settings, problems)
        audits = settings.audit_build if audit is None else audit
        return Checking(run, _listed(paths), problems, setup_of or no_setup, audits=audits)

    def build(
        self,
        result: Result,
        output: str | Path | None = None,
        *,
        locked: bool = False,
        keep_going: bool = False,
        build_time: int | None = None,
        on_event: Listener | None = None,
    ) -> Built:
        """Package what was checked, and remember it in the lock.

        With `keep_going`, package `result.notes` though a card does not hold, unless there are
        none; no note is retired then, and what was built of such a card before stays as it is.

        What has changed is stamped with `build_time`, in Unix seconds, or with now. With `locked`,
        nothing may have: a lock that would be written is an error. Builds of one project wait for
        each other; one that another has overtaken identifies its cards again, by what that one
        remembered. Raises BuildFailedError where anything is wrong, and then nothing is written;
        ValueError for another project's result, and for an output that is no package.
        """
        of_cards = Problems(map(_as_packaged, result.problems))
        if not (keep_going and result.notes):
            _require_no_error(of_cards)
        self._require_own(result)
        _require_package(output)
        problems = Problems()
        with build_lock(self.root / FOLDER):
            run = self._run(self.settings(problems), problems, on_event)
            file = Path(output) if output else self.root / run.settings.output
            result = self._known_again(run, result, problems)
            deck = pipeline.stamped(run, result, file, _moment(build_time), locked=locked)
            built = pipeline.package(run, result.scope, file, deck, problems, locked=locked)
        if built is None:
            raise BuildFailedError(Problems([*of_cards, *problems]))
        return built

    def show(
        self,
        result: Result,
        output: str | Path,
        *,
        layout: str = "",
        keep_going: bool = False,
        strict: bool = False,
    ) -> Built:
        """Write what was checked for readers without Anki: a page, or a file for other programs.

        The output's suffix decides which; `layout` names another than its usual one. No note is
        stamped, and the lock stays as it is. With `keep_going`, the cards that hold are written
        though others do not. `strict` takes the output's own warnings as errors; otherwise the
        result has them. Raises BuildFailedError where anything is wrong, and then nothing is
        written; ValueError for another project's result, and for a suffix or a layout that is not
        known here.
        """
        target = target_of(Path(output))
        if not isinstance(target, ReadersTarget):
            raise ValueError(f"{output} is a package for Anki: `build` writes it")  # noqa: TRY004 - the name is wrong
        if layout and layout not in target.layouts:
            raise ValueError(f"a {Path(output).suffix} has no layout {layout}")
        of_cards = Problems(map(_as_packaged, result.problems))
        if not (keep_going and result.notes):
            _require_no_error(of_cards)
        self._require_own(result)
        problems = Problems(strict=strict)
        run = self._run(self.settings(problems), problems)
        built = pipeline.show(run, result, Path(output), layout, problems)
        if built is None:
            raise BuildFailedError(Problems([*of_cards, *problems]))
        return built

    def stale(self, result: Result) -> tuple[Problem, ...]:
        """Tell why a build with `locked` would refuse a result; nothing if it would not.

        Writes nothing. Raises BuildFailedError where anything is wrong; ValueError for another
        project's result.
        """
        run, result = self._ready(result)
        output = self.root / run.settings.output
        _, after = pipeline.stamped(run, result, output, now(), locked=True)
        return () if run.lock == after else (stale(run.lock, after, result.scope),)

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
        run, result = self._ready(result)
        output = self.root / run.settings.output
        contents, after = pipeline.stamped(run, result, output, _moment(build_time))
        return tuple(differences(contents, run.lock, after, former))

    def plan(
        self,
        result: Result,
        receiver: Receiver,
        choices: Choices,
        output: str | Path | None = None,
        *,
        build_time: int | None = None,
    ) -> Plan:
        """Tell what a push of these cards into a learner's Anki would do; write nothing.

        `choices` are the learner's: which profile, and what is done that no import does. `output`
        is the package that `push` builds. Raises BuildFailedError where anything is wrong with the
        cards; PushError where Anki cannot be asked; ValueError for another project's result. Why a
        push would be refused is in the plan.
        """
        from verideck.history import planning  # noqa: PLC0415 - few runs push
        from verideck.push_plan import Basis  # noqa: PLC0415
        from verideck.targets.anki.receiver import Asked  # noqa: PLC0415

        run, result = self._ready(result)
        file = Path(output) if output else self.root / run.settings.output
        time_ = _moment(build_time)
        contents, after = pipeline.stamped(run, result, file, time_)
        namespace = run.settings.namespace
        of = (contents, run.lock, after, result.scope, namespace, time_, file, choices)
        basis = Basis(*of)
        return planning.plan(basis, receiver.read(Asked.of(basis)))

    def push(self, result: Result, receiver: Receiver, plan: Plan) -> Pushed:
        """Build, and carry a plan out; return what a look at the collection finds afterwards.

        `result` is that of the plan. What was done before an error is done: the same push does the
        rest when it is planned and run again. Builds and other pushes of the project wait for it,
        for Anki reads the package. Raises BuildFailedError as `build` does, and
        PushError where the plan is refused, where something was built since, and where Anki fails.
        """
        from verideck.history import planning  # noqa: PLC0415 - few runs push
        from verideck.push_plan import PushError  # noqa: PLC0415
        from verideck.targets.anki.push import push, require_none_refused, sent  # noqa: PLC0415
        from verideck.targets.anki.receiver import Asked  # noqa: PLC0415

        require_none_refused(plan)
        basis, problems = plan.basis, Problems(map(_as_packaged, result.problems))
        _require_no_error(problems)
        self._require_own(result)
        _require_package(basis.output)
        with build_lock(self.root / FOLDER):
            run = self._run(self.settings(problems), problems)
            _require_no_error(problems)
            if run.lock not in (basis.before, basis.after):
                raise PushError("the deck has been built otherwise meanwhile", "push again")
            deck = basis.contents, basis.after
            file = basis.output
            if not pipeline.package(run, basis.scope, file, deck, problems, locked=False):
                raise BuildFailedError(problems)
            again = partial(planning.plan, basis)
            with sent(self.root, basis.output) as package:  # no other build's, nor push's
                return push(receiver, plan, again, Asked.of(basis), package)

    def lint(self, paths: Paths = (), *, profile: str = "") -> Linted:
        """Tell which rules for cards are broken in some files, or in the project. Executes nothing.

        `profile` is `gentle` or `full`; without one the settings say which rules are asked. Some
        hold among cards: the project's other cards are read for them.
        """
        from verideck.rules import configured  # noqa: PLC0415 - a build asks for no rule
        from verideck.rules.lint import lint  # noqa: PLC0415

        problems = Problems()
        run = self._run(self.settings(problems), problems)
        found = self._collected(run, paths, problems)
        cards = [*found.context_cards, *found.cards]
        place_of = _rule_place(run.settings)
        rules = configured(run.settings.lint, place_of, Problems(), profile)
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
        # What a build refuses for want of an id is what is mended here.
        nameless = [card for card in found.repeated if not card.id]
        repeated = {card.place for card in nameless}
        problems = Problems(each for each in problems if each.place not in repeated)
        _require_no_error(problems)
        scope = replace(pipeline.scope_of(found, self.root), doubtful=frozenset(), is_complete=True)
        known = recognise(
            (*found.cards, *nameless), run.lock, scope, run.settings.namespace, problems
        )
        _require_no_error(problems)
        with self._writing():
            read_back = partial(_read_back, source_config(run.settings))
            named = ids.name_cards(list(known.values()), self.root, read_back, problems)
        _require_no_error(problems)
        return named

    def update_outputs(self, paths: Paths = ()) -> list[Rewritten]:
        """Write what snippets give into the cards that say it. Returns what was replaced.

        A card that fails is left as it is: a check tells why. Raises BuildFailedError where the
        settings are wrong, and then nothing is executed; and where a file cannot be written.
        """
        from verideck.proof.update import update  # noqa: PLC0415 - few runs do

        problems = Problems()
        settings = self.settings(problems)
        _require_no_error(problems)
        run = self._run(settings, Problems())
        found = self._collected(run, paths, Problems(), write=True)
        with self._writing():
            return update(
                [*found.cards, *found.documents],
                execution_config(run.settings, self._store, self._caller.jobs),
            )

    def _checked(
        self,
        run: Run,
        given: Sequence[Path],
        files: Files,
        problems: Problems,
        *,
        audits: bool,
    ) -> Result:
        """What the stages come to, with what is told of them together."""
        result = pipeline.check(run, files, problems, audits=audits)
        documents = sum(form.name == DOCUMENT for form in result.forms)
        stats = stats_of(result.cards, result.documents, result.proven, self._memo.done)
        result = replace(result, stats=replace(stats, documents=documents))
        sources = (*files.built, *files.context)
        result = replace(result, problems=tuple(with_lines(result.problems, sources)))
        asked = run.selection
        is_some = result.cards or (asked.documents and documents) or not asked.is_all
        if is_some or not result.ok:
            return result
        weight = Severity.WARNING if given else Severity.ERROR  # a file may hold no card
        empty = self._deck_empty(given, run.settings, weight)
        return replace(result, problems=(*result.problems, empty))

    def _findings(
        self, run: Run, given: Sequence[Path], files: Files, problems: Problems
    ) -> Findings:
        """What a check tells: what the last one told, where all that it follows from is known.

        What is wrong with a setting, with the lock, or with a file that cannot be read follows from
        more than the contents of files: where any of that was reported, nothing is told again.
        """
        paths = [str(absolute(each)) for each in given]
        stamp = "" if len(problems) else self._stamp(run, files)
        if stamp and (known := self._memo.findings(paths, stamp)):
            return known
        result = self._checked(run, given, files, problems, audits=run.settings.audit_build)
        found = Findings(result.problems, result.stats, result.forms)
        every = (*result.cards, *result.documents)
        if stamp and not any(card.verified and card.is_executable for card in every):
            self._memo.keep_findings(paths, stamp, found)
        return found

    def _stamp(self, run: Run, files: Files) -> str:
        """The hash of all that a check tells from if it executes nothing, but for some files.

        Those are included, or shown; of files that only the lock names, it is whether they are
        there.
        """
        read = {source.path for source in (*files.built, *files.context)}
        named = {entry.path for entry in run.lock.lines} - read
        there = sorted(path for path in named if is_file(self.root / path))
        built = [source.path for source in files.built]
        settings = repr(run.settings), run.settings.document
        parts = settings, run.lock.read_from, files.is_whole, built, there
        return self._memo.stamp_of([*files.context, *files.built], *parts)

    def _timed(self, stats: Stats, run: Run, started: float) -> Stats:
        """The counts of a run that is over, with where its snippets are executed."""
        seconds = time.perf_counter() - started
        where = sandbox(execution_config(run.settings, self._store, self._caller.jobs))
        return replace(stats, sandbox=where, seconds=seconds)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Markdown is written. Raises BuildFailedError where it cannot be."""
        try:
            yield
        except OSError as error:
            place = Place(place_name(Path(str(error.filename)), self.root))
            message = f"this file cannot be written: {error.strerror or error}"
            problem = Problem(Code.OUTPUT_UNWRITABLE, message, place, hint_of(error))
            raise BuildFailedError([problem]) from error

    def _run(
        self,
        settings: Settings,
        problems: Problems,
        on_event: Listener | None = None,
        *,
        outlines: bool = False,
    ) -> Run:
        """What a run uses: the settings, the lock as it is now, and what outlives a run.

        With `outlines`, cards of which nothing is executed are held in outline: with their answers
        where the lock remembers notes that they may be.
        """
        if self._is_closed:
            raise ValueError("this project is closed")
        self._lock = lock.read(self.root, problems, self._lock) or Lock()
        config = source_config(settings, fence_caps(self._caller, self.root))
        outline = Outline(answers=bool(self._lock.lines)) if outlines else None
        self._memo.begin(config, outline)
        self._executors.begin(execution_config(settings, self._store, self._caller.jobs))
        return Run(
            settings,
            self._lock,
            self._memo,
            self._identities,
            self._executors,
            self._store,
            on_event or unheard,
            own_look(
                self.root,
                settings.css,
                settings.templates,
                {name: settings.at(name) for name in ("css", "templates")},
                problems,
            ),
        )

    def forms(self, paths: Paths = ()) -> list[Form]:
        """Return in which form each of some files is read, and what others would find in it.

        A file that cannot be read is left out: a check tells why.
        """
        from verideck.source.forms import form_of  # noqa: PLC0415 - it parses

        settings = self.settings(Problems())
        config = source_config(settings)
        sources = read(_listed(paths), settings, Problems())
        return [form for each in sources if (form := form_of(each, config))]

    def _collected(
        self, run: Run, paths: Paths, problems: Problems, *, write: bool = False
    ) -> Collected:
        """The cards of some files, of which none is executed yet."""
        files = files_of(_listed(paths), run.settings, self._memo.texts, problems)
        found = collect(files, self._memo, problems, on_card=lambda _: None)
        self._memo.end(write=write)
        return found

    def _known_again(self, run: Run, result: Result, problems: Problems) -> Result:
        """The result, identified by the lock as it is now: another build may have written it."""
        if run.lock == result.lock:
            return result
        known = run.identified(result.cards, result.scope, problems)
        notes = tuple(pipeline.noted(run, result.proven, known, problems))
        return replace(result, notes=notes, lock=run.lock, known=known)

    def _ready(self, result: Result) -> tuple[Run, Result]:
        """What a build of a result would use, and the result as it is known now.

        Raises BuildFailedError where anything is wrong; ValueError for another project's result.
        """
        problems = Problems(result.problems)
        _require_no_error(problems)
        self._require_own(result)
        run = self._run(self.settings(problems), problems)
        result = self._known_again(run, result, problems)
        _require_no_error(problems)
        return run, result

    def _require_own(self, result: Result) -> None:
        """Raise ValueError for another project's result: all notes here would seem to be gone."""
        if result.scope.root != self.root:
            raise ValueError(f"this result is of {result.scope.root}, and not of {self.root}")

    def _deck_empty(
        self, paths: Sequence[Path], settings: Settings, weight: Severity = Severity.ERROR
    ) -> Problem:
        first = paths[0] if paths else self.root / settings.cards
        return Problem(
            Code.DECK_EMPTY,
            "there is no card to package",
            Place(place_name(first, self.root)),
            "a card is a question with its answer, in a Markdown file",
            weight,
        )


def configured_settings(root: Path, problems: Problems) -> Settings:
    """A project's settings. What is wrong with any of them is reported, for all stages."""
    settings = load(root, problems)
    if settings.lint:
        from verideck.rules import configured  # noqa: PLC0415 - most projects set no rule

        configured(settings.lint, _rule_place(settings), problems)
    check_suffix(settings, problems)
    check_own_paths(settings, problems)
    return settings


def _as_packaged(problem: Problem) -> Problem:
    """A problem as it weighs in a build: a file without a card can be checked, and no package."""
    is_empty = problem.code is Code.DECK_EMPTY
    return replace(problem, severity=Severity.ERROR) if is_empty else problem


def _require_package(output: str | Path | None) -> None:
    """Raise ValueError for a file that is no package for Anki."""
    if output and not isinstance(target_of(Path(output)), AnkiTarget):
        raise ValueError(f"{output} is no package for Anki: `show` writes it")


def _require_no_error(problems: Problems) -> None:
    if problems.has_errors:
        raise BuildFailedError(problems)


def _selection(
    only: Mapping[str, Iterable[int]] | Iterable[str], remembered: Lock, *, documents: bool
) -> Selection:
    """What is asked for, by lines of files or by ids; of these, the lock knows some alone."""
    if isinstance(only, Mapping):
        lines = {path: frozenset(numbers) for path, numbers in only.items()}
        return Selection(documents, lines)
    ids = frozenset(only)
    entries = remembered.entries.values() if ids else ()
    questions = (each.identity.question for each in entries if each.identity.id in ids)
    return Selection(documents, ids=ids, questions=frozenset(questions))


def _moment(build_time: int | None) -> int:
    return now() if build_time is None else build_time


def _rule_place(settings: Settings) -> Callable[[str], Place]:
    return lambda name: settings.at(f"lint.{name}")


def _listed(paths: Paths) -> tuple[Path, ...]:
    return (Path(paths),) if isinstance(paths, str | Path) else tuple(map(Path, paths))


def execution_config(settings: Settings, store: Store, jobs: int = 0) -> ExecutionConfig:
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
        jobs=jobs,
    )


def _for_every_file(settings: Settings) -> FolderSettings:
    """What the project sets for each file, as a folder does for those in it."""
    return FolderSettings(
        tags=settings.tags,
        syntax=settings.syntax,
        level=settings.level,
        lang=settings.lang,
        hashtags=settings.hashtags,
        share=settings.docs_share,
    )


def _read_back(config: SourceConfig, path: str, content: bytes) -> Sequence[Card]:
    """Return the cards of a file if it held this. Their decks lack the names of its folders."""
    from verideck.source.cards import cards_of  # noqa: PLC0415 - no other command parses here

    text = text_of(content)
    in_vault = vault_of(config.root, path.rpartition("/")[0]) is not None
    source = Source(path, text or "", in_vault=in_vault)
    return () if text is None else cards_of(source, config).cards


def source_config(settings: Settings, caps: tuple[tuple[str, float], ...] = ()) -> SourceConfig:
    """What a project's Markdown follows from, besides its text."""
    return SourceConfig(
        settings.root,
        settings.deck,
        _for_every_file(settings),
        settings.folders,
        tuple(os.path.normpath(path) for path in settings.docs_paths),
        settings.docs_require_assertions,
        settings.verify,
        frozenset(VERIFIERS),
        caps,
        RULE_NAMES,
    )
