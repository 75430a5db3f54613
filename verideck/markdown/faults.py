"""How a rule of the dialect reports that something was left open."""

from __future__ import annotations

from verideck.markdown.positions import State
from verideck.problems import Code, Problem

PROBLEMS = "verideck-problems"
"""Key of the parser's environment: the problems that were found, each once."""


def report(state: State, code: Code, message: str, hint: str) -> None:
    """Report a problem where the rule stands; what a rule reports again counts once."""
    if state.content is not None:
        place = state.content.at(state.pos)
        state.env[PROBLEMS].add(Problem(code, message, place, hint))
