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
from bisect import bisect_left
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
    | \.\.\. | \0
    """,
    re.VERBOSE,
)
"""A number with a point or an exponent, a wildcard, or the character that stands for a token."""
_STAND_IN = "\0"
"""Stands for a token of several characters in a text that is searched. A NUL that was printed is a
token of its own, so that it is none of them."""
_ANYTHING = "..."

_JOINED = re.compile(
    r"""(?:
      [A-Za-z0-9_)\]][-+]            # gpt-3.5
    | @ | [A-Za-z]/ | \d:            # x@1.2, lib/3.1, 12:30.5
    | [=<>~!]=                       # torch==2.1
    )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
"""What stands right before a number that is part of a version, an address, a time or a name."""
_BEHIND_A_NAME = r"""\d*_*[.]?["')\]]*\s*[:=(]?\s*["'(]*\Z"""
_NAMED = re.compile(
    r"""(?<![A-Za-z])(?:             # torch 2.1, __version__: 2.1
        version|release|revision|edition|build|since
      | python|cpython|pypy|py|torch|pytorch|torchvision|torchaudio|numpy|scipy|pandas|matplotlib
      | sklearn|scikit-learn|tensorflow|keras|jax|transformers|triton|cuda|cudnn|rocm|mkl|onnx
      | linux|kernel|ubuntu|debian|macos|windows|glibc|gcc|clang|llvm|cmake|node|openssl|sqlite
      | tls|http|unicode|gpt|llama|qwen|claude|gemini
      | section|chapter|figure|fig|table|equation|eq|listing
      )"""
    + _BEHIND_A_NAME,
    re.VERBOSE | re.IGNORECASE,
)
"""What names the number behind it."""
_FOLLOWS_WORD = re.compile(f"[a-z]{_BEHIND_A_NAME}", re.IGNORECASE)
"""Only behind such a text is a name looked for: it takes most of the time of a long comparison."""
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


class _Text(NamedTuple):
    """A text to search and to be searched: what is to be the same, and what may differ."""

    characters: str
    """With a stand-in for each token."""
    tokens: Sequence[_Token]
    positions: Sequence[int]
    """Where the tokens stand in the characters."""


class _Work:
    """Counts the trials of one comparison, so that its time is bounded by the length of its texts.

    A text without numbers is found in linear time. One with numbers that all agree with each other
    has to be tried at each place, and no method is known that is exact and does it faster.
    """

    def __init__(self, length: int) -> None:
        self._left = _ALWAYS + _FOR_EACH * length

    def spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise _UndecidedError


class _UndecidedError(Exception):
    """There are too many places at which a text could agree."""


_ALWAYS = 200_000
"""Trials that every comparison has: all that texts of some hundred numbers can need."""
_FOR_EACH = 2
"""Further trials for each character."""
_AT_ONCE = 64
"""How many characters are compared in the time of one trial of two numbers."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line that differs from the expected text."""

    line: int
    """Counted from 1 within the expected text."""
    expected: str
    actual: str
    in_space: bool = False
    """Whether the texts differ in white space only."""
    undecided: bool = False
    """Whether the comparison was given up: the texts may agree in too many ways to try them all."""


def could_differ(expected: str) -> bool:
    """Whether an expected text says anything of what is printed: `...` alone and blanks do not."""
    return bool(expected.replace(_ANYTHING, "").strip())


_CLOSING = re.compile(r"^[^\S\n]*(?:```|~~~)", re.MULTILINE)
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
    """The first difference, or None if there is none.

    Takes a time that is proportional to the lengths of the texts. Where that does not suffice, it
    returns a difference that is `undecided`.
    """
    wanted, printed = _trimmed(expected), _trimmed(actual)
    if wanted == printed:
        return None
    want_all, got_all = _tokenized("\n".join(wanted)), _tokenized("\n".join(printed))
    try:
        if _matches(want_all, got_all, tolerance):
            return None
    except _UndecidedError:
        want, got = (lines[0] if lines else _NOTHING for lines in (wanted, printed))
        return Difference(1, want, got, undecided=True)
    in_space = _surely_match(_spaceless(want_all), _spaceless(got_all), tolerance)
    for number in range(max(len(wanted), len(printed))):
        want = wanted[number] if number < len(wanted) else _NOTHING
        got = printed[number] if number < len(printed) else _NOTHING
        if want != got and not _surely_match(_tokenized(want), _tokenized(got), tolerance):
            return Difference(min(number + 1, max(len(wanted), 1)), want, got, in_space)
    return Difference(1, " ".join(wanted), " ".join(printed), in_space)


