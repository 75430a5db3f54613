"""Values: `` {eval}`expression` `` in prose stands for what the card's own code gives."""

from __future__ import annotations

import re

from verideck.markdown.faults import report
from verideck.markdown.positions import State
from verideck.problems import Code

_VALUE = re.compile(r"\{eval\}(`++)(.+?)(?<!`)\1(?!`)", re.DOTALL)

_OTHER = re.compile(r"\{[A-Za-z]+\}(?=`)")


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a value: a token `value`, whose content is the expression."""
    match = _VALUE.match(state.src, state.pos, state.posMax)
    if not match:
        other = _OTHER.match(state.src, state.pos, state.posMax)
        if other:
            message = f"{other.group()} before inline code means nothing"
            hint = "a value is written {eval}`expression`; else put a space between"
            report(state, Code.OPTION_INVALID, message, hint)
        return False
    if not silent:
        token = state.push("value", "", 0)
        token.content = match.group(2).replace("\n", " ").strip()
        blank = len(match.group(2)) - len(match.group(2).lstrip())
        token.meta["inside"] = match.start(2) + blank
    state.pos = match.end()
    return True
