"""Guards text against Anki's own marks for deletions, sounds and maths."""

from __future__ import annotations

import re

_READ = re.compile(r"\[(?=sound:|anki:|latex\]|\$)")
_CLOSING = re.compile(r"\}(?=\}|$)")
_COLON = re.compile(r":(?=:)")
_DELETION = re.compile(r"\{(?=\{c\d)")


def hidden(text: str) -> str:
    """Return the text of a deletion with comments inside of `}}` and `::`, which would close it."""
    return _CLOSING.sub("}<!-- -->", _COLON.sub(":<!-- -->", text))


def literal(text: str) -> str:
    """Return text with comments inside of Anki's marks for sounds and for old-style maths."""
    return _READ.sub("[<!-- -->", text) if "[" in text else text


def hidden_maths(text: str) -> str:
    """Return the TeX of a deletion with spaces inside of `}}` and `::`.

    In TeX a space changes nothing, and a comment would be shown.
    """
    return _CLOSING.sub("} ", _COLON.sub(": ", text))


def without_deletions(text: str) -> str:
    """Return the HTML of a field of a cloze note in which Anki finds no deletion.

    Anki makes a card of a deletion in any field, also in one that no template shows.
    """
    return _DELETION.sub("&#123;", text)
