"""Compares the former deletions of a cloze card with its text now."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from verideck import markdown
from verideck.history.numbering import BETWEEN, Past, grouped, memberships
from verideck.markdown import Token, cloze
from verideck.model import ClozeDeletion, Passage, Place, one_line

_WORD = re.compile(r"[^\W\u3400-\u9fff]+|\S")


def past(
    deletions: Sequence[ClozeDeletion],
    passages: Sequence[Passage],
    question: str,
    numbers: Sequence[tuple[int, str]],
    dropped: Sequence[tuple[int, str]],
) -> Past:
    """Return the past of a card, to number its deletions.

    `deletions` and `passages` are the card's now; the first passage is its question, the second its
    answer, if it has one. `question`, `numbers` and `dropped` are those of the card's `Identity`.
    """
    texts = dict([*numbers, *dropped])
    hides, had = Counter(text for _, text in grouped(deletions)), Counter(texts.values())
    if hides <= had and had.total() == len(had):
        return Past(texts)  # the texts are enough, as for most cards of most builds
    was, now = _tokens(question), _tokens(one_line(passages[0].text))
    read = [*now, *(token for each in passages[1:] for token in _above(each))]
    at_place = _at_place(was, now, deletions, numbers)
    return Past(texts, at_place, _uncovered(texts, was, read))


def _tokens(text: str) -> list[Token]:
    return list(markdown.walk(markdown.parse(Passage(text, Place(""), inline=True)).tokens))


def _above(answer: Passage) -> Iterator[Token]:
    return markdown.walk(markdown.divided(markdown.parse(answer).tokens)[0])


def _at_place(
    was: Sequence[Token],
    now: Sequence[Token],
    deletions: Sequence[ClozeDeletion],
    numbers: Sequence[tuple[int, str]],
) -> dict[int, int]:
    """Return the former number at the place of each group of the question (`Past.at_place`)."""
    one, other = (cloze.deletions(tokens, in_code=True) for tokens in (was, now))
    around = list(cloze.bare(was)) == list(cloze.bare(now))
    if not around or memberships(one) != memberships(other):
        return {}
    # A question that is read on one line may have other deletions than it has on the card.
    as_remembered = all(
        text.startswith(here) for (_, here), (_, text) in zip(grouped(one), numbers, strict=False)
    )
    as_on_the_card = len(other) <= len(deletions) and all(map(_is_the_same, other, deletions))
    if not (as_remembered and as_on_the_card):
        return {}
    return {group: numbers[group][0] for group in range(min(len(grouped(one)), len(numbers)))}


def _is_the_same(one: ClozeDeletion, other: ClozeDeletion) -> bool:
    return one.number == other.number and one_line(one.text) == one_line(other.text)


def _uncovered(texts: Mapping[int, str], was: Sequence[Token], now: Sequence[Token]) -> set[int]:
    """Return the numbers whose text stands outside of deletions more often than before."""
    before, after = (
        _apart(" ".join(piece[1] if piece else BETWEEN for piece in cloze.bare(tokens)))
        for tokens in (was, now)
    )
    return {
        number
        for number, text in texts.items()
        if all(after.count(each) > before.count(each) for each in map(_apart, text.split(BETWEEN)))
    }


def _apart(text: str) -> str:
    """Return a text with blanks around each word, sign and Han character."""
    return "".join(f" {word} " for word in _WORD.findall(text))
