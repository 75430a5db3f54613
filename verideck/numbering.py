"""The numbers of a cloze card's deletions. To Anki a number is a card with a history.

So a number belongs to the text that it hides, whatever number an author writes: those only say
which deletions are asked for together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from verideck.likeness import alike, features
from verideck.markdown.cloze import Deletion, find
from verideck.model import Hidden

_ALIKE = 0.3


def numbered(
    hidden: Sequence[Hidden], before: Mapping[int, str], put: Mapping[str, str] | None = None
) -> tuple[tuple[int, ...], dict[int, str]]:
    """The number of each deletion, and the text of every number that the card ever had.

    `before` holds the texts of former numbers, `put` the former text in whose place a text stands
    (see `replaced`). A text keeps its number, and so does one that took its place; another one gets
    that of the former text it is most like, or else one that was never used, the written one if it
    is free. So nothing is asked under a number that once asked for something else.
    """
    groups = _groups(hidden)
    given: dict[int, int] = {}
    free = dict(before)
    for settle in (_by_text, partial(_by_place, put or {}), _by_likeness):
        for group, number in settle(groups, given, free):
            given[group] = number
            del free[number]
    used = {*before, *given.values()}
    wanted = {written for group, (written, _) in enumerate(groups) if group not in given}
    for group, (written, _) in enumerate(groups):
        if group in given:
            continue
        number = written if written and written not in used else _next(used | wanted)
        used.add(number)
        given[group] = number
    of_group = {given[group]: text for group, (_, text) in enumerate(groups)}
    return tuple(given[each] for each in _memberships(hidden)), {**before, **of_group}


def replaced(before: str, after: str) -> dict[str, str]:
    """What a question hides, each with what was hidden there, if all around it is the same."""
    (one, former), (other, now) = find(before), find(after)
    if _around(one, former) != _around(other, now):
        return {}
    return {
        other[new.start : new.end]: one[old.start : old.end]
        for old, new in zip(former, now, strict=True)
    }


def _around(plain: str, deletions: Sequence[Deletion]) -> list[str]:
    """The pieces of a text between its deletions."""
    starts = [0, *(each.end for each in deletions)]
    ends = [*(each.start for each in deletions), len(plain)]
    return [plain[start:end] for start, end in zip(starts, ends, strict=True)]


_Group = tuple[int | None, str]
"""The written number, and all that is hidden under it."""


def _memberships(hidden: Sequence[Hidden]) -> list[int]:
    """Which group each deletion belongs to."""
    by_number: dict[int, int] = {}
    found: list[int] = []
    count = 0
    for each in hidden:
        if each.number in by_number:
            found.append(by_number[each.number])
            continue
        if each.number is not None:
            by_number[each.number] = count
        found.append(count)
        count += 1
    return found


def _groups(hidden: Sequence[Hidden]) -> list[_Group]:
    texts: dict[int, list[str]] = {}
    numbers: dict[int, int | None] = {}
    for each, group in zip(hidden, _memberships(hidden), strict=True):
        texts.setdefault(group, []).append(" ".join(each.text.split()))
        numbers[group] = each.number
    return [(numbers[group], " … ".join(texts[group])) for group in texts]


def _by_text(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str]
) -> Iterator[tuple[int, int]]:
    """What is hidden now and was hidden before; the written number decides between two."""
    for group, (written, text) in enumerate(groups):
        same = sorted(number for number, former in free.items() if former == text)
        if group not in given and same:
            yield group, written if written and written in same else same[0]


def _by_place(
    put: Mapping[str, str],
    groups: Sequence[_Group],
    given: Mapping[int, int],
    free: Mapping[int, str],
) -> Iterator[tuple[int, int]]:
    """Another text, where everything around it is as it was."""
    former = {text: number for number, text in free.items()}
    for group, (_, text) in enumerate(groups):
        number = former.get(put.get(text, ""), 0)
        if group not in given and number in free:
            yield group, number


def _by_likeness(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str]
) -> Iterator[tuple[int, int]]:
    """A text that is like a former one, the likest first."""
    pairs = [
        (-_like(text, former), group, number)
        for group, (_, text) in enumerate(groups)
        for number, former in free.items()
        if group not in given and _like(text, former) >= _ALIKE
    ]
    for _, group, number in sorted(pairs):
        if group not in given and number in free:
            yield group, number


def _like(one: str, other: str) -> float:
    """How alike two hidden texts are; a word taken away or put beside them changes nothing."""
    mine, theirs = features(one), features(other)
    if mine and theirs and (mine <= theirs or theirs <= mine):
        return 1.0
    return alike(mine, theirs)


def _next(taken: AbstractSet[int | None]) -> int:
    """The lowest number that nobody had and nobody asks for."""
    return next(number for number in itertools.count(1) if number not in taken)
