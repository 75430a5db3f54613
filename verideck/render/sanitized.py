"""Tags of an author's HTML, as a card holds them: what nh3 leaves of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from html import escape

import nh3

from verideck.markdown.html_tags import STYLES, TAGS

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
