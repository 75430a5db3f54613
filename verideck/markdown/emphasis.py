"""Emphasis in scripts without spaces: `**归一化：**先`, `是**“强调”**`.

CommonMark lets stars beside punctuation open or close only if white space or other punctuation is
on their far side. Between Han characters there is neither, and the stars would be shown, or pair up
wrongly; so a wide character on the far side does as well.
"""

from __future__ import annotations

from verideck.markdown.positions import Rule, State
from verideck.markdown.width import is_wide


def widened(rule: Rule) -> Rule:
    """Let the markers of a rule for emphasis open and close between wide characters too."""

    def tokenize(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        start, known = state.pos, len(state.delimiters)
        if not rule(state, silent):
            return False
        before = state.src[max(start - 1, 0) : start]
        after = state.src[state.pos : min(state.pos + 1, state.posMax)]
        opens = is_wide(before) and after.strip() != ""
        closes = is_wide(after) and before.strip() != ""
        for delimiter in state.delimiters[known:]:
            delimiter.open |= opens
            delimiter.close |= closes
        return True

    return tokenize
