"""Kinds of file. To add one: a file here, a line in `OUTPUTS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from verideck.model import Note
from verideck.outputs import apkg

__all__ = ["OUTPUTS", "Output"]

Output = Callable[[Sequence[Note], int], bytes]
"""Notes in the order of the cards, and the moment of the build in seconds, to a file's content.

The same notes and moment give the same bytes. It touches no disk: `pack` does.
"""

OUTPUTS: Mapping[str, Output] = MappingProxyType({".apkg": apkg.package})
"""By the suffix of the file."""
