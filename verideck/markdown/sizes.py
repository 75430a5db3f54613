"""How large a picture is shown, as other tools write it.

`![map|300x200](a.png)` is Obsidian's, `![map](a.png =300x200)` HackMD's, and
`![map](a.png){width=50%}` Pandoc's, kramdown's and MkDocs'; `![map](a.png){:height 20, :width 30}`
is Logseq's. A size is attributes of `<img>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from verideck.markdown.faults import report
from verideck.markdown.html_tags import Tag, tag_at
from verideck.markdown.positions import Rule, State
from verideck.problems import Code, Severity

Size = Mapping[str, str]
"""The attributes of a size: `width`, `height`, and `style` for a length with a unit."""

_PIXELS = re.compile(r"\s*(\d{1,5})(?:\s*[x×]\s*(\d{1,5}))?\s*")
EQUALS = r"=(?:\d{1,5}%?(?:x(?:\d{1,5}%?)?)?|x\d{1,5}%?)"
"""A size behind an address, as a pattern."""
_BRACES = re.compile(r"\{:?(?P<inside>(?:[^{}\"'\n]|\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'){1,400}+)\}")
_ITEM = re.compile(
    r"""\s*(?:[#.][\w-]+
    | (?P<key>[A-Za-z][\w-]*)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'{}<>=]+))
    )(?=\s|\Z)""",
    re.VERBOSE,
)
_PAIR = re.compile(r":([A-Za-z][\w-]*)[ \t]+([^\s{}:,]+)[ \t,]*")
_PAIRS = re.compile(rf"\{{[ \t]*(?P<inside>(?:{_PAIR.pattern}){{1,9}})\}}")
_OURS = frozenset({".cloze", ".type", ".reversed"})
"""What stands in the braces of a question, and belongs to no picture in it."""
_WRITTEN_BEFORE = frozenset({"src", "href", "alt"})
_LENGTH = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(px|%|cm|mm|in|pt|em|rem)?")


def of_label(label: str) -> tuple[str, Size]:
    """Return the text of a picture without the size at its end, and that size; maybe none."""
    text, bar, behind = label.rpartition("|")
    found = _PIXELS.fullmatch(behind) if bar else None
    return (text.rstrip(), _size(found[1], found[2])) if found else (label, {})


def of_equals(written: str) -> Size:
    """Return the size that is written as `EQUALS`."""
    width, _, height = written.removeprefix("=").partition("x")
    return _size(width, height)


def _size(width: str | None, height: str | None) -> Size:
    return {name: side for name, side in (("width", width), ("height", height)) if side}


def attributed(rule: Rule) -> Rule:
    """Let a rule for pictures or links read the braces behind one, and a picture's own size."""

    def read(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
        known = len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent and state.tokens[-1].type == "image":
            _take_label(state)
        braces = _PAIRS.match(state.src, state.pos, state.posMax)
        written = dict(_PAIR.findall(braces["inside"])) if braces else None
        if not braces:
            braces = _BRACES.match(state.src, state.pos, state.posMax)
            written = braces and _items(braces["inside"])
        if braces and written is not None:
            if not silent:
                _take_braces(state, known, written)
            state.pos = braces.end()
        return True

    return read


def _take_label(state: State) -> None:
    token = state.tokens[-1]
    label, size = of_label(token.content)
    if not size:
        return
    last = token.children[-1] if token.children else None
    if last and last.type == "text":
        last.content = of_label(last.content)[0]
    token.content = label
    token.attrs |= size


def _items(inside: str) -> dict[str, str] | None:
    """Return the attributes in braces, without classes; None if something else stands there.

    An id alone is rather a card's.
    """
    found: dict[str, str] = {}
    position, end = 0, len(inside.rstrip())
    while position < end:
        item = _ITEM.match(inside, position, end)
        if not item or item.group().strip() in _OURS:
            return None
        if item["key"]:
            found.setdefault(
                item["key"].lower(), item["double"] or item["single"] or item["bare"] or ""
            )
        position = item.end()
    return found if found or "." in inside else None


def _take_braces(state: State, known: int, written: dict[str, str]) -> None:
    """Give a picture or a link the attributes that it may have, and tell of the others."""
    tag_name, what = ("img", "picture") if state.tokens[-1].type == "image" else ("a", "link")
    token = next(each for each in state.tokens[known:] if each.tag == tag_name)
    tag = _tag(tag_name, written)
    token.attrs |= {name: value for name, value in tag.attributes if name not in _WRITTEN_BEFORE}
    if tag.left_out:
        message = f"{', '.join(tag.left_out)} behind this {what} is left out"
        report(state, Code.HTML_LEFT_OUT, message, "a card has no place for it", Severity.WARNING)


def _tag(name: str, written: dict[str, str]) -> Tag:
    """Return the tag of HTML that has these attributes."""
    styles = [written.pop("style")] if "style" in written else []
    for side in ("width", "height"):
        found = _LENGTH.fullmatch(written.get(side, ""))
        if found and found[2] == "px":
            written[side] = found[1]
        elif found and (found[2] or "%") != "%":
            styles.append(f"{side}:{written.pop(side)}")
    if styles:
        written["style"] = ";".join(styles)
    text = "".join(f" {key}='{value}'" for key, value in written.items() if "'" not in value)
    tag = tag_at(f"<{name}{text}>", 0, len(name) + len(text) + 2)
    assert tag
    return tag
