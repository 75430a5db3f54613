"""The one Markdown dialect: CommonMark with tables, strikethrough, maths, cloze and values.

Raw HTML is text here: a card says what its author sees. `parse` gives markdown-it's tokens; the
tokens that the stages ask about (fences, maths, deletions, values, images) know their `Place`.
Maths, deletions and values are rules of our own, because a marker must never fire inside code and
because a marker that is left open must be told where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from verideck.markdown import cloze, emphasis, images, maths, values
from verideck.markdown.faults import BLOCK, FAULTS, Fault
from verideck.model import Passage, Place
from verideck.problems import Code, Problem

__all__ = [
    "Parsed",
    "Token",
    "blocks",
    "divided",
    "first_line",
    "inline_end",
    "inline_place",
    "markers",
    "origin",
    "parse",
    "place",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A passage as tokens, and what in it was left open."""

    tokens: list[Token]
    problems: tuple[Problem, ...]
    links: Mapping[str, Mapping[str, object]]
    """The link reference definitions that hold in it: a file's are for all its passages."""


def _inline(state: StateCore) -> None:
    """Parse the inline content of every block; rules that find a fault ask which block it is."""
    for token in state.tokens:
        if token.type == "inline":
            state.env[BLOCK] = token
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _dialect() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.core.ruler.at("inline", _inline)
    for extension in (maths, cloze, emphasis, values, images):
        extension.extend(markdown)
    return markdown


_DIALECT = _dialect()
_BLOCKS = _dialect()
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])


def parse(passage: Passage) -> Parsed:
    """Parse a passage.

    The tokens of fences, maths, deletions, values and images carry their place (see `place`).
    The problems are what was opened and never closed.
    """
    return _parsed(_DIALECT.parseInline if passage.inline else _DIALECT.parse, passage)


def blocks(passage: Passage) -> Parsed:
    """Parse the blocks of a passage, and nothing of what is inline in them.

    That is a third of the work, and all that it takes to see where a file's cards are.
    """
    return _parsed(_BLOCKS.parse, passage)


def _parsed(parser: Callable[[str, dict[str, Any]], list[Token]], passage: Passage) -> Parsed:
    env: dict[str, Any] = {"references": dict(passage.links), FAULTS: []}
    tokens = parser(passage.text, env)
    lines = passage.text.split("\n")
    problems = [_unclosed_fence(each) for each in _locate(tokens, passage, lines)]
    faults: list[Fault] = env[FAULTS]
    told = {
        Problem(each.code, each.message, inline_place(each.block, each.offset, passage, lines),
                each.hint)
        for each in faults
    }  # fmt: skip
    found = [problem for problem in problems if problem] + list(told)
    found += [_unbalanced(each) for each in walk(tokens) if maths.is_unbalanced(each)]
    in_order = tuple(sorted(found, key=lambda problem: problem.place))
    return Parsed(tokens, in_order, env["references"])


def place(token: Token) -> Place:
    """Where a token of `parse` stands in its file."""
    found = token.meta["place"]
    assert isinstance(found, Place)
    return found


def origin(token: Token) -> Place:
    """Where the code of a fence or a value stands."""
    found = token.meta["origin"]
    assert isinstance(found, Place)
    return found


