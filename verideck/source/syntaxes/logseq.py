"""Logseq: a block tagged `#card` asks, and the blocks beneath it answer; `{{cloze text}}` hides.

Lines `key:: value` are properties of their block, or of the page where they stand above all blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from verideck import markdown
from verideck.markdown import Token
from verideck.model import IdSlot, Passage, Place, more_below, short
from verideck.problems import Code, Problem, Problems, Severity
from verideck.source.syntaxes.deletions import Marks, hidden, shown
from verideck.source.syntaxes.headings import LISTS
from verideck.source.syntaxes.list_items import content_column
from verideck.source.syntaxes.page import TAB, Page, Titles
from verideck.source.syntaxes.properties import BULLET, OUR_ID, PROPERTY, is_unshown
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.spoken import Spoken
from verideck.source.syntaxes.syntax import Syntax

_ASKS = {"card", "flashcard", "flashcards"}
"""The tags of blocks that ask."""
_TAG = re.compile(r"(?<!\S)#(?:\[\[(?P<words>[^\[\]]+)\]\]|(?P<word>[^\s#\[\],]+))")
_PAGE = re.compile(rf"(?<![#\w])\[\[({'|'.join(sorted(_ASKS))})\]\]")
"""A link to the page of those that ask, which is as good as a tag."""
_SIGNS = ("#card", "#flashcard", "[[card]]", "[[flashcard", "{{cloze ")
_UNREAD = re.compile(
    r"\(\([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\)\)|\{\{(?!cloze |c\d)[a-z-]+ [^{}\n]*\}\}"
)
"""What stands for another block, `((64218a2c-…))`, or is made by Logseq, `{{embed [[page]]}}`."""
_MACRO = re.compile(r"\{\{[a-z-]+ [^{}\n]*\}\}")
_OF_A_TASK = re.compile(
    r"[ \t]*(?::LOGBOOK:|(?P<clock>CLOCK: \[\d{4}-.*)|(?P<end>:END:)"
    r"|(?:SCHEDULED|DEADLINE): <\d{4}-[^<>]*>)[ \t]*"
)
"""What a block says of when it is to be done, and was: Logseq shows it apart from its text."""
_BLANKS = re.compile(r"[ \t]*")
_CLOZE = Marks(re.compile(r"\{\{(?:cloze|c(?P<number>\d{1,3})) "), "}}", cues=("\\\\",))
_MARKER = re.compile(rf"{BULLET.pattern}(?:#{{1,6}}[ \t]+)?")
Properties = dict[str, Written]


def fits(page: Page) -> str:
    """Return by what sign the page is written for Logseq."""
    text = page.whole.text
    if not any(sign in text for sign in _SIGNS):
        return ""
    return "list items are tagged `#card`" if _Reader(page).read() else ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each block with a tag `#card`, and for each that hides something.

    Reports what stands for other blocks: a card shows it as it is written.
    """
    reader = _Reader(page)
    cards = tuple(reader.read())
    problems.extend(_unread(cards))
    return Reading(cards, is_empty=not cards, among_notes=True, about=tuple(reader.about))


@dataclass(frozen=True, slots=True)
class _Block:
    """A list item that begins with text."""

    start: int
    beneath: int
    """The line on which the items in it begin, or else `stop`."""
    stop: int
    items: int
    """How many items are in it."""


