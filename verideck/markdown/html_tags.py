"""The tags of HTML that a card may show, and what may stand in them: `TAGS`.

Only tags that mark text up, group it or lay it out. None loads, runs, asks or covers anything, and
no attribute borrows the looks of what verideck itself says on a card, as `class` could.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

_TEXT = """
    a abbr b bdi bdo big br cite code del dfn em font i ins kbd mark q rb rp rt rtc ruby s samp
    small span strike strong sub sup tt u var wbr
"""
_BLOCKS = """
    address article aside blockquote caption center col colgroup dd details div dl dt figcaption
    figure footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td
    tfoot th thead tr ul
"""
_ALIGNED_BLOCKS = "caption div h1 h2 h3 h4 h5 h6 hr p tbody tfoot thead tr"
_STYLES = """
    background-color border color direction font-family font-size font-style font-variant
    font-weight height line-height list-style-type margin margin-bottom margin-left margin-right
    margin-top max-height max-width min-width padding text-align text-decoration text-indent
    text-transform vertical-align white-space width word-break zoom
"""
_SILENT = """
    bgcolor border bordercolor cellpadding cellspacing class decoding id loading name nowrap
    referrerpolicy rel role scope summary tabindex target
"""
_ALL = frozenset({"dir", "lang", "style", "title"})
_CELL = frozenset({"align", "colspan", "rowspan", "valign", "width"})
TAGS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys([*_TEXT.split(), *_BLOCKS.split()], _ALL),
    **dict.fromkeys(_ALIGNED_BLOCKS.split(), _ALL | {"align"}),
    "a": _ALL | {"href"},
    "col": _ALL | {"span", "width"},
    "colgroup": _ALL | {"span", "width"},
    "details": _ALL | {"open"},
    "font": _ALL | {"color", "size"},
    "img": _ALL | {"align", "alt", "height", "src", "width"},
    "li": _ALL | {"value"},
    "ol": _ALL | {"reversed", "start", "type"},
    "table": _ALL | {"align", "width"},
    "td": _ALL | _CELL,
    "th": _ALL | _CELL,
}  # fmt: skip
"""The tags, each with the attributes that it may have."""

BLOCKS = frozenset(_BLOCKS.split())
"""Those that begin a block of HTML where they begin a line."""
VOID = frozenset({"br", "col", "hr", "img", "wbr"})
"""Those that hold nothing, and have no end."""
AS_WRITTEN = frozenset({"code", "pre", "samp", "tt"})
"""Those in which nothing is Markdown and nothing is maths."""
ENDED_BY: Mapping[str, frozenset[str]] = {
    name: frozenset(ended.split())
    for name, ended in {
        "li": "li", "p": "p", "dt": "dt dd", "dd": "dt dd", "rt": "rt rp", "rp": "rt rp",
        "rb": "rb rt rp", "td": "td th", "th": "td th", "tr": "tr td th",
        "tbody": "thead tbody tr td th", "tfoot": "tbody tr td th", "thead": "caption colgroup",
    }.items()
}  # fmt: skip
"""The tags by which others end that need not be closed: HTML lets their ends be left out."""
OPTIONAL = frozenset().union(*ENDED_BY.values())
"""Those that need not be closed where something around them is."""

STYLES = frozenset(_STYLES.split())
"""The properties that a `style` may set: how text and boxes look, not where on the screen."""
_MEANS_NOTHING = frozenset(_SILENT.split())
"""Attributes by which nothing that could be read is lost on a card: they are left out untold."""

_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*+)")
_ATTRIBUTES = r"""(?:\s++[A-Za-z_:][\w.:-]*+(?:\s*+=\s*+(?:[^\s"'=<>`]++|'[^']*+'|"[^"]*+"))?+)*+"""
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+)(?P<attributes>{_ATTRIBUTES})\s*+/?>"
)
_PLAYER = re.compile(
    rf"<(?P<name>audio|video)(?P<attributes>{_ATTRIBUTES})\s*+>"
    rf"(?P<sources>(?:\s++|<source{_ATTRIBUTES}\s*+/?>)*+)</(?P=name)\s*+>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"""\s([A-Za-z_:][\w.:-]*+)(?:\s*+=\s*+(?:([^\s"'=<>`]++)|'([^']*+)'|"([^"]*+)"))?"""
)
_PLAIN = re.compile(r"(?!.*-[\d.])[\w#%.,!\s'\"-]+|rgba?\([\d\s.,%]+\)")
"""The value of a property: nothing is fetched by it, and nothing moved over something else."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as it is written, of a name that `TAGS` has."""

    name: str
    is_end: bool
    attributes: tuple[tuple[str, str], ...]
    """Those that it may have, with their values."""
    left_out: tuple[str, ...]
    """The attributes, and properties of `style`, that it may not have and a reader may miss."""
    text: str


def tag_at(text: str, start: int, end: int) -> Tag | None:
    """Return the tag that begins at a position and ends before another one, if one does."""
    found = _TAG.match(text, start, end)
    if not found or found["name"].lower() not in TAGS:
        return None
    name = found["name"].lower()
    is_end = found["end"] != "" and name != "br"  # a browser breaks the line at `</br>`, too
    return _tag(found.group(), name, is_end, found["attributes"])


@dataclass(frozen=True, slots=True)
class Player:
    """An element `<audio>` or `<video>` that holds nothing but what it plays."""

    source: str
    """What it plays; of several files, the first."""
    text: str


def player_at(text: str, start: int, end: int) -> Player | None:
    """Return the player that begins at a position, if one does and plays anything.

    Its controls are the reader's, whatever its attributes say.
    """
    found = _PLAYER.match(text, start, end)
    if not found:
        return None
    written = _ATTRIBUTE.findall(found["attributes"] + found["sources"])
    sources = ("".join(values) for name, *values in written if name.lower() == "src")
    source = next(filter(None, sources), "")
    return Player(unescape(source), found.group()) if source else None


def unknown_at(text: str, start: int, end: int) -> str:
    """Return the tag that begins at a position, if its name is none of `TAGS`; else nothing."""
    found = _TAG.match(text, start, end)
    return found.group() if found and found["name"].lower() not in TAGS else ""


def begins_block(text: str, start: int, end: int) -> str:
    """Return the name of a tag that begins a block of HTML at a position; else nothing."""
    found = _NAME.match(text, start, end)
    if (
        not found
        or found[1].lower() not in BLOCKS
        or text[found.end() : found.end() + 1] not in _ENDS
    ):
        return ""
    return found[1].lower()


def only_tags(text: str, start: int, end: int) -> str:
    """Return the name of the first of the tags that are all that stands in a line; else nothing.

    One of them has its partner in another line, or this is no such line.
    """
    count: Counter[str] = Counter()
    first = ""
    while start < end:
        found = _TAG.match(text, start, end)
        name = found["name"].lower() if found else ""
        if not found or name not in TAGS:
            return ""
        first = first or name
        count[name] += 0 if name in VOID else -1 if found["end"] else 1
        start = found.end()
        while start < end and text[start] in " \t":
            start += 1
    return first if any(count.values()) else ""


def tags_in(text: str, start: int, end: int) -> Iterator[tuple[bool, str]]:
    """Yield of each tag between two positions whether it is an end, and its name."""
    for found in _TAG.finditer(text, start, end):
        yield found["end"] != "", found["name"].lower()


_ENDS = {"", " ", "\t", "\n", ">", "/"}


@lru_cache(maxsize=1024)
def _tag(text: str, name: str, is_end: bool, written: str) -> Tag:  # noqa: FBT001 - a key of what is remembered
    kept: dict[str, str] = {}
    left_out: list[str] = []
    for attribute, *values in _ATTRIBUTE.findall(written):
        known = attribute.lower()
        value = unescape("".join(values))
        if known == "style":
            value, lost = style(value)
            left_out += lost
        if known in TAGS[name] and (value or known != "style"):
            kept.setdefault(known, value)
        elif known not in _MEANS_NOTHING | {"style"} and not known.startswith(("data-", "aria-")):
            left_out.append(f"{known}=")
    return Tag(name, is_end, tuple(kept.items()), tuple(left_out), text)


def style(value: str) -> tuple[str, list[str]]:
    """Return a style without the properties that no card has, and the names of these."""
    kept, lost = [], []
    for each in value.split(";"):
        name, _, what = (part.strip().lower() for part in each.partition(":"))
        if name in STYLES and _PLAIN.fullmatch(what):
            kept.append(f"{name}:{what}")
        elif name:
            lost.append(name)
    return ";".join(kept), lost
