"""The heading syntax: `## question`, with its answer below it."""

from __future__ import annotations

from verideck.problems import Code, Problem, Problems
from verideck.source.syntaxes.page import Block, Page, RawCard, Reading, Titles


def fits(page: Page) -> bool:
    """Return whether the page has a heading of the questions' level."""
    return any(block.heading_level == page.meta.level for block in page.blocks)


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each heading of the level that front matter sets, 2 by default.

    The answer ends at the next heading of that level or a higher one. Higher headings above a
    question name the deck; deeper ones belong to the answer. Prose above the first question is
    skipped. Reports empty headings, and underlined headings among headings with hashes.
    """
    titles = Titles(page)
    level = page.meta.level
    headings = [block for block in page.blocks if 0 < block.heading_level <= level]
    underlined: list[Block] = []
    if any(_is_hashed(block, level) for block in headings):
        # An author who writes hashes means `---` directly below a text as a line, not a heading.
        underlined = [b for b in headings if b.heading_level == level and b.is_underlined]
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
    return Reading(tuple(cards), is_certain=not underlined, is_empty=not fits(page))


def _is_hashed(block: Block, level: int) -> bool:
    return block.heading_level == level and not block.is_underlined