def divided(answer: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    """Divide an answer at its first thematic break: what stands beneath is an aside."""
    while answer and answer[-1].type == "hr":
        answer = answer[:-1]
    for number, token in enumerate(answer):
        if token.type == "hr" and token.level == 0:
            return answer[:number], answer[number + 1 :]
    return answer, ()


def walk(tokens: Iterable[Token]) -> Iterator[Token]:
    """Every token, blocks and what is inline in them, in reading order."""
    for token in tokens:
        yield token
        if token.children:
            yield from walk(token.children)


def first_line(content: str, lines: Sequence[str], start: int) -> int:
    """On which line the inline content of the block that begins at `start` begins.

    It is `start`, but for lines that hold nothing but wide spaces: they open a paragraph, and
    markdown-it takes them off its content.
    """
    first = content.split("\n", 1)[0]
    block = takewhile(lambda n: lines[n].strip(" \t"), range(start, len(lines)))
    return next((n for n in block if first in lines[n]), start)


def inline_end(text: str, start: int) -> int:
    """Where the inline construct (code, maths, link, run of text …) that begins at `start` ends."""
    state = StateInline(text, _DIALECT, {}, [])
    state.pos = start
    _DIALECT.inline.skipToken(state)
    return state.pos


def markers(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Where a pattern matches at the start of a line of inline text, outside of code and maths."""
    position = 0
    while position < len(text):
        at_line_start = position == 0 or text[position - 1] == "\n"
        if at_line_start and (match := pattern.match(text, position)):
            yield match
            position = match.end()
        elif at_line_start and text[position] in " \t":
            position += 1
        else:
            position = inline_end(text, position)


def _locate(tokens: list[Token], passage: Passage, lines: list[str]) -> Iterator[tuple[Token, str]]:
    """Give tokens their places; yield each fence with the line that should close it."""
    row, behind = -1, 0
    for token in tokens:
        if token.map and (token.type in {"fence", "math_block"}):
            line = token.map[0]
            column = lines[line].find(token.markup)
            token.meta["place"] = passage.at(line, max(column, 0))
            if token.type == "fence":
                token.meta["origin"] = _code_place(token, line + 1, passage, lines)
                last = token.map[1] - 1
                yield token, lines[last] if last > line else ""
        elif token.type == "inline" and token.map:
            if token.map[0] != row:
                row, behind = token.map[0], 0
            token.meta["from"] = behind  # the cells of a table's row share its line
            behind = max(lines[row].find(token.content, behind), behind) + len(token.content)
            _locate_inline(token, passage, lines)


_OPENINGS = {"image": re.compile(r"!\["), "code_inline": re.compile(r"(?<!\\)`")}
"""How inline constructs begin whose own rules, markdown-it's, do not say where."""


def _code_place(fence: Token, line: int, passage: Passage, lines: list[str]) -> Place:
    """The place of a fence's code: what stands before its lines is before every one of them."""
    for number, code in enumerate(fence.content.split("\n")):
        if code.strip() and line + number < len(lines):
            whole = lines[line + number]
            column = len(whole) - len(code) if whole.endswith(code) else 0
            return replace(passage.at(line, 0), column=passage.at(line + number, column).column)
    return passage.at(line, 0)


def _locate_inline(block: Token, passage: Passage, lines: list[str]) -> None:
    offset = 0
    for child in walk(block.children or []):
        if child.type in {"softbreak", "hardbreak"}:
            offset = block.content.find("\n", offset) + 1
        elif child.type in _OPENINGS and "offset" not in child.meta:
            opening = _OPENINGS[child.type].search(block.content, offset)
            child.meta["offset"] = opening.start() if opening else offset
        if "offset" in child.meta:
            start = child.meta["offset"]
            within = child.type != "code_inline"
            offset = max(offset, start + 1 if within else inline_end(block.content, start))
            child.meta["place"] = inline_place(block, child.meta["offset"], passage, lines)
        if "inside" in child.meta:
            child.meta["origin"] = inline_place(block, child.meta["inside"], passage, lines)


def inline_place(block: Token, offset: int, passage: Passage, lines: Sequence[str]) -> Place:
    """The place of a character of a block's inline content, from which indentation was taken.

    The lines are the passage's.
    """
    assert block.map
    above = block.content.count("\n", 0, offset)
    start = block.content.rfind("\n", 0, offset) + 1
    content_line = block.content[start:].split("\n", 1)[0]
    line = min(first_line(block.content, lines, block.map[0]) + above, len(lines) - 1)
    text = content_line.lstrip()  # a tab in front of it may have become spaces
    begins = max(lines[line].find(text, block.meta.get("from", 0)), 0)
    return passage.at(line, begins + offset - start - (len(content_line) - len(text)))


def _unbalanced(token: Token) -> Problem:
    return Problem(
        Code.MATHS_UNCLOSED,
        "a brace in this maths has no partner",
        place(token),
        r"TeX wants a } for every {; to show a brace, write \{ or \}",
    )


def _unclosed_fence(fence: tuple[Token, str]) -> Problem | None:
    token, last = fence
    closing = last.lstrip(" \t>").rstrip()
    if closing and set(closing) == {token.markup[0]} and len(closing) >= len(token.markup):
        return None
    return Problem(
        Code.FENCE_UNCLOSED,
        f"this fence opens with {token.markup} and is never closed",
        place(token),
        f"close it with a line that holds {token.markup} alone, as far indented as the first",
    )
