"""Tags of an author's HTML, as a card holds them: what nh3 leaves of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape

import nh3

from verideck.markdown.html_tags import STYLES, TAGS
from verideck.render.addresses import OPENED, SCHEMES

_PLAYERS = {"audio": {"controls", "src"}, "video": {"controls", "src"}}
_LINKED = re.compile(rf"{OPENED.pattern}|_[\w.-]+#|[^:]*+\Z", re.IGNORECASE)
"""An address, or the name of a file of the note's, maybe with a place in it."""
_SHOWN = re.compile(r"data:image/|[\w.-]+\Z", re.IGNORECASE)
"""An image of the author's that is its own file, or the name of one of the note's."""

_LOOKS: Mapping[str, str] = {"pre": "text", "summary": "tappable"}
"""The classes by which the style sheet knows them."""


def opening(name: str, written: Mapping[str, object]) -> str:
    """Return an opening tag of `TAGS` with those of its attributes that a card may hold."""
    look = f' class="{_LOOKS[name]}"' if name in _LOOKS else ""
    return f"<{name}{look}{attributes(name, written)}>"


def attributes(name: str, written: Mapping[str, object]) -> str:
    """Return those attributes of a tag that a card may hold, each with a space before it."""
    if not written:
        return ""
    return _attributes(name, tuple((key, str(value)) for key, value in written.items()))


@lru_cache(maxsize=1024)
def _attributes(name: str, written: tuple[tuple[str, str], ...]) -> str:
    # Those of a `div`: nh3 would leave out a cell that has no table around it.
    as_div = "".join(f' {key}="{escape(value)}"' for key, value in written)
    clean: str = nh3.clean(
        f"<div{as_div}></div>",
        tags={"div"},
        attributes={"div": set(TAGS[name])},
        filter_style_properties=set(STYLES),
        link_rel=None,
    )
    return clean.removeprefix("<div").removesuffix("></div>").replace("<", "&lt;")


def whole(html: str) -> str:
    """Return the HTML of a side with only what a page may hold, well-formed.

    Nothing of it runs, and nothing is fetched; images and players name files of the note. What it
    holds has come through `opening` before: this is the last door, of pages that no Anki confines.
    """
    clean: str = nh3.clean(
        html,
        tags={*TAGS, *_PLAYERS},
        attributes={**{name: {*kept} for name, kept in TAGS.items()}, **_PLAYERS, "*": {"class"}},
        attribute_filter=_as_page,
        clean_content_tags={"script", "style"},
        filter_style_properties=set(STYLES),
        url_schemes={*SCHEMES, "data"},
        link_rel="noopener noreferrer",
    )
    return clean


def _as_page(_: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if _LINKED.match(value) else None
    if name == "src":
        return value if _SHOWN.match(value) else None
    return value
