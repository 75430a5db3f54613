"""Comments: `<!-- note -->`, and Obsidian's `%% note %%`. They are no text.

One that begins a line may run over blank lines, over cards and over fences: nothing in it is one.
Any other ends in its paragraph. Code and maths hold none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from verideck.markdown.containers import is_inside
from verideck.markdown.first import Firsts, firsts
from verideck.markdown.positions import InlineContent, State
from verideck.model import Place

MARKS = "<!--", "%%"
"""What a comment begins with."""


class Span(NamedTuple):
    """Where a comment stands in a text, its marks included."""

    start: int
    end: int
    mark: str = "-->"
    """What ends it."""


def _span(text: str, start: int, first: Firsts) -> Span | None:
    """Return the comment that begins at a position, if one does and is closed."""
    if text.startswith("<!--", start):
        arrow = first("-->", start + len("<!"))  # `<!-->` is a whole one
        return Span(start, arrow + len("-->")) if arrow >= 0 else None
    if not text.startswith("%%", start) or _is_word(text[max(start - 1, 0) : start]):
        return None
    close = first("%%", start + len("%%"))
    end = close + len("%%")
    if close < 0 or close == start + len("%%") or _is_word(text[end : end + 1]):
        return None
    return None if _begins_text(text, start, close, first) else Span(start, end, "%%")


def _is_word(character: str) -> bool:
    """Tell what makes a `%%` beside it none of a comment: `50%%`, `%%timeit`."""
    return character.isascii() and (character.isalnum() or character == "%")


def _begins_text(text: str, start: int, close: int, first: Firsts) -> bool:
    """Whether `%%` begins another line of text, as the cells of some notebooks do."""
    line = text.rfind("\n", start, close) + 1
    if not line or text[line:close].strip():
        return False
    end = first("\n", close)
    return bool(text[close + len("%%") : end if end >= 0 else len(text)].strip())


def block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a comment that begins a line: a token `comment`, and then what stands behind it."""
    first = firsts(state.env, state.src)
    span = _span(state.src, state.bMarks[start_line] + state.tShift[start_line], first)
    if span is None:
        return False
    last = bisect_left(state.eMarks, span.end)
    if silent:  # the paragraph that it would end may belong to a list inside of its own
        rest = state.src[span.end : state.eMarks[last]].strip()
        return last < end_line and (last > start_line or not rest)
    if not is_inside(state, start_line, last, end_line, span.mark):
        return False
    line, pushed = start_line, len(state.tokens)
    while span and is_inside(state, line, last, end_line, span.mark):
        rest = state.src[span.end : state.eMarks[last]].lstrip()
        _push(state, span, range(line, last + 1))
        line, begin = last, state.eMarks[last] - len(rest)
        span = _span(state.src, begin, first)
        last = bisect_left(state.eMarks, span.end) if span else last
    for token in state.tokens[pushed:]:
        token.meta["is_alone"] = not rest
    state.line = line + 1
    if rest:
        _read_from(state, begin, line, end_line)
    return True


def _push(state: StateBlock, span: Span, lines: range) -> None:
    token = state.push("comment", "", 0)
    token.map = [lines.start, lines.stop]
    token.markup = state.src[span.start : span.start + 2]
    token.meta = {"text": state.src[span.start : span.end]}


def _read_from(state: StateBlock, position: int, line: int, end_line: int) -> None:
    """Read the rest of a line as if it were all of it."""
    state.bMarks[line], state.tShift[line], state.sCount[line] = position, 0, state.blkIndent
    (rule,) = state.md.block.ruler.getRules("")
    rule(state, line, end_line, False)  # noqa: FBT003 - markdown-it's signature


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Pass over a comment in a paragraph: no token."""
    span = _span(state.src, state.pos, state.first)
    if span is None or span.end > state.posMax:
        return False
    if state.pending and not silent:
        state.pushPending()  # what stands behind has a place of its own
    state.pos = span.end
    return True


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, as a tool or its author wrote it."""

    text: str
    """With its marks."""
    place: Place
    lines: range
    """The lines of the passage that hold nothing else, counted from 0."""
    is_closed: bool = True
    """False for the `<!--` of one that does not end in its paragraph: it is text."""


def inside(content: InlineContent, markdown: MarkdownIt) -> Iterator[tuple[Span, bool]]:
    """Yield what begins a comment in a paragraph, and whether it ends there.

    A `%%` alone is text.
    """
    state = State(content.text, markdown, {}, [])
    while state.pos < len(content.text):
        start = state.pos
        if span := _span(content.text, start, state.first):
            yield span, True
            state.pos = span.end
            continue
        if content.text.startswith("<!--", start):
            yield Span(start, start + len("<!--")), False
        markdown.inline.skipToken(state)


def blanked(lines: list[str], content: InlineContent, span: Span) -> None:
    """Put blanks in the place of a comment in a line: what is behind it keeps its column.

    A comment over several lines stays, since a blank line would divide its paragraph.
    """
    begin, end = content.at(span.start), content.at(span.end)
    row = begin.line - content.passage.place.line
    before, behind = lines[row][: begin.column - 1], lines[row][end.column - 1 :]
    if begin.line == end.line and (before + behind).strip():
        gap = " " * (end.column - begin.column)
        # Blanks at the end of a line would break it on the card.
        lines[row] = f"{before}{gap}{behind}" if behind.strip() else f"{before.rstrip()}{behind}"
