"""The length of a text in units, so that one limit fits Chinese and English.

A Han character, a kana or a Hangul syllable is 1 unit; a word or number in another script, or a
value, is 1.5; a formula is 4. So 60 units are 60 汉字, or 40 English words. Punctuation is 0.
"""

from __future__ import annotations

import re

from verideck.markdown.prose import FORMULA, VALUE

_WIDE = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
WORD = rf"[^\W{_WIDE}]+(?:[-.,'’][^\W{_WIDE}]+)*"
"""A word or a number, as a regular expression."""
_UNITS = re.compile(rf"(?P<wide>[{_WIDE}])|(?P<word>{WORD}|{VALUE})|{FORMULA}")

_OF_A_WORD, _OF_A_FORMULA = 1.5, 4.0

MEANING = "a Han character is 1, a word 1.5, a formula 4"
"""The definition of a unit, for hints."""


def units(text: str) -> float:
    """Return the length of a text in units."""
    return sum(
        1.0 if found["wide"] else _OF_A_WORD if found["word"] else _OF_A_FORMULA
        for found in _UNITS.finditer(text)
    )
