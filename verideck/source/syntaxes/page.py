"""What a syntax is given, and what it finds."""

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
    """A question and its answer, as they stand in the file."""

    question: Passage
    answer: Passage | None
    titles: tuple[str, ...]
    """The headings above the card: parts of the deck's name."""
    lines: range
    """Which lines of the file belong to the card, counted from 0."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a syntax finds on a page."""

    cards: tuple[RawCard, ...]
    is_certain: bool = True
    """False where a line under a text may have been meant for something else than a heading."""
    is_empty: bool = False
    """Whether nothing on the page is meant for a card, not even one that is wrong."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block that stands at the top level of a page."""

    tokens: tuple[Token, ...]
    """The opening token, what is inside, the closing one."""
    start: int
    stop: int
    """Lines, counted from 0, the last excluded."""

    @property
    def type(self) -> str:
        """The opening token's type."""
        return self.tokens[0].type

    @property
    def content(self) -> str:
        """A paragraph's or a heading's inline Markdown."""
        return self.tokens[1].content

    @property
    def heading_level(self) -> int:
        """1 to 6 for a heading, else 0."""
        return int(self.tokens[0].tag[1]) if self.type == "heading_open" else 0

    @property
    def is_underlined(self) -> bool:
        """Whether a line of dashes or equals signs under it makes it a heading."""
        return self.type == "heading_open" and not self.tokens[0].markup.startswith("#")


class Page:
    """A file as Markdown: its blocks, and its lines to cut passages from."""

    def __init__(self, source: Source, meta: FrontMatter, body: str) -> None:
        """Parse the body once; it has a line for each line of the file."""
        self.source = source
        self.meta = meta
        self.lines = body.split("\n")
        parsed = markdown.blocks(Passage(body, Place(source.path)))
        self.links = parsed.links
        self.tokens = parsed.tokens
        self.blocks = tuple(_blocks(parsed.tokens))
        self.problems = tuple(each for each in parsed.problems if each.code is Code.FENCE_UNCLOSED)
        """A fence that runs on swallows the cards below it, wherever it stands."""

    def without(self, lines: Container[int]) -> Page:
        """The page as if the blocks that begin on some lines were not there."""
        rest = copy.copy(self)
        rest.blocks = tuple(block for block in self.blocks if block.start not in lines)
        return rest

    def place(self, line: int, column: int = 0) -> Place:
        """The place of a line and column that are counted from 0."""
        return Place(self.source.path, line + 1, column + 1)

    def underlined(self, block: Block, hint: str) -> Problem:
        """Tell of a heading that was hardly meant to be one."""
        return Problem(
            Code.HEADING_UNDERLINED,
            f"{self.lines[block.stop - 1].strip()} makes a heading of the line above it",
            self.place(block.stop - 1),
            hint,
        )

    def inline(self, content: str, line: int) -> Passage:
        """The inline content of a block that begins on a line."""
        line = markdown.first_line(content, self.lines, line)
        below = self.lines[line:]
        cuts = tuple(map(_cut, below, content.split("\n")))
        return Passage(content, self.place(line, cuts[0]), cuts, inline=True, links=self.links)

    def passage(self, start: int, stop: int, indent: int = 0) -> Passage | None:
        """The lines from `start` to before `stop` without blank lines around them, if any is left.

        `indent` columns of white space are taken away in front of each line.
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


def _cut(whole: str, kept: str) -> int:
    """How many characters stand in a line before what is kept of it; a tab may be spaces there."""
    text = kept.lstrip()
    return max(whole.find(text), 0) - (len(kept) - len(text))


def dedent(line: str, columns: int) -> str:
    """Take away white space up to a column; a tab that reaches beyond it leaves its rest.

    A line that has less goes on with the paragraph above it (CommonMark's lazy continuation). So
    as not to underline a heading or a table there, it may need to be indented.
    """
    column = position = 0
    while column < columns and line[position : position + 1] in {" ", "\t"}:
        column += TAB - column % TAB if line[position] == "\t" else 1
        position += 1
    if column < columns and _UNDERLINE.match(line):
        return _DEEPER_THAN_ANY_LIST + line[position:]
    return " " * (column - columns) + line[position:]


class Titles:
    """The headings above a card, as one walks down a page."""

    def __init__(self, page: Page) -> None:
        """Begin above the first heading."""
        self._page = page
        self._by_level: dict[int, str] = {}

    def enter(self, block: Block) -> None:
        """Step below a heading; those of its own level and deeper no longer hold."""
        level = block.heading_level
        self._by_level = {k: v for k, v in self._by_level.items() if k < level}
        self._by_level[level] = _title(self._page.inline(block.content, block.start))

    @property
    def names(self) -> tuple[str, ...]:
        """The names, outermost first."""
        return tuple(name for _, name in sorted(self._by_level.items()) if name)


def _title(heading: Passage) -> str:
    """A heading's text without its marks; a `::` inside code does not divide a deck's name."""
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