class _Reader:
    """Reads the blocks of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._prose = page.prose()
        self._titles = Titles(page)
        self._of_page: Properties = {}
        self.about: list[range] = []
        """The lines of the page's properties."""

    def read(self) -> list[RawCard]:
        cards: list[RawCard] = []
        for block in self._page.blocks:
            if block.heading_level:
                self._titles.enter(block)
            elif block.type in LISTS:
                cards += [card for each in _blocks(block.tokens) if (card := self._card(each))]
            elif block.type == "paragraph_open" and not cards:
                lines = range(block.start, block.stop)
                self._of_page |= self._properties(lines)
                self.about += (range(n, n + 1) for n in lines if self._is_unshown(n))
        return cards

    def _card(self, block: _Block) -> RawCard | None:
        """Return the card that a block is, if it is one."""
        own = self._properties(range(block.start, block.beneath))
        question = self._content(block.start, block.beneath)
        if question is None:
            return None
        (cloze,) = hidden([question], _CLOZE)
        tags = list(_tags(cloze))
        names = {each.text for each in tags}
        if names.isdisjoint(_ASKS) and cloze is question:
            return None
        beneath = self._beneath(block)
        tags += _tags(beneath) if beneath else ()
        answer = _untagged(beneath) if beneath else None
        answer = answer if answer and answer.text.strip() else None
        question = _untagged(cloze)
        direction = own["direction"].text if "direction" in own else ""
        if answer and ("reversed" in names or direction == "<-"):
            question, answer = answer, question
        deck = own.get("deck") or self._of_page.get("deck")
        end = len(self._page.lines[block.start].rstrip())
        bullet = BULLET.match(self._page.lines[block.start])
        indent = re.sub(r"\S", " ", bullet.group() if bullet else "")
        return RawCard(
            question,
            answer,
            self._titles.names,
            range(block.start, block.stop),
            id=own.get(OUR_ID) or own.get("id"),
            id_slot=IdSlot(self._page.place(block.start, end), f"\n{indent}{OUR_ID}:: ", ""),
            reverse="bidirectional" in names or direction == "<->",
            tags=tuple(
                each
                for each in (*_listed(self._of_page), *_listed(own), *tags)
                if each.text not in _ASKS
            ),
            deck=replace(deck, text=_name(deck.text)) if deck else None,
        )

    def _beneath(self, block: _Block) -> Passage | None:
        """Return what stands beneath a block, without the bullet of a single item."""
        if block.items == 1:
            text = self._content(block.beneath, block.stop)
        else:
            line = self._page.lines[block.beneath] if block.items else ""
            column = len(line.expandtabs(TAB)) - len(line.expandtabs(TAB).lstrip())
            text = self._page.passage(block.beneath, block.stop, column)
            text = self._without_properties(text)
        return shown(text, _CLOZE) if text else None

    def _content(self, start: int, stop: int) -> Passage | None:
        """Return an item without its bullet and the properties in it."""
        line = self._page.lines[start]
        found = _MARKER.match(line)
        if not found:
            return None
        text = self._page.behind(start, found.end(), stop, content_column(line))
        return self._without_properties(text)

    def _without_properties(self, text: Passage | None) -> Passage | None:
        """Return a text without the lines of properties; of one that has a bullet, that is left."""
        if text is None:
            return None
        first = text.place.line - 1
        written = text.text.split("\n")
        unshown = {n for n in range(len(written)) if self._is_unshown(first + n)}
        bulleted = {n for n in unshown if BULLET.match(written[n])}
        left = text.lacking(unshown - bulleted) if unshown - bulleted else text
        if left is None or not bulleted:
            return left
        start, pieces = 0, []
        for n, line in enumerate(left.text.split("\n")):
            if left.at(n, 0).line - 1 - first in bulleted:
                bullet = BULLET.match(line)
                pieces.append((start + (bullet.end() if bullet else 0), start + len(line), ""))
            start += len(line) + 1
        return left.rewritten(pieces)

    def _is_unshown(self, line: int) -> bool:
        return line in self._prose and (
            is_unshown(self._page.lines[line]) or self._is_of_a_task(line)
        )

    def _is_of_a_task(self, line: int) -> bool:
        """Tell whether a line says when a task is to be done, or is one of a drawer of clocks."""
        found = _OF_A_TASK.fullmatch(self._page.lines[line])
        if found is None or not found["end"]:
            return found is not None
        while (above := _OF_A_TASK.fullmatch(self._page.lines[line - 1])) and above["clock"]:
            line -= 1
        return above is not None and above.group().strip() == ":LOGBOOK:"

    def _properties(self, lines: Iterable[int]) -> Properties:
        found: Properties = {}
        for number in sorted(self._prose.intersection(lines)):
            line = self._page.lines[number]
            if match := PROPERTY.fullmatch(line):
                place = self._page.place(number, max(match.start("value"), 0))
                found.setdefault(match["key"], Written(match["value"] or "", place))
        return {key: each for key, each in found.items() if each.text}


