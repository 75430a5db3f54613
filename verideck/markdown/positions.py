"""Where inline tokens stand: markdown-it gives lines to blocks, and nothing to what is in them.

`State` notes for every inline token, as it is pushed, the content that it is part of
(`meta["content"]`) and the offset at which it begins there (`meta["offset"]`). A `Place` is
computed only for the tokens that are asked for one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Literal, NamedTuple

from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token

from verideck.markdown.emphasis import scanned
from verideck.markdown.first import Firsts
from verideck.model import Passage, Place

CONTENT = "verideck-content"
"""Key of the parser's environment: the `InlineContent` that is being parsed."""
COLUMN = "column"
"""Key of the `meta` of inline content that stands on one line with other text: where it begins
there, and the positions of the bars in it that have a backslash there."""


class _Written(NamedTuple):
    """A line of a block's inline content, as it stands in its file."""

    start: int
    """Where it begins in the content."""
    line: int
    """The line of the passage that it is on."""
    column: int
    """Where the text behind its indentation begins there, less the indentation that it has here."""


class InlineContent(NamedTuple):
    """The inline content of a block, and where in a passage it stands.

    A named tuple, because one is made for every block and a frozen dataclass takes twice as long.
    """

    text: str
    line: int
    """The line of the passage on which the block begins."""
    column: int
    """Where on its line the text is looked for: the cells of a table's row share a line."""
    passage: Passage
    lines: Sequence[str]
    """The passage's lines."""
    written: list[_Written]
    """The lines of the text; empty until a place is asked for, and most blocks are asked for none.
    """
    skipped: int = 0
    """How much of the text stands before offset 0: an image's text has offsets of its own."""
    bars: Sequence[int] | None = None
    """Of content that begins at exactly that column and has one line, as the cell of a table, the
    positions of the `|` that have a backslash in the file."""

    def at(self, offset: int) -> Place:
        """Return the place of a character of the text, from which indentation was taken."""
        if not self.written:
            self.written.extend(self._found())
        offset = min(offset + self.skipped, len(self.text))
        found = self.written[bisect_right(self.written, offset, key=_start) - 1]
        column = found.column + offset - found.start
        return self.passage.at(found.line, column + bisect_left(self.bars or (), offset))

    def barred(self, text: str, start: int) -> str:
        """Return a part of the text that begins at an offset, its bars as they are in the file."""
        if not self.bars or "|" not in text:
            return text
        start += self.skipped
        bars = self.bars[bisect_left(self.bars, start) : bisect_left(self.bars, start + len(text))]
        for bar in reversed(bars):
            text = f"{text[: bar - start]}\\{text[bar - start :]}"
        return text

    def _found(self) -> Iterator[_Written]:
        if self.bars is not None:
            yield _Written(0, self.line, self.column)
            return
        first, last = first_line(self.text, self.lines, self.line), len(self.lines) - 1
        start = 0
        for above, whole in enumerate(self.text.split("\n")):
            kept = whole.lstrip()  # a tab in front of it may have become spaces
            line = min(first + above, last)
            begins = self.lines[line].find(kept, self.column)
            yield _Written(start, line, max(begins, 0) - (len(whole) - len(kept)))
            start += len(whole) + 1


def _start(line: _Written) -> int:
    return line.start


