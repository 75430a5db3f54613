"""Lines `key:: value`, by which Logseq and Dataview say something about a page or a list item."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.source.syntaxes.headings import LISTS
from verideck.source.syntaxes.page import Page

BULLET = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]+")
PROPERTY = re.compile(
    rf"(?:{BULLET.pattern})?[ \t]*(?P<key>[A-Za-z][\w.-]*)::(?: +(?P<value>\S.*?))?\s*"
)
_DIVIDED = re.compile(r"(?<!:)::[ \t]")
OUR_ID = "verideck-id"
_UNSHOWN = re.compile(
    rf"{OUR_ID}|id|deck|tags|direction|card-[\w-]+|collapsed|heading|background-color|title|alias|type"
    r"|icon|public|filters|created-at|updated-at|logseq\.[\w.-]+|(?:ls|hl|query)-[\w-]+"
)
"""The properties that say nothing to a learner. Others are text, as Logseq shows them."""


def is_unshown(line: str) -> bool:
    """Tell whether a line is a property that says nothing to a learner."""
    found = PROPERTY.fullmatch(line)
    return found is not None and _UNSHOWN.fullmatch(found["key"]) is not None


def of_page(page: Page) -> set[int]:
    """Return the lines of properties, in whatever form the page asks.

    They stand in front of all other text, or beneath the first line of a list item. Where there is
    no other text, or some of it is written just so, `question:: answer`, they are properties only
    if one of them says nothing to a learner.
    """
    if "::" not in page.whole.text:
        return set()
    beneath, top = set(_beneath_bullets(page)), set(_on_top(page))
    others = [page.lines[line] for line in page.prose() - beneath - top]
    is_text = bool(others) and not any(map(_DIVIDED.search, others))
    return beneath | top if is_text or any(is_unshown(page.lines[n]) for n in top) else beneath


def _on_top(page: Page) -> Iterator[int]:
    first = page.blocks[0] if page.blocks else None
    if first and first.type == "paragraph_open":
        lines = range(first.start, first.stop)
        if all(PROPERTY.fullmatch(page.lines[line]) for line in lines):
            yield from lines


def _beneath_bullets(page: Page) -> Iterator[int]:
    tokens = (token for each in page.blocks if each.type in LISTS for token in each.tokens)
    for token in tokens:
        if token.type == "inline" and token.map:
            for line in range(*token.map):
                text = page.lines[line]
                if not BULLET.match(text) and PROPERTY.fullmatch(text):
                    yield line
