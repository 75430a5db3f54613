"""Gives numbers to the deletions of a cloze card. To Anki each number is a card with a history.

So a number stays with the text that it hides. The numbers that an author writes only decide which
deletions are asked for together. Such deletions are called a group here; groups are counted from 0
in reading order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from verideck.history.likeness import alike, features
from verideck.model import ClozeDeletion, one_line

_ALIKE = 0.3
"""The likeness from which a text may take the number of a former text."""
BETWEEN = " … "
"""Stands between the texts of a group."""


@dataclass(frozen=True, slots=True)
class Past:
    """The numbers that a card had in former builds, compared with its text now."""

    texts: Mapping[int, str] = field(default_factory=dict)
    """The last text of every number that the card ever had; those in use come first, in reading
    order."""
    at_place: Mapping[int, int] = field(default_factory=dict)
    """For each group the former number at its place; empty unless all text around is the same."""
    uncovered: AbstractSet[int] = frozenset()
    """The numbers whose text is no longer hidden, but can be read on the card."""


def numbered(
    deletions: Sequence[ClozeDeletion], past: Past
) -> tuple[tuple[int, ...], dict[int, str]]:
    """Return the number of each deletion, and the last text of every number (see `Past.texts`).

    Each group gets a former number by the first of these that applies: the number of the same text;
    the number of the text that stood at its place; the number of the most similar text, unless that
    text can be read on the card now. Any other group gets a number that was never used: the one
    that the author wrote if it is free, else the lowest. So no number ever hides a text that has
    nothing to do with its former text.
    """
    groups = grouped(deletions)
    given: dict[int, int] = {}
    free = dict(past.texts)
    for assign in (_by_text, _by_place, _by_likeness):
        for group, number in assign(groups, given, free, past):
            given[group] = number
            del free[number]
    used = {*past.texts, *given.values()}
    wanted = {written for group, (written, _) in enumerate(groups) if group not in given}
    taken = used | wanted  # what is given below is never lower than what was given before
    unused = (number for number in itertools.count(1) if number not in taken)
    for group, (written, _) in enumerate(groups):
        if group in given:
            continue
        number = written if written and written not in used else next(unused)
        used.add(number)
        given[group] = number
    of_group = {given[group]: text for group, (_, text) in enumerate(groups)}
    dropped = {number: text for number, text in past.texts.items() if number not in of_group}
    return tuple(given[each] for each in memberships(deletions)), {**of_group, **dropped}


_Group = tuple[int | None, str]
"""The number that the author wrote, and the texts that the group hides, joined."""


def memberships(deletions: Sequence[ClozeDeletion]) -> list[int]:
    """Return the group of each deletion. Deletions without a number are groups of their own."""
    by_number: dict[int, int] = {}
    groups: list[int] = []
    count = 0
    for each in deletions:
        if each.number in by_number:
            groups.append(by_number[each.number])
            continue
        if each.number is not None:
            by_number[each.number] = count
        groups.append(count)
        count += 1
    return groups


def grouped(deletions: Sequence[ClozeDeletion]) -> list[_Group]:
    """Return the groups of the deletions, in reading order."""
    texts: dict[int, list[str]] = {}
    numbers: dict[int, int | None] = {}
    for each, group in zip(deletions, memberships(deletions), strict=True):
        texts.setdefault(group, []).append(one_line(each.text))
        numbers[group] = each.number
    return [(numbers[group], BETWEEN.join(texts[group])) for group in texts]


def _by_text(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str], past: Past
) -> Iterator[tuple[int, int]]:
    """Yield groups with the former number of the same text.

    Among several such numbers the place decides, then the written number, then the order.
    """
    pairs = [
        (_rank(number, (past.at_place.get(group), written)), group, order, number)
        for group, (written, text) in enumerate(groups)
        for order, (number, former) in enumerate(free.items())
        if former == text
    ]
    for _, group, _, number in sorted(pairs):
        if group not in given and number in free:
            yield group, number


def _rank(number: int, wanted: Sequence[int | None]) -> int:
    return wanted.index(number) if number in wanted else len(wanted)


def _by_place(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str], past: Past
) -> Iterator[tuple[int, int]]:
    """Yield groups with the former number at the same place, for a text that was replaced."""
    for group in range(len(groups)):
        number = past.at_place.get(group, 0)
        if group not in given and number in free:
            yield group, number


def _by_likeness(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str], past: Past
) -> Iterator[tuple[int, int]]:
    """Yield groups with the former number of a similar text, the most similar first."""
    pairs = [
        (-_like(text, former), group, number)
        for group, (_, text) in enumerate(groups)
        for number, former in free.items()
        if group not in given and number not in past.uncovered and _like(text, former) >= _ALIKE
    ]
    for _, group, number in sorted(pairs):
        if group not in given and number in free:
            yield group, number


def _like(one: str, other: str) -> float:
    """Return the likeness of two texts, from 0 to 1; 1 if one has all words of the other."""
    mine, theirs = features(one), features(other)
    if mine and theirs and (mine <= theirs or theirs <= mine):
        return 1.0
    return alike(mine, theirs)
