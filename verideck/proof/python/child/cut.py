"""Cuts what a card reports to what a report may hold (see `wire.messages`).

The parent takes a report that holds more for one that the author's code has written.
"""

from __future__ import annotations

from collections.abc import Sequence

from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import (
    LONGEST_MESSAGE,
    MOST_FINDINGS,
    Finding,
    replace,
)

use_own_builtins(globals())


def cut(finding: Finding) -> Finding:
    """A finding whose message and hint are of bounded length, in characters that can be shown."""
    message, hint = _text(finding.message), _text(finding.hint)
    if message is finding.message and hint is finding.hint:
        return finding
    return replace(finding, message=message, hint=hint)


def cut_all(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, the first ones if there are too many; the last one then says how many more."""
    if len(findings) <= MOST_FINDINGS:
        return tuple(map(cut, findings))
    told, untold = findings[: MOST_FINDINGS - 1], findings[MOST_FINDINGS - 1 :]
    last = next((each for each in untold if not each.warning), untold[0])
    more = f"{last.message.partition(chr(10))[0]}\nand {len(untold) - 1:,} more in this card"
    return (*map(cut, told), cut(replace(last, message=more)))


def _text(text: str) -> str:
    if len(text) <= LONGEST_MESSAGE and text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()[:LONGEST_MESSAGE]
