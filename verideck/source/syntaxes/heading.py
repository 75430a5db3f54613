"""The heading syntax: `## question`, with its answer below it."""

from __future__ import annotations

from verideck.problems import Code, Problem, Problems, Severity
from verideck.source.syntaxes.headings import asking_and_titles
from verideck.source.syntaxes.page import Block, Page, Titles
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.syntax import Syntax


def fits(page: Page) -> str:
    """Return where the page has a heading of the questions' level."""
    level = page.level
    found = any(block.heading_level == level for block in page.blocks)
    return f"there is a `{'#' * level} heading`" if found else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each heading of the level of the page's level.

    The answer ends at the next heading of that level or a higher one, unless that is folded, or
    belongs to the answer by what it says. Higher headings above a question name the deck. Prose
    above the first question is skipped. Reports empty headings, and underlined headings among
    headings with hashes.
    """
    titles = Titles(page)
    level = page.level
    headings = asking_and_titles(page.blocks, level)
    # An author who writes hashes means `---` directly below a text as a line, not a heading; and a
    # heading is one line.
    has_hashes = any(_is_hashed(block, level) for block in headings)
    underlined = [
        block
        for block in headings
        if block.heading_level == level
        and block.is_underlined
        and (has_hashes or "\n" in block.content)
    ]
    hint = "leave a blank line between them; a question is written with hashes"
    problems.extend(page.underlined(each, hint, Severity.WARNING) for each in underlined)
    starts = {block.start for block in underlined}
    headings = [block for block in headings if block.start not in starts]
    stops = [*(heading.start for heading in headings), len(page.lines)][1:]
    cards: list[RawCard] = []
    for heading, stop in zip(headings, stops, strict=True):
        if heading.heading_level < level:
            titles.enter(heading)
        elif heading.content.strip():
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


SYNTAX = Syntax("heading", "heading", fits, read)
