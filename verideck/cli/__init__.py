"""The command line: the only room that prints. `report` says it, `progress` shows it go by."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Its version is told at once: what builds decks need not be imported."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words == ["--version"]:
        from verideck import __version__  # noqa: PLC0415 - see above

        print(f"verideck, version {__version__}")  # noqa: T201 - this room prints
        return
    from verideck.cli.commands import main as run  # noqa: PLC0415 - see above

    run(words)
