"""Compares what a snippet printed with what the card shows.

Numbers agree within the digits on the card (`0.33` means 0.325 to 0.335), or within a tolerance, if
one is given. `...` on the card matches any text. All other text must be the same, except for white
space at the ends of lines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<number>(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?)
    | \.\.\. | .
    """,
    re.VERBOSE | re.DOTALL,
)
"""A number with a point or an exponent, a wildcard, or a character."""
_ANYTHING = "..."


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line that differs from the expected text."""

    line: int
    """Counted from 1 within the expected text."""
    expected: str
    actual: str
    in_space: bool = False
    """Whether the texts differ in white space only."""


def could_differ(expected: str) -> bool:
    """Whether an expected text could differ from what is printed: `...` alone cannot."""
    return not expected.strip() or any(
        token.group() != _ANYTHING and not token.group().isspace() for token in _tokens(expected)
    )


def difference(expected: str, actual: str, tolerance: float | None = None) -> Difference | None:
    """The first difference, or None if there is none."""
    wanted, printed = _trimmed(expected), _trimmed(actual)
    want_all, got_all = _tokens("\n".join(wanted)), _tokens("\n".join(printed))
    if _matches(want_all, got_all, tolerance):
        return None
    in_space = _matches(_spaceless(want_all), _spaceless(got_all), tolerance)
    for number in range(max(len(wanted), len(printed))):
        want = wanted[number] if number < len(wanted) else "(nothing)"
        got = printed[number] if number < len(printed) else "(nothing)"
        if not _matches(_tokens(want), _tokens(got), tolerance):
            return Difference(min(number + 1, max(len(wanted), 1)), want, got, in_space)
    return Difference(1, " ".join(wanted), " ".join(printed), in_space)


def _trimmed(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _tokens(text: str) -> list[re.Match[str]]:
    return list(_TOKEN.finditer(text))


def _spaceless(tokens: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    return [token for token in tokens if not token.group().isspace()]


def _matches(
    wanted: Sequence[re.Match[str]], printed: Sequence[re.Match[str]], tolerance: float | None
) -> bool:
    """Match with wildcards. The text between two of them is found as far left as possible."""
    stretches: list[list[re.Match[str]]] = [[]]
    for token in wanted:
        if token.group() == _ANYTHING:
            stretches.append([])
        else:
            stretches[-1].append(token)
    position = 0
    for number, stretch in enumerate(stretches):
        starts = range(position, len(printed) - len(stretch) + 1)
        if number == len(stretches) - 1:
            starts = range(max(position, len(printed) - len(stretch)), starts.stop)
        if number == 0:
            starts = range(min(1, starts.stop)) if len(stretches) > 1 else _whole(stretch, printed)
        start = next((s for s in starts if _same(stretch, printed, s, tolerance)), None)
        if start is None:
            return False
        position = start + len(stretch)
    return True


def _whole(stretch: Sequence[object], printed: Sequence[object]) -> range:
    return range(1 if len(stretch) == len(printed) else 0)


def _same(
    stretch: Sequence[re.Match[str]],
    printed: Sequence[re.Match[str]],
    start: int,
    tolerance: float | None,
) -> bool:
    return all(
        _agree(want, printed[start + number], tolerance) for number, want in enumerate(stretch)
    )


def _agree(want: re.Match[str], got: re.Match[str], tolerance: float | None) -> bool:
    if want.group() == got.group():
        return True
    if not want["number"]:
        return False
    try:
        wanted, actual = float(want.group()), float(got.group())
        digits = _by_digits(want.group())
    except ValueError:
        return False
    if math.isinf(wanted) or math.isinf(actual):
        return False  # beyond what a float holds, nothing is near
    allowed = digits if tolerance is None else tolerance * max(1.0, abs(wanted))
    return abs(wanted - actual) <= allowed * (1 + 1e-9)


def _by_digits(number: str) -> float:
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(f"0.5e{int(exponent or 0) - decimals}")
