"""Which files of a project are watched, and what has changed in them.

Folders are watched, not files: editors replace a file by another one, and what is missing now may
come. A folder is watched by itself, without those in it, so that no `node_modules` is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Self

from watchfiles import watch

from verideck.problems import CallerError
from verideck.result import Result
from verideck.storage.files import is_inside
from verideck.storage.kept import FOLDER

MOST_FOLDERS = 5_000
"""A project with more has only those watched that its cards follow from."""
_ALIEN = frozenset({"node_modules", "__pycache__", "site-packages"})
"""Folders of other tools, which hold thousands."""
_OF_AN_ENVIRONMENT = "pyvenv.cfg"
_STEP = 20
"""Milliseconds without a further change, after which changes are told."""
_AT_MOST = 200
"""Milliseconds after which they are told though more may come."""


Task = Callable[[Result], None]
"""What is to be done with the result of the files as they are."""


class Changes:
    """The files that have changed since they were last asked for, and what is to be done then.

    Threads may share it.
    """

    def __init__(self) -> None:
        """Nothing has changed."""
        self.heard: Callable[[], None] = lambda: None
        """Called after each change, in the thread that found it."""
        self._paths: set[str] = set()
        self._tasks: list[Task] = []
        self._condition = Condition()
        self._failed = ""

    def add(self, paths: Iterable[str]) -> None:
        """These have changed."""
        with self._condition:
            self._paths.update(paths)
            self._condition.notify_all()
        self.heard()

    def ask(self, task: Task) -> None:
        """Have something done, when no file has changed that was not checked."""
        with self._condition:
            self._tasks.append(task)
            self._condition.notify_all()

    def fail(self, why: str) -> None:
        """No change will be told any more."""
        with self._condition:
            self._failed = why
            self._condition.notify_all()

    def __bool__(self) -> bool:
        """Whether any file has changed."""
        return bool(self._paths)

    def taken(self) -> frozenset[str]:
        """Return the files, and forget them."""
        with self._condition:
            taken, self._paths = frozenset(self._paths), set()
        return taken

    def tasks(self) -> list[Task]:
        """Return what is to be done, and forget it."""
        with self._condition:
            taken, self._tasks = self._tasks, []
        return taken

    def wait(self) -> None:
        """Return when a file has changed, or something is to be done. Ctrl-C is heard.

        Raises CallerError where the system watches nothing.
        """
        with self._condition:
            while not (self._paths or self._tasks):
                if self._failed:
                    raise CallerError(f"the project cannot be watched: {self._failed}")
                self._condition.wait(1.0)  # without a limit, Windows would not hear Ctrl-C


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched."""

    folders: frozenset[Path]
    is_all: bool = True
    """Whether these are all folders of the project; see `MOST_FOLDERS`."""


def watched(root: Path, cards: Path, inputs: Iterable[str]) -> Watched:
    """The folders of a project that cards may follow from: its own, and those of its inputs.

    None outside of it, whatever its settings name: that may be the whole disk.
    """
    of_inputs = {(root / each).parent for each in inputs}
    of_cards = {_there(each) for each in of_inputs if is_inside(each, root)}
    if is_inside(cards, root):
        of_cards |= {*_folders(cards)}
    folders, is_all = set[Path](), True
    for each in _folders(root):
        folders.add(each)
        if len(folders) > MOST_FOLDERS:
            folders, is_all = set(), False
            break
    return Watched(frozenset(filter(_is_text, {root, *folders, *of_cards})), is_all)


def _is_text(folder: Path) -> bool:
    """Whether a folder's name is text. Another one holds no cards, and cannot be watched."""
    try:
        os.fspath(folder).encode()
    except UnicodeEncodeError:
        return False
    return True


def _folders(top: Path) -> Iterator[Path]:
    """A folder and those below it that may hold something of an author's."""
    for path, names, files in os.walk(top):
        if _OF_AN_ENVIRONMENT in files and Path(path) != top:
            names.clear()
            continue
        names[:] = [each for each in names if not each.startswith(".") and each not in _ALIEN]
        yield Path(path)


def _there(folder: Path) -> Path:
    """A folder, or the nearest one above it that exists."""
    while not folder.is_dir() and folder.parent != folder:
        folder = folder.parent
    return folder


def may_matter(path: Path, root: Path, written: frozenset[Path]) -> bool:
    """Whether a card may follow from a file: not what verideck or an editor keeps for itself."""
    if path in written or path.name.endswith(("~", ".pyc", ".tmp")) or path.name == "4913":
        return False
    below = path.relative_to(root).parts if path.is_relative_to(root) else (path.name,)
    return not any(part.startswith(".") or part in {FOLDER, *_ALIEN} for part in below)


@dataclass
class Watcher:
    """Watches a project. What changes is added to `changes`, from a thread of its own."""

    root: Path
    written: frozenset[Path]
    """The files that verideck itself writes."""
    changes: Changes = field(default_factory=Changes)
    _now: Watched = field(default_factory=lambda: Watched(frozenset()))
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def look_at(self, now: Watched) -> bool:
        """Watch these folders from now on. Returns whether they are others than before."""
        if now == self._now:
            return False
        self.close()
        self._now, self._stop = now, Event()
        started = Event()
        self._thread = Thread(
            target=self._watch, args=(now.folders, self._stop, started), daemon=True
        )
        self._thread.start()
        started.wait(5.0)
        return True

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread:
            self._thread.join(5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _watch(self, folders: frozenset[Path], stop: Event, started: Event) -> None:
        try:
            self._tell(folders, stop, started)
        except (OSError, ValueError) as error:  # as many folders are watched as the system allows
            self.changes.fail(str(error))
        finally:
            started.set()

    def _tell(self, folders: frozenset[Path], stop: Event, started: Event) -> None:
        found = watch(
            *sorted(folders),
            watch_filter=lambda _, path: may_matter(Path(path), self.root, self.written),
            debounce=_AT_MOST,
            step=_STEP,
            stop_event=stop,
            rust_timeout=200,
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )
        for changes in found:
            started.set()
            if changes:
                self.changes.add(path for _, path in changes)
