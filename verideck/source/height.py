"""How much of a screen an answer fills: one that is scrolled for long is not reviewed, but read."""

from __future__ import annotations

from collections.abc import Sequence

from verideck.model import OVERVIEW, Card, Role, Snippet
from verideck.problems import Code, Problem, Severity

_SCREEN = 30
"""Lines that a screen shows, under the question."""
_COLUMNS = 80
"""Of a line. A Han character takes two."""
_MOST = 2
"""Screens that an answer may fill."""
_MARKS = 2
"""Lines of a fence that are not its code."""


def too_tall(cards: Sequence[Card]) -> Problem | None:
    """Return the one problem of a file's answers that fill more than two screens."""
    tall = [(card, lines) for card in cards if (lines := _lines(card)) > _MOST * _SCREEN]
    if not tall:
        return None
    (card, lines), *others = tall
    more = f"; {len(others)} below are as long" if others[1:] else "; one below is as long"
    return Problem(
        Code.ANSWER_TALL,
        f"this answer fills {lines / _SCREEN:.1f} screens{more if others else ''}",
        card.place,
        "ask for its parts, each on a card of its own; or say by the tag overview that it is meant",
        Severity.WARNING,
    )


def _lines(card: Card) -> int:
    """About how many lines a screen has to show of an answer; 0 where it need not be counted."""
    text = card.answer.text if card.answer else ""
    if len(text) < _SCREEN * _COLUMNS and text.count("\n") < _MOST * _SCREEN:
        return 0
    if OVERVIEW in card.tags:
        return 0
    folded = [each.code for each in card.snippets if _is_folded(each) and not each.options.include]
    return _height(text) - sum(_height(code) + _MARKS for code in folded)


def _is_folded(snippet: Snippet) -> bool:
    """Whether a screen does not show its code until it is tapped on."""
    return snippet.options.folded or snippet.options.role is Role.CHECK


def _height(text: str) -> int:
    return sum(_columns(line) // _COLUMNS + 1 for line in text.split("\n") if line.strip())


def _columns(line: str) -> int:
    """The columns of a line: a character of three bytes takes two."""
    return (len(line) + len(line.encode(errors="surrogatepass"))) // 2
