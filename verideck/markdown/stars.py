"""Stars that were meant as emphasis, and have a blank inside: `** text:**`, `**text **:`.

CommonMark has them as text, and so have we; but their author is told. Stars with blanks on both
sides are an operator, and so are those at a word: `a ** b`, `x** 2`, `**options`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.rules_inline.state_inline import Delimiter

from verideck.markdown.emphasis import is_ours, scanned
from verideck.markdown.faults import PROBLEMS
from verideck.markdown.positions import State
from verideck.problems import Code, Problem, Severity

_BLANKS = " \t\u00a0\u3000"
_LENGTHS = frozenset({2, 3})
"""How many stars are told: a single one is a product or a note's mark as often."""
_STAR = ord("*")


def tell(state: State) -> None:
    """Tell of each pair of equal marks in a line that the blanks in it keep from being emphasis."""
    if state.content is None:
        return
    for delimiters in [
        state.delimiters,
        *(meta["delimiters"] for meta in state.tokens_meta if meta),
    ]:
        if 2 * sum(each.end >= 0 for each in delimiters) == len(delimiters):
            continue  # in most texts, every mark has its partner
        known: dict[tuple[int, int], int] = {}
        for around, length, start in _unread(state, delimiters):
            opening = known.pop((around, length), None)
            if opening is None or not _is_meant(state.src, opening, start, length):
                known[around, length] = start
                continue
            mark = "*" * length
            message = f"these {mark} are shown as they are written: a blank stands inside of them"
            hint = f"write {mark}text{mark}, with the blanks outside"
            place = state.content.at(opening)
            problem = Problem(Code.MARK_UNREAD, message, place, hint, Severity.WARNING)
            state.env[PROBLEMS].add(problem)


def _unread(state: State, delimiters: Sequence[Delimiter]) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of stars that are text: what emphasis they stand in, how many, and where."""
    ends = {each.end for each in delimiters if each.end >= 0}
    opened: list[int] = []
    last = -1
    for number, each in enumerate(delimiters):
        if opened and opened[-1] == number:
            opened.pop()
        if each.end >= 0:
            opened.append(each.end)
        if number <= last or each.marker != _STAR or each.length not in _LENGTHS:
            continue
        last = number + each.length - 1
        run = range(number, last + 1)
        if last < len(delimiters) and all(delimiters[at].end < 0 and at not in ends for at in run):
            around = opened[-1] if opened else -1
            yield around, each.length, state.tokens[each.token].meta["offset"]


def _is_meant(text: str, opening: int, closing: int, length: int) -> bool:
    """Tell whether two runs in a line have a blank inside, and would be emphasis without it."""
    inside = text[opening + length : closing]
    marked = inside.strip(_BLANKS)
    if marked in {"", inside} or "\n" in inside:
        return False
    before, after = text[opening - 1 : opening], text[closing + length : closing + length + 1]
    if inside[0] in _BLANKS and (_is_word(before) or before in set(_BLANKS)):
        return False
    if inside[-1] in _BLANKS and (_is_word(after) or after in set(_BLANKS)):
        return False
    plain = f"{before}{'*' * length}{marked}{'*' * length}{after}"
    first, last = len(before), len(before) + length + len(marked)
    opens = scanned(plain, first, len(plain), text, splits_words=True).can_open
    return opens and scanned(plain, last, len(plain), text, splits_words=True).can_close


def _is_word(character: str) -> bool:
    return character.isalnum() and not is_ours(character)
