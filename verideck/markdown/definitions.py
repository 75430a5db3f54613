"""Definition lists, as Pandoc has them: a term, and below it `: ` and what it means."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from mdit_py_plugins.deflist import deflist_plugin

(_rule,) = MarkdownIt("zero").use(deflist_plugin).block.ruler.getRules("paragraph")


def rule(state: StateBlock, line: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a definition list: only a line with a colon makes one, beneath its first."""
    below = line + 1
    if not silent and below < end and state.isEmpty(below):
        below += 1
    if not silent and not (below < end and state.src.startswith(":", _begin(state, below))):
        return False
    return _rule(state, line, end, silent)


def _begin(state: StateBlock, line: int) -> int:
    return state.bMarks[line] + state.tShift[line]
