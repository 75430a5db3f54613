"""Values: `` {eval}`expression` `` in prose stands for what the card's own code gives."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_VALUE = re.compile(r"\{eval\}(`++)(.+?)(?<!`)\1(?!`)", re.DOTALL)


def extend(markdown: MarkdownIt) -> None:
    """Add values to the dialect: a token `value`, whose content is the expression."""
    markdown.inline.ruler.before("backticks", "value", _inline)


def _inline(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    match = _VALUE.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        token = state.push("value", "", 0)
        token.content = match.group(2).replace("\n", " ").strip()
        blank = len(match.group(2)) - len(match.group(2).lstrip())
        token.meta = {"offset": state.pos, "inside": match.start(2) + blank}
    state.pos = match.end()
    return True
