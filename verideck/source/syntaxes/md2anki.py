"""md2anki: `## question (id)`, its answer below it, or below a `---` if the question goes on.

`# deck (id)` and `## Subdeck: name (id)` name decks. `{=:tag:=}` in inline code, in a line of
its own or among text, is a tag: of a card, or of all cards of a deck.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from verideck.model import Passage, Place
from verideck.problems import Problems
from verideck.source.syntaxes.page import Block, Page
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.sections import lacking, question
from verideck.source.syntaxes.syntax import Syntax

_ID = re.compile(
    r"[ \t]*\((?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)[ \t]*$", re.IGNORECASE
)
_DECK_ID = re.compile(r"[ \t]*\(\d{6,}\)[ \t]*$")
_SUBDECK = re.compile(r"Subdeck:[ \t]+")
_CODE = r"`\{=:(?P<tags>[^`\n]*):=\}`"
_TAGS = re.compile(rf"[ \t]*{_CODE}[ \t]*")
_AMONG_TEXT = re.compile(rf"(?<!`){_CODE}(?!`)")


def fits(page: Page) -> str:
    """Return by what sign the page is written for md2anki."""
    found = any(block.heading_level and _ID.search(block.content) for block in page.blocks)
    return "an id of md2anki stands behind a heading" if found else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each heading one level below the deck in which it stands."""
    del problems
    reader = _Reader(page)
    cards = tuple(reader.cards())
    return Reading(cards, is_empty=not cards, about=tuple(reader.about))


@dataclass(frozen=True, slots=True)
class _Deck:
    """A heading that names a deck."""

    level: int
    name: str
    tags: tuple[Written, ...]


class _Reader:
    """Walks down a page and gathers its cards."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._prose = page.prose()
        self._breaks = sorted(block.start for block in page.blocks if block.type == "hr")
        self.about: list[range] = []
        """The lines of the tags of decks."""

    def cards(self) -> Iterator[RawCard]:
        """Yield the cards of the page."""
        headings = list(self._headings())
        stops = [*(heading.start for heading, _ in headings), len(self._page.lines)][1:]
        decks: list[_Deck] = []
        for (heading, is_deck), stop in zip(headings, stops, strict=True):
            decks = [each for each in decks if each.level < heading.heading_level]
            tags = dict(self._tags(heading.stop, stop))
            if is_deck:
                self.about += (range(line, line + 1) for line in tags)
                listed = tuple(tag for those in tags.values() for tag in those)
                decks.append(_Deck(heading.heading_level, _name(heading.content), listed))
            elif card := self._card(heading, stop, decks, tags):
                yield card

    def _headings(self) -> Iterator[tuple[Block, bool]]:
        """Yield the headings of decks and of questions. Others belong to an answer."""
        levels: list[int] = []
        for block in self._page.blocks:
            level = block.heading_level
            if not level or not block.content:
                continue
            levels = [each for each in levels if each < level]
            is_question = _ID.search(block.content) is not None
            names = _DECK_ID.search(block.content) or _SUBDECK.match(block.content) or level == 1
            if names and not is_question:
                levels.append(level)
                yield block, True
            elif is_question or level == (levels[-1] if levels else 0) + 1:
                yield block, False

    def _tags(self, start: int, stop: int) -> Iterator[tuple[int, list[Written]]]:
        for line in range(start, stop):
            text = self._page.lines[line]
            found = _TAGS.fullmatch(text) if line in self._prose else None
            if found:
                yield line, _written(found, self._page.place(line, found.start("tags")))

    def _without_tags(self, passage: Passage | None, tags: list[Written]) -> Passage | None:
        """Return a passage without the tags among its text, which are added to the others."""
        if passage is None or "`{=:" not in passage.text:
            return passage
        pieces = []
        for found in _AMONG_TEXT.finditer(passage.text):
            place = passage.place_of(found.start("tags"))
            if place.line - 1 in self._prose:
                tags += _written(found, place)
                start = found.start()
                while start and passage.text[start - 1] in " \t":
                    start -= 1
                pieces.append((start, found.end(), ""))
        return passage.rewritten(pieces)

    def _card(
        self, heading: Block, stop: int, decks: list[_Deck], tags: dict[int, list[Written]]
    ) -> RawCard | None:
        page = self._page
        divider = next((line for line in self._breaks if heading.stop <= line < stop), None)
        below = page.passage(heading.stop if divider is None else divider + 1, stop)
        known = _ID.search(heading.content)
        text = question(page, heading, heading.stop if divider is None else divider, tags)
        if text is None:
            return None
        note_id = None
        if known:
            first = text.text.partition("\n")[0]
            start = first.rfind("(" + known["id"]) + 1
            note_id = Written(known["id"], text.place_of(start))
            text = text.rewritten([(len(first[: start - 1].rstrip()), len(first), "")])
        inherited = (tag for deck in decks for tag in deck.tags)
        own = [tag for those in tags.values() for tag in those]
        return RawCard(
            self._without_tags(text, own) or text,
            self._without_tags(lacking(below, tags), own),
            tuple(deck.name for deck in decks if deck.name),
            range(heading.start, stop),
            id=note_id,
            tags=(*inherited, *own),
        )


def _name(heading: str) -> str:
    return _SUBDECK.sub("", _DECK_ID.sub("", heading), count=1).strip()


def _written(found: re.Match[str], at: Place) -> list[Written]:
    """Return the tags of a piece of code, which begin at a place."""
    words = re.finditer(r"[^,\s][^,]*", found["tags"])
    return [
        Written("-".join(word.group().split()), replace(at, column=at.column + word.start()))
        for word in words
    ]


SYNTAX = Syntax("md2anki", "heading", fits, read, is_a_tools=True)
