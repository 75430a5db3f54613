"""Real inputs: the repository's own cards and lock, and the cases of the manual."""

from __future__ import annotations

import re
from functools import cache

from projects import ROOT

from verideck.history.lock import NAME

_FENCE = re.compile(r"^(`{3,})([^`\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


@cache
def spec_texts() -> list[str]:
    """The fences of the manual."""
    files = sorted((ROOT / "tests" / "spec").glob("*.md"))
    return [each[3] for file in files for each in _FENCE.finditer(file.read_text("utf-8"))]


@cache
def card_texts() -> list[str]:
    """The cards of the repository's own deck, each with what stands beneath it."""
    files = sorted((ROOT / "cards").glob("*.md"))
    texts = (re.split(r"(?m)^(?=## )", file.read_text("utf-8")) for file in files)
    return [card for cards in texts for card in cards]


@cache
def lock_lines() -> list[bytes]:
    """The lines of the repository's own lock."""
    return (ROOT / NAME).read_bytes().split(b"\n")
