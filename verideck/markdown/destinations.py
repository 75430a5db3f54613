"""Where a link leads: CommonMark's destination, read mark by mark.

markdown-it reads it character by character, up to the 33rd bracket that is not closed: of a text
with many open brackets, as much for each of them. Its rules ask this module in place of its own
helpers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it import helpers
from markdown_it.common.utils import unescapeAll

parseLinkLabel = helpers.parseLinkLabel  # noqa: N816 - markdown-it's name
parseLinkTitle = helpers.parseLinkTitle  # noqa: N816 - markdown-it's name

NESTED = 32
"""How many brackets may be open in a destination at once; CommonMark allows a limit."""
_MARK = re.compile(r"[()\x00-\x20\x7f]|\\.", re.DOTALL)


class Destination(NamedTuple):
    """What was read of a destination, under the names that markdown-it has for it."""

    ok: bool
    """Whether one stands there."""
    pos: int = 0
    """The position behind it."""
    str: str = ""
    """The address, without backslashes and entities."""


def parseLinkDestination(string: str, pos: int, maximum: int) -> Destination:  # noqa: N802 - markdown-it's name
    """Return the destination that begins at a position and ends before another."""
    if string.startswith("<", pos):
        found = helpers.parseLinkDestination(string, pos, maximum)
        return Destination(found.ok, found.pos, found.str)
    end = _end(string, pos, maximum)
    if end is None:
        return Destination(ok=False)
    return Destination(ok=True, pos=end, str=unescapeAll(string[pos:end]))


def _end(text: str, start: int, limit: int) -> int | None:
    """Return where a destination without `<` ends; None if there is none."""
    depth, end = 0, limit
    for found in _MARK.finditer(text, start, limit):
        mark = found.group()
        if mark == "(":
            depth += 1
            if depth > NESTED:
                return None
        elif mark == ")" and depth:
            depth -= 1
        elif mark == r"\ " or not mark.startswith("\\"):
            end = found.start()
            break
    return None if depth or end == start else end