_NOTHING = "(nothing)"


def _trimmed(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _tokenized(text: str) -> _Text:
    tokens = [
        _Token(found.group(), rounds=found["number"] is not None and _stands_alone(text, found))
        for found in _TOKEN.finditer(text)
    ]
    return _text(_TOKEN.sub(_STAND_IN, text), tokens)


def _text(characters: str, tokens: Sequence[_Token]) -> _Text:
    positions = [found.start() for found in re.finditer(_STAND_IN, characters)] if tokens else []
    return _Text(characters, tokens, positions)


def _stands_alone(text: str, number: re.Match[str]) -> bool:
    """Whether digits are a number's, and not those of a version, an address, a date or a name."""
    start, end = number.span()
    has_unit = _UNIT.match(text, end)
    if not has_unit and _GOES_ON.match(text, end):
        return False
    is_imaginary = text[end : end + 1] == "j" and text[start - 2 : start - 1] in _MANTISSA
    return is_imaginary or not _is_in_a_name(text[max(start - _FAR, 0) : start])


def _is_in_a_name(before: str) -> bool:
    return bool(
        _JOINED.search(before[-2:]) or (_FOLLOWS_WORD.search(before) and _NAMED.search(before))
    )


def _spaceless(text: _Text) -> _Text:
    return _text("".join(text.characters.split()), text.tokens)


def _surely_match(wanted: _Text, printed: _Text, tolerance: float | None) -> bool:
    try:
        return _matches(wanted, printed, tolerance)
    except _UndecidedError:
        return False


def _matches(wanted: _Text, printed: _Text, tolerance: float | None) -> bool:
    """Match with wildcards. The text between two of them is found as far left as possible.

    Raises _UndecidedError.
    """
    work = _Work(len(wanted.characters) + len(printed.characters))

    def agrees(stretch: _Text, start: int) -> bool:
        first = bisect_left(printed.positions, start)
        for number, want in enumerate(stretch.tokens, first):
            work.spend(1)
            if not _agree(want, printed.tokens[number], tolerance):
                return False
        return True

    def found(stretch: _Text, start: int) -> int:
        position = printed.characters.find(stretch.characters, start)
        while position >= 0 and not agrees(stretch, position):
            work.spend(1 + len(stretch.characters) // _AT_ONCE)
            position = printed.characters.find(stretch.characters, position + 1)
        return position

    first, *rest = _stretches(wanted)
    if not rest:
        return first.characters == printed.characters and agrees(first, 0)
    if not (printed.characters.startswith(first.characters) and agrees(first, 0)):
        return False
    position = len(first.characters)
    for stretch in rest[:-1]:
        start = found(stretch, position)
        if start < 0:
            return False
        position = start + len(stretch.characters)
    last = rest[-1]
    start = len(printed.characters) - len(last.characters)
    ends = start >= position and printed.characters.endswith(last.characters)
    return ends and agrees(last, start)


def _stretches(text: _Text) -> list[_Text]:
    """The texts between wildcards."""
    wildcards = [n for n, token in enumerate(text.tokens) if token.text == _ANYTHING]
    stretches = []
    token = start = 0
    for number in (*wildcards, len(text.tokens)):
        end = text.positions[number] if number < len(text.tokens) else len(text.characters)
        tokens, positions = text.tokens[token:number], text.positions[token:number]
        stretches.append(_Text(text.characters[start:end], tokens, positions))
        token, start = number + 1, end + 1
    return stretches


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


_LARGEST_EXPONENT = 9999
"""Beyond that of any float. Python makes no integer of a text of thousands of digits."""


def _by_digits(number: str) -> float:
    """Half a unit of the last decimal that is shown; 0 where none is, and for a date."""
    if _DATE.fullmatch(number):
        return 0.0
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    shift = float(exponent or 0)
    if not decimals or abs(shift) > _LARGEST_EXPONENT:
        return 0.0
    allowed = float(f"0.5e{int(shift) - decimals}")
    return 0.0 if math.isinf(allowed) else allowed
