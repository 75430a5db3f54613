"""Tasks: list items that begin with a box, `[ ]` or `[x]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from verideck.markdown.positions import State

TASK = "verideck-task"
"""Key of the parser's environment: whether what is parsed may begin with a box."""
_BOX = re.compile(r"\[([ xX])\](?=[ \t\n])")


def may_begin(tokens: Sequence[Token], number: int) -> bool:
    """Return whether an inline token is the first of a list item."""
    return number > 1 and tokens[number - 2].type == "list_item_open"


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a box at the beginning of an item: a token `task`, whose content is ` ` or `x`."""
    box = _BOX.match(state.src, state.pos, state.posMax) if state.pos == 0 else None
    if not box or not state.env.get(TASK):
        return False
    if not silent:
        state.push("task", "", 0).content = box[1].lower()
    state.pos = box.end()
    return True
