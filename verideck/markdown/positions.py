"""Where inline tokens stand: markdown-it gives lines to blocks, and nothing to what is in them.

`State` notes for every inline token, as it is pushed, the content that it is part of
(`meta["content"]`) and the offset at which it begins there (`meta["offset"]`). A `Place` is
computed only for the tokens that are asked for one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Literal, NamedTuple

from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from verideck.model import Passage, Place

CONTENT = "verideck-content"
"""Key of the parser's environment: the `InlineContent` that is being parsed."""


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
    skipped: int = 0
    """How much of the text stands before offset 0: an image's text has offsets of its own."""

    def at(self, offset: int) -> Place:
        """Return the place of a character of the text, from which indentation was taken."""
        offset = min(offset + self.skipped, len(self.text))
        above = self.text.count("\n", 0, offset)
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", start)
        whole = self.text[start : end if end >= 0 else len(self.text)]
        kept = whole.lstrip()  # a tab in front of it may have become spaces
        line = min(first_line(self.text, self.lines, self.line) + above, len(self.lines) - 1)
        begins, as_written = find_written(kept, self.lines[line], self.column)
        position = offset - start - (len(whole) - len(kept))
        if as_written != kept:
            position += kept.count("|", 0, max(position, 0))
        return self.passage.at(line, max(begins, 0) + position)


def find_written(text: str, line: str, start: int) -> tuple[int, str]:
    r"""Return where a text stands on a line, or -1, and how it is written there.

    In a cell of a table `|` is written `\|`.
    """
    found = line.find(text, start)
    if found < 0 and "|" in text:
        text = text.replace("|", r"\|")
        found = line.find(text, start)
    return found, text


class State(StateInline):
    """The state of the inline parser, which notes where each token begins."""

    content: InlineContent | None = None
    """None where no passage is parsed, and so nothing has a place."""
    begun = 0
    """Where the rule that is running began."""
    delimited = False
    """Whether a marker was met that may open or close emphasis."""
    _text_begun = -1

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
    block = takewhile(lambda n: lines[n].strip(" \t"), range(start, len(lines)))
    return next((n for n in block if first in lines[n]), start)
