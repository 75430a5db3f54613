"""The block parser: markdown-it's and our own rules, found by the character that begins them.

markdown-it asks every rule at every line, and most of them at every line of a paragraph once more.
Here a rule is asked only at the lines that it can begin on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.ruler import Ruler
from markdown_it.rules_block import (
    StateBlock,
    blockquote,
    code,
    fence,
    heading,
    hr,
    lheading,
    list_block,
    paragraph,
    reference,
)
from markdown_it.token import Token
from markdown_it.utils import EnvType

from verideck.markdown import comments, definitions, footnotes, html, maths, table
from verideck.markdown.new_tokens import made

STEPS = "verideck-steps"
"""Key of the parser's environment: how many more times a rule may be asked."""
_STEPS, _STEPS_OF_LINE = 3_000, 30
"""How many times rules are asked of any text, and of each of its lines. Notes take three for a
line."""


class EntangledError(Exception):
    """Quotes and lists stand in each other so that all lines are read again for each of them."""

    def __init__(self, line: int) -> None:
        """Hold the number of the line that was read, counted from 0."""
        super().__init__(line)
        self.line = line


def steps_of(text: str) -> int:
    """How many times rules may be asked of a text."""
    return _STEPS + _STEPS_OF_LINE * text.count("\n")


Rule = Callable[[StateBlock, int, int, bool], bool]
"""A block rule: of the state, the line, the last line, and whether it only looks."""


class _Entry(NamedTuple):
    rule: Rule
    starts: str
    """The characters that it can begin with; empty for any."""
    ends: Collection[str] = ()
    """What it can end: the names of markdown-it's chains of rules."""


def _underlined(state: StateBlock, line: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """A heading above a line of dashes or equals signs, where the paragraph may have such a line.

    What ends the paragraph is not looked at here. So only a few lines are: with the rest of a list
    to be read for each of its items, reading it would take the square of its length.
    """
    for below in range(line + 1, min(line + 1 + _AHEAD, end)):
        if state.isEmpty(below):
            return False
        if _begins(state, below, "-="):
            return lheading(state, line, end, silent)
    return line + 1 + _AHEAD < end and lheading(state, line, end, silent)


_AHEAD = 16
"""Lines. Longer paragraphs are rare, and left to markdown-it's own rule."""


def _begins(state: StateBlock, line: int, characters: str) -> bool:
    start = state.bMarks[line] + state.tShift[line]
    return start < state.eMarks[line] and state.src[start] in characters


_ANY = ("paragraph", "reference", "blockquote", "list")
RULES = (
    _Entry(table.begun, ""),
    _Entry(maths.block, "$\\[<", _ANY),
    _Entry(comments.block, "<%", ("paragraph", "reference", "blockquote")),
    _Entry(html.block, "<", ("paragraph", "reference", "blockquote")),
    _Entry(fence, "`~", _ANY),
    _Entry(blockquote, ">", _ANY),
    _Entry(hr, "*-_", _ANY),
    _Entry(list_block, "*-+0123456789", ("paragraph", "reference", "blockquote")),
    _Entry(footnotes.definition, "[", ("paragraph", "reference")),
    _Entry(reference, "["),
    _Entry(heading, "#", ("paragraph", "reference", "blockquote")),
    _Entry(table.rule, "", ("paragraph", "reference")),
    _Entry(_underlined, ""),
    _Entry(definitions.rule, ""),
    _Entry(definitions.rule, ":~", ("paragraph", "reference", "blockquote")),
    _Entry(paragraph, ""),
)
"""The rules in the order in which they are tried. Code is no rule: its indentation decides."""


def _chain(entries: Collection[_Entry], otherwise: Rule) -> list[Rule]:
    """One rule in the place of several; `otherwise` is for lines that are indented as code is."""
    anywhere = tuple(each.rule for each in entries if not each.starts)
    by_start = {
        start: tuple(each.rule for each in entries if not each.starts or start in each.starts)
        for start in "".join(each.starts for each in entries)
    }

    def rule(state: StateBlock, line: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        state.env[STEPS] -= 1
        if state.env[STEPS] < 0:
            raise EntangledError(line)
        if state.is_code_block(line):
            return otherwise(state, line, end, silent)
        start = state.bMarks[line] + state.tShift[line]
        for each in by_start.get(state.src[start : start + 1], anywhere):
            if each(state, line, end, silent):
                return True
        return False

    return [rule]


def _no_code(state: StateBlock, line: int, end: int, silent: bool) -> bool:  # noqa: ARG001, FBT001 - markdown-it's signature
    """Indented code ends nothing."""
    return False


_CHAINS = {
    "": _chain(RULES, code),
    **{name: _chain([each for each in RULES if name in each.ends], _no_code) for name in _ANY},
}


class _Ruler(Ruler[Rule]):
    """Gives markdown-it's rules the chains that they ask for."""

    def getRules(self, chainName: str = "") -> list[Rule]:  # noqa: N802, N803 - markdown-it's names
        return _CHAINS[chainName]

    def get_active_rules(self) -> list[str]:
        return ["code"]  # asked for to know whether indentation makes code


class _State(StateBlock):
    """The state of the block parser, which makes tokens faster."""

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Push a token; an opening one stands on the level around it, and a closing one too."""
        if nesting < 0:
            self.level -= 1
        token = made(ttype, tag, nesting, self.level)
        token.block = True
        if nesting > 0:
            self.level += 1
        self.tokens.append(token)
        return token


class BlockParser(ParserBlock):
    """Parses by `RULES`."""

    def __init__(self) -> None:
        """Make a parser; what is registered with its `ruler` is not asked."""
        self.ruler = _Ruler()

    def parse(
        self,
        src: str,
        md: MarkdownIt,
        env: EnvType,
        outTokens: list[Token],  # noqa: N803 - markdown-it's name
    ) -> list[Token] | None:
        """Push the blocks of a text into `outTokens`; None if it is empty."""
        if not src:
            return None
        state = _State(src, md, env, outTokens)
        self.tokenize(state, state.line, state.lineMax)
        return state.tokens
