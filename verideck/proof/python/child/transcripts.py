"""Reads a session: its examples, each with what it prints, in Python's form or in IPython's.

The parser of doctest reads the first form, and the options of both. A line that belongs to no
example is an error here: doctest passes it over.
"""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_IN = re.compile(r"(?P<prompt>[ \t]*In \[\d+\]: ?)(?P<code>.*)")
_CONTINUED = re.compile(r"[ \t]*\.{3,}: ?(?P<code>.*)")
_OUT = re.compile(r"[ \t]*Out\[\d+\]: ?(?P<text>.*)")
_CONTINUATION = re.compile(r"[ \t]*\.\.\.(?: |$)")
_PYTHON_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?: |$)")
_COMMENT = re.compile(r"[ \t]*(?:#.*)?$")
_TRACEBACK = re.compile(r"^.*Traceback \(most recent call last\)", re.MULTILINE)
_FAULT = re.compile(r"line (\d+) of the doc(?:test|string) for .*? ((?:has|lacks) .*)", re.DOTALL)
"""What doctest's parser says of a line that it cannot read."""


class TranscriptError(Exception):
    """A line of a session cannot be read."""

    def __init__(self, line: int, message: str, hint: str = "") -> None:
        """Name the line, counted from 0."""
        super().__init__(message)
        self.line, self.hint = line, hint


@dataclass(frozen=True, slots=True)
class Example:
    """Code, and what it prints."""

    source: str
    want: str
    raises: str
    """The expected exception, as `Type: text`; empty if none is expected."""
    line: int
    """Of the code, counted from 0 in the session."""
    column: int
    """How many characters stand before the code in its line."""
    options: dict[int, bool]
    below: int
    """The line at which its expected text begins, or would."""
    is_cell: bool = False
    """Whether it is one of IPython's: only a last expression is shown, and none before a `;`."""

    def has(self, option: int) -> bool:
        """Whether its comment turns one of doctest's options on."""
        return self.options.get(option, False)

    @property
    def flags(self) -> int:
        """The options for the comparison. `1` does not stand for `True`."""
        flags = doctest.DONT_ACCEPT_TRUE_FOR_1
        flags |= doctest.NORMALIZE_WHITESPACE if self.is_cell else 0  # IPython breaks long values
        for option, is_on in self.options.items():
            flags = flags | option if is_on else flags & ~option
        return flags


def examples(session: str) -> list[Example]:
    """The examples of a session. Raises TranscriptError at a line that cannot be read."""
    first = next((line for line in session.split("\n") if not _COMMENT.match(line)), "")
    return list(_cells(session) if _IN.match(first) else _interactions(session))


def _interactions(session: str) -> Iterator[Example]:
    """The examples of a session with Python's prompts."""
    lines = session.split("\n")
    covered: set[int] = set()
    read = _read_by_doctest(session)
    for each in read:
        below = each.lineno + 1
        while below < len(lines) and _CONTINUATION.match(lines[below]):
            below += 1
        covered |= {*range(below, below + each.want.count("\n"))}
        column = lines[each.lineno].index(">>>") + len(">>> ")
        yield Example(
            each.source,
            each.want,
            each.exc_msg or "",
            each.lineno,
            column,
            each.options,
            below=below,
        )
    hint = "a blank line that is printed is written <BLANKLINE>"
    if not read:
        hint = "code of a session stands behind >>>"
    for number, line in enumerate(lines):
        if number not in covered and not (_COMMENT.match(line) or _PYTHON_PROMPT.match(line)):
            raise _stray(number, hint)


def _stray(number: int, hint: str) -> TranscriptError:
    return TranscriptError(number, "this line belongs to no example of the session", hint)


def _read_by_doctest(text: str) -> list[doctest.Example]:
    try:
        return doctest.DocTestParser().get_examples(text)
    except ValueError as error:
        found = _FAULT.search(str(error))
        if not found:
            raise TranscriptError(0, str(error)) from error
        what, hint = f"this line {found[2]}", ""
        if "invalid option" in what:
            hint = f"known are {', '.join(sorted(doctest.OPTIONFLAGS_BY_NAME))}"
        elif "lacks blank" in what:
            what = "this line lacks a blank behind its prompt"
        raise TranscriptError(int(found[1]) - 1, what, hint) from error


def _cells(session: str) -> Iterator[Example]:
    """The examples of a session with IPython's prompts."""
    lines = session.split("\n")
    number = 0
    while number < len(lines):
        opening = _IN.match(lines[number])
        if not opening:
            if not _COMMENT.match(lines[number]):
                raise _stray(number, "a cell begins with In [1]:")
            number += 1
            continue
        start, code = number, [opening["code"]]
        number += 1
        while number < len(lines) and (more := _CONTINUED.match(lines[number])):
            code.append(more["code"])
            number += 1
        below = number
        while number < len(lines) and not _IN.match(lines[number]):
            number += 1
        yield from _cell(start, len(opening["prompt"]), code, lines[below:number])


def _cell(start: int, column: int, code: list[str], printed: list[str]) -> Iterator[Example]:
    """The example of one cell; none if it holds no code."""
    doctested = ">>> " + "\n... ".join(code)
    try:
        read = _read_by_doctest(doctested)
    except TranscriptError as error:
        raise TranscriptError(start + error.line, str(error), error.hint) from error
    shown = [line["text"] if (line := _OUT.match(each)) else each for each in printed]
    blank = next((number for number, line in enumerate(shown) if line.strip()), len(shown))
    want = "\n".join(shown).strip("\n")
    if want and not read:
        raise _stray(start + len(code) + blank, "only code prints")
    below = start + len(code) + (blank if want else 0)
    source, want = "\n".join(code) + "\n", f"{want}\n" if want else ""
    raises = want.rstrip("\n").rpartition("\n")[2] + "\n" if _TRACEBACK.search(want) else ""
    for each in read:
        yield Example(source, want, raises, start, column, each.options, below=below, is_cell=True)
