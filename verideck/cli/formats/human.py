"""A run as people read it."""

from __future__ import annotations

from verideck.cli.formats.told import Told
from verideck.cli.report import format_problem


def run(told: Told) -> str:
    """Return the problems with their source lines, and the summary."""
    found = [format_problem(each, told.root) for each in told.problems]
    usage = [f"Error: {told.usage}"] if told.usage else []
    return "\n".join(filter(None, [*found, *usage, told.summary])) + "\n"
