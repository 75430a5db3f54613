"""Emphasis in scripts without spaces: `**归一化：**先`, `**注意：**PyTorch`, `是**“强调”**`.

CommonMark lets stars beside punctuation open or close only if white space or other punctuation is
on their far side. In Chinese and Japanese there is neither, and the stars would be shown, or pair
up wrongly. So a mark that stands beside a character of theirs, on either side, opens and closes as
if there were no punctuation: the rule of markdown-it-cjk-friendly, for every mark but `_`, which
never stands inside of a word.

Beyond that rule, quotes, ellipses and dashes, which Chinese shares with other scripts, are Chinese
in a passage that has a character of theirs: `是**“Adam”**optimizer`.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, east_asian_width, name

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline.state_inline import Scanned

_OPENING, _CLOSING = frozenset("‘“…—"), frozenset("’”…—")
"""What of the punctuation that is shared may begin what is marked, and what may end it."""
_BEFORE_IDEOGRAPHS = 0x2E80
_PICTURES = range(0x1F000, 0x1FB00)


def scanned(text: str, start: int, limit: int, around: str, *, splits_words: bool) -> Scanned:
    """Return whether the run of a mark at a position can open and close, and how long it is.

    `around` is the text that the block stands in: a cell may have no word in Chinese of its own.
    """
    mark = text[start]
    end = start + 1
    while end < limit and text[end] == mark:
        end += 1
    before = text[start - 1] if start else " "
    after = text[end] if end < limit else " "
    if isWhiteSpace(ord(before)) or isWhiteSpace(ord(after)):
        opens, closes = not isWhiteSpace(ord(after)), not isWhiteSpace(ord(before))
        return Scanned(opens, closes, end - start)
    opens, closes = _is_punctuation(before), _is_punctuation(after)
    if splits_words:
        beside = is_ours(before) or is_ours(after)
        if before in _CLOSING or after in _OPENING:
            beside = beside or _has_ours(around)
        opens, closes = opens or beside or not closes, closes or beside or not opens
    return Scanned(opens, closes, end - start)


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


@lru_cache(maxsize=1)
def _has_ours(text: str) -> bool:
    """Whether a text is Chinese, Japanese or Korean, at least in part."""
    return any(map(is_ours, text))


def is_ours(character: str) -> bool:
    """Tell a character of Chinese, Japanese or Korean that no other script has."""
    if character < "\x80":
        return False
    width = east_asian_width(character)
    if width == "W":
        return not _is_emoji(character)
    return width in "FH" or (width == "N" and name(character, "").startswith("HANGUL"))


def _is_emoji(character: str) -> bool:
    """Tell the pictures among the characters that are as wide as they are high."""
    point = ord(character)
    return category(character) in {"So", "Sk"} and (
        point < _BEFORE_IDEOGRAPHS or point in _PICTURES
    )
