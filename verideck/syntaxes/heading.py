"""Questions are headings: `## question`, and the answer is what stands beneath it."""

from __future__ import annotations

from collections.abc import Iterator

from verideck.problems import Code, Problem
from verideck.syntaxes.page import Page, Titles, Written


def fits(page: Page) -> bool:
    """Tell whether a heading of the questions' level stands on the page."""
    return any(block.heading_level == page.meta.level for block in page.blocks)


def cards(page: Page) -> Iterator[Written | Problem]:
    """Yield a card for every heading of the level that front matter names, 2 by default.

    Its answer reaches to the next heading of that level or above. The headings above it name the
    deck; deeper ones belong to the answer. Prose above the first question is an introduction.
    """
    titles = Titles()
    for number, block in enumerate(page.blocks):
        if 0 < block.heading_level < page.meta.level:
            titles.enter(block)
        if block.heading_level != page.meta.level:
            continue
        following = page.blocks[number + 1 :]
        stop = next(
            (other.start for other in following if 0 < other.heading_level <= page.meta.level),
            len(page.lines),
        )
        if not block.content:
            yield Problem(
                Code.QUESTION_MISSING,
                "this heading asks nothing",
                page.place(block.start),
                "write the question behind the hashes",
            )
            continue
        yield Written(
            page.inline(block.content, block.start),
            page.passage(block.stop, stop),
            titles.names,
            range(block.start, stop),
        )
