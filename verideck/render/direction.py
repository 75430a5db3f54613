"""Which way text runs: a block of text as its first letter does, as in HTML's `dir="auto"`.

Code and formulas run from left to right, and decide nothing about the text around them. Only cards
that have a block of the other direction are marked: all others stay as they are, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from unicodedata import bidirectional

from verideck.markdown import Token

BLOCKS = frozenset(
    {
        "paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "dl_open",
        "blockquote_open", "callout_open", "table_open",
    }
)  # fmt: skip
"""The blocks that are marked. Items of lists and cells follow their own letters by the style sheet;
the block decides on which side their bullets, bars and columns are."""
_FROM_RIGHT = frozenset({"R", "AL"})
_MAY_BE = re.compile("[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U0001efff]")
"""What may be a letter of a script that runs from right to left."""
_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_SCRIPTS = frozenset({"adlm", "arab", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"})


def is_from_right(language: str) -> bool:
    """Return whether a language, named as in HTML's `lang`, is written from right to left."""
    first, *rest = language.lower().split("-")
    scripts = {each for each in rest if len(each) == len("arab") and each.isalpha()}
    return bool(_SCRIPTS & scripts) if scripts else first in _LANGUAGES


def direction(tokens: Iterable[Token]) -> str:
    """Return `rtl` or `ltr`, as the first letter in the text of tokens; empty without a letter."""
    texts = (text for each in tokens for text in each.children or () if text.type == "text")
    for token in texts:
        for character in token.content:
            kind = bidirectional(character)
            if kind == "L" or kind in _FROM_RIGHT:
                return "ltr" if kind == "L" else "rtl"
    return ""


def block(tokens: Sequence[Token], number: int) -> Sequence[Token]:
    """Return the tokens of the block that begins with one of them."""
    level = 0
    for end in range(number, len(tokens)):
        level += tokens[end].nesting
        if not level:
            return tokens[number : end + 1]
    return tokens[number:]


def may_be_from_right(text: str) -> bool:
    """Return whether a text holds what may be a letter of a script that runs from right to left."""
    return _MAY_BE.search(text) is not None


def has_from_right(parsed: Iterable[Sequence[Token]]) -> bool:
    """Return whether a block runs from right to left, in parsed passages."""
    return any(
        direction(block(tokens, number) if token.type in BLOCKS else [token]) == "rtl"
        for tokens in parsed
        for number, token in enumerate(tokens)
        if token.type in BLOCKS or token.type == "inline"
    )
