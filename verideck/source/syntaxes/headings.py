"""Which headings of a page ask, which are titles, and which belong to an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING

from verideck.markdown.prose import MARK_IN_WORD, QUESTION_MARKS
from verideck.source.syntaxes.answer_words import says_answer

if TYPE_CHECKING:
    from verideck.markdown import Token
    from verideck.source.syntaxes.page import Block

USUAL = 2
"""The level of the headings that ask in a file that is not plain about another one."""
_TITLES = 1
"""The level of headings that are titles, where there are others."""
_DEEPEST = 6
LISTS = {"bullet_list_open", "ordered_list_open"}
"""The types of the blocks that are lists."""
_CODE = {"fence", "code_block"}
_DETAILS = re.compile(r"<(?P<end>/?)details(?=[\s>])", re.IGNORECASE)
_BEHIND_A_QUESTION = ' \t\n*_`"”’)）'
_NUMBERED = re.compile(
    r"(?:<a\b[^<>]*></a>)?[\W_]{0,8}(?:Q|Question|问题|第)?[ ]{0,4}(?P<number>\d{1,4})[ ]{0,4}"
    r"(?:[.):：、题]|\\\.)"
)


def holds_nothing(tokens: Iterable[Token]) -> bool:
    """Tell whether blocks are only marks: so are bullets with nothing behind them."""
    return all(token.nesting and token.type != "inline" for token in tokens)


def level_of(blocks: Sequence[Block]) -> int:
    """Return the level of the headings that ask, as far as a page is plain about it.

    They are of the usual level, or deeper ones that look like questions, below chapters that say
    nothing themselves, or where there is no heading of the usual level. Where all headings are
    titles, they are these, if most end with a question mark. Headings that say that they are the
    answer tell nothing of it, unless there are no others.
    """
    open_blocks = _without_answers(unfolded(blocks))
    titles = [block for block in open_blocks if block.heading_level == _TITLES]
    found = [block for block in open_blocks if block.heading_level >= USUAL]
    if not found and len(titles) > 1 and sum(map(asks, titles)) * 2 > len(titles):
        return _TITLES
    levels = {block.heading_level for block in found}
    for level in range(USUAL, _DEEPEST + 1):
        here = [block for block in found if block.heading_level == level]
        if here and not _are_chapters(level, open_blocks):
            return level if level == USUAL or _ask(here, is_alone=min(levels) == level) else USUAL
    return USUAL


def may_ask(blocks: Sequence[Block]) -> int:
    """Return the level of the headings that an author may have meant as questions; 0 if none are.

    They are the shallowest ones below titles; or titles, if there are several.
    """
    open_blocks = _without_answers(unfolded(blocks))
    levels = [block.heading_level for block in open_blocks if block.heading_level]
    several_titles = _TITLES if levels.count(_TITLES) > 1 else 0
    return min(set(levels) - {_TITLES}, default=several_titles)


def are_answered(blocks: Sequence[Block]) -> bool:
    """Tell whether text answers the headings that may ask, so that a list is part of an answer.

    Most of them begin with text, and one has no list: it would be a chapter without a card.
    """
    level = may_ask(blocks)
    begins: list[str] = []
    has_list: list[bool] = []
    is_first = False
    for block in unfolded(blocks):
        if block.heading_level:
            is_first = block.heading_level == level
            begins += [""] if is_first else []
            has_list += [False] if is_first else []
        elif begins:
            begins[-1] = block.type if is_first else begins[-1]
            has_list[-1] = has_list[-1] or block.type in LISTS
            is_first = False
    texts = sum(each not in {"", "hr", *LISTS} for each in begins)
    return len(begins) > 1 and texts * 2 > len(begins) and not all(has_list)


def _without_answers(blocks: Sequence[Block]) -> Sequence[Block]:
    """Return blocks without the headings that say that they are the answer.

    Where no other heading below the titles is left, they are all that may ask.
    """
    others = [each for each in blocks if not (each.heading_level and says_answer(each.content))]
    return others if any(each.heading_level >= USUAL for each in others) else blocks


def _are_chapters(level: int, blocks: Sequence[Block]) -> bool:
    """Tell whether the headings of a level only stand above deeper ones, and none asks."""
    return all(
        below is not None and below.heading_level > level and not asks(block)
        for block, below in zip_longest(blocks, blocks[1:])
        if block.heading_level == level
    )


def inside_chapters(blocks: Sequence[Block]) -> Sequence[Block]:
    """Return the headings right below those of the usual level, if these say nothing themselves.

    None where numbers or words recur in them, as in parts of an answer, where each chapter has one
    alone, and where a chapter has no name: that is told.
    """
    open_blocks = _without_answers(unfolded(blocks))
    levels = [block.heading_level for block in open_blocks if block.heading_level >= USUAL]
    deeper = min((level for level in levels if level > USUAL), default=0)
    if not deeper or USUAL not in levels or not _are_chapters(USUAL, open_blocks):
        return ()
    found = [block for block in open_blocks if block.heading_level == deeper]
    numbers = [match["number"] for each in found if (match := _NUMBERED.match(each.content))]
    chapters = [block for block in open_blocks if block.heading_level == USUAL]
    texts = {each.content for each in found}
    are_parts = (
        len(set(numbers)) < len(numbers)
        or len(found) <= len(chapters)
        or len(texts) * 4 < len(found) * 3
    )
    return () if are_parts or not all(each.content for each in chapters) else found


def _ask(headings: Sequence[Block], *, is_alone: bool) -> bool:
    """Tell whether most of these headings look like questions.

    Numbers make questions only if no number recurs: parts of an answer are numbered from one each
    time. Where there is no shallower heading but titles, a number is enough in any case.
    """
    numbers = [found["number"] for each in headings if (found := _NUMBERED.match(each.content))]
    counts = is_alone or (len(set(numbers)) == len(numbers) > 1)
    asking = sum(asks(each) or (counts and _is_numbered(each)) for each in headings)
    return asking * 2 > len(headings)


def _is_numbered(block: Block) -> bool:
    return _NUMBERED.match(block.content) is not None


def asks(block: Block) -> bool:
    """Tell whether a heading ends with a question mark."""
    return is_question(block.content)


def is_question(text: str) -> bool:
    """Tell whether a text ends with a question mark, whatever attributes are behind it.

    Or has one where its script writes it.
    """
    text = text.rstrip()
    if text.endswith("}"):  # attributes
        text = text.rpartition("{")[0]
    asked = text.rstrip(_BEHIND_A_QUESTION)
    return asked.endswith(tuple(QUESTION_MARKS)) or MARK_IN_WORD in asked


def unfolded(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that do not stand between `<details>` and `</details>`.

    What is folded belongs to what stands above it, whatever headings are in it. Tags that are never
    closed fold nothing.
    """
    tags = [(number, tag) for number, block in enumerate(blocks) for tag in _tags(block)]
    if not tags:
        return list(blocks)
    opened: list[int] = []
    change = [0] * (len(blocks) + 1)
    for number, tag in tags:
        if not tag["end"]:
            opened.append(number)
        elif opened and (start := opened.pop()) < number:
            change[start + 1] += 1
            change[number] -= 1
    depths = accumulate(change)
    return [block for block, depth in zip(blocks, depths, strict=False) if not depth]


def _tags(block: Block) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for token in block.tokens:
        if "<" in token.content and token.type not in _CODE:
            found += _DETAILS.finditer(token.content)
    return found


def asking_and_titles(blocks: Sequence[Block], level: int) -> list[Block]:
    """Return the headings that ask or name a deck, which end the answer above them.

    A heading that says that it is the answer is part of one, where a question stands right above;
    and so is one above the questions' level, if text follows it and the question has none as yet.
    """
    open_blocks = unfolded(blocks)
    found: list[Block] = []
    for number, block in enumerate(open_blocks):
        if not 0 < block.heading_level <= level:
            continue
        above = open_blocks[number - 1] if number else None
        below = open_blocks[number + 1] if number + 1 < len(open_blocks) else None
        is_in_question = bool(found) and found[-1].heading_level == level
        says_so = says_answer(block.content)
        is_shallower = 1 < block.heading_level < level
        has_text = below is not None and not below.heading_level
        if is_in_question and (
            (says_so and (is_shallower or above is found[-1]))
            or (is_shallower and above is found[-1] and has_text)
        ):
            continue
        found.append(block)
    return found
