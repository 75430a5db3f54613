"""The first mark from a position on, so that no stretch of a text is searched twice for it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

_FIRSTS = "verideck-firsts"
"""Key of the parser's environment: the marks of the text whose blocks are parsed."""


class Firsts:
    """Finds marks in a text. A rule that asks at every opening mark for the closing one asks here.

    With `str.find`, a thousand opening marks that share one closing mark, or have none, would each
    read the text up to it.
    """

    def __init__(self, text: str) -> None:
        """Remember, for each mark, from where it was looked for last and where it was found."""
        self._text = text
        self._known: dict[str, tuple[int, int]] = {}

    def __call__(self, mark: str, start: int) -> int:
        """Return where the mark stands first at or behind `start`; -1 if it does not."""
        asked, found = self._known.get(mark, (len(self._text) + 1, -1))
        if start < asked or -1 < found < start:
            found = self._text.find(mark, start)
            self._known[mark] = start, found
        return found


def firsts(env: MutableMapping[str, Any], text: str) -> Firsts:
    """Return the marks of the text whose blocks are parsed in an environment."""
    found: Firsts = env.setdefault(_FIRSTS, Firsts(text))
    return found
