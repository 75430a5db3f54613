"""Kinds of file. To add one: a file here, a line in `OUTPUTS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from verideck.model import DeckContents

__all__ = ["OUTPUTS", "Output"]

Output = Callable[[DeckContents], bytes]
"""From all that a package holds to the file's content.

The same edition gives the same bytes. It touches no disk: `pack` does.
"""


def _apkg(contents: DeckContents) -> bytes:
    from verideck.targets import apkg  # noqa: PLC0415 - a check packages nothing, and waits for none

    return apkg.package(contents)


OUTPUTS: Mapping[str, Output] = MappingProxyType({".apkg": _apkg})
"""By the suffix of the file."""
