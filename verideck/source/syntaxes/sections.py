"""What stands beneath a heading, for forms in which a line divides it into question and answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from verideck.model import Passage
from verideck.source.syntaxes.page import Block, Page

_HASHES = re.compile(r" {0,3}#{1,6}[ \t]+")


def question(page: Page, heading: Block, stop: int, unasked: Iterable[int] = ()) -> Passage | None:
    """Return the text of a heading, and of the lines below it to before `stop`; None if blank.

    Of these lines some, counted from 0, are no part of it.
    """
    if stop <= heading.stop:
        return page.inline(heading.content, heading.start) if heading.content else None
    hashes = _HASHES.match(page.lines[heading.start])
    if hashes is None:
        whole = lacking(page.passage(heading.start, stop), unasked)
        return _without_rule(whole, heading.stop - 1 - heading.start)
    return lacking(page.behind(heading.start, hashes.end(), stop), unasked)


def _without_rule(passage: Passage | None, number: int) -> Passage | None:
    """Return a passage with a blank line in place of the one that underlines its heading."""
    if passage is None:
        return None
    lines = passage.text.split("\n")
    start = sum(len(line) + 1 for line in lines[:number])
    return passage.rewritten([(start, start + len(lines[number]), "")])


def lacking(passage: Passage | None, lines: Iterable[int]) -> Passage | None:
    """Return a passage without some lines of its file, counted from 0; None if nothing is left."""
    if passage is None:
        return None
    first, count = passage.place.line - 1, passage.text.count("\n") + 1
    inside = {line - first for line in lines if first <= line < first + count}
    return passage.lacking(inside) if inside else passage
