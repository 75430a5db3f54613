"""Kinds of file. To add one: a file here, a line in `OUTPUTS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from verideck.model import Edition

__all__ = ["OUTPUTS", "Output"]

Output = Callable[[Edition], bytes]
"""From all that a package holds to the file's content.

The same edition gives the same bytes. It touches no disk: `pack` does.
"""


def _apkg(edition: Edition) -> bytes:
    from verideck.outputs import apkg  # noqa: PLC0415 - a check packages nothing, and waits for none

    return apkg.package(edition)


OUTPUTS: Mapping[str, Output] = MappingProxyType({".apkg": _apkg})
"""By the suffix of the file."""
