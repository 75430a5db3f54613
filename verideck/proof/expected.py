"""Compares what a snippet printed with what the card shows.

A number that stands alone agrees within the digits on the card (`0.33` means 0.325 to 0.335), or
within a tolerance, if one is given. `1.` and `1e3` show no digits to round to, and are exact: torch
and NumPy print whole numbers so. In a version, an address, a date, a time or a name, digits are
text. `...` on the card matches any text. All other text must be the same, except for white space at
the ends of lines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from verideck.model import FORBIDDEN

_TOKEN = re.compile(
    r"""
    (?P<number>
      (?:(?<=\.\.\.)|(?<![A-Za-z0-9_.]))
      [-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE][-+]?\d))(?:[eE][-+]?\d+)?
    )
    | \.\.\. | .
    """,
    re.VERBOSE | re.DOTALL,
)
"""A number with a point or an exponent, a wildcard, or a character."""
_ANYTHING = "..."

_IN_A_NAME = re.compile(
    r"""(?:
      [A-Za-z0-9_)\]][-+]            # gpt-3.5
    | @ | [A-Za-z]/ | \d:            # x@1.2, lib/3.1, 12:30.5
    | [=<>~!]=                       # torch==2.1
    | (?<![A-Za-z])(?:               # torch 2.1, __version__: 2.1
        version|release|revision|edition|build|since
      | python|cpython|pypy|py|torch|pytorch|torchvision|torchaudio|numpy|scipy|pandas|matplotlib
      | sklearn|scikit-learn|tensorflow|keras|jax|transformers|triton|cuda|cudnn|rocm|mkl|onnx
      | linux|kernel|ubuntu|debian|macos|windows|glibc|gcc|clang|llvm|cmake|node|openssl|sqlite
      | tls|http|unicode|gpt|llama|qwen|claude|gemini
      | section|chapter|figure|fig|table|equation|eq|listing
      )\d*_*[.]?["')\]]*\s*[:=(]?\s*["'(]*
    )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
"""What stands before a number that is part of a version, an address, a time or a name."""
_FAR = 40
"""How many characters before a number tell what it is part of."""
_MANTISSA = frozenset("0123456789.")
_UNIT = re.compile(r"(?:j|[munµ]?s|[kKMGT]i?B|x)(?![A-Za-z0-9_])")
_GOES_ON = re.compile(r"[A-Za-z0-9_@]|[.][A-Za-z0-9_]|[-+/][A-Za-z]")
"""What stands behind a number that is part of a version, an address or a name."""
_DATE = re.compile(r"(?:19|20)\d\d[.](?:0?\d|1[0-2])")
"""A year with a month, and a year that was printed as a float."""


class _Token(NamedTuple):
    text: str
    rounds: bool = False
    """Whether it is a number that stands alone."""


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
    """Whether an expected text says anything of what is printed: `...` alone and blanks do not."""
    tokens = (found.group() for found in _TOKEN.finditer(expected))
    return any(token != _ANYTHING and not token.isspace() for token in tokens)


_CLOSING = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
_CONTROL = re.compile(rf"\r|{FORBIDDEN.pattern}")


def unwritable(printed: str) -> str:
    """Why a card cannot show what was printed; empty if it can."""
    if _CLOSING.search(printed):
        return "a line of ``` or ~~~ would close the fence; assert it instead"
    if found := _CONTROL.search(printed):
        name = f"U+{ord(found.group()):04X}"
        return f"a card may not hold the control character {name}; print without it"
    return ""


def difference(expected: str, actual: str, tolerance: float | None = None) -> Difference | None:
    """The first difference, or None if there is none."""
    wanted, printed = _trimmed(expected), _trimmed(actual)
    if wanted == printed:
        return None
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


def _tokens(text: str) -> list[_Token]:
    return [
        _Token(found.group(), rounds=found["number"] is not None and _stands_alone(text, found))
        for found in _TOKEN.finditer(text)
    ]


def _stands_alone(text: str, number: re.Match[str]) -> bool:
    """Whether digits are a number's, and not those of a version, an address, a date or a name."""
    start, end = number.span()
    has_unit = _UNIT.match(text, end)
    if not has_unit and _GOES_ON.match(text, end):
        return False
    is_imaginary = text[end : end + 1] == "j" and text[start - 2 : start - 1] in _MANTISSA
    return is_imaginary or not _IN_A_NAME.search(text[max(start - _FAR, 0) : start])


def _spaceless(tokens: Sequence[_Token]) -> list[_Token]:
    return [token for token in tokens if not token.text.isspace()]


def _matches(wanted: Sequence[_Token], printed: Sequence[_Token], tolerance: float | None) -> bool:
    """Match with wildcards. The text between two of them is found as far left as possible."""
    stretches: list[list[_Token]] = [[]]
    for token in wanted:
        if token.text == _ANYTHING:
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
    stretch: Sequence[_Token],
    printed: Sequence[_Token],
    start: int,
    tolerance: float | None,
) -> bool:
    return all(
        _agree(want, printed[start + number], tolerance) for number, want in enumerate(stretch)
    )


def _agree(want: _Token, got: _Token, tolerance: float | None) -> bool:
    if want.text == got.text:
        return True
    if not (want.rounds and got.rounds):
        return False
    wanted, actual = float(want.text), float(got.text)
    if math.isinf(wanted) or math.isinf(actual):
        return False  # beyond what a float holds, nothing is near
    allowed = _by_digits(want.text) if tolerance is None else tolerance * max(1.0, abs(wanted))
    return abs(wanted - actual) <= allowed * (1 + 1e-9)


def _by_digits(number: str) -> float:
    """Half a unit of the last decimal that is shown; 0 where none is, and for a date."""
    if _DATE.fullmatch(number):
        return 0.0
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(f"0.5e{int(exponent or 0) - decimals}") if decimals else 0.0
