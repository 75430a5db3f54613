"""The line of a file that stands under a problem."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from verideck.model import Place
from verideck.source.read import SUFFIXES
from verideck.storage.files import Lines, decoded
from verideck.storage.reading import Limit, read, within

_WIDEST = 500
"""Characters of a line that are shown. A line may be a whole text, and have a thousand problems."""


def source_line(place: Place, root: Path) -> str:
    """Return the line of a place, with bytes that are not UTF-8 replaced; empty if there is none.

    The file is the project's, or Markdown that the caller has named. Of a long line, what stands
    around the place is returned, between `…`.
    """
    file = root / place.path
    inside = within(file, root)
    if not inside and file.suffix.lower() not in SUFFIXES:
        return ""
    try:
        status = file.stat()
        lines = _lines(file, inside, (status.st_mtime_ns, status.st_size, status.st_ino))
    except (OSError, ValueError):
        return ""
    return _around(lines.at(place.line) or "", place.column - 1).rstrip(" \t")


@lru_cache(maxsize=8)
def _lines(file: Path, inside: tuple[Path, ...], stamp: tuple[int, ...]) -> Lines:
    """The lines of a file, which is read once for all its problems: `stamp` tells when it changes.

    Raises OSError.
    """
    del stamp
    return Lines(decoded(read(file, Limit.TEXT, inside), errors="replace"))


def _around(line: str, column: int) -> str:
    if len(line) <= _WIDEST:
        return line
    first = max(0, min(column - _WIDEST // 4, len(line) - _WIDEST))
    last = first + _WIDEST
    return f"{'…' if first else ''}{line[first:last]}{'…' if last < len(line) else ''}"
