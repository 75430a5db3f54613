"""Obsidian's Spaced Repetition: `question::answer`, `?` between two blocks, `==hidden==`.

A blank line ends a card. `:::` and `??` ask both ways. A tag `#flashcards/deck` names the deck of
the cards below it, or of the one card at whose beginning it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from verideck import markdown
from verideck.model import Kind, Passage
from verideck.problems import Problems
from verideck.source.syntaxes import properties
from verideck.source.syntaxes.deletions import Marks, cue_in, hidden
from verideck.source.syntaxes.page import Page, Titles, indent_of, outdented
from verideck.source.syntaxes.raw_card import RawCard, Reading
from verideck.source.syntaxes.spoken import Spoken
from verideck.source.syntaxes.syntax import Syntax

_TAG = re.compile(r"#flashcards?(?![\w-])(?:/(?P<deck>[\w/-]*))?", re.IGNORECASE)
_TAGS = re.compile(r"(?:#[^\s#]+(?:\s+|$))+")
_SEPARATOR = re.compile(r"\{\{[^{}]*\}\}|(?<!:)(?P<separator>:::?)(?!:)")
"""A separator, or what is hidden: a `::` in it stands before a hint."""
_BETWEEN = {"?": False, "??": True}
"""The lines between a question and an answer, and whether the card is asked both ways."""
_SIDES = re.compile(r"(?<!\{\{c\d)(?<!\{\{c\d\d)(?<!\{\{c\d\d\d)::")
"""What may stand between the sides of a card: no part of a deletion."""
_END = "+++"
"""The line that ends cards in place of a blank one, where a file has it."""
_SCHEDULE = re.compile(r"\s*<!--SR:.*")
_MARKER = re.compile(r"\s*(?:>\s*)*(?:(?:[-+*]|\d{1,9}[.)])\s+(?:\[.\]\s+)?|#{1,6}\s+)?")
_HASHES = re.compile(r" {0,3}#{1,6}[ \t]+")
_CURLY = Marks(
    re.compile(r"(?<!\{)\{\{(?:(?P<number>\d{1,3})(?:::|;;))?(?!c\d+::)"), "}}", cues=(";;", "::")
)
_OF_BRACES = re.compile(r"\n|\{\{|\}\}")
"""What ends or divides a deletion in braces."""
_HIDING = ("==", "{{")


def fits(page: Page) -> str:
    """Return by what sign the page is written for Spaced Repetition.

    A tag is a plain sign, if there are cards below it. Without one, most lines of text must be.
    """
    text = page.whole.text
    tagged = any(_TAG.match(f"#{word}") for word in page.meta.tags)
    if not (tagged or "::" in text or "\n?" in text or "#flashcard" in text.lower()):
        return ""
    lines = [page.lines[number] for number in page.prose() - properties.of_page(page)]
    if tagged or ("#flashcard" in text.lower() and any(map(_TAG.search, lines))):
        return "there is a tag `#flashcards` above its cards" if _Reader(page).cards() else ""
    divided = any(line.strip() in _BETWEEN for line in lines)
    mostly = 2 * sum(bool(_SIDES.search(line)) for line in lines) > len(lines)
    cards = _Reader(page).cards() if divided or mostly else []
    if any(each.divided for each in cards):
        return "a line holds `?` alone, between a question and its answer"
    in_lines = [each for each in cards if each.raw.kind is not Kind.CLOZE]
    return "most lines are `question::answer`" if 2 * len(in_lines) > len(lines) else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each line with `::`, each block with a `?`, and each that hides a text."""
    del problems
    reader = _Reader(page)
    cards = tuple(each.raw for each in reader.cards())
    return Reading(cards, is_empty=not cards, among_notes=True, about=tuple(reader.about))


@dataclass(frozen=True, slots=True)
class _Card:
    raw: RawCard
    divided: bool = False
    """Whether a line with a `?` stands in it."""


@dataclass(slots=True)
class _Block:
    """The lines of a text up to a blank one."""

    start: int = 0
    stop: int = 0
    between: int | None = None
    """The line that divides it."""


