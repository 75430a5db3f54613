"""Questions are headings: `## question`, and the answer is what stands beneath it."""

from __future__ import annotations

from collections.abc import Iterator

from verideck.problems import Code, Problem
from verideck.source.syntaxes.page import Block, Page, RawCard, Titles


def fits(page: Page) -> bool:
    """Tell whether a heading of the questions' level stands on the page."""
    return any(block.heading_level == page.meta.level for block in page.blocks)


def cards(page: Page) -> Iterator[RawCard | Problem]:
    """Yield a card for every heading of the level that front matter names, 2 by default.

    Its answer reaches to the next heading of that level or above. The headings above it name the
    deck; deeper ones belong to the answer. Prose above the first question is an introduction.
    """
    titles = Titles(page)
    level = page.meta.level
    headings = [block for block in page.blocks if 0 < block.heading_level <= level]
    if any(_is_hashed(block, level) for block in headings):
        # Who writes hashes means a line under the text, where it stands directly beneath.
        underlined = [b for b in headings if b.heading_level == level and not _is_hashed(b, level)]
        hint = "leave a blank line between them; a question is written with hashes, like the others"
        yield from (page.underlined(block, f"{hint} here") for block in underlined)
        headings = [block for block in headings if block not in underlined]
    stops = [*(heading.start for heading in headings), len(page.lines)][1:]
    for heading, stop in zip(headings, stops, strict=True):
        if heading.heading_level < level:
            titles.enter(heading)
        elif heading.content:
            yield RawCard(
                page.inline(heading.content, heading.start),
                page.passage(heading.stop, stop),
                titles.names,
                range(heading.start, stop),
            )
        else:
            yield Problem(
                Code.QUESTION_MISSING,
                "this heading asks nothing",
                page.place(heading.start),
                "write the question behind the hashes",
            )


def _is_hashed(block: Block, level: int) -> bool:
    return block.heading_level == level and not block.is_underlined
