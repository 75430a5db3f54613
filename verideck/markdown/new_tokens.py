"""New tokens, and copies of tokens.

Thousands of notes have a million of them. markdown-it makes one by a call for each of its defaults,
and copies it by its list of fields: that takes twice and ten times as long.
"""

from __future__ import annotations

from typing import Literal

from markdown_it.token import Token

_new = object.__new__


def made(kind: str, tag: str, nesting: Literal[-1, 0, 1], level: int) -> Token:
    """Return a new token, as `Token(kind, tag, nesting, level=level)` is."""
    token = _new(Token)
    token.type, token.tag, token.nesting, token.level = kind, tag, nesting, level
    token.attrs, token.meta = {}, {}
    token.map = token.children = None
    token.content = token.markup = token.info = ""
    token.block = token.hidden = False
    return token


def copied(token: Token) -> Token:
    """Return a token with the same children, whose attributes and meta can be edited.

    What was parsed is shared by all who parse a passage, and never edited.
    """
    copy = _new(Token)
    copy.type, copy.tag, copy.nesting = token.type, token.tag, token.nesting
    copy.attrs, copy.meta = {**token.attrs}, {**token.meta}
    copy.map, copy.level, copy.children = token.map, token.level, token.children
    copy.content, copy.markup, copy.info = token.content, token.markup, token.info
    copy.block, copy.hidden = token.block, token.hidden
    return copy
