"""What a failing snippet printed, as lines of the problem that is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.inert import PICTURES

_OUR_FRAME = re.compile(
    r'^[ |]*File "[^"\n]*[/\\]verideck[/\\]proof[/\\][^"\n]*", line \d+, in .*\n(?: {4}.*\n)?',
    re.MULTILINE,
)
"""A frame of a printed traceback in code that executes the author's: it is of no use to them."""
_LINES = 10
_WIDTH = 160
_LOOKED_AT = 100
"""Lines at the end of a text, of which those of our frames are not shown."""
_LONGEST = 1_000
"""Characters of a line that are looked at."""


def beneath(message: str, stdout: str, stderr: str) -> str:
    """A message, and beneath it the last lines that were printed and written to standard error.

    A single line that the message says already is not said again.
    """
    lines = [message]
    for heading, text in (("printed:", stdout), ("standard error:", stderr)):
        written = list(_lines(text))
        if written and not (len(written) == 1 and written[0] in message):
            lines.append(heading)
            lines += ["  ..."] if len(written) > _LINES else []
            lines += [f"  {line}" for line in written[-_LINES:]]
    return "\n".join(lines)


def _lines(text: str) -> Iterator[str]:
    """The lines as a terminal shows them at last, each cut to what a person reads."""
    last = text.rstrip().rsplit("\n", _LOOKED_AT)[-_LOOKED_AT:]
    last = [line.rstrip("\r").rpartition("\r")[2][:_LONGEST] for line in last]
    text = _OUR_FRAME.sub("", "\n".join([*last, ""]))
    for line in text.rstrip().split("\n") if text.strip() else ():
        shown = line.expandtabs().translate(PICTURES).rstrip()
        yield shown if len(shown) <= _WIDTH else f"{shown[:_WIDTH]}..."
