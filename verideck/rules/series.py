"""Series in English prose: `one, two and three`, `the first of them, the second, or the last`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_WORD = r"[^\s,.;:!?]+"
_RUN = re.compile(rf"{_WORD}(?:,? {_WORD})*")
"""Words with single spaces between, some behind a comma: a series is a part of such a run."""
_OF_AN_ITEM = 3
"""The most words of an item that has a comma behind it; and the most before `and` or `or`."""


class _Item(NamedTuple):
    """What stands between two commas."""

    start: int
    words: list[str]

    def joins(self, behind: str) -> int | None:
        """Return how many words stand before its `and` or `or`; None if there is none so early.

        `behind` is the character behind the item: a space has to follow the word.
        """
        ends = len(self.words) - (behind != " ")
        early = range(min(_OF_AN_ITEM + 1, ends))
        return next((n for n in early if self.words[n] in {"and", "or"}), None)

    def last_words(self) -> int:
        """Return where the words begin that can be the first item of a series."""
        before = self.words[:-_OF_AN_ITEM]
        return self.start + sum(len(word) + 1 for word in before)


def series(text: str) -> Iterator[tuple[int, int]]:
    """Yield the number of items of each series of at least three, and where it begins.

    Each item is looked at a fixed number of times: a regular expression with two repetitions would
    try every number of items from every word.
    """
    for run in _RUN.finditer(text):
        items = _items(run)
        behind = text[run.end() : run.end() + 1]
        first = 0
        while first + 2 < len(items):
            last = _last(items, first)
            joins = [
                (number, before)
                for number in range(first + 2, last + 1)
                if (before := items[number].joins(behind if number == len(items) - 1 else ","))
                is not None
            ]
            if joins:
                number, before = joins[-1]
                yield number - first + 1 + (before > 0), items[first].last_words()
                last = number
            first = max(last, first + 1)


def _items(run: re.Match[str]) -> list[_Item]:
    items = []
    start = run.start()
    for item in run.group().split(", "):
        items.append(_Item(start, item.split(" ")))
        start += len(item) + 2
    return items


def _last(items: list[_Item], first: int) -> int:
    """Return the last item of a series that begins with an item: all between are short."""
    for number in range(first + 1, len(items)):
        if len(items[number].words) > _OF_AN_ITEM:
            return number
    return len(items) - 1
