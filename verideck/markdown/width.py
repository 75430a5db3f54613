"""Characters as wide as they are high: Han, kana, Hangul, and their punctuation."""

from __future__ import annotations

from unicodedata import east_asian_width


def is_wide(character: str) -> bool:
    """Tell whether a character is wide; an empty text is not."""
    return bool(character) and east_asian_width(character) in {"W", "F"}
