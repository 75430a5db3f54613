"""Text that Anki shows and does not read: its marks for deletions, sounds and maths are guarded."""

from __future__ import annotations

import re

_READ = re.compile(r"\[(?=sound:|anki:|latex\]|\$)")
_CLOSING = re.compile(r"\}(?=\}|$)")
_COLON = re.compile(r":(?=:)")


def hidden(text: str) -> str:
    """Keep what a deletion hides from closing it: Anki takes the first `}}` and the first `::`."""
    return _CLOSING.sub("}<!-- -->", _COLON.sub(":<!-- -->", text))


def literal(text: str) -> str:
    """Keep text from being taken for a sound to play, or for maths in Anki's old notation."""
    return _READ.sub("[<!-- -->", text) if "[" in text else text


def hidden_maths(text: str) -> str:
    """The same in TeX, where a space changes nothing and a comment would show."""
    return _CLOSING.sub("} ", _COLON.sub(": ", text))
