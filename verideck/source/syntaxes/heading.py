"""Questions are headings: `## question`, and the answer is what stands beneath it."""

from __future__ import annotations

from verideck.problems import Code, Problem, Problems
from verideck.source.syntaxes.page import Block, Page, RawCard, Reading, Titles


def fits(page: Page) -> bool:
    """Tell whether a heading of the questions' level stands on the page."""
    return any(block.heading_level == page.meta.level for block in page.blocks)


def read(page: Page, problems: Problems) -> Reading:
    """Read a card from every heading of the level that front matter names, 2 by default.

    Its answer reaches to the next heading of that level or above. The headings above it name the
    deck; deeper ones belong to the answer. Prose above the first question is an introduction.
    """
    titles = Titles(page)
    level = page.meta.level
    headings = [block for block in page.blocks if 0 < block.heading_level <= level]
    underlined: list[Block] = []
    if any(_is_hashed(block, level) for block in headings):
        # Who writes hashes means a line under the text, where it stands directly beneath.
        underlined = [b for b in headings if b.heading_level == level and not _is_hashed(b, level)]
        hint = "leave a blank line between them; a question is written with hashes, like the others"
        problems.extend(page.underlined(block, f"{hint} here") for block in underlined)
        headings = [block for block in headings if block not in underlined]
    stops = [*(heading.start for heading in headings), len(page.lines)][1:]
    cards: list[RawCard] = []
    for heading, stop in zip(headings, stops, strict=True):
        if heading.heading_level < level:
            titles.enter(heading)
        elif heading.content:
            question = page.inline(heading.content, heading.start)
            answer = page.passage(heading.stop, stop)
            cards.append(RawCard(question, answer, titles.names, range(heading.start, stop)))
        else:
            message, hint = "this heading asks nothing", "write the question behind the hashes"
            place = page.place(heading.start)
            problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))
    asked = any(block.heading_level == level for block in [*headings, *underlined])
    return Reading(tuple(cards), is_certain=not underlined, is_empty=not asked)


def _is_hashed(block: Block, level: int) -> bool:
    return block.heading_level == level and not block.is_underlined
