"""How much a project may ask for before the caller allows more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from verideck.model import LARGEST_LIMIT, Place
from verideck.problems import CallerError, Code, Problem, suggestion

CAPS: Mapping[str, float] = MappingProxyType(
    {
        "timeout": 600.0,
        "memory": 8192,
        "disk": 1000,
        "processes": 64,
        "max_output": 10_000_000,
        "audit.seeds": 20,
    }
)
"""By the names of settings: what holds where the caller says nothing."""

UNCAPPED: Mapping[str, float] = MappingProxyType(dict.fromkeys(CAPS, LARGEST_LIMIT))


def cap(name: str, value: object) -> float:
    """A cap that the caller names. Raises CallerError for an unknown name or a wrong value."""
    if name not in CAPS:
        raise CallerError(f"there is no limit {name}: {suggestion(name, frozenset(CAPS))}")
    match value:
        case bool():
            pass
        case int() if 0 < value <= LARGEST_LIMIT:
            return value
        case float() if name == "timeout" and 0 < value <= LARGEST_LIMIT:
            return value
    wanted = "a number of seconds" if name == "timeout" else "a whole number"
    raise CallerError(f"{name} must be {wanted} above 0, at most {LARGEST_LIMIT:,}")


def over_cap(name: str, asked: float, most: float, place: Place) -> Problem:
    """The problem that a project asks for more than the caller allows."""
    message = f"{name} = {_written(asked)} is above {_written(most)}, the most that is allowed here"
    hint = f"whoever runs this may allow it: --limit {name}={_written(asked)}"
    return Problem(Code.TRUST_MISSING, message, place, hint)


def _written(number: float) -> str:
    return str(int(number) if number == int(number) else number)


def caps_of(words: Iterable[str]) -> dict[str, float]:
    """The caps of words like `timeout=900`. Raises CallerError."""
    found: dict[str, float] = {}
    for word in words:
        name, is_set, text = word.partition("=")
        if not is_set:
            raise CallerError(f"{word} is no limit: write NAME=VALUE, such as timeout=900")
        found[name] = cap(name, _number(text))
    return found


def _number(text: str) -> float | None:
    """What a text says; a number that is too large for Python's own reader is none either."""
    for read in (int, float):
        try:
            number = read(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else None
    return None
