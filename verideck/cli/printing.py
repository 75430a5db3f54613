"""The one door through which all goes that is printed: inert, and never lost without a word.

A standard stream that is closed or full is told on the other one, and the command then never ends
with 0, which would say that all holds.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TextIO

from verideck import inert

UNTOLD = 2
"""The exit code where what was found could not be told: the caller gave no place for it."""
BROKEN_PIPE = 1
"""The exit code where the reader has gone, and wants no word of it."""
_STANDARD = 3
"""How many standard streams there are."""


class _Lost:
    """Whether something was to be told on standard error that could not be."""

    is_so = False


def hold_standard_streams() -> None:
    """Open the null device for each standard stream that is closed.

    The next file to be opened would get its descriptor, and what is meant for the stream. Python
    has no stream object then, which is how it is known.
    """
    try:
        while (opened := os.open(os.devnull, os.O_RDWR)) < _STANDARD:
            os.set_inheritable(opened, True)  # noqa: FBT003 - as standard streams are
        os.close(opened)
    except OSError:  # no such device here
        return


def out(text: str) -> None:
    """Print lines to standard output."""
    _to_stdout(inert.lines(text))


def command(text: str) -> None:
    """Print a line that a build server is to obey. What is the project's in it is escaped."""
    _to_stdout(inert.data(text))


def document(json: str) -> None:
    """Print a JSON document. Its strings are in ASCII, so that no character acts or is lost.

    A log in which it is printed may be read by a build server, which obeys `##[…]` anywhere.
    """
    assert json.isascii()
    _to_stdout(json.replace("\x7f", "\\u007f").replace("##", "#\\u0023"))


def markup(xml: str) -> None:
    """Print an XML document in ASCII, in which no `##[…]` is left for a build server to obey."""
    assert xml.isascii()
    _to_stdout(xml.replace("##", "#&#35;"))


def err(text: str) -> None:
    """Print lines to standard error. What is lost there is remembered for the exit code."""
    _Lost.is_so = not _written(sys.stderr, inert.lines(text)) or _Lost.is_so


def painted(text: str) -> None:
    """Print lines to a terminal whose colours are ours, and whose text is inert already."""
    _Lost.is_so = not _written(sys.stderr, text) or _Lost.is_so


def passing(text: str) -> None:
    """Print a line of progress to standard error, where that is possible."""
    _written(sys.stderr, inert.line(text))


def added(file: Path, text: str) -> None:
    """Add lines to the end of a file that the caller named. Raises OSError where that fails."""
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


def ended(code: int) -> int:
    """Return the exit code of a command that ends with one: what was not told does not hold."""
    return UNTOLD if code == 0 and _Lost.is_so else code


def _to_stdout(text: str) -> None:
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        err(f"Error: standard output cannot be written: {error.strerror or error}")
        sys.exit(UNTOLD)


def _written(stream: TextIO | None, text: str) -> bool:
    try:
        _write(stream, text)
    except OSError:
        return False
    return True


def _write(stream: TextIO | None, text: str) -> None:
    """Write lines to a stream, at once. Raises OSError if it is closed, full or gone."""
    if stream is None:
        raise OSError(errno.EBADF, "it is closed")
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except OSError:
        _discard(stream)
        raise


def _discard(stream: TextIO) -> None:
    """Let what is left in a stream's buffer go to the null device: Python flushes it at the end."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return
