"""`#tag` and `#a/b` as tags of Anki, `a::b`, in files that ask for it by `hashtags: on`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from verideck.model import Passage, Place, more_below, short
from verideck.problems import Code, Problem, Severity
from verideck.source.syntaxes import Page, RawCard, Written
from verideck.source.syntaxes.spoken import Spoken

_TAG = re.compile(r"(?<!\S)#(?=[\d/_-]*[^\W\d_])(?P<name>[\w/-]+)(?![^\s.,;:!?)…，。；：！？）、])")
"""A tag as Obsidian has it: a word with a letter in it, in parts divided by `/`."""
_LEFT_OPEN = re.compile(r"\{[^{}]*\Z")
"""Braces that are open where a tag stands: it is an id in attributes, `{.c #a}` or `{: #a}`."""
_COLOUR = re.compile(r"#(?:[\da-fA-F]{3,4}|[\da-fA-F]{6}|[\da-fA-F]{8})")


@dataclass(frozen=True, slots=True)
class TagsOfFile:
    """The tags that stand alone, outside of all cards, and the lines that hold nothing else."""

    tags: tuple[Written, ...]
    lines: tuple[range, ...]


def anki_tag(name: str) -> str:
    """Return a tag of Obsidian as Anki divides tags into parts."""
    return "::".join(filter(None, name.removeprefix("#").split("/")))


def of_file(page: Page, cards: Iterable[range]) -> TagsOfFile:
    """Return the tags in the paragraphs outside of cards that hold nothing but tags."""
    inside = {line for lines in cards for line in lines}
    tags: list[Written] = []
    lines: list[range] = []
    for block in page.blocks:
        if block.type != "paragraph_open" or block.start in inside:
            continue
        words = block.content.split()
        if words and all(map(_TAG.fullmatch, words)):
            passage = page.inline(block.content, block.start)
            tags += (written for _, _, written in _tags(passage))
            lines.append(range(block.start, block.stop))
    return TagsOfFile(tuple(tags), tuple(lines))


def tagged(card: RawCard, of_its_file: Iterable[Written]) -> RawCard:
    """Return a card with the tags in its text, and its file's.

    Those at the end of a line are taken out of the text. Within a sentence they are words, too.
    """
    question, in_question = _untagged(card.question)
    answer, in_answer = _untagged(card.answer) if card.answer else (None, ())
    return replace(
        card,
        question=question,
        answer=answer if answer and answer.text.strip() else None,
        tags=(*card.tags, *of_its_file, *in_question, *in_answer),
    )


def unread(cards: Iterable[RawCard]) -> Problem | None:
    """Return the warning that tags stay text, at the first of them; None where there is none.

    What may be a colour, as `#fff`, is none.
    """
    places: list[Place] = []
    first = ""
    for card in cards:
        for passage in (card.question, card.answer):
            if passage is None or "#" not in passage.text or not _TAG.search(passage.text):
                continue
            for start, stop, written in _tags(passage):
                if not _COLOUR.fullmatch(passage.text, start, stop):
                    first = first or passage.text[start:stop]
                    places.append(written.place)
    if not places:
        return None
    message = f"{short(first)} is text here, and no tag{more_below(len(places))}"
    hint = (
        "say `hashtags: on` in the front matter, or hashtags = true in the settings, if it is one; "
        "`off`, or false, if it is text"
    )
    return Problem(Code.MARK_UNREAD, message, places[0], hint, Severity.WARNING)


def _untagged(passage: Passage) -> tuple[Passage, tuple[Written, ...]]:
    if "#" not in passage.text:
        return passage, ()
    found = list(_tags(passage))
    text = passage.text
    ends: list[tuple[int, int, str]] = []
    behind = len(text)
    for start, stop, _ in reversed(found):
        line_end = text.find("\n", stop, behind)
        rest = text[stop : behind if line_end < 0 else line_end].strip()
        if not rest or (rest[0] == "{" and rest[-1] == "}"):
            ends.append((_before_blanks(text, start), stop, ""))
            behind = start
        else:
            behind = len(text)
    without = passage.rewritten(reversed(ends))
    kept = replace(without, text=without.text.rstrip()) if ends else without
    return kept, tuple(written for _, _, written in found)


def _tags(passage: Passage) -> Iterator[tuple[int, int, Written]]:
    """Yield the tags in the prose of a passage, with where they begin and end."""
    spoken = Spoken(passage)
    for tag in _TAG.finditer(spoken.text):
        start = spoken.offset(tag.start())
        stop = start + len(tag.group())
        # In the prose, a blank stands for code: in the text, a tag must have one of its own.
        is_apart = not start or passage.text[start - 1].isspace()
        in_braces = _LEFT_OPEN.search(passage.text, passage.text.rfind("\n", 0, start) + 1, start)
        if is_apart and not in_braces and passage.text[start:stop] == tag.group():
            yield start, stop, Written(anki_tag(tag["name"]), passage.place_of(start))


def _before_blanks(text: str, position: int) -> int:
    while position and text[position - 1] in " \t":
        position -= 1
    return position
