"""`verideck id`: writes the ids of cards into the Markdown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from verideck.model import Card, IdSlot
from verideck.storage.files import write_together

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


def name_cards(cards: Iterable[Card], root: Path) -> list[Card]:
    """Write an id behind the question of each card that has none in the text.

    The cards must have been recognised: the id is that of their note. No other byte of a file
    changes. Returns the cards that got an id. Raises OSError if a file cannot be read or written.
    """
    nameless = [card for card in cards if not card.id and card.identity and card.id_slot]
    by_path: dict[str, list[Card]] = defaultdict(list)
    for card in nameless:
        by_path[card.place.path].append(card)
    write_together(
        {root / path: _named((root / path).read_bytes(), here) for path, here in by_path.items()}
    )
    return nameless


def _named(content: bytes, cards: Sequence[Card]) -> bytes:
    """Return the content of a file with the ids of its cards inserted."""
    starts = list(_line_starts(content))
    pieces: list[bytes] = []
    done = 0
    for slot, name in sorted(_insertions(cards), key=lambda each: each[0].place):
        position = _position(content, starts, slot)
        pieces += [content[done:position], _written(name, slot)]
        done = position
    return b"".join([*pieces, content[done:]])


def _insertions(cards: Iterable[Card]) -> Iterator[tuple[IdSlot, str]]:
    for card in cards:
        if card.id_slot and card.identity:
            yield card.id_slot, card.identity.id


def _written(name: str, slot: IdSlot) -> bytes:
    return (f"#{name} " if slot.among_attributes else f" {{#{name}}}").encode()


def _line_starts(content: bytes) -> Iterator[int]:
    yield len(_BOM) if content.startswith(_BOM) else 0
    for end in _LINE_END.finditer(content):
        yield end.end()


def _position(content: bytes, starts: Sequence[int], slot: IdSlot) -> int:
    """Return the offset of a slot in bytes. Its column counts characters."""
    start = starts[slot.place.line - 1]
    line = _LINE_END.split(content[start:], maxsplit=1)[0].decode("utf-8")
    before = line[: slot.place.column - 1]
    return start + len(before.encode("utf-8"))
