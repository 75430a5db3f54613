"""The commands that go on until Ctrl-C: what they print, and what they are made of."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from errno import EADDRINUSE
from functools import partial
from pathlib import Path
from socket import socket

from verideck.cli import printing, report
from verideck.history.changes import describe
from verideck.history.lock import NAME
from verideck.model import ChangeKind
from verideck.preview import editor as editors
from verideck.preview.doorkeeper import Doorkeeper, is_loopback
from verideck.preview.live import Live
from verideck.preview.server import Act, Powers, Server
from verideck.preview.serving import Serving, bound
from verideck.preview.session import Session
from verideck.preview.watch import MOST_FOLDERS, Watched, Watcher
from verideck.problems import BuildFailedError, Problem, Problems, has_errors
from verideck.project import Project
from verideck.result import Built, Result
from verideck.targets import target_of
from verideck.targets.target import AnkiTarget


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served."""

    host: str
    port: int
    """0 is any."""


@dataclass(frozen=True, slots=True)
class May:
    """What the page may do, for the caller has said so."""

    editor: str = ""
    """By its link, an editor is opened at a card's source."""
    acts: Mapping[str, Act] = field(default_factory=dict)


def preview(
    project: Project, paths: Sequence[Path], address: Address, may: May, *, opens: bool
) -> None:
    """Serve the page until Ctrl-C.

    Raises ValueError for an unknown editor, and for a page that others could push by; OSError for a
    port.
    """
    if may.editor and may.editor not in editors.LINKS:
        raise ValueError(f"--editor knows {', '.join(editors.LINKS)}, and not {may.editor}")
    if may.acts and not is_loopback(address.host):
        raise ValueError("--push is for a page that this machine alone can reach: see --host")
    at = _bound(address)
    port = at.getsockname()[1]
    door = Doorkeeper(address.host, port, acts=bool(may.acts))
    live = Live()
    watcher = Watcher(project.root, _written(project))
    session = Session(project, paths, watcher, live)
    open_at = partial(editors.opened, project.root) if door.is_local else None
    powers = Powers(editors.LINKS.get(may.editor, ""), open_at, may.acts, session.ask)
    server = Server(live, door, powers)
    live.wake = server.wake
    serving = Serving(server.app(), at)
    try:
        url = _url(address.host, port, door.token)
        printing.out(f"{url}  (Ctrl-C ends it)")
        if opens:
            webbrowser.open(url)
        with watcher:
            told = _Told()
            session.run(told.checked)
    finally:
        live.close()
        serving.stop()


def watch(
    project: Project,
    paths: Sequence[Path],
    output: Callable[[], Path],
    *,
    push: Callable[[Path, Result], str] | None = None,
) -> None:
    """Build on every save until Ctrl-C, and push what was built; what `push` returns is told.

    The settings may name another `output` with any save.
    """
    with Watcher(project.root, _written(project) | {project.root / NAME}) as watcher:
        told = _Told()

        def build(result: Result, watched: Watched) -> None:
            told.watched(watched)
            if has_errors(result.problems):
                told.refused(result.problems, project.root)
                return
            file = output()
            watcher.written |= {file.absolute()}
            is_package = isinstance(target_of(file), AnkiTarget)
            try:
                built = (project.build if is_package else project.show)(result, file)
            except BuildFailedError as failure:
                told.refused(failure.problems, project.root)
            else:
                told.built(result, built, project.root)
                if push and is_package and (said := push(file, result)):
                    printing.out(said)

        Session(project, paths, watcher).run(build)


class _Told:
    """Prints what each check and each build came to; what it has said of a problem, once."""

    def __init__(self) -> None:
        self._problems: frozenset[Problem] = frozenset()
        self._is_first = True
        self._watched: Watched | None = None
        self._is_again = False
        """Whether the files are only looked at once more, as other folders are watched now."""
        self._is_refused = False
        self._written = ""
        """Which file was written last, and what it holds."""

    def checked(self, result: Result, watched: Watched) -> None:
        """Tell in a line what the page shows."""
        self.watched(watched)
        printing.out(f"{_clock()} {report.format_checked(result)}")
        self._is_first = False

    def watched(self, watched: Watched) -> None:
        """Take what is watched now. Tells, once, that this is not all of a project."""
        self._is_again = self._watched not in {None, watched}
        self._watched = watched
        if self._is_first and not watched.is_all:
            printing.err(
                f"this project has more than {MOST_FOLDERS:,} folders: watched are those of the "
                "cards, and those that cards read from"
            )

    def built(self, result: Result, built: Built, root: Path) -> None:
        """Tell what became of each card; of the first build, its summary."""
        problems = [*result.problems, *built.problems]
        self.problems(problems, root)
        written = report.format_written(built, root)
        changes = [each for each in built.changes if each.kind is not ChangeKind.UNTOUCHED]
        if self._is_first:
            printing.out(report.format_summary(result.stats, problems, built, root))
        elif changes:
            for each in changes:
                printing.out(f"{_clock()} {describe(each)}")
        elif written != self._written:
            printing.out(f"{_clock()} {written}")
        elif self._is_refused:
            printing.out(f"{_clock()} it is built again; nothing changed")
        elif not self._is_again:
            printing.out(f"{_clock()} nothing changed")
        self._is_first, self._is_refused, self._written = False, False, written

    def refused(self, problems: Sequence[Problem], root: Path) -> None:
        """Tell why nothing was built."""
        is_known = self._is_again and self._is_refused and self._problems == frozenset(problems)
        self.problems(problems, root)
        if not is_known:
            printing.err(f"{_clock()} nothing was built: {report.format_count(problems)}")
        self._is_first, self._is_refused = False, True

    def problems(self, problems: Sequence[Problem], root: Path) -> None:
        """Tell the problems that were not there before."""
        for each in sorted(problems, key=lambda problem: problem.place):
            if each not in self._problems:
                printing.err(report.format_problem(each, root))
        self._problems = frozenset(problems)


def _bound(address: Address) -> socket:
    """Return a socket that listens at an address. Raises OSError that names it."""
    try:
        return bound(address.host, address.port)
    except OSError as error:
        where = f"{address.host}:{address.port}"
        wish = "--port 0 takes any that is free" if error.errno == EADDRINUSE else "see --host"
        why = (error.strerror or str(error)).lower()
        raise OSError(f"{where} cannot be listened at: {why}; {wish}") from error


def _written(project: Project) -> frozenset[Path]:
    """The package that a build writes: it is no reason to check again."""
    settings = project.settings(Problems())
    return frozenset({project.root / settings.output})


def _url(host: str, port: int, token: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/{f'?token={token}' if token else ''}"


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
