"""Kinds of file. To add one: a file here, a line in `OUTPUTS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from verideck.model import Note

__all__ = ["OUTPUTS", "Output"]

Output = Callable[[Sequence[Note], int], bytes]
"""Notes in the order of the cards, and the moment of the build in seconds, to a file's content.

The same notes and moment give the same bytes. It touches no disk: `pack` does.
"""


def _apkg(notes: Sequence[Note], moment: int) -> bytes:
    from verideck.outputs import apkg  # noqa: PLC0415 - a check packages nothing, and waits for none

    return apkg.package(notes, moment)


OUTPUTS: Mapping[str, Output] = MappingProxyType({".apkg": _apkg})
"""By the suffix of the file."""
