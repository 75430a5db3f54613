"""How a rule of the dialect tells that something was left open."""

from __future__ import annotations

from dataclasses import dataclass

from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from verideck.problems import Code

BLOCK = "verideck-block"
"""Key of the parser's environment: the block whose inline content is being parsed."""
FAULTS = "verideck-faults"
"""Key of the parser's environment: the list of what was found."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a character of a block's inline content."""

    code: Code
    message: str
    hint: str
    block: Token
    offset: int


def tell(state: StateInline, code: Code, message: str, hint: str) -> None:
    """Note a fault where the rule stands. Rules try a place more than once; `parse` counts once."""
    if FAULTS in state.env:
        state.env[FAULTS].append(Fault(code, message, hint, state.env[BLOCK], state.pos))
