"""Deletions as other tools mark them, in Anki's words: `{{cloze text}}` becomes `{{c1::text}}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat

from verideck import markdown
from verideck.model import Passage
from verideck.source.syntaxes.spoken import Spoken

_ANKIS = re.compile(r"\{\{c(\d{1,3})::")


def each_alone(used: Collection[int]) -> Iterator[int]:
    """Number what has no number so that each is a card of its own."""
    return (number for number in count(1) if number not in used)


def all_at_once(used: Collection[int]) -> Iterator[int]:
    """Number what has no number so that one card hides all of it."""
    return repeat(next(each_alone(used)))


def from_one(used: Collection[int]) -> Iterator[int]:
    """Number what has no number from 1 on, whatever numbers the author has given."""
    del used
    return count(1)


@dataclass(frozen=True, slots=True)
class Marks:
    """How a tool marks what a card hides."""

    opening: re.Pattern[str]
    """Its group `number` is the number that the author gave, if any."""
    closing: str
    numbers: Callable[[Collection[int]], Iterator[int]] = each_alone
    """Returns numbers for deletions without one, by the numbers that are in use."""
    cues: Sequence[str] = ()
    """What may stand between what is hidden and a hint: of several the first that is there."""


CURLY = Marks(re.compile(r"(?<!\{)\{(?![{#.=])(?:c?(?P<number>\d{1,3})[:|])?"), "}", from_one)
"""`{text}`, `{1:text}`, `{1|text}`, `{c1:text}`: what Obsidian_to_Anki calls curly."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A deletion in a passage."""

    start: int
    """The offset of its opening mark, and so on."""
    inside: int
    end: int
    stop: int
    number: int | None
    colons: tuple[int, ...]
    """Where a `::` stands inside that Anki would take for the mark of a hint."""
    cue: range
    """The mark of its hint, empty if it has none."""


def hidden(passages: Sequence[Passage], marks: Marks) -> list[Passage]:
    """Return the passages of a card with a tool's deletions written as Anki's.

    What stands in code or maths, or behind a backslash, is no mark.
    """
    found = [list(_found(each, marks)) for each in passages]
    used = {int(number) for each in passages for number in _ANKIS.findall(each.text)}
    used |= {each.number for those in found for each in those if each.number is not None}
    fresh = marks.numbers(used)
    return [
        passage.rewritten(piece for each in those for piece in _pieces(each, fresh))
        for passage, those in zip(passages, found, strict=True)
    ]


def shown(passage: Passage, marks: Marks) -> Passage:
    """Return a passage without a tool's marks, so that all can be read."""
    ends = (
        piece
        for each in _found(passage, marks)
        for piece in ((each.start, each.inside, ""), (each.cue.start or each.end, each.stop, ""))
    )
    return passage.rewritten(ends)


def _pieces(deletion: _Found, fresh: Iterator[int]) -> Iterator[tuple[int, int, str]]:
    number = next(fresh) if deletion.number is None else deletion.number
    yield deletion.start, deletion.inside, f"{{{{c{number}::"
    for colon in deletion.colons:
        yield colon, colon, "\\"
    if deletion.cue:
        yield deletion.cue.start, deletion.cue.stop, "::"
    yield deletion.end, deletion.stop, "}}"


def _found(passage: Passage, marks: Marks) -> Iterator[_Found]:
    if marks.closing not in passage.text:
        return
    text = Spoken(passage)
    position = close = 0
    while opening := marks.opening.search(text.text, position):
        position = opening.end()
        if close < position:
            close = text.text.find(marks.closing, position)
        if close < 0:
            return
        start, end = text.offset(opening.start()), text.offset(close)
        inside, stop = start + len(opening.group()), end + len(marks.closing)
        as_written = passage.text[start:inside], passage.text[end:stop]
        if (
            as_written != (opening.group(), marks.closing)
            or "\n" in text.text[position:close]
            or not passage.text[inside:end].strip()
            or passage.text[start - 1 : start] == "\\"
        ):
            continue
        number = opening.groupdict().get("number")
        cue = cue_in(passage.text, range(inside, end), marks.cues)
        hidden_end = cue.start or end
        is_ankis = passage.text.startswith("::", hidden_end)
        colons = () if is_ankis else _colons(text, position, close)
        yield _Found(
            start,
            inside,
            end,
            stop,
            int(number) if number else None,
            tuple(colon for colon in colons if colon < hidden_end),
            cue,
        )
        position = close + len(marks.closing)


def cue_in(text: str, inside: range, cues: Sequence[str]) -> range:
    """Return where the mark of a hint stands in a deletion; an empty range if nowhere.

    What stands in code, maths or a link is none.
    """
    part = text[inside.start : inside.stop]
    for cue in cues:
        up_to = re.compile(rf"[^\\`$\[<]*?(?P<cue>{re.escape(cue)})")
        found = next(markdown.outside(part, up_to), None) if cue in part else None
        if found:
            start = inside.start + found.start("cue")
            return range(start, start + len(cue))
    return range(0)


def _colons(text: Spoken, start: int, stop: int) -> Iterator[int]:
    for colons in re.finditer(r"(?P<escapes>\\*)::", text.text[start:stop]):
        if not len(colons["escapes"]) % 2:
            yield text.offset(start + colons.end("escapes"))
