"""Pictures and links whose path holds spaces: `![](my picture (1).png)`, as people write it.

CommonMark asks for `<…>` or `%20` there and would show the line as text, without a word.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from verideck.markdown import sizes
from verideck.markdown.destinations import NESTED
from verideck.markdown.faults import report
from verideck.markdown.kinds import is_known
from verideck.markdown.positions import State
from verideck.model import short
from verideck.problems import Code, Severity

_LABEL = re.compile(r"!?\[([^\[\]\n]*)\]\(")
_LONGEST = 2000
"""Characters of a path with what stands beside it."""
_BRACKET = re.compile(r"[()\n]")
_INSIDE = re.compile(
    rf"""\s*(?P<path>[^<>"\n]*?[^<>"\s])
    (?:\s+(?P<before>{sizes.EQUALS}))?
    (?:\s+(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'))?
    (?:\s+(?P<behind>{sizes.EQUALS}))?\s*""",
    re.VERBOSE,
)
_REFERENCE = re.compile(
    r"\[(?!\^)(?=[^\[\]]*[^\W\d_]{3})(?P<text>[^\[\]\n]+)\]"
    r"\[(?!\^)(?P<name>|(?=[^\[\]]*[^\W\d_]{2})[^\[\]\n]+)\]"
)
"""A text and a name in brackets, both with words in them; without a name the text is it."""
_NO_REFERENCE = re.compile(r"[\w)\]\\]")
"""What stands before brackets in code that is written as text, `x[first][second]`."""
_UNREAD = re.compile(r"!\[[^\[\]\n]*\](?:\([^()\n]+\)|\[[^\[\]\n]+\])")

_FIGURE = re.compile(r"\{\{[<%][ \t]*figure[ \t][^{}\n]*[>%]\}\}")
"""A picture in a site that Hugo makes."""


class _Written(NamedTuple):
    """A picture or a link as it is written."""

    label: str
    path: str
    title: str
    size: sizes.Size
    end: int
    """The position behind it."""


def _at(state: State) -> _Written | None:
    label = _LABEL.match(state.src, state.pos, state.posMax)
    can_end = label and state.first(")", label.end()) >= 0
    end = _closing(state.src, label.end(), state.posMax) if label and can_end else -1
    found = _INSIDE.fullmatch(state.src, label.end(), end) if label and end >= 0 else None
    if not label or not found:
        return None
    size = sizes.of_equals(found["before"] or found["behind"] or "=")
    title = found["double"] or found["single"] or ""
    return _Written(label[1], found["path"], title, size, end + 1)


def _closing(text: str, start: int, end: int) -> int:
    """Return where the `)` stands that closes what begins at a position; -1 if the line ends.

    More brackets than a destination may have open are no path: a text of many would be read again
    from each of them.
    """
    depth = 1
    for found in _BRACKET.finditer(text, start, min(end, start + _LONGEST)):
        if found.group() == "\n":
            return -1
        depth += 1 if found.group() == "(" else -1
        if not depth:
            return found.start()
        if depth > NESTED + 1:
            return -1
    return -1


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match such a picture, where CommonMark's own rule found none."""
    written = _at(state) if state.src.startswith("![", state.pos) else None
    if not written:
        return False
    if not silent:
        token = state.push("image", "img", 0)
        token.attrs = {"src": written.path, "alt": "", **_title(written), **written.size}
        token.content = written.label
        token.children = []
        state.md.inline.parse(written.label, state.md, state.env, token.children)
    state.pos = written.end
    return True


def link(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match a link to a file whose path holds spaces, and whose suffix says that it is a file."""
    written = _at(state)
    if not written or written.size or not is_known(written.path):
        return False
    if not silent:
        start, limit = state.pos + len("["), state.posMax
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": written.path, **_title(written)}
        state.pos, state.posMax = start, start + len(written.label)
        state.linkLevel += 1
        state.md.inline.tokenize(state)
        state.linkLevel -= 1
        state.push("link_close", "a", -1)
        state.posMax = limit
    state.pos = written.end
    return True


def _title(written: _Written) -> dict[str, str]:
    return {"title": written.title} if written.title else {}


def unread(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Tell of what looks like a picture, where no rule has read one."""
    found = None if silent else _UNREAD.match(state.src, state.pos, state.posMax)
    if found:
        _tell(state, found.group())
    return False


def figure(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Tell of a picture in the words of Hugo, which only Hugo reads."""
    found = None if silent else _FIGURE.match(state.src, state.pos, state.posMax)
    if found:
        _tell(state, found.group())
    return False


def _tell(state: State, picture: str) -> None:
    message = f"{picture} is shown as it is written"
    hint = "a picture is ![what it shows](the path of its file)"
    report(state, Code.MARK_UNREAD, message, hint, Severity.WARNING)


def undefined(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Tell of what looks like a link by reference, where nothing defines its name."""
    found = None if silent else _REFERENCE.match(state.src, state.pos, state.posMax)
    if found and not (state.pos and _NO_REFERENCE.match(state.src[state.pos - 1])):
        name = found["name"] or found["text"]
        message = f"[{short(name)}] is defined nowhere, so this is no link"
        hint = rf"write [{short(name)}]: https://example.org below; or \[ if it is text"
        report(state, Code.LINK_DEAD, message, hint, Severity.WARNING)
    return False
