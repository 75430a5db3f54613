"""The blocks of a file, and those of them that a passage is made of: they are parsed once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from verideck.markdown.new_tokens import copied, made
from verideck.model import Passage
from verideck.problems import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """What of a file's blocks is a passage's."""

    tokens: list[Token]
    """Copies, whose lines are those of the passage, and those of the file that have no lines:
    neither are edited, but a copy is put in their place."""
    problems: list[Problem]
    definitions: tuple[range, ...]


def one_block(passage: Passage) -> Part:
    """Return what a passage is made of that is inline: content without a paragraph around it."""
    inline = made("inline", "", 0, 0)
    inline.content, inline.map, inline.children = passage.text, [0, 1], []
    return Part([inline], [], ())


class FileBlocks:
    """The blocks of a file."""

    def __init__(
        self,
        file: Passage,
        tokens: Sequence[Token],
        links: Mapping[str, Mapping[str, object]],
        problems: Sequence[Problem],
        definitions: Sequence[range],
    ) -> None:
        """Hold the tokens of a file's blocks, those of comments among them, with their places.

        `definitions` are the lines by which links are defined, which have no token.
        """
        self._file = file
        self._lines = file.text.split("\n")
        self._tokens = tokens
        self._links = links
        self._problems = problems
        self._definitions = definitions
        self._at = [
            number
            for number, token in enumerate(tokens)
            if token.level == 0 and token.map and token.nesting >= 0
        ]
        self._starts = [_lines(tokens[number]).start for number in self._at]

    def part(self, passage: Passage) -> Part | None:
        """Return what a passage is made of; None unless it is whole lines, and whole blocks.

        A block depends on nothing that stands before or behind it but on definitions, and these
        are a file's.
        """
        first = self._first_line(passage)
        if first is None:
            return None
        stop = first + passage.text.count("\n") + 1
        begin, end = bisect_left(self._starts, first), bisect_left(self._starts, stop)
        before = _lines(self._tokens[self._at[begin - 1]]).stop if begin else 0
        last = _lines(self._tokens[self._at[end - 1]]).stop if end else 0
        if before > first or any(line.strip() for line in self._lines[stop:last]):
            return None
        if any(
            each.start < edge < each.stop for each in self._definitions for edge in (first, stop)
        ):
            return None
        at = [*self._at, len(self._tokens)]
        tokens = self._tokens[at[begin] : at[end]]
        lines = range(first, stop)
        top = self._file.place.line
        return Part(
            [_moved(token, lines) if token.map else token for token in tokens],
            [each for each in self._problems if each.place.line - top in lines],
            tuple(_less(each, first) for each in self._definitions if each.start in lines),
        )

    def _first_line(self, passage: Passage) -> int | None:
        """The line of the file on which a passage begins that is nothing but lines of it."""
        is_cut = passage.place.column > 1 or any(passage.cuts)
        if passage.inline or is_cut or passage.edits or passage.numbers:
            return None
        if passage.links is not self._links or passage.place.path != self._file.place.path:
            return None
        first = passage.place.line - self._file.place.line
        lines = passage.text.split("\n")
        return first if self._lines[first : first + len(lines)] == lines else None


def _lines(token: Token) -> range:
    return range(*token.map or (0, 0))


def _less(lines: range, first: int) -> range:
    return range(lines.start - first, lines.stop - first)


def _moved(token: Token, lines: range) -> Token:
    """Return a copy of a token whose lines count from that of the passage.

    A list ends behind the blank lines below it, which are not in the passage.
    """
    start, stop = token.map or (0, 0)
    moved = copied(token)
    moved.map = [start - lines.start, min(stop, lines.stop) - lines.start]
    if token.children is not None:
        moved.children = []
    return moved
