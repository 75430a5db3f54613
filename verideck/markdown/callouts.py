"""Callouts: quotations that begin with `[!note]`, as GitHub (alerts) and Obsidian have them.

The word says what kind it is, what stands behind it is its title, and a `-` or `+` between the two
folds it, closed or open. What stands behind a bar, `[!note|right]`, lays it out in Obsidian: a card
has one way to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_BEGINS = re.compile(r"\[!([A-Za-z][\w-]*)(?:\|[^\[\]\n]*)?\]([+-]?)(?:[ \t]+(.*))?")


def rule(state: StateCore) -> None:
    """Make tokens `callout_open`, `callout_title_open` and so on of such quotations.

    The opening token has the word, in lower case, as its `info`, and the sign as its `markup`.
    """
    tokens = state.tokens
    if any(
        _callout(tokens, number)
        for number, token in enumerate(tokens)
        if token.type == "blockquote_open"
    ):
        state.tokens = list(_made(tokens))


def _callout(tokens: Sequence[Token], number: int) -> re.Match[str] | None:
    """Return how a callout begins, if one begins with a token."""
    if tokens[number].type != "blockquote_open":
        return None
    if [token.type for token in tokens[number + 1 : number + 3]] != ["paragraph_open", "inline"]:
        return None
    return _BEGINS.fullmatch(tokens[number + 2].content.partition("\n")[0])


def _made(tokens: Sequence[Token]) -> Iterator[Token]:
    open_: list[bool] = []
    skipped = 0
    for number, token in enumerate(tokens):
        if skipped:
            skipped -= 1
        elif token.type == "blockquote_open":
            begins = _callout(tokens, number)
            open_.append(begins is not None)
            if begins:
                skipped = 2 if "\n" in tokens[number + 2].content else 3
                yield from _opened(begins, *tokens[number : number + 3])
            else:
                yield token
        elif token.type == "blockquote_close" and open_.pop():
            yield _token("callout_close", -1, token)
        else:
            yield token


def _opened(
    begins: re.Match[str], quotation: Token, paragraph: Token, inline: Token
) -> Iterator[Token]:
    """Yield what stands up to the end of the title, and the rest of the first paragraph."""
    kind, sign, title = begins.groups()
    opening = _token("callout_open", 1, quotation)
    opening.info, opening.markup = kind.lower(), sign
    yield opening
    yield _token("callout_title_open", 1, paragraph)
    if title and title.strip():
        yield _inline(title.strip(), 0, inline)
    yield _token("callout_title_close", -1, paragraph)
    if "\n" in inline.content:
        yield paragraph
        yield _inline(inline.content.partition("\n")[2], 1, inline)


def _inline(content: str, below: int, whole: Token) -> Token:
    """Return a part of the first paragraph; a later line of it begins that much further below."""
    assert whole.map
    part = Token("inline", "", 0, map=[whole.map[0] + below, whole.map[1]], level=whole.level)
    part.content, part.block, part.children = content, True, []
    return part


def _token(type_: str, nesting: Literal[-1, 1], like: Token) -> Token:
    token = Token(type_, "div", nesting, map=like.map, level=like.level)
    token.block = True
    return token