class _Reader:
    """Walks down a page and gathers its cards."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._prose = page.prose()
        self._solid = page.solid()
        self._properties = set[int]() if page.meta.syntax else properties.of_page(page)
        """The lines that are no cards, unless an author says that this is the form."""
        self._titles = Titles(page)
        self._headings = {
            each.start: each
            for each in page.blocks
            if each.heading_level and not each.is_underlined
        }
        tags = " ".join(f"#{tag}" for tag in page.meta.tags)
        self._deck: tuple[str, ...] = self._named(tags) or ()
        self._block: _Block | None = None
        self._ends_by_line = _END in page.lines
        self.about: list[range] = []
        """The lines that end a card, name a deck or hold a schedule."""

    def cards(self) -> list[_Card]:
        """Return the cards of the page."""
        found: list[_Card] = []
        for number, line in enumerate(self._page.lines):
            found += self._line(number, line)
        return [*found, *self._closed()]

    def _line(self, number: int, line: str) -> Iterator[_Card]:
        if _SCHEDULE.fullmatch(line) or line.strip() == _END:
            self.about.append(range(number, number + 1))
        if _SCHEDULE.fullmatch(line):
            return
        is_end = line.strip() == _END and number in self._prose  # also where it is a table's row
        if (number in self._solid and not is_end) or self._is_in_answer(number, line.strip()):
            self._add(number)
        elif number not in self._prose or line.strip() == _END:
            yield from self._closed()
        else:
            yield from self._text(number, line)

    def _is_in_answer(self, number: int, text: str) -> bool:
        """Tell whether a line belongs to the answer below a `?`."""
        if self._block is None or self._block.between is None or text == _END:
            return False
        return number in self._prose or self._ends_by_line

    def _text(self, number: int, line: str) -> Iterator[_Card]:
        text = line.strip()
        if _TAGS.fullmatch(text):
            yield from self._closed()
            deck = self._named(text)
            if deck is not None:
                self._deck = deck
                self.about.append(range(number, number + 1))
        elif text in _BETWEEN and self._block:
            self._block.between = number
            self._add(number)
        elif self._is_divided_below(number):
            self._add(number)
        elif card := self._in_line(number, line):
            yield from self._closed()
            yield card
        elif number in self._headings:
            yield from self._closed()
            self._titles.enter(self._headings[number])
        else:
            self._add(number)

    def _is_divided_below(self, number: int) -> bool:
        below = self._page.lines[number + 1 : number + 2]
        return bool(below) and below[0].strip() in _BETWEEN

    def _add(self, number: int) -> None:
        if self._block is None:
            self._block = _Block(number)
        self._block.stop = number + 1

    def _named(self, text: str) -> tuple[str, ...] | None:
        """Return the names of the deck that a line of tags gives; None if it speaks of no cards."""
        found = _TAG.search(text)
        return tuple(filter(None, (found["deck"] or "").split("/"))) if found else None

    def _in_line(self, number: int, line: str) -> _Card | None:
        """Return the card that a line is, if there is a separator outside of code in it."""
        if "::" not in line or number in self._properties:
            return None
        marker = _MARKER.match(line)
        start = marker.end() if marker else 0
        deck, start = self._own_deck(line, start)
        schedule = _SCHEDULE.search(line)
        stop = schedule.start() if schedule else len(line)
        found = markdown.outside(line[start:stop], _SEPARATOR)
        separator = next((each for each in found if each["separator"]), None)
        if separator is None:
            return None
        question = self._page.piece(number, start, start + separator.start())
        if question is None:
            return None
        answer = self._page.piece(number, start + separator.end(), stop)
        both = separator.group() == ":::"
        lines = range(number, number + 1)
        return _Card(RawCard(question, answer, deck or self._above(), lines, reverse=both))

    def _own_deck(self, line: str, start: int) -> tuple[tuple[str, ...], int]:
        """Return the deck that tags at the beginning of a card name, and where its text begins."""
        tags = _TAGS.match(line, start)
        if tags and _TAG.search(tags.group()):
            return self._named(tags.group()) or (), tags.end()
        return (), start

    def _above(self) -> tuple[str, ...]:
        return self._deck or self._titles.names

    def _closed(self) -> Iterator[_Card]:
        block, self._block = self._block, None
        if block is None:
            return
        first = self._page.lines[block.start]
        heading = _HASHES.match(first) if block.start in self._headings else None
        blanks = len(first) - len(first.lstrip(" \t"))
        indent = indent_of(first[:blanks])
        deck, column = self._own_deck(first, heading.end() if heading else blanks)
        titles, lines = deck or self._above(), range(block.start, block.stop)
        if block.between is not None:
            question = self._page.behind(block.start, column, block.between)
            question = outdented(question, indent) if question else None
            answer = self._page.passage(block.between + 1, block.stop)
            answer = outdented(answer, indent) if answer else None
            both = _BETWEEN[self._page.lines[block.between].strip()]
            if question:
                yield _Card(RawCard(question, answer, titles, lines, reverse=both), divided=True)
            return
        text = "\n".join(self._page.lines[block.start : block.stop])
        passage = self._page.behind(block.start, column, block.stop)
        passage = outdented(passage, indent) if passage else None
        if passage and any(each in text for each in _HIDING) and _hides(passage):
            (passage,) = hidden([_in_braces(passage)], _CURLY)
            yield _Card(RawCard(passage, None, titles, lines, kind=Kind.CLOZE))


def _in_braces(passage: Passage) -> Passage:
    """Return a text with braces around each highlight that has a number or a hint.

    So one counts what is hidden, however it is marked.
    """
    if ";;" not in passage.text:
        return passage
    text = Spoken(passage)
    pieces: list[tuple[int, int, str]] = []
    opened: list[int] = []
    for token in markdown.walk(text.tokens):
        if token.type == "mark_open":
            opened.append(text.offset_of(token))
        elif token.type == "mark_close":
            start, stop = opened.pop(), text.offset_of(token)
            inside = range(start + 2, stop)
            around = passage.text[start - 1 : start], passage.text[stop + 2 : stop + 3]
            is_divided = "{" in around[0] or "}" in f"{passage.text[stop - 1 : stop]}{around[1]}"
            is_divided |= bool(_OF_BRACES.search(passage.text, inside.start, inside.stop))
            if not is_divided and not opened and cue_in(passage.text, inside, (";;",)):
                pieces += [(start, start + 2, "{{"), (stop, stop + 2, "}}")]
    return passage.rewritten(pieces)


def _hides(passage: Passage) -> bool:
    """Tell whether a text hides anything, outside of its code."""
    (rewritten,) = hidden([passage], _CURLY)
    tokens = markdown.walk(markdown.parse(rewritten).tokens)
    return any(token.type in {"mark_open", "cloze_open"} for token in tokens)


SYNTAX = Syntax("spaced-repetition", "`::` line", fits, read, is_a_tools=True)
