"""Where a deck goes. To add a target: a file here, a line in `TARGETS`, a case in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from verideck.model import DeckContents
from verideck.problems import Code, Problem, Problems, shown
from verideck.settings import Settings

__all__ = ["TARGETS", "Target", "check_suffix", "require_suffix"]

Target = Callable[[DeckContents], bytes]
"""Returns the bytes of a package. The same contents give the same bytes; no disk is touched."""


def _apkg(contents: DeckContents) -> bytes:
    from verideck.targets import apkg  # noqa: PLC0415 - a check packages nothing, and waits for none

    return apkg.package(contents)


TARGETS: Mapping[str, Target] = MappingProxyType({".apkg": _apkg})
"""By the suffix of the file."""


def require_suffix(file: Path) -> None:
    """Raise ValueError for a file whose suffix no target has."""
    if file.suffix not in TARGETS:
        what = file.suffix or "file without suffix"
        raise ValueError(f"cannot write a {what}: only {', '.join(sorted(TARGETS))} is known")


def check_suffix(settings: Settings, problems: Problems) -> None:
    """Report a setting `output` whose suffix no target has, or that no file can be named by."""
    if Path(settings.output).suffix not in TARGETS or "\0" in settings.output:
        wanted = f"a path that ends with {' or '.join(TARGETS)}"
        message = f"output must be {wanted}, not {shown(settings.output)}"
        problems.report(Problem(Code.SETTING_INVALID, message, settings.at("output")))
