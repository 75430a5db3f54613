"""A document: a file that is no cards, of which every fence is executed in its order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from verideck.model import Passage
from verideck.problems import Problems
from verideck.source.config import DOCUMENT
from verideck.source.syntaxes.page import Block, Page, title_of
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.syntax import Syntax

BY_HEADING = "heading"
"""What `share` says where fences share names beneath one heading, and no further."""

_WHOLE = "document"
"""The id of the part that has no heading."""
_NO_PART_OF_AN_ID = re.compile(r"[^\w\- ]")


def fits(page: Page) -> str:
    """Return that no file looks like one: its author, or the settings, say so."""
    del page
    return ""


def read(page: Page, problems: Problems) -> Reading:
    """Return each part of the file that has fences, as if its heading asked.

    It has one part, or one for each heading; what stands above the first heading is one, too.
    """
    del problems
    headings = [block for block in page.blocks if block.heading_level]
    parted = headings if page.meta.share == BY_HEADING else []
    whole = RawCard(
        Passage(page.meta.title or page.source.path, page.place(0), inline=True),
        None,
        (),
        range(len(page.lines)),
        id=Written(_WHOLE, page.place(0)),
    )
    named = {0: whole, **dict(_by_start(page, parted))}
    starts = [*sorted(named), len(page.lines)]
    fences = [token.map[0] for token in page.tokens if token.type == "fence" and token.map]
    return Reading(
        tuple(
            replace(named[start], lines=range(start, stop))
            for start, stop in pairwise(starts)
            if any(start <= fence < stop for fence in fences)
        )
    )


def _by_start(page: Page, headings: Sequence[Block]) -> Iterator[tuple[int, RawCard]]:
    """Yield the part of each heading, with the line on which it begins.

    Its id is what leads to it in a page of GitHub's.
    """
    taken = Counter[str]()
    for block in headings:
        heading = page.inline(block.content, block.start)
        words = _NO_PART_OF_AN_ID.sub("", title_of(heading).lower()).replace(" ", "-") or _WHOLE
        name = f"{words}-{taken[words]}" if taken[words] else words
        taken[words] += 1
        lines = range(block.start, block.stop)
        yield block.start, RawCard(heading, None, (), lines, id=Written(name, heading.place))


SYNTAX = Syntax(DOCUMENT, "part", fits, read, is_a_tools=True)
