"""Code in a cell of a table of Markdown."""

from __future__ import annotations

import re
from itertools import count


def code(text: str) -> str:
    """Return text of one line as code, between backticks that do not stand in it."""
    runs = {len(run) for run in re.findall("`+", text)}
    ticks = "`" * next(number for number in count(2 if runs else 1) if number not in runs)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{blank}{text}{blank}{ticks}".replace("|", r"\|")
