"""The numbers of a cloze card's deletions. To Anki a number is a card with a history.

So a number belongs to the text that it hides, whatever number an author writes: those only say
which deletions are asked for together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from verideck.likeness import alike, features
from verideck.model import Hidden

_ALIKE = 0.3


def numbered(
    hidden: Sequence[Hidden], before: Mapping[int, str]
) -> tuple[tuple[int, ...], dict[int, str]]:
    """The number of each deletion, and the text of every number that the card ever had.

    `before` holds the texts of former numbers. A text keeps its number; a changed text keeps the
    number that is written for it, or that of the former text it is most like; any other deletion
    gets a number that was never used, the written one if it is free. So nothing is asked under a
    number that once asked for something else.
    """
    groups = _groups(hidden)
    given: dict[int, int] = {}
    free = dict(before)
    for settle in (_by_text, _by_written_number, _by_likeness):
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


def _by_written_number(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str]
) -> Iterator[tuple[int, int]]:
    """Another text under a number whose former text is hidden nowhere any more."""
    for group, (written, _) in enumerate(groups):
        if written and group not in given and written in free:
            yield group, written


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
    if one in other or other in one:
        return 1.0
    return alike(features(one), features(other))


def _next(taken: AbstractSet[int | None]) -> int:
    """The lowest number that nobody had and nobody asks for."""
    return next(number for number in itertools.count(1) if number not in taken)
