"""Where a deck goes. To add a target: a file here, a line in `TARGETS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from verideck.model import DeckContents

__all__ = ["TARGETS", "Target"]

Target = Callable[[DeckContents], bytes]
"""From all that a package holds to the file's content.

The same edition gives the same bytes. It touches no disk: `pack` does.
"""


def _apkg(contents: DeckContents) -> bytes:
    from verideck.targets import apkg  # noqa: PLC0415 - a check packages nothing, and waits for none

    return apkg.package(contents)


TARGETS: Mapping[str, Target] = MappingProxyType({".apkg": _apkg})
"""By the suffix of the file."""
