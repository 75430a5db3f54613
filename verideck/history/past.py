"""What a cloze card hid before, and what has become of it in the text as it is now."""

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
    hides, had = Counter(text for _, text in grouped(hidden)), Counter(texts.values())
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
    if not around or memberships(one) != memberships(other):
        return {}
    # Whoever reads a question on one line may find other deletions in it than stand on the card.
    as_remembered = all(
        text.startswith(here) for (_, here), (_, text) in zip(grouped(one), numbers, strict=False)
    )
    as_on_the_card = len(other) <= len(hidden) and all(map(_is_the_same, other, hidden))
    if not (as_remembered and as_on_the_card):
        return {}
    return {group: numbers[group][0] for group in range(min(len(grouped(one)), len(numbers)))}


def _is_the_same(one: ClozeDeletion, other: ClozeDeletion) -> bool:
    return one.number == other.number and one_line(one.text) == one_line(other.text)


def _bare(texts: Mapping[int, str], was: Sequence[Token], now: Sequence[Token]) -> set[int]:
    """The numbers whose text can be read more often than before."""
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
    """A text whose words, signs and Han characters each stand between two blanks."""
    return "".join(f" {word} " for word in _WORD.findall(text))
