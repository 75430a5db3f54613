"""What of a passage is neither code nor maths, to look in it for the marks of other tools."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

from verideck import markdown
from verideck.markdown import Token
from verideck.markdown.prose import prose
from verideck.model import Passage, Place


class Spoken:
    """The prose of a passage, and where in the passage each of its characters stands."""

    def __init__(self, passage: Passage) -> None:
        """Parse a passage as if it were a file of its own."""
        alone = replace(passage, place=Place(""), cuts=(), numbers=(), edits=())
        self.tokens = markdown.parse(alone).tokens
        self._prose = prose(self.tokens, alone)
        self.text = self._prose.spoken
        """A line for each block, with blanks for code and one character for a formula."""
        lengths = (len(line) + 1 for line in passage.text.split("\n"))
        self._starts = list(accumulate(lengths, initial=0))

    def offset(self, position: int) -> int:
        """Return the offset in the passage of a character of the text."""
        return self._offset(self._prose.at(position))

    def offset_of(self, token: Token) -> int:
        """Return the offset in the passage of an inline token."""
        return self._offset(markdown.place(token))

    def _offset(self, place: Place) -> int:
        return self._starts[place.line - 1] + place.column - 1
