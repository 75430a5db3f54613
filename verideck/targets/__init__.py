"""Where a deck goes. To add a target: a file here, a line in `TARGETS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from verideck.model import DeckContents
from verideck.problems import Code, Problem, Problems, shown
from verideck.settings import Settings

__all__ = ["TARGETS", "Target", "check_suffix"]

Target = Callable[[DeckContents], bytes]
"""From all that a package holds to the file's content.

The same edition gives the same bytes. It touches no disk: `pack` does.
"""


def _apkg(contents: DeckContents) -> bytes:
    from verideck.targets import apkg  # noqa: PLC0415 - a check packages nothing, and waits for none

    return apkg.package(contents)


TARGETS: Mapping[str, Target] = MappingProxyType({".apkg": _apkg})
"""By the suffix of the file."""


def check_suffix(settings: Settings, problems: Problems) -> None:
    """Report a setting `output` whose suffix no target has."""
    if Path(settings.output).suffix not in TARGETS:
        wanted = f"a path that ends with {' or '.join(TARGETS)}"
        message = f"output must be {wanted}, not {shown(settings.output)}"
        problems.report(Problem(Code.SETTING_INVALID, message, settings.at("output")))
