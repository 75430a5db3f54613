"""The code of a session: a transcript in which prompts stand before code, and output beneath it."""

from __future__ import annotations

import re
from itertools import zip_longest

_PROMPT = re.compile(
    r"(?P<prompt>[ \t]*(?:(?:>>>|\.\.\.)(?:[ ]|$)|(?:In\ \[\d+\]|\.{3,}):(?:[ ]|$)))(?P<code>.*)",
    re.VERBOSE,
)
"""A line of code with the prompt of Python or of IPython."""


def without_prompts(session: str) -> str:
    """The code of a session, each line at its line: what is printed becomes blank lines."""
    found = map(_PROMPT.match, session.split("\n"))
    return "\n".join(line["code"] if line else "" for line in found)


def with_prompts(code: str, session: str) -> str | None:
    """A session with other code, as `without_prompts` returns it; None if the lines do not fit."""
    lines = []
    for old, new in zip_longest(session.split("\n"), code.split("\n")):
        if old is None or new is None:
            return None
        line = _PROMPT.match(old)
        lines.append(line["prompt"] + new if line else old)
    return "\n".join(lines)
