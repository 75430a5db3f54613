"""How long a text is to who reads it: in units, so that one limit fits Chinese and English.

A Han character is 1 unit, as are kana and Hangul syllables; a word or number in any other script
is 1.5, a value too; a formula is 4. So 60 units are 60 汉字, or 40 English words. Punctuation is
nothing.
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
"""What a unit is, for hints."""


def units(text: str) -> float:
    """How long a text is."""
    return sum(
        1.0 if found["wide"] else _OF_A_WORD if found["word"] else _OF_A_FORMULA
        for found in _UNITS.finditer(text)
    )
