"""Emphasis in scripts without spaces: `**归一化：**先`, `是**“强调”**`.

CommonMark lets stars beside punctuation open or close only if white space or other punctuation is
on their far side. Between Han characters there is neither, and the stars would be shown, or pair up
wrongly; so a wide character on the far side does as well.
"""

from __future__ import annotations

from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, emphasis, strikethrough

from verideck.markdown.width import is_wide

_Rule = Callable[[StateInline, bool], bool]


def extend(markdown: MarkdownIt) -> None:
    """Let stars and tildes open and close between wide characters too."""
    markdown.inline.ruler.at("emphasis", _widened(emphasis.tokenize))
    markdown.inline.ruler.at("strikethrough", _widened(strikethrough.tokenize))


def _widened(rule: _Rule) -> _Rule:
    """A rule of markdown-it, whose delimiters are looked at once more."""

    def tokenize(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        start, known = state.pos, len(state.delimiters)
        if not rule(state, silent):
            return False
        before = state.src[max(start - 1, 0) : start]
        after = state.src[state.pos : min(state.pos + 1, state.posMax)]
        for delimiter in state.delimiters[known:]:
            if delimiter.marker != ord("_"):
                delimiter.open |= is_wide(before) and after.strip() != ""
                delimiter.close |= is_wide(after) and before.strip() != ""
        return True

    return tokenize