def _unread(cards: Iterable[RawCard]) -> Iterator[Problem]:
    """Yield one warning of all references and macros in the prose of cards, at the first."""
    found: list[tuple[str, Place]] = []
    for card in cards:
        for passage in filter(None, (card.question, card.answer)):
            spoken = Spoken(passage)
            found += (
                (each.group(), passage.place_of(spoken.offset(each.start())))
                for each in _UNREAD.finditer(spoken.text)
            )
    if found:
        first, place = found[0]
        message = f"{short(first)} is shown as it is written{more_below(len(found))}"
        hint = "write here what the card needs of it"
        yield Problem(Code.MARK_UNREAD, message, place, hint, Severity.WARNING)


def _blocks(tokens: Sequence[Token]) -> Iterator[_Block]:
    """Yield the items of a list, and those in them, that begin with a paragraph or a heading."""
    open_: list[int] = []
    items: list[list[int]] = []
    found: list[_Block] = []
    for number, token in enumerate(tokens):
        if token.type == "list_item_open":
            if items:
                items[-1].append((token.map or (0, 0))[0])
            open_.append(number)
            items.append([])
        elif token.type == "list_item_close":
            first, inner = open_.pop(), items.pop()
            start, stop = tokens[first].map or (0, 0)
            text = tokens[first + 1]
            if text.type in {"paragraph_open", "heading_open"}:
                beneath = inner[0] if inner else stop
                found.append(_Block(start, beneath, stop, len(inner)))
    yield from sorted(found, key=lambda each: each.start)


def _tags(text: Passage) -> Iterator[Written]:
    """Yield the tags of a block that stand at the end of a line, and those that make it a card."""
    for start, stop, name in _tagged(text):
        del stop
        yield Written(_tag(name), text.place_of(start))


def _untagged(text: Passage) -> Passage:
    """Return a text without such tags."""
    return text.rewritten((_before_blanks(text.text, at), end, "") for at, end, _ in _tagged(text))


def _before_blanks(text: str, position: int) -> int:
    while position and text[position - 1] in " \t":
        position -= 1
    return position


def _tagged(text: Passage) -> list[tuple[int, int, str]]:
    """Return where such tags begin and end, and their names."""
    if "#" not in text.text and "[[" not in text.text:
        return []
    found: list[tuple[int, int, str]] = []
    line_end = -1
    for start, stop, name in sorted(_written(text), reverse=True):
        behind = _BLANKS.match(text.text, stop)
        assert behind
        is_last = (
            text.text[behind.end() : behind.end() + 1] in {"", "\n"} or behind.end() == line_end
        )
        if is_last or name in _ASKS:
            found.append((start, stop, name))
        line_end = start if is_last else -1
    return found[::-1]


def _written(text: Passage) -> Iterator[tuple[int, int, str]]:
    """Yield where tags stand in a text, outside of code, and their names."""
    spoken = Spoken(text)
    for tag in _TAG.finditer(spoken.text):
        start = spoken.offset(tag.start())
        stop = start + len(tag.group())
        if text.text[start:stop] == tag.group():
            yield start, stop, tag["words"] or tag["word"]
    if "[[" in text.text:
        macros = [each.span() for each in _MACRO.finditer(text.text)]
        for page in markdown.outside(text.text, _PAGE):
            if not any(start < page.start() < stop for start, stop in macros):
                yield *page.span(), page[1]


def _listed(properties: Properties) -> Iterator[Written]:
    """Yield the tags of a property: names with commas between."""
    if "tags" in properties:
        text, place = properties["tags"].text, properties["tags"].place
        for word in re.finditer(r"[^,，\s][^,，]*", text):
            column = place.column + word.start()
            yield Written(_tag(word.group()), replace(place, column=column))


def _name(text: str) -> str:
    """Return the name of a page as a deck of Anki is named."""
    return text.strip().removeprefix("#").strip("[]").replace("/", "::")


def _tag(text: str) -> str:
    """Return the name of a page as a tag, which has no blanks."""
    return "-".join(_name(text).split())


SYNTAX = Syntax("logseq", "`#card` block", fits, read, is_a_tools=True)
