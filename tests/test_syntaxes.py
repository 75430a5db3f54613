"""What holds of every form of a card, and of the frame that they share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verideck.model import Passage, Place

TEXT = st.text(st.sampled_from("ab[]\n"), max_size=12)
PIECES = st.lists(st.tuples(TEXT, st.sampled_from(["", "x", "[", "long"]), st.text("cd")))
"""Kept text, and other text that stands in place of some more."""


def _replaced(
    pieces: list[tuple[str, str, str]], rest: str
) -> tuple[str, list[tuple[int, int, str]], list[tuple[int, int]]]:
    """The whole text, the changes of it, and where each kept character is, before and after."""
    whole, changes, kept = "", [], []
    after = 0
    for text, old, new in [*pieces, (rest, "", "")]:
        kept += [(len(whole) + n, after + n) for n in range(len(text))]
        whole, after = whole + text, after + len(text)
        if old or new:
            changes.append((len(whole), len(whole) + len(old), new))
        whole, after = whole + old, after + len(new)
    return whole, changes, kept


@given(PIECES, TEXT, st.integers(0, 9), st.integers(0, 9))
def test_what_is_rewritten_keeps_the_place_of_what_is_not(
    pieces: list[tuple[str, str, str]], rest: str, column: int, cut: int
) -> None:
    """Each character that was left alone is told where it stands in the file, also if it moved."""
    whole, changes, kept = _replaced(pieces, rest)
    cuts = (column, *[cut] * whole.count("\n"))
    passage = Passage(whole, Place("a.md", 3, column + 1), cuts)
    once = passage.rewritten(changes)
    for before, after in kept:
        assert once.text[after] == whole[before]
        assert once.place_of(after) == passage.place_of(before)
    twice = once.rewritten([(0, 0, "{{c1::")])
    for before, after in kept:
        assert twice.place_of(after + len("{{c1::")) == passage.place_of(before)