class State(StateInline):
    """The state of the inline parser, which notes where each token begins."""

    content: InlineContent | None = None
    """None where no passage is parsed, and so nothing has a place."""
    begun = 0
    """Where the rule that is running began."""
    _last_bracket: int | None = None
    _first: Firsts | None = None
    delimited = False
    """Whether a marker was met that may open or close emphasis."""
    has_pairs = False
    """Whether a tag of HTML was met that needs a partner."""
    is_code = False
    """Whether the position is in code that HTML's tags begin and end."""
    _text_begun = -1

    @property
    def has_label(self) -> bool:
        """Whether a `]` stands behind the position: without one, no text of a link ends."""
        if self._last_bracket is None:
            self._last_bracket = self.src.rfind("]")
        return self.pos < self._last_bracket

    @property
    def has_address(self) -> bool:
        """Whether a label may lead anywhere: to an address in brackets, or to a definition's."""
        return bool(self.env.get("references")) or self.first(")", self.pos) >= 0

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: FBT001, N802, N803 - markdown-it's names
        """Return whether a run of marks can open and close emphasis."""
        around = self.content.passage.text if self.content else self.src
        return scanned(self.src, start, self.posMax, around, splits_words=canSplitWord)

    @property
    def first(self) -> Firsts:
        """Where marks stand in the text."""
        if self._first is None:
            self._first = Firsts(self.src)
        return self._first

    def append_pending(self, text: str) -> None:
        """Append to the text that is not yet a token."""
        if self._text_begun < 0:
            self._text_begun = self.pos
        super().append_pending(text)

    def pushPending(self) -> Token:  # noqa: N802 - markdown-it's name
        """Make a token of the text, with the offset of its first character."""
        token = super().pushPending()
        token.meta = {"offset": self._text_begun, "content": self.content}
        self._text_begun = -1
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Push a token, with its offset: a closing one stands where its rule has come to."""
        token = super().push(ttype, tag, nesting)
        token.meta = {"offset": self.pos if nesting < 0 else self.begun, "content": self.content}
        self._text_begun = -1  # a line break takes the blanks before it away
        return token


Rule = Callable[[State, bool], bool]
"""An inline rule: moves the state and pushes tokens (unless silent), or returns False."""


def place(token: Token) -> Place:
    """Return where a fence, maths, indented code or any inline token stands in its file."""
    if "content" in token.meta:
        return _content(token).at(token.meta["offset"])
    found = token.meta["place"]
    assert isinstance(found, Place)
    return found


def origin(token: Token) -> Place:
    """Return where the code of a fence, of inline code or of a value begins."""
    if "inside" in token.meta:
        return _content(token).at(token.meta["inside"])
    found = token.meta["origin"]
    assert isinstance(found, Place)
    return found


def character_place(token: Token, position: int) -> Place:
    """Return where a character of a text's or inline code's content was written."""
    begins = token.meta.get("inside", token.meta["offset"])
    pieces = token.meta.get("pieces", ((0, begins),))
    shown, offset = pieces[bisect_right(pieces, position, key=lambda each: each[0]) - 1]
    return _content(token).at(offset + position - shown)


def is_escaped(text: Token) -> bool:
    """Return whether a backslash stands in front of a text."""
    content = _content(text)
    begins = text.meta["offset"] + content.skipped
    return content.text[begins - 1 : begins] == "\\"


def part(text: Token, start: int, end: int) -> Token:
    """Return a part of a text, which knows where it was written."""
    begins = text.meta["offset"]
    pieces = text.meta.get("pieces", ((0, begins),))
    first = bisect_right(pieces, start, key=lambda each: each[0]) - 1
    shown, offset = pieces[first]
    made = Token("text", "", 0, content=text.content[start:end], level=text.level)
    rest = ((at - start, there) for at, there in pieces[first + 1 :] if at < end)
    made.meta = {"offset": offset + start - shown, "content": text.meta["content"]}
    made.meta["pieces"] = ((0, made.meta["offset"]), *rest)
    return made


def _content(token: Token) -> InlineContent:
    found = token.meta["content"]
    assert isinstance(found, InlineContent)
    return found


def code(rule: Rule) -> Rule:
    """Let the rule for inline code note where the code begins, behind the backticks."""

    def noted(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        start, known = state.pos, len(state.tokens)
        found = rule(state, silent)
        if len(state.tokens) > known:
            token = state.tokens[-1]
            markup = len(token.markup)
            blank = (state.pos - start - 2 * markup - len(token.content)) // 2
            token.meta["inside"] = start + markup + blank
        return found

    return noted


def autolink(rule: Rule) -> Rule:
    """Let the rule for `<https://…>` note that the address stands behind the bracket."""

    def noted(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        start, known = state.pos, len(state.tokens)
        found = rule(state, silent)
        if len(state.tokens) > known:
            _, address, close = state.tokens[-3:]
            address.meta["offset"] = start + 1
            close.meta["offset"] = state.pos - 1
        return found

    return noted


def delimiters(rule: Rule) -> Rule:
    """Let a rule that pushes a run of markers note where each of them stands."""

    def noted(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        start, known = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        state.delimited = True
        offset = start
        for token in state.tokens[known:]:
            if token.meta["offset"] >= start:  # else it is the text before the markers
                token.meta["offset"] = offset
                offset += len(token.content)
        return True

    return noted


def labelled(rule: Rule) -> Rule:
    """Ask a rule for a link or an image only where its text may end, and may lead anywhere.

    Looking for the end takes as many steps for each `[` as rules may be nested.
    """

    def asked(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        return state.has_label and state.has_address and rule(state, silent)

    return asked


def image(rule: Rule) -> Rule:
    """Let a rule for images parse the text between `![` and `]` as what stands there."""

    def noted(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        outer = state.content
        if outer is None or silent:
            return rule(state, silent)
        inner = outer._replace(skipped=outer.skipped + state.pos + len("!["))
        state.env[CONTENT] = inner
        found = rule(state, silent)
        state.env[CONTENT] = outer
        return found

    return noted


def join(state: State) -> None:
    """Join adjacent texts, escapes and entities, and count the levels of nesting anew.

    This stands in for markdown-it's `fragments_join` and `text_join`, which forget where the parts
    of a text were written. `meta["pieces"]` has that, for a text that is not one stretch.
    """
    joined: list[Token] = []
    texts: list[Token] = []
    level = 0
    for token in state.tokens:
        if token.type in _TEXTS:
            token.level = level
            texts.append(token)
            continue
        if texts:
            joined += _one(texts)
            texts = []
        if token.type == "strong_open":
            token.meta["offset"] -= 1  # made of the second star
        level -= token.nesting < 0
        token.level = level
        level += token.nesting > 0
        joined.append(token)
    state.tokens[:] = [*joined, *_one(texts)]


_TEXTS = {"text", "text_special"}


def _one(texts: Sequence[Token]) -> Sequence[Token]:
    """One token for adjacent texts; none for markers of emphasis, which show nothing."""
    shown = [token for token in texts if token.content]
    if len(shown) > 1 or (shown and shown[0].type == "text_special"):
        first = shown[0]
        first.meta["pieces"] = _pieces(shown)
        first.content = "".join(token.content for token in shown)
        first.type = "text"
    return shown[:1]


def _pieces(texts: Sequence[Token]) -> list[tuple[int, int]]:
    """Where in the joined text a stretch begins that was written in one piece, and its offset."""
    pieces: list[tuple[int, int]] = []
    length = 0
    for token in texts:
        offset = token.meta["offset"]
        if token.info == "escape":
            offset += len(token.markup) - len(token.content)
        if not pieces or offset - length != pieces[-1][1] - pieces[-1][0]:
            pieces.append((length, offset))
        length += len(token.content)
    return pieces


def first_line(content: str, lines: Sequence[str], start: int) -> int:
    """Return the line on which the inline content of the block that begins at `start` begins.

    It is `start`, except below lines that hold only wide spaces: these open a paragraph, and
    markdown-it takes them off its content.
    """
    first = content.split("\n", 1)[0]
    if first and first in lines[start]:
        return start
    block = takewhile(lambda n: lines[n].strip(" \t"), range(start, len(lines)))
    return next((n for n in block if first in lines[n]), start)
