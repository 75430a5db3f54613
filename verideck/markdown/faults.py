"""How a rule of the dialect reports what it could not read."""

from __future__ import annotations

from markdown_it.rules_block import StateBlock

from verideck.markdown.positions import State
from verideck.model import Passage
from verideck.problems import Code, Problem, Severity

PROBLEMS = "verideck-problems"
"""Key of the parser's environment: the problems that were found, each once."""
PASSAGE = "verideck-passage"
"""Key of the parser's environment: the passage that is being parsed."""


def report(
    state: State, code: Code, message: str, hint: str, severity: Severity = Severity.ERROR
) -> None:
    """Report a problem where the rule stands; what a rule reports again counts once."""
    if state.content is not None:
        place = state.content.at(state.pos)
        state.env[PROBLEMS].add(Problem(code, message, place, hint, severity))


def report_line(state: StateBlock, line: int, code: Code, message: str, hint: str) -> None:
    """Report a warning where the text of a line begins."""
    passage: Passage = state.env[PASSAGE]
    begins = state.bMarks[line] + state.tShift[line]
    column = begins - (state.src.rfind("\n", 0, begins) + 1)
    problem = Problem(code, message, passage.at(line, column), hint, Severity.WARNING)
    state.env[PROBLEMS].add(problem)
