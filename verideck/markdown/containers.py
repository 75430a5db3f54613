"""Whether what begins on a line ends in the list or quotation that the line is in."""

from __future__ import annotations

from markdown_it.rules_block import StateBlock


def is_inside(state: StateBlock, start: int, last: int, end: int, mark: str) -> bool:
    """Whether all lines from `start` to `last` are in the container whose lines end before `end`.

    `mark` is what was looked for. Where they are not, that is remembered: what begins further down
    finds the same mark, and is not in the container either.
    """
    key = f"verideck-outside {mark}"
    if start < state.env.get(key, 0):
        return False
    lines = range(start + 1, min(last + 1, end))
    outside = next((n for n in lines if is_left_of(state, n)), end)
    if last < outside:
        return True
    state.env[key] = outside
    return False


def is_left_of(state: StateBlock, line: int) -> bool:
    """Whether a line is less indented than its container, and so ends it."""
    return state.sCount[line] < state.blkIndent and not state.isEmpty(line)
