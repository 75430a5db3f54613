"""Changes of texts, bytes and JSON that any form may suffer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

LARGEST = 40_000
"""Bytes of an input. What grows faster than its text is seen long before."""

ODD_TEXTS = (
    *("\x00", "\x1b[31m", "\x7f", "\x85", "\xa0", "\xad", "\u200b", "\u2028", "\u202e", "\ufeff"),
    *(
        "\u3000",
        "é",
        "e\u0301",
        "变量",
        "🙂",
        "👩‍👩‍👧",
        "\U0010ffff",
        "ß",
        "İ",
        "ﬁ",
        "٣",
        "\r",
        "\t",
        " ",
    ),
    *("a" * 500, "../" * 9, "/dev/zero", "[sound:a.mp3]", "[latex]", "{{c1::", "<script>", "%00"),
)
ODD_NUMBERS = (0, -1, 1, 2, 255, 2**15, 2**16, 2**31, 2**32, 2**40, 2**63, 2**64, 10**30)


def odd_value(random: Random) -> object:
    """A value of JSON that another one stands for."""
    deep: object = 0
    for _ in range(random.choice((1, 20, 900))):
        deep = [deep] if random.random() < 0.5 else {"a": deep}
    return random.choice(
        (
            *(None, True, False, [], {}, "", "x", 0.5, -0.0, 1e308, float("nan"), float("inf")),
            *(random.choice(ODD_NUMBERS), -random.choice(ODD_NUMBERS), 10**400),
            *(random.choice(ODD_TEXTS), "\ud800", "x" * 3000, ["x"], {"x": "x"}, deep),
        )
    )


def changed_text(random: Random, text: str, pieces: Sequence[str]) -> str:
    """A text in which a span is deleted, repeated, moved, or replaced by pieces of a grammar."""
    if random.random() < 0.3:
        return "\n".join(_changed(random, text.split("\n"), pieces))
    return "".join(_changed(random, list(text), pieces))[:LARGEST]


def _changed(random: Random, parts: list[str], pieces: Sequence[str]) -> list[str]:
    start = random.randint(0, len(parts))
    stop = min(len(parts), start + random.choice((0, 1, 1, 2, 5, 20)))
    span = parts[start:stop]
    new = [random.choice(pieces) for _ in range(random.choice((1, 1, 2, 4)))]
    times = random.choice((2, 2, 3, 10, 100, 3000))
    other = random.randint(0, len(parts))
    instead = random.choice(
        (
            [],
            new,
            [*new, *span],
            [*new, *span, *new],
            [*span, *span],
            (span or new)[:8] * times,
            new * times,
            [random.choice(ODD_TEXTS)],
            [str(random.choice(ODD_NUMBERS))],
            parts[other : other + 30],
            [*reversed(span)],
        )
    )
    return [*parts[:start], *instead, *parts[stop:]]


def changed_bytes(random: Random, content: bytes) -> bytes:
    """Bytes of which some are flipped, deleted, repeated or replaced."""
    start = random.randint(0, len(content))
    stop = min(len(content), start + random.choice((1, 2, 4, 16, 200)))
    length = random.choice((1, 2, 4))
    instead = random.choice(
        (
            b"",
            random.randbytes(stop - start),
            content[start:stop] * 2,
            b"\xff" * length,
            b"\x00" * length,
            random.choice(ODD_TEXTS).encode("utf-8", "surrogatepass"),
        )
    )
    return content[:start] + instead + content[stop:]


def changed_json(random: Random, value: object) -> object:
    """A value of JSON in which one value, key or element is another, missing, or one too many."""
    places = list(_places(value))
    if not places:
        return odd_value(random)
    holder, key = random.choice(places)
    _, other = random.choice(places)
    action = random.randrange(7)
    if action == 0:
        del holder[key]
    elif action == 1 and isinstance(holder, dict):
        holder[str(random.choice([*ODD_TEXTS, other]))] = holder.pop(key)
    elif action == 2 and isinstance(holder, list):
        holder[key:key] = holder * random.choice((1, 2, 50))
    elif action == 3 and isinstance(holder[key], str):
        holder[key] = changed_text(random, holder[key], ODD_TEXTS)
    elif action == 4 and isinstance(holder[key], int):
        holder[key] = random.choice(ODD_NUMBERS) * random.choice((1, -1))
    elif action == 5:
        one, its = random.choice(places)
        holder[key] = json.loads(json.dumps(one[its])) if its in _keys(one) else None
    else:
        holder[key] = odd_value(random)
    return value


def _keys(holder: object) -> Iterator[Any]:
    if isinstance(holder, dict):
        yield from holder
    elif isinstance(holder, list):
        yield from range(len(holder))


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Every holder in a value, with each key or number that it has; not of what is very deep."""
    for key in list(_keys(value)) if depth < 50 else ():
        yield value, key
        yield from _places(value[key], depth + 1)
