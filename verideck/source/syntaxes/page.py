"""The page that syntaxes read: the blocks of a file, and its lines to cut passages from."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from verideck import markdown
from verideck.markdown import Token
from verideck.model import Passage, Place, Source
from verideck.problems import Code, Problem, Severity
from verideck.source.front_matter import FrontMatter
from verideck.source.syntaxes import commented
from verideck.source.syntaxes.headings import holds_nothing, level_of

TAB = 4
_DEEPER_THAN_ANY_LIST = " " * 100
_UNDERLINE = re.compile(r"[ \t]*[-=:|][-=:| \t]*$")
_OF_THE_PAGE = {Code.FENCE_UNCLOSED, Code.COMMENT_UNCLOSED, Code.DEFINITION_UNUSED}
"""Problems that are told of the page, and not of its cards: cards below a fence or a comment
that is not closed may be meant to be in it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block at the top level of a page."""

    tokens: tuple[Token, ...]
    """From the opening token to the closing token."""
    start: int
    """Its first line, counted from 0."""
    stop: int
    """The line behind its last line."""
    type: str
    """The opening token's type."""
    heading_level: int
    """1 to 6 for a heading, 0 for other blocks."""

    @property
    def content(self) -> str:
        """The inline Markdown of a paragraph or a heading."""
        return self.tokens[1].content

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
        whole, noted = Passage(body, Place(source.path)), frozenset[int]()
        if meta.syntax in {"", commented.FORM}:
            whole, noted = commented.uncovered(whole)
        whole, self.ids, told = markdown.unnamed(whole, in_vault=source.in_vault)
        """The lines that hold the id of a block and nothing else."""
        self.whole, parsed = markdown.uncommented(whole)
        self.lines = self.whole.text.split("\n")
        self.written = body.split("\n")
        """The lines with the comments in them, for forms that keep ids there."""
        self.comments = parsed.comments
        """All of them: what tools and authors note, and no card shows."""
        self.noted = noted.union(*(each.lines for each in parsed.comments))
        """The lines that hold nothing else."""
        self.links = parsed.links
        self.tokens = parsed.tokens
        self.blocks = tuple(_blocks(parsed.tokens))
        self.level = meta.level or level_of(self.blocks)
        """The level of the headings that are questions, in a form in which headings are."""
        self.definitions = parsed.definitions
        """The lines by which links are defined."""
        of_page = (each for each in parsed.problems if each.code in _OF_THE_PAGE)
        self.problems = (*told, *of_page)
        self.entangled = [each for each in parsed.problems if each.code is Code.BLOCKS_ENTANGLED]
        """Why there are no blocks, if the text cannot be read."""

    def is_blank(self, line: int) -> bool:
        """Whether a line holds nothing, or only a comment."""
        return line in self.noted or not self.lines[line].strip()

    def empty_items(self) -> Iterator[range]:
        """Yield the lines of list items that hold nothing: bullets with no text behind them."""
        open_: list[int] = []
        for number, token in enumerate(self.tokens):
            if token.type == "list_item_open":
                open_.append(number)
            elif token.type == "list_item_close":
                first = open_.pop()
                if holds_nothing(self.tokens[first:number]):
                    yield range(*(self.tokens[first].map or (0, 0)))

    @property
    def is_empty(self) -> bool:
        """Whether there is no text on it."""
        empty = {line for lines in self.empty_items() for line in lines}
        return all(self.is_blank(n) or n in empty for n in range(len(self.lines)))

    def without(self, lines: Container[int]) -> Page:
        """Return a copy of the page without the blocks that begin on these lines."""
        rest = copy.copy(self)
        rest.blocks = tuple(block for block in self.blocks if block.start not in lines)
        return rest

    def place(self, line: int, column: int = 0) -> Place:
        """Return the place of a line and a column that are counted from 0."""
        return Place(self.source.path, line + 1, column + 1)

    def underlined(self, block: Block, hint: str, severity: Severity = Severity.ERROR) -> Problem:
        """Return the problem of an underlined text that was hardly meant as a heading."""
        return Problem(
            Code.HEADING_UNDERLINED,
            f"{self.lines[block.stop - 1].strip()} makes a heading of the line above it",
            self.place(block.stop - 1),
            hint,
            severity,
        )

    def inline(self, content: str, line: int) -> Passage:
        """Return the inline content of a block that begins on a line, as a passage."""
        line = markdown.first_line(content, self.lines, line)
        written = content.split("\n")
        cuts = tuple(map(_cut, self.lines[line : line + len(written)], written))
        return Passage(content, self.place(line, cuts[0]), cuts, inline=True, links=self.links)

    def passage(self, start: int, stop: int, indent: int = 0) -> Passage | None:
        """Return the lines from `start` to before `stop` as a passage; None if all are blank.

        Blank lines and comments at its start and its end are cut off, and `indent` columns of white
        space in front of each line.
        """
        while start < stop and self.is_blank(start):
            start += 1
        while start < stop and self.is_blank(stop - 1):
            stop -= 1
        if start >= stop:
            return None
        whole = self.lines[start:stop]
        if not indent:
            return Passage("\n".join(whole), self.place(start), links=self.links)
        lines = [dedent(line, indent) for line in whole]
        cuts = tuple(len(line) - len(cut) for line, cut in zip(whole, lines, strict=True))
        first = self.place(start, max(cuts[0], 0))
        return Passage("\n".join(lines), first, cuts, links=self.links)

    def behind(self, line: int, column: int, stop: int, indent: int = 0) -> Passage | None:
        """Return the text behind a column of a line, and the lines to before `stop`.

        `indent` columns of white space are cut off in front of these lines. Returns None if all of
        it is blank.
        """
        first = self.lines[line][column:]
        if not first.strip():
            return self.passage(line + 1, stop, indent)
        while self.is_blank(stop - 1):
            stop -= 1
        whole = self.lines[line + 1 : stop]
        below = [dedent(each, indent) for each in whole] if indent else whole
        cuts = (len(each) - len(cut) for each, cut in zip(whole, below, strict=True))
        text, place = "\n".join([first, *below]), self.place(line, column)
        return Passage(text, place, (column, *cuts) if indent else (), links=self.links)

    def piece(self, line: int, start: int, stop: int) -> Passage | None:
        """Return the text between two columns of a line as inline content; None if it is blank."""
        text = self.lines[line][start:stop]
        column = start + len(text) - len(text.lstrip())
        place = self.place(line, column)
        return Passage(text.strip(), place, inline=True, links=self.links) if text.strip() else None

    def prose(self) -> set[int]:
        """Return the lines of paragraphs, headings and cells, wherever these stand."""
        return self._lines_of(lambda token: token.type == "inline")

    def solid(self) -> set[int]:
        """Return the lines of code, maths and tables, in which a blank line ends nothing."""
        return self._lines_of(
            lambda token: (
                token.type == "table_open"
                or (token.nesting == 0 and token.type not in {"inline", "hr"})
            )
        )

    def _lines_of(self, wanted: Callable[[Token], bool]) -> set[int]:
        tokens = (token for block in self.blocks for token in block.tokens)
        found = (token.map for token in tokens if token.map and wanted(token))
        return {line for lines in found for line in range(*lines)}


