"""`verideck id`: writes the ids of cards into the Markdown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from verideck.model import Card, IdSlot, Place, one_line, short
from verideck.problems import Code, Problem, Problems
from verideck.storage.reading import Limit, read, within
from verideck.storage.writing import own_path, write_together

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


def name_cards(
    cards: Sequence[Card],
    root: Path,
    read_back: Callable[[str, bytes], Sequence[Card]],
    problems: Problems,
) -> list[Card]:
    """Write an id behind the question of each card that has none in the text.

    The cards must have been recognised: the id is that of their note. No other byte of a file
    changes. `read_back` returns the cards that a file, given by its path, would hold with some
    content. Returns the cards that got an id. Reports a card that would be another one with its id
    in the text, and then writes nothing. Raises OSError if a file cannot be read or written.
    """
    nameless = [card for card in cards if _is_nameless(card)]
    by_path: dict[str, list[Card]] = defaultdict(list)
    for card in nameless:
        by_path[card.place.path].append(card)
    contents: dict[Path, bytes] = {}
    for path, here in by_path.items():
        file = root / path
        content = _named(read(file, Limit.TEXT, within(file, root)), here)
        every = sorted((each for each in cards if each.place.path == path), key=_place)
        if other := _first_other(every, read_back(path, content)):
            problems.report(_misread(other))
        contents[own_path(file, root)] = content
    if problems.has_errors:
        return []
    write_together(contents, root)
    return nameless


def _is_nameless(card: Card) -> bool:
    return not card.id and card.identity is not None and card.id_slot is not None


def _place(card: Card) -> Place:
    return card.place


def _first_other(before: Sequence[Card], after: Sequence[Card]) -> Card | None:
    """Return the first card that is not read back as it was, with its id."""
    pairs = zip_longest(before, sorted(after, key=_place))
    return next((old or before[-1] for old, new in pairs if not _is_same(old, new)), None)


def _is_same(old: Card | None, new: Card | None) -> bool:
    if old is None or new is None:
        return False
    name = old.identity.id if _is_nameless(old) and old.identity else old.id
    return new.id == name and one_line(new.question.text) == one_line(old.question.text)


def _misread(card: Card) -> Problem:
    question = short(one_line(card.question.text))
    return Problem(
        Code.ID_MISREAD,
        f"with an id behind it, this would be read otherwise: {question}",
        card.place,
        "write the question on one line, of words; nothing was written",
    )


def _named(content: bytes, cards: Sequence[Card]) -> bytes:
    """Return the content of a file with the ids of its cards inserted."""
    starts = list(_line_starts(content))
    pieces: list[bytes] = []
    done = 0
    line_end = found.group() if (found := _LINE_END.search(content)) else b"\n"
    for slot, name in sorted(_insertions(cards), key=lambda each: each[0].place):
        position = _position(content, starts, slot)
        written = f"{slot.before}{name}{slot.behind}".encode()
        pieces += [content[done:position], written.replace(b"\n", line_end)]
        done = position
    return b"".join([*pieces, content[done:]])


def _insertions(cards: Iterable[Card]) -> Iterator[tuple[IdSlot, str]]:
    for card in cards:
        if card.id_slot and card.identity:
            yield card.id_slot, card.identity.id


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
