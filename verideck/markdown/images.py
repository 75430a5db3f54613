"""Images whose path holds spaces: `![](my picture.png)`, as people write it.

CommonMark asks for `<…>` or `%20` there and would show the line as text, without a word.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_IMAGE = re.compile(r"!\[([^\[\]\n]*)\]\(([^()<>\n\"]*[^()<>\n\"\s])(?:\s+\"([^\"\n]*)\")?\s*\)")


def extend(markdown: MarkdownIt) -> None:
    """Add such images to the dialect, behind CommonMark's own rule."""
    markdown.inline.ruler.after("image", "image_with_spaces", _inline)


def _inline(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    if state.src[state.pos] != "!":
        return False
    match = _IMAGE.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        alt, path, title = match.groups()
        token = state.push("image", "img", 0)
        token.attrs = {"src": path.strip(), "alt": ""}
        if title:
            token.attrs["title"] = title
        token.content = alt
        token.children = []
        state.md.inline.parse(alt, state.md, state.env, token.children)
        token.meta = {"offset": state.pos}
    state.pos = match.end()
    return True
