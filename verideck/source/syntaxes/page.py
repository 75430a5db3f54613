"""The types that syntaxes share: the page that they read, and the cards that they return."""

from __future__ import annotations

import copy
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from verideck import markdown
from verideck.markdown import Token
from verideck.model import Passage, Place, Source
from verideck.problems import Code, Problem
from verideck.source.front_matter import FrontMatter

TAB = 4
_DEEPER_THAN_ANY_LIST = " " * 100
_UNDERLINE = re.compile(r"[ \t]*[-=:|][-=:| \t]*$")
LISTS = {"bullet_list_open", "ordered_list_open"}
"""The types of the blocks that are lists."""


@dataclass(frozen=True, slots=True)
class RawCard:
    """A question and its answer as passages of a file."""

    question: Passage
    answer: Passage | None
    titles: tuple[str, ...]
    """The headings above the card, outermost first: parts of the deck's name."""
    lines: range
    """The lines of the file that belong to the card, counted from 0."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The cards that a syntax finds on a page."""

    cards: tuple[RawCard, ...]
    is_certain: bool = True
    """False if an underlined text may not have been meant as a heading."""
    is_empty: bool = False
    """Whether nothing on the page is meant as a card, not even an incomplete one."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block at the top level of a page."""

    tokens: tuple[Token, ...]
    """From the opening token to the closing token."""
    start: int
    """Its first line, counted from 0."""
    stop: int
    """The line behind its last line."""

    @property
    def type(self) -> str:
        """The opening token's type."""
        return self.tokens[0].type

    @property
    def content(self) -> str:
        """The inline Markdown of a paragraph or a heading."""
        return self.tokens[1].content

    @property
    def heading_level(self) -> int:
        """1 to 6 for a heading, 0 for other blocks."""
        return int(self.tokens[0].tag[1]) if self.type == "heading_open" else 0

    @property
    def is_underlined(self) -> bool:
        """Whether it is a heading by a line of dashes or equals signs below it."""
        return self.type == "heading_open" and not self.tokens[0].markup.startswith("#")


class Page:
    """A parsed file: its blocks, and its lines to cut passages from."""

    def __init__(self, source: Source, meta: FrontMatter, body: str) -> None:
        """Parse the body: the file's text with its front matter replaced by blank lines."""
        self.source = source
        self.meta = meta
        self.lines = body.split("\n")
        self.whole = Passage(body, Place(source.path))
        parsed = markdown.blocks(self.whole)
        self.links = parsed.links
        self.tokens = parsed.tokens
        self.blocks = tuple(_blocks(parsed.tokens))
        self.problems = tuple(each for each in parsed.problems if each.code is Code.FENCE_UNCLOSED)
        """Fences that are not closed: they swallow all cards below them."""

    def without(self, lines: Container[int]) -> Page:
        """Return a copy of the page without the blocks that begin on these lines."""
        rest = copy.copy(self)
        rest.blocks = tuple(block for block in self.blocks if block.start not in lines)
        return rest

    def place(self, line: int, column: int = 0) -> Place:
        """Return the place of a line and a column that are counted from 0."""
        return Place(self.source.path, line + 1, column + 1)

    def underlined(self, block: Block, hint: str) -> Problem:
        """Return the problem of an underlined text that was hardly meant as a heading."""
        return Problem(
            Code.HEADING_UNDERLINED,
            f"{self.lines[block.stop - 1].strip()} makes a heading of the line above it",
            self.place(block.stop - 1),
            hint,
        )

    def inline(self, content: str, line: int) -> Passage:
        """Return the inline content of a block that begins on a line, as a passage."""
        line = markdown.first_line(content, self.lines, line)
        below = self.lines[line:]
        cuts = tuple(map(_cut, below, content.split("\n")))
        return Passage(content, self.place(line, cuts[0]), cuts, inline=True, links=self.links)

    def passage(self, start: int, stop: int, indent: int = 0) -> Passage | None:
        """Return the lines from `start` to before `stop` as a passage; None if all are blank.

        Blank lines at its start and its end are cut off, and `indent` columns of white space in
        front of each line.
        """
        while start < stop and not self.lines[start].strip():
            start += 1
        while start < stop and not self.lines[stop - 1].strip():
            stop -= 1
        if start == stop:
            return None
        whole = self.lines[start:stop]
        lines = [dedent(line, indent) for line in whole]
        cuts = tuple(len(line) - len(cut) for line, cut in zip(whole, lines, strict=True))
        first = self.place(start, max(cuts[0], 0))
        return Passage("\n".join(lines), first, cuts, links=self.links)


def _cut(whole: str, rest: str) -> int:
    """Return how many characters were cut off in front of a line.

    The result is negative if a tab became more spaces than were cut off.
    """
    text = rest.lstrip()
    return max(whole.find(text), 0) - (len(rest) - len(text))


def dedent(line: str, columns: int) -> str:
    """Return a line without white space up to a column. A tab beyond it leaves spaces behind.

    A line with less white space continues the paragraph above it (CommonMark's lazy continuation).
    It is indented if it would otherwise underline a heading or a table there.
    """
    column = position = 0
    while column < columns and line[position : position + 1] in {" ", "\t"}:
        column += TAB - column % TAB if line[position] == "\t" else 1
        position += 1
    if column < columns and _UNDERLINE.match(line):
        return _DEEPER_THAN_ANY_LIST + line[position:]
    return " " * (column - columns) + line[position:]


class Titles:
    """The headings above the current block, while a syntax walks down a page."""

    def __init__(self, page: Page) -> None:
        """Begin at the top of the page, with no headings."""
        self._page = page
        self._by_level: dict[int, str] = {}

    def enter(self, block: Block) -> None:
        """Add a heading. It replaces those of its own level and of deeper ones."""
        level = block.heading_level
        self._by_level = {k: v for k, v in self._by_level.items() if k < level}
        self._by_level[level] = _title(self._page.inline(block.content, block.start))

    @property
    def names(self) -> tuple[str, ...]:
        """The names, outermost first."""
        return tuple(name for _, name in sorted(self._by_level.items()) if name)


def _title(heading: Passage) -> str:
    """Return a heading's text without marks. A `::` in code must not divide a deck's name."""
    (inline,) = markdown.parse(heading).tokens
    return "".join(
        {"code_inline": child.content.replace("::", "∷"), "softbreak": " "}.get(
            child.type, child.content
        )
        for child in inline.children or []
    ).strip()


def _blocks(tokens: Iterable[Token]) -> Iterator[Block]:
    group: list[Token] = []
    for token in tokens:
        group.append(token)
        if token.level == 0 and token.nesting <= 0:
            start, stop = group[0].map or (0, 0)
            yield Block(tuple(group), start, stop)
            group = []
