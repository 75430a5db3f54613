"""The command line: the only room that prints. `report` says it, `progress` shows it go by."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Its version is told at once: what builds decks need not be imported."""
    from verideck.cli import printing  # noqa: PLC0415 - see above

    printing.hold_standard_streams()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words == ["--version"]:
        from verideck import __version__  # noqa: PLC0415 - see above

        printing.out(f"verideck, version {__version__}")
        return
    from verideck.cli import signals  # noqa: PLC0415 - see above

    signals.hold()
    try:  # to import takes a while, in which a command may be ended, too
        from verideck.cli.commands import main as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        signals.interrupted()
    run(words)
