"""Files beside the note: a card reads them by a path relative to its Markdown file.

A card works in a folder of its own, so that nothing it writes gets into the project. What it names
there, and what the note's folder has under that name, is put there just before: when a text of the
card's code names it, and when it is opened or listed.

In the sandbox, where nothing can be written through a link, a file is put there as a link, which
becomes a copy when it is opened to be written. Without a sandbox it is a copy from the beginning.
"""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_CHANGES = frozenset(
    {"os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr"}
)
_LISTS = frozenset({"os.listdir", "os.scandir", "os.chdir"})
_TAKES = MappingProxyType({"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2})
"""Events after which names are the card's, with how many names they have."""
HEARD = {"open", "sqlite3.connect", *_CHANGES, *_LISTS, *_TAKES}
"""The audit events that may name something beside the note."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ANEW = os.O_TRUNC | os.O_EXCL
_LONGEST = 255
"""Characters of a text that may be a name."""
_DEEPEST = 1000
"""Characters of a name that is looked for: a card may make folders without end."""


class Beside:
    """Puts what a note's folder holds into the folder that its card works in."""

    def __init__(
        self,
        folder: Path,
        root: Path,
        hidden: str,
        *,
        links: bool,
        on_read: Callable[[Path], None],
    ) -> None:
        """Take the note's folder and the project's, which this process can read.

        The card works in this process's current folder. `hidden` is the name of a folder that no
        card is offered. `on_read` is called with each file and folder of the project that the card
        is offered, or looks for in vain.
        """
        self._folder = os.path.realpath(folder)
        self._root = os.path.realpath(root)
        self._hidden = hidden
        self._work = os.path.realpath(os.curdir)
        self._links = links
        self._on_read = on_read
        self._taken: set[str] = set()
        """Names that are the card's, with all below them: each is offered once."""
        self._made: set[str] = set()
        """Folders that were made for what is below them."""
        self._put: set[str] = set()
        """Links and copies of ours: the card has not written into them."""
        self._listed: set[str] = set()
        self._busy = threading.local()

    def offer_named(self, code: str) -> None:
        """Offer what the texts of a step name: not all that looks for a file is heard."""
        if not any(quote in code for quote in "\"'"):
            return
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            tree = ast.parse(code)
            with self._at_work():
                for node in ast.walk(tree):
                    match node:
                        case ast.Constant(value=str(text)) if 0 < len(text) <= _LONGEST:
                            name = self._name(text)
                            if name and self._is_there(name):
                                self._offer(name)

    def hear(self, event: str, arguments: Sequence[object]) -> None:
        """Offer what an audit event is about to read, and leave to the card what it changes."""
        if not getattr(self._busy, "now", False):  # else it is what we do ourselves
            with self._at_work():
                self._heed(event, arguments)

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        self._busy.now = True
        try:
            yield
        finally:
            self._busy.now = False

    def _heed(self, event: str, arguments: Sequence[object]) -> None:
        if event in _TAKES:
            if arguments[-1] in (None, -1):  # no name is relative to a descriptor
                self._give(event, [self._name(path) for path in arguments[: _TAKES[event]]])
            return
        path, writes, anew = arguments[0], event in _CHANGES, False
        if event == "sqlite3.connect":
            path, writes = _of_database(path)
        elif event == "open" and isinstance(flags := arguments[2], int):
            writes, anew = bool(flags & _WRITES), bool(flags & _ANEW)
        name = self._name(path)
        if not name:
            return
        if anew:
            self._leave(name)
            return
        self._offer(name)
        if event in _LISTS:
            self._list(name)
        if writes:
            self._own(name)

    def _name(self, path: object) -> str:
        """The name of something in the card's folder, relative to it; else empty."""
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str | os.PathLike):
            return ""
        text = os.fspath(path)
        if not isinstance(text, str) or "\0" in text:
            return ""
        try:
            name = os.path.normpath(os.path.join(_current_folder(), text))  # noqa: PTH118 - often
        except OSError:  # the current folder is gone, or too deep
            return ""
        work = f"{self._work}{os.sep}"
        inside = name.startswith(work) and len(name) <= len(work) + _DEEPEST
        return name.removeprefix(work) if inside else ""

    def _is_there(self, name: str) -> bool:
        """Whether the note's folder has something of the project under a name."""
        real = os.path.realpath(f"{self._folder}{os.sep}{name}")
        hidden = f"{self._root}{os.sep}{self._hidden}{os.sep}"
        return (
            real.startswith(f"{self._root}{os.sep}")
            and not f"{real}{os.sep}".startswith(hidden)
            and os.path.exists(real)  # noqa: PTH110 - asked for every text of a card
        )

    def _offer(self, name: str, *, listed: bool = False) -> None:
        """Put something there, unless the card has something else there."""
        source, target = Path(self._folder, name), Path(self._work, name)
        if os.path.lexists(target) or not self._taken.isdisjoint((name, *_above(name))):
            return
        if not self._is_there(name):
            self._on_read(source)
            return
        is_folder = source.is_dir()
        for each in reversed([name, *_above(name)] if is_folder else [*_above(name)]):
            with contextlib.suppress(FileExistsError):
                Path(self._work, each).mkdir()
                self._made.add(each)
        if is_folder:
            return
        if not (listed and self._links):  # that a link is opened is heard
            self._on_read(source.resolve())
        self._taken.add(name)
        with contextlib.suppress(FileExistsError):  # another thread was as fast
            if self._links:
                target.symlink_to(source.resolve())
            elif source.is_file():
                shutil.copyfile(source, target)
            self._put.add(name)

    def _list(self, name: str) -> None:
        """Offer all that a folder beside the note holds."""
        source = Path(self._folder, name)
        if name in self._made and name not in self._listed and source.is_dir():
            self._listed.add(name)
            self._on_read(source.resolve())
            for each in sorted(source.iterdir()):
                inner = f"{name}{os.sep}{each.name}"
                if self._is_there(inner):
                    self._offer(inner, listed=True)

    def _own(self, name: str) -> None:
        """Turn a link into a copy: it is about to be written."""
        target = Path(self._work, name)
        if name in self._put and target.is_symlink():
            source = target.resolve()
            target.unlink()
            shutil.copyfile(source, target)
        self._put.discard(name)

    def _leave(self, name: str) -> None:
        """Leave a name to the card, which is about to make a file of its own there."""
        above = os.path.dirname(name)  # noqa: PTH120 - text
        if above and self._is_there(above):
            self._offer(above)
        if name in self._put:
            Path(self._work, name).unlink(missing_ok=True)
        self._put.discard(name)
        self._taken.add(name)

    def _give(self, event: str, names: Sequence[str]) -> None:
        """Leave names to the card, which makes a folder there, moves or removes what is there."""
        if event == "os.mkdir" and self._made.intersection(names):
            shutil.rmtree(Path(self._work, names[0]), ignore_errors=True)
        moved = event == "os.rename" and names[0] in self._put
        self._made.difference_update(names)
        self._put.difference_update(names)
        self._put.update(names[1:] if moved else ())
        self._taken.update(filter(None, names))


def _current_folder() -> str:
    """The current folder. Linux's C library takes minutes to find one that is a thousand deep."""
    return os.readlink("/proc/self/cwd") if sys.platform == "linux" else os.getcwd()  # noqa: PTH109, PTH115


def _above(name: str) -> Iterator[str]:
    """The folders above a name, the nearest first."""
    while name := os.path.dirname(name):  # noqa: PTH120 - text
        yield name


def _of_database(path: object) -> tuple[object, bool]:
    """The file of a database, which may be a URI, and whether it can be written."""
    text = os.fsdecode(path) if isinstance(path, bytes) else path
    if isinstance(text, str) and text.startswith("file:"):
        name, _, options = text.removeprefix("file:").partition("?")
        return name, "mode=ro" not in options
    return text, True
