"""Images whose path holds spaces: `![](my picture.png)`, as people write it.

CommonMark asks for `<…>` or `%20` there and would show the line as text, without a word.
"""

from __future__ import annotations

import re

from verideck.markdown.positions import State

_IMAGE = re.compile(r"!\[([^\[\]\n]*)\]\(([^()<>\n\"]*[^()<>\n\"\s])(?:\s+\"([^\"\n]*)\")?\s*\)")


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match such an image, where CommonMark's own rule found none."""
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
    state.pos = match.end()
    return True
