"""The ids that Obsidian gives to blocks, to link to them: ` ^37066d` at the end of a block.

A card shows none. But a text may end with such a word, too, so one is only taken for an id in a
file that is Obsidian's; and the author is told, unless the file links to it or Obsidian made it up.
"""

from __future__ import annotations

import re
from enum import Enum

_ID = re.compile(r"(?:\A|(?<=[ \t\n]))\^([A-Za-z0-9-]+)[ \t]*\Z")
_MAY_BE = re.compile(r"(?:^|[ \t])\^[A-Za-z0-9-]+[ \t]*$", re.MULTILINE)
_MADE_UP = re.compile(r"[0-9a-f]{6}|\d{13}")
"""Obsidian's, and those of plugins: milliseconds, or the id of a note in Anki."""
_LINK = re.compile(r"(?<![A-Za-z0-9_)\]`])\[\[(?![\^\]])[^\[\]\n]+\]\]")
_OF_A_PLUGIN = re.compile(
    r"(?:^|\s)#(?:flash)?cards?(?![\w-])|<!--SR:|^TARGET DECK\b|^cards-deck:",
    re.MULTILINE | re.IGNORECASE,
)
"""What only cards of Obsidian's plugins have: Spaced Repetition, Obsidian_to_Anki, Flashcards."""
_REFERRED = re.compile(r"\[\[[^\[\]\n]*?#\^([A-Za-z0-9-]+)")


class Certainty(Enum):
    """How sure it is that a word is an id."""

    SURE = "sure"
    LIKELY = "likely"


class BlockIds:
    """Finds the ids in a file."""

    def __init__(self, text: str, *, in_vault: bool) -> None:
        """Look whether there can be any, by the file's text and by where it is."""
        is_likely = (
            "^" in text
            and _MAY_BE.search(text)
            and (in_vault or _LINK.search(text) or _OF_A_PLUGIN.search(text))
        )
        self.can_be = bool(is_likely)
        self._referred = frozenset(_REFERRED.findall(text)) if is_likely else frozenset[str]()

    def at_end(self, block: str, *, is_heading: bool) -> tuple[int, Certainty] | None:
        """Return where the id at the end of a block's text begins, and how sure it is one.

        A number may be a power that lost its base, and headings have links of their own: there only
        what is sure is an id.
        """
        found = _ID.search(block)
        if not found:
            return None
        if found[1] in self._referred or _MADE_UP.fullmatch(found[1]):
            return found.start(), Certainty.SURE
        is_word = re.search("[A-Za-z]", found[1]) is not None
        return (found.start(), Certainty.LIKELY) if is_word and not is_heading else None
