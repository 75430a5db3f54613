"""The numbers of a cloze card's deletions. To Anki a number is a card with a history.

So a number belongs to the text that it hides, whatever number an author writes: those only say
which deletions are asked for together. Such deletions are a group here; groups are counted from 0
in reading order.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from verideck import markdown
from verideck.history.likeness import alike, features
from verideck.markdown import Token, cloze
from verideck.model import ClozeDeletion, Passage, Place, one_line

_ALIKE = 0.3
_WORD = re.compile(r"[^\W\u3400-\u9fff]+|\S")
_BETWEEN = " … "


@dataclass(frozen=True, slots=True)
class Past:
    """What a card hid before, and what has become of it."""

    texts: Mapping[int, str] = field(default_factory=dict)
    """Of every number that the card ever had; those in use first, in reading order."""
    put: Mapping[int, int] = field(default_factory=dict)
    """The number of what stood where each group stands now, if all around is as it was."""
    bare: AbstractSet[int] = frozenset()
    """The numbers whose text now stands where it can be read."""


def numbered(hidden: Sequence[ClozeDeletion], past: Past) -> tuple[tuple[int, ...], dict[int, str]]:
    """The number of each deletion; and the text of every number that the card ever had, as `Past`.

    A text keeps its number, and so does one that took its place; another one gets that of the
    former text it is most like, unless that can be read now, or else one that was never used, the
    written one if it is free. So nothing is asked under a number that once asked for something
    else.
    """
    groups = _groups(hidden)
    given: dict[int, int] = {}
    free = dict(past.texts)
    for settle in (_by_text, _by_place, _by_likeness):
        for group, number in settle(groups, given, free, past):
            given[group] = number
            del free[number]
    used = {*past.texts, *given.values()}
    wanted = {written for group, (written, _) in enumerate(groups) if group not in given}
    for group, (written, _) in enumerate(groups):
        if group in given:
            continue
        number = written if written and written not in used else _next(used | wanted)
        used.add(number)
        given[group] = number
    of_group = {given[group]: text for group, (_, text) in enumerate(groups)}
    dropped = {number: text for number, text in past.texts.items() if number not in of_group}
    return tuple(given[each] for each in _memberships(hidden)), {**of_group, **dropped}


def past(
    hidden: Sequence[ClozeDeletion],
    passages: Sequence[Passage],
    question: str,
    numbers: Sequence[tuple[int, str]],
    dropped: Sequence[tuple[int, str]],
) -> Past:
    """The past of a card that hides something in these passages, the first of them its question.

    It asked `question` before, on one line, and had these numbers, in reading order.
    """
    texts = dict([*numbers, *dropped])
    hides, had = Counter(text for _, text in _groups(hidden)), Counter(texts.values())
    if hides <= had and had.total() == len(had):
        return Past(texts)  # texts alone tell, as they do for most cards of most builds
    was, now = _tokens(question), _tokens(one_line(passages[0].text))
    read = [*now, *(token for each in passages[1:] for token in _above(each))]
    return Past(texts, _put(was, now, hidden, numbers), _bare(texts, was, read))


def _tokens(text: str) -> list[Token]:
    return list(markdown.walk(markdown.parse(Passage(text, Place(""), inline=True)).tokens))


def _above(answer: Passage) -> Iterator[Token]:
    return markdown.walk(markdown.divided(markdown.parse(answer).tokens)[0])


def _put(
    was: Sequence[Token],
    now: Sequence[Token],
    hidden: Sequence[ClozeDeletion],
    numbers: Sequence[tuple[int, str]],
) -> dict[int, int]:
    one, other = (cloze.deletions(tokens, in_code=True) for tokens in (was, now))
    around = list(cloze.bare(was)) == list(cloze.bare(now))
    if not around or _memberships(one) != _memberships(other):
        return {}
    # Whoever reads a question on one line may find other deletions in it than stand on the card.
    as_remembered = all(
        text.startswith(here) for (_, here), (_, text) in zip(_groups(one), numbers, strict=False)
    )
    as_on_the_card = len(other) <= len(hidden) and all(map(_is_the_same, other, hidden))
    if not (as_remembered and as_on_the_card):
        return {}
    return {group: numbers[group][0] for group in range(min(len(_groups(one)), len(numbers)))}


def _is_the_same(one: ClozeDeletion, other: ClozeDeletion) -> bool:
    return one.number == other.number and one_line(one.text) == one_line(other.text)


def _bare(texts: Mapping[int, str], was: Sequence[Token], now: Sequence[Token]) -> set[int]:
    """The numbers whose text can be read more often than before."""
    before, after = (
        _apart(" ".join(piece[1] if piece else _BETWEEN for piece in cloze.bare(tokens)))
        for tokens in (was, now)
    )
    return {
        number
        for number, text in texts.items()
        if all(after.count(each) > before.count(each) for each in map(_apart, text.split(_BETWEEN)))
    }


def _apart(text: str) -> str:
    """A text whose words, signs and Han characters each stand between two blanks."""
    return "".join(f" {word} " for word in _WORD.findall(text))


_Group = tuple[int | None, str]
"""The written number, and all that is hidden under it."""


def _memberships(hidden: Sequence[ClozeDeletion]) -> list[int]:
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


def _groups(hidden: Sequence[ClozeDeletion]) -> list[_Group]:
    texts: dict[int, list[str]] = {}
    numbers: dict[int, int | None] = {}
    for each, group in zip(hidden, _memberships(hidden), strict=True):
        texts.setdefault(group, []).append(one_line(each.text))
        numbers[group] = each.number
    return [(numbers[group], _BETWEEN.join(texts[group])) for group in texts]


def _by_text(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str], past: Past
) -> Iterator[tuple[int, int]]:
    """What is hidden now and was hidden before.

    Between several that are the same the place decides, then the written number, then the order.
    """
    pairs = [
        (_rank(number, (past.put.get(group), written)), group, order, number)
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
    """Another text, where everything around it is as it was."""
    for group in range(len(groups)):
        number = past.put.get(group, 0)
        if group not in given and number in free:
            yield group, number


def _by_likeness(
    groups: Sequence[_Group], given: Mapping[int, int], free: Mapping[int, str], past: Past
) -> Iterator[tuple[int, int]]:
    """A text that is like a former one, the likest first."""
    pairs = [
        (-_like(text, former), group, number)
        for group, (_, text) in enumerate(groups)
        for number, former in free.items()
        if group not in given and number not in past.bare and _like(text, former) >= _ALIKE
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
