"""Checks again whenever a file has changed, and shows what it comes to. The newest change wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from time import monotonic
from typing import TypeVar

from verideck.events import Audited, CardFailed, CardProven, Counted, Event, Executing
from verideck.model import Card, Place
from verideck.preview.live import Live, Run
from verideck.preview.shown import Shower
from verideck.preview.watch import Watched, Watcher, watched
from verideck.problems import Problem, Problems
from verideck.project import Project
from verideck.proof.python.wire.run import StoppedError
from verideck.result import Result

_RATE = 0.05
"""Seconds between two words about a run: cards may hold faster than anybody reads."""


_T = TypeVar("_T")


class _SupersededError(Exception):
    """A file has changed while it was checked what it held before."""


class _RunsToComeError(Exception):
    """Code of cards is about to be executed, and others need not wait for it."""

    def __init__(self, cards: Sequence[Card]) -> None:
        super().__init__()
        self.cards = cards


class Session:
    """A project that is checked on every save, in the thread that calls `run`."""

    def __init__(
        self, project: Project, paths: Sequence[Path], watcher: Watcher, live: Live | None = None
    ) -> None:
        """Check these files and folders of a project, or all of it; show it if a page is live."""
        self._project = project
        self._paths = paths
        self._watcher = watcher
        self._live = live
        output = project.settings(Problems()).output
        self._shower = Shower(project.root, project.root / output)
        self._looked_at = Watched(frozenset())
        self._files: frozenset[Path] = frozenset()
        """The files whose cards are shown."""

    def run(self, on_result: Callable[[Result, Watched], None]) -> None:
        """Check and show, until an exception ends it; each result is told."""
        changes = self._watcher.changes
        changes.heard = self._project.break_off
        self._look(())
        changed: frozenset[Path] = frozenset()
        while True:
            changed |= frozenset(map(Path, changes.taken()))
            settings = self._project.settings(Problems())
            try:
                self._show_texts(changed)
                changed = frozenset()  # it is shown, or runs: only a newer save breaks that off
                result, failed = self._checked()
            except (_SupersededError, StoppedError):
                continue
            if self._live:
                self._live.publish(self._shower.show(result, failed, settings.title))
                self._live.tell(Run(doing=""))
                self._files = frozenset(self._project.root / each for each in result.scope.files)
            on_result(result, self._looked_at)
            if not self._look(result.inputs):
                self._wait(result)

    def ask(self, work: Callable[[Result], _T]) -> Future[_T]:
        """Have something done with the newest result, by the thread of `run`, after its check.

        Any thread may call this. An exception ends the session, too: none is expected.
        """
        promised: Future[_T] = Future()

        def do(result: Result) -> None:
            if not promised.set_running_or_notify_cancel():
                return
            try:
                promised.set_result(work(result))
            except BaseException as error:
                promised.set_exception(error)
                raise

        self._watcher.changes.ask(do)
        return promised

    def _wait(self, result: Result) -> None:
        """Return when a file has changed; until then, do with the result what is asked for."""
        changes = self._watcher.changes
        while not changes:
            changes.wait()
            for task in changes.tasks() if not changes else ():
                task(result)

    def _show_texts(self, changed: frozenset[Path]) -> None:
        """Show the cards of changed files before others are checked, if none of their code runs.

        A file whose code runs holds up no other one.
        """
        live, files = self._live, changed
        if not (live and changed <= self._files and all(map(Path.is_file, changed))):
            return
        while files:
            hearing = _Hearing(self._watcher, live, stops_at=frozenset({"proving", "auditing"}))
            try:
                self._show_some(sorted(files), live, hearing)
            except _RunsToComeError as coming:
                running = files & {self._project.root / card.place.path for card in coming.cards}
                files = files - running if running else frozenset()
            else:
                return

    def _checked(self) -> tuple[Result, Mapping[Problem, Place]]:
        """The result of a check, and the cards that its problems belong to.

        An audit executes a card dozens of times: what a card looks like is shown before.
        """
        live = self._live or Live()
        is_shown = "cards" in live.now.deck.summary  # a deck, and not what is wrong with settings
        hearing = _Hearing(self._watcher, live, frozenset({"auditing"} if is_shown else ()))
        try:
            return self._project.check(self._paths, on_event=hearing.hear), hearing.failed
        except _RunsToComeError as coming:
            files = sorted({self._project.root / card.place.path for card in coming.cards})
            self._show_some(files, live, _Hearing(self._watcher, live))
        hearing = _Hearing(self._watcher, live)
        return self._project.check(self._paths, on_event=hearing.hear), hearing.failed

    def _show_some(self, files: Sequence[Path], live: Live, hearing: _Hearing) -> None:
        """Show the cards of some files as they are without their audits."""
        result = self._project.check(files, audit=False, on_event=hearing.hear)
        live.publish(self._shower.show_some(result, hearing.failed))

    def _look(self, inputs: Iterable[str]) -> bool:
        """Watch what a result follows from. Returns whether other folders are watched now.

        What changed in them before they were watched has been missed: it is checked once more.
        """
        root = self._project.root
        cards = root / self._project.settings(Problems()).cards
        named = (str(path.absolute()) for path in self._paths)
        self._looked_at = watched(root, cards, [*inputs, *named])
        return self._watcher.look_at(self._looked_at)


class _Hearing:
    """Hears the events of one check: breaks it off if it is out of date, tells how far it is."""

    def __init__(
        self, watcher: Watcher, live: Live, stops_at: frozenset[str] = frozenset()
    ) -> None:
        self._changes = watcher.changes
        self._stops_at = stops_at
        self._live = live
        self._doing = "checking"
        self._total = 0
        self._told = 0.0
        self._running: dict[Place, None] = {}
        self.failed: dict[Problem, Place] = {}
        """The cards that problems were found of."""
        live.tell(Run(self._doing))

    def hear(self, event: Event) -> None:
        """Take an event. Raises _SupersededError; _RunsToComeError where it is to stop."""
        if self._changes:
            raise _SupersededError
        if isinstance(event, Executing) and self._doing in self._stops_at:
            raise _RunsToComeError(event.cards)
        match event:
            case Executing():
                self._running = dict.fromkeys(card.place for card in event.cards)
                self._total = len(self._running)
                self._tell(at_once=True)
            case CardFailed():
                self.failed.update(dict.fromkeys(event.problems, event.place))
                self._ended(event.place)
            case CardProven() | Audited() if self._running:
                self._ended(event.card.place)
            case Counted():
                self._doing = "auditing" if event.audits else "proving"

    def _ended(self, place: Place) -> None:
        if place in self._running:
            del self._running[place]
            self._tell(at_once=not self._running)

    def _tell(self, *, at_once: bool) -> None:
        if at_once or monotonic() - self._told > _RATE:
            self._told = monotonic()
            running = tuple(map(str, self._running))
            done = self._total - len(running)
            self._live.tell(Run(self._doing if running else "checking", running, done, self._total))
