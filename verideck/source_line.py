"""The line of a file that stands under a problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from verideck.model import Source
from verideck.problems import Problem
from verideck.source.read import SUFFIXES
from verideck.storage.files import Lines, decoded
from verideck.storage.reading import Limit, read, within

_WIDEST = 500
"""Characters of a line that are shown. A line may be a whole text, and have a thousand problems."""

_BLANKS = " \t"


def with_lines(problems: Iterable[Problem], sources: Sequence[Source]) -> Iterator[Problem]:
    """Yield problems with their lines, as far as those are in files that were read.

    Who tells of thousands of them need not read these files once more. A long line is left out: of
    that each problem would hold another part.
    """
    texts = {source.path: source.text for source in sources}
    for path, in_file in groupby(problems, key=lambda problem: problem.place.path):
        lines = Lines(texts.get(path, ""))
        for number, in_line in groupby(in_file, key=lambda problem: problem.place.line):
            line = lines.at(number) or ""
            shown = line.rstrip(_BLANKS) if len(line) <= _WIDEST else ""
            yield from (replace(each, line=shown) if shown else each for each in in_line)


def source_line(problem: Problem, root: Path) -> str:
    """Return the line of a problem, with bytes that are not UTF-8 replaced; empty if there is none.

    The file is the project's, or Markdown that the caller has named. Of a long line, what stands
    around the place is returned, between `…`.
    """
    place = problem.place
    if problem.line:
        return problem.line
    file = root / place.path
    inside = within(file, root)
    if not inside and file.suffix.lower() not in SUFFIXES:
        return ""
    try:
        status = file.stat()
        lines = _lines(file, inside, (status.st_mtime_ns, status.st_size, status.st_ino))
    except (OSError, ValueError):
        return ""
    return _around(lines.at(place.line) or "", place.column - 1).rstrip(_BLANKS)


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
