"""Tasks: list items that begin with a box, `[ ]` or `[x]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from verideck.markdown.faults import report
from verideck.markdown.positions import State
from verideck.problems import Code, Severity

TASK = "verideck-task"
"""Key of the parser's environment: whether what is parsed may begin with a box."""
_BOX = re.compile(r"\[([ xX])\](?=[ \t\n])")
_OTHER_BOX = re.compile(r"\[[^\w\s\[\]]\](?=[ \t\n])")
"""A box with a sign of its own, as Obsidian's themes draw them: cancelled, put off, important."""


def may_begin(tokens: Sequence[Token], number: int) -> bool:
    """Return whether an inline token is the first of a list item."""
    return number > 1 and tokens[number - 2].type == "list_item_open"


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a box at the beginning of an item: a token `task`, whose content is ` ` or `x`."""
    if state.pos or not state.env.get(TASK):
        return False
    box = _BOX.match(state.src, state.pos, state.posMax)
    if not box:
        _tell_other(state, silent=silent)
        return False
    if not silent:
        state.push("task", "", 0).content = box[1].lower()
    state.pos = box.end()
    return True


def _tell_other(state: State, *, silent: bool) -> None:
    other = None if silent else _OTHER_BOX.match(state.src, state.pos, state.posMax)
    if other:
        message = f"{other.group()} is shown as it is written"
        hint = "a task is [ ], or [x] if it is done"
        report(state, Code.MARK_UNREAD, message, hint, Severity.WARNING)
