"""What a card's process may read: the system, Python, and of the project what is not hidden.

A name that begins with a dot is hidden, with all below it: `.git`, where CI keeps tokens, `.env`,
`.verideck`. Landlock knows only what is allowed, so a folder in which something is hidden is named
by its entries; links are none of them, since a rule would hold for what they lead to.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types", "/etc/passwd",
    "/etc/alternatives", "/var/cache/fontconfig",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems",
    *(f"/proc/self/{name}" for name in (
        "auxv", "cmdline", "comm", "environ", "fd", "fdinfo", "io", "limits", "maps", "oom_score",
        "smaps", "smaps_rollup", "stat", "statm", "status",
    )),
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system", "/sys/kernel/mm/transparent_hugepage",
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
)  # fmt: skip
"""What programs and libraries read; none of it is secret. Of the process itself, not what it is
told of the network, mounts and containers of the machine."""
_FONTS = (".fonts", ".local/share/fonts")


class Readable(NamedTuple):
    """Paths with all that is below them."""

    listed: list[str]
    """Whose folders can be listed."""
    read: list[str]
    """Whose files can be read."""


_FRESH = 1.0
"""Seconds for which it is not looked again: a project may have thousands of folders."""


class _Seen(NamedTuple):
    """What was found of a project."""

    when: float
    beside: tuple[tuple[str, int], ...]
    """Its folders in which something is hidden, with the times of their changes: what comes to lie
    there needs a rule of its own."""
    found: Readable

    def is_fresh(self) -> bool:
        """Whether it need not be looked again."""
        return time.monotonic() - self.when < _FRESH and self.beside == tuple(
            (folder, _changed(folder)) for folder, _ in self.beside
        )


_seen: dict[str, _Seen] = {}
"""By project. A worker looks, and its forks know."""


def readable(root: Path) -> Readable:
    """What can be read in the sandbox of a project, whose folder is `root`.

    What was found a moment before is returned again.
    """
    project = os.path.realpath(root)
    known = _seen.get(project)
    if known is None or not known.is_fresh():
        when, found = time.monotonic(), _found(project)
        folders = {os.path.dirname(each) for each in found.read if _is_in(each, project)}  # noqa: PTH120 - text
        beside = tuple((each, _changed(each)) for each in folders if _is_in(each, project))
        known = _seen[project] = _Seen(when, beside, found)
    return known.found


def _changed(folder: str) -> int:
    """When something came into a folder, or went; 0 if it is gone."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - before each card
    except OSError:
        return 0


def _found(project: str) -> Readable:
    around = _around(project)
    shown = [path for each in around for path in _but(os.path.realpath(each), each, project)]
    return Readable(sorted({*around, project}), sorted({*shown, *visible(project)}))


def reachable(root: Path) -> list[str]:
    """The folders and files in which all is that can be read in the sandbox of a project."""
    project = os.path.realpath(root)
    return [*_around(project), project]


def _around(project: str) -> list[str]:
    return [each for each in _there([*_SYSTEM, *_python(project), *_of_user()]) if each != "/"]


def _python(project: str) -> Iterator[str]:
    """Python's own folders, and those elsewhere that modules are imported from."""
    own = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    yield from own
    for folder in filter(None, sys.path):
        real = os.path.realpath(folder)
        if any(_is_in(real, os.path.realpath(each)) for each in own):
            yield folder
        elif not _is_in(real, project):
            yield from visible(real)


def _of_user() -> Iterator[str]:
    yield from filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    yield from (os.path.expanduser(f"~/{folder}") for folder in _FONTS)  # noqa: PTH111 - there may be no home


def _but(real: str, path: str, project: str) -> Iterator[str]:
    """A path; if the project is below it, what else is below it and not hidden."""
    if not _is_in(project, real):
        yield path
        return
    while real != project:
        yield from (each.path for each in _shown(real) if not _is_in(project, each.path))
        real = f"{real.rstrip('/')}/{project[len(real) :].lstrip('/').partition('/')[0]}"


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _there(paths: list[str]) -> list[str]:
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110 - many, and forked often


def is_hidden(path: str, project: str) -> bool:
    """Whether a file of a project is hidden, or a folder of the project that it is in."""
    return _is_in(path, project) and "/." in path[len(project) :]


def visible(folder: str) -> Iterator[str]:
    """A folder, if nothing in it is hidden; else its files and folders that are not."""
    looked: dict[str, _Looked] = {}
    waiting = [folder]
    for each in waiting:
        looked[each] = _look(each)
        waiting += looked[each].folders
    hiding = (each for each in waiting if looked[each].hides)
    partly = {above for each in hiding for above in _up_to(folder, each)}
    if folder not in partly:
        yield folder
    for each in partly:
        yield from (entry.path for entry in _shown(each) if entry.path not in partly)


def _up_to(folder: str, inner: str) -> Iterator[str]:
    """A folder, and those above it as far as another one."""
    yield inner
    while inner != folder:
        inner = os.path.dirname(inner)  # noqa: PTH120 - text
        yield inner


class _Looked(NamedTuple):
    """What was seen in a folder."""

    stamp: tuple[int, ...]
    folders: tuple[str, ...]
    hides: bool
    """Whether something in it is hidden."""


_looked: dict[str, _Looked] = {}
"""By folder: a worker looks at a project once, and its forks only at what has changed."""


def _look(folder: str) -> _Looked:
    try:
        seen = os.stat(folder)  # noqa: PTH116 - many
    except OSError:
        return _Looked((), (), hides=True)
    stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns)
    known = _looked.get(folder)
    if known is None or known.stamp != stamp:
        entries = list(_entries(folder))
        known = _Looked(
            stamp,
            tuple(each.path for each in _unhidden(entries) if each.is_dir(follow_symlinks=False)),
            hides=not os.access(folder, os.R_OK) or any(each.name[0] == "." for each in entries),
        )
        _looked[folder] = known
    return known


def _shown(folder: str) -> Iterator[os.DirEntry[str]]:
    """The files and folders in a folder that are not hidden."""
    for each in _unhidden(_entries(folder)):
        if each.is_file(follow_symlinks=False) or each.is_dir(follow_symlinks=False):
            yield each


def _unhidden(
    entries: Iterator[os.DirEntry[str]] | list[os.DirEntry[str]],
) -> Iterator[os.DirEntry[str]]:
    return (each for each in entries if each.name[0] != ".")


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:  # it has gone, or cannot be listed
        return
