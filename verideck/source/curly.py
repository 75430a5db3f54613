"""`{1:hidden}`: deletions in single braces, as plugins of Obsidian write them in any form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from verideck.source.syntaxes import RawCard
from verideck.source.syntaxes.deletions import CURLY, hidden

_NUMBERED = re.compile(r"(?<!\{)\{c?\d{1,3}[:|][^{}\n]+\}")


def uncurled(cards: Iterable[RawCard]) -> tuple[RawCard, ...]:
    """Return cards with such deletions written as Anki's, where a question has no answer.

    One with a number is the sign: `{a, b}` alone may be a set.
    """
    return tuple(
        replace(each, question=hidden([each.question], CURLY)[0])
        if each.answer is None and _NUMBERED.search(each.question.text)
        else each
        for each in cards
    )