def _cut(whole: str, rest: str) -> int:
    """Return how many characters were cut off in front of a line.

    The result is negative if a tab became more spaces than were cut off.
    """
    text = rest.lstrip(" \t")
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


def outdented(passage: Passage, most: int | None = None, stop: int | None = None) -> Passage:
    """Return a passage without the white space that all its lines have in front, up to a column.

    So is what a list indents, where a form cuts its text out of it: else it would be code. The
    first line counts only if it begins its line in the file; those from `stop` on stay as they are.
    """
    lines = passage.text.split("\n")[:stop]
    begins_line = passage.place.column == 1
    common = indentation(lines[not begins_line :])
    columns = common if most is None else min(most, common)
    pieces: list[tuple[int, int, str]] = []
    start = 0
    for number, line in enumerate(lines):
        blanks = line[: len(line) - len(line.lstrip(" \t"))]
        left = " " * max(indent_of(blanks) - columns, 0) if number or begins_line else ""
        if blanks != left:
            pieces.append((start, start + len(blanks), left))
        start += len(line) + 1
    return passage.rewritten(pieces)


def indentation(lines: Iterable[str]) -> int:
    """Return the least column at which the text of a line begins; 0 where there is no text."""
    return min((_indent(line) for line in lines if line.strip()), default=0)


def _indent(line: str) -> int:
    """Return the column at which the text of a line begins."""
    return indent_of(line[: len(line) - len(line.lstrip(" \t"))])


def indent_of(blanks: str) -> int:
    """Return how many columns a text takes, whose tabs reach to the next fourth one."""
    return len(blanks.expandtabs(TAB))


class Titles:
    """The headings above the current block, while a syntax walks down a page."""

    def __init__(self, page: Page) -> None:
        """Begin at the top of the page, with no headings."""
        self._page = page
        self._by_level: dict[int, Block] = {}
        self._names: dict[int, str] = {}
        """The names that were asked for, by the lines of their headings."""

    def enter(self, block: Block) -> None:
        """Add a heading. It replaces those of its own level and of deeper ones."""
        level = block.heading_level
        self._by_level = {k: v for k, v in self._by_level.items() if k < level}
        self._by_level[level] = block

    @property
    def names(self) -> tuple[str, ...]:
        """The names, outermost first."""
        above = (block for _, block in sorted(self._by_level.items()))
        return tuple(filter(None, map(self._name, above)))

    def _name(self, block: Block) -> str:
        if block.start not in self._names:
            title = title_of(self._page.inline(block.content, block.start))
            self._names[block.start] = title
        return self._names[block.start]


def title_of(heading: Passage) -> str:
    """Return the text of a heading or a summary without marks.

    A `::` in code must not divide a deck's name.
    """
    return "".join(
        {
            "code_inline": token.content.replace("::", "∷"),
            "softbreak": " ",
            "hardbreak": " ",
            "inline": "",
        }.get(token.type, token.content)
        for token in markdown.walk(markdown.parse(heading).tokens)
    ).strip()


def _blocks(tokens: Iterable[Token]) -> Iterator[Block]:
    group: list[Token] = []
    for token in tokens:
        group.append(token)
        if token.level == 0 and token.nesting <= 0:
            first = group[0]
            start, stop = first.map or (0, 0)
            level = int(first.tag[1]) if first.type == "heading_open" else 0
            yield Block(tuple(group), start, stop, first.type, level)
            group = []
