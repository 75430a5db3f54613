"""The one Markdown dialect: CommonMark with tables, strikethrough, maths, cloze and values.

Raw HTML is text here: a card says what its author sees. Maths, deletions and values are rules of
our own, because a mark must never count inside code, and because the author must be told where a
mark stands that is left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from verideck.markdown import maths
from verideck.markdown.block import BlockParser
from verideck.markdown.faults import PROBLEMS
from verideck.markdown.inline import InlineParser
from verideck.markdown.positions import CONTENT, InlineContent, State, find_written, place
from verideck.model import Passage, Place
from verideck.problems import Code, Problem

_PASSAGE = "verideck-passage"
"""Key of the parser's environment: the passage that is being parsed."""
_LINES = "verideck-lines"
"""Key of the parser's environment: its lines."""
_REMEMBERED = 4096
"""How many parsed passages are remembered: they take 10 KB each."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A passage as tokens, and what in it was left open."""

    tokens: tuple[Token, ...]
    """They are shared by all who parse the passage, and never edited."""
    problems: tuple[Problem, ...]
    links: Mapping[str, Mapping[str, object]]
    """The link reference definitions that hold in it: a file's are for all its passages."""


def parse(passage: Passage) -> Parsed:
    """Parse a passage, or return what it was parsed to before.

    Fences, indented code, maths and all inline tokens have a place (see `positions.place`). The
    problems are about what was opened and never closed.
    """
    return _remembered(passage, _definitions(passage.links))


def blocks(passage: Passage) -> Parsed:
    """Parse the blocks of a passage and nothing that is inline in them.

    That is a third of the work, and enough to see where a file's cards are.
    """
    return _parsed(_BLOCKS, passage)


def _definitions(links: Mapping[str, Mapping[str, object]]) -> tuple[tuple[object, ...], ...]:
    """A key for the definitions, since passages that differ in them alone are equal."""
    return tuple((name, link.get("href"), link.get("title")) for name, link in links.items())


@lru_cache(maxsize=_REMEMBERED)
def _remembered(passage: Passage, links: tuple[tuple[object, ...], ...]) -> Parsed:  # noqa: ARG001 - part of the key
    return _parsed(_DIALECT, passage)


def _parsed(markdown: MarkdownIt, passage: Passage) -> Parsed:
    problems: set[Problem] = set()
    env: dict[str, Any] = {
        "references": dict(passage.links),
        _PASSAGE: passage,
        PROBLEMS: problems,
    }
    parser = markdown.parseInline if passage.inline else markdown.parse
    tokens = parser(passage.text, env)
    in_order = tuple(sorted(problems, key=lambda problem: (problem.place, problem.message)))
    return Parsed(tuple(tokens), in_order, env["references"])


def _locate(state: StateCore) -> None:
    """Give places to the tokens of blocks that have one."""
    passage: Passage = state.env[_PASSAGE]
    lines = state.env[_LINES] = passage.text.split("\n")
    for token in state.tokens:
        if token.type not in _LOCATED or not token.map:
            continue
        line = token.map[0]
        column = lines[line].find(token.markup or token.content.lstrip().split("\n")[0])
        token.meta["place"] = passage.at(line, max(column, 0))
        if token.type == "fence":
            token.meta["origin"] = _code_place(token, line + 1, passage, lines)
            last = token.map[1] - 1
            if not _closes(token, lines[last] if last > line else ""):
                state.env[PROBLEMS].add(_unclosed(token))
        elif token.type == "math_block" and maths.is_unbalanced(token.content):
            code, message, hint = maths.UNBALANCED
            state.env[PROBLEMS].add(Problem(code, message, token.meta["place"], hint))


_LOCATED = {"fence", "math_block", "code_block"}


def _inline(state: StateCore) -> None:
    """Parse the inline content of every block."""
    env = state.env
    passage: Passage = env[_PASSAGE]
    lines: Sequence[str] = env[_LINES]
    row, behind = -1, 0
    for token in state.tokens:
        if token.type == "inline" and token.map:
            if token.map[0] != row:
                row, behind = token.map[0], 0
            env[CONTENT] = InlineContent(token.content, row, behind, passage, lines)
            column, as_written = find_written(token.content, lines[row], behind)
            behind = max(column, behind) + len(as_written)
            token.children = state.md.inline.parse(token.content, state.md, env, [])


def _code_place(fence: Token, line: int, passage: Passage, lines: Sequence[str]) -> Place:
    """The place of a fence's code: what stands before its lines is before every one of them."""
    for number, code in enumerate(fence.content.split("\n")):
        if code.strip() and line + number < len(lines):
            whole = lines[line + number]
            column = len(whole) - len(code) if whole.endswith(code) else 0
            return replace(passage.at(line, 0), column=passage.at(line + number, column).column)
    return passage.at(line, 0)


def _closes(fence: Token, line: str) -> bool:
    """Tell whether a line closes a fence; a fence in a quotation has a `>` before it."""
    closing = line.lstrip(" \t>").rstrip()
    return set(closing) == {fence.markup[0]} and len(closing) >= len(fence.markup)


def _unclosed(fence: Token) -> Problem:
    return Problem(
        Code.FENCE_UNCLOSED,
        f"this fence opens with {fence.markup} and is never closed",
        place(fence),
        f"close it with a line that holds {fence.markup} alone, as far indented as the first",
    )


def _parser(core: Sequence[str]) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.block = BlockParser()
    markdown.inline = InlineParser()
    markdown.core.ruler.after("block", "locate", _locate)
    markdown.core.ruler.at("inline", _inline)
    markdown.core.ruler.enableOnly(core)
    return markdown


_DIALECT = _parser(["normalize", "block", "locate", "inline"])
_BLOCKS = _parser(["normalize", "block", "locate"])


def markers(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern at the start of a line, outside of code, maths and links."""
    state = State(text, _DIALECT, {}, [])
    while state.pos < len(text):
        at_line_start = state.pos == 0 or text[state.pos - 1] == "\n"
        if at_line_start and (match := pattern.match(text, state.pos)):
            yield match
            state.pos = match.end()
        elif at_line_start and text[state.pos] in " \t":
            state.pos += 1
        else:
            _DIALECT.inline.skipToken(state)


def walk(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield every token, blocks and what is inline in them, in reading order."""
    for token in tokens:
        yield token
        if token.children:
            yield from walk(token.children)


def divided(answer: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    """Divide an answer at its first thematic break: what stands beneath is an aside."""
    while answer and answer[-1].type == "hr":
        answer = answer[:-1]
    for number, token in enumerate(answer):
        if token.type == "hr" and token.level == 0:
            return answer[:number], answer[number + 1 :]
    return answer, ()
