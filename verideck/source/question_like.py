"""Lines that look like a question or a title, and are none: an author would miss the card.

They are found in paragraphs, where a heading, an item or a `Q:` that is not quite one ends up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from types import MappingProxyType

from verideck.markdown import Token
from verideck.markdown.prose import QUESTION_MARKS
from verideck.model import Place, more_below
from verideck.problems import Code, Problem, Severity
from verideck.source.syntaxes.headings import USUAL, asks, inside_chapters, is_question, unfolded
from verideck.source.syntaxes.page import Page
from verideck.source.syntaxes.raw_card import RawCard

_BLANKS = " \t"
"""The blanks that Markdown knows; a no-break space or an ideographic one is a letter to it."""
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060\ufeff]*")
_HASHES = re.compile(r"(?P<hashes>[#＃]{1,6})(?![#＃])(?P<behind>[^\n]?)")
_BOLD = re.compile(r"\*\*[ \t]*(?:[Qq]|[Qq]uestion|问题?)[ \t]*\d*[ \t]*[:：.、]")
_BOLD_QUESTION = re.compile(
    r"(?:\d{1,3}[.)、]\s*)?(?P<mark>\*\*|__)(?![*_\s])"
    rf"[^\n*]+[{QUESTION_MARKS}][^\w\n]{{0,3}}(?P=mark)[:：]?\s*"
)
_WORDS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        syntax: re.compile(
            rf"(?:Q\d+|q\d*|[Qq]uestion|问题)[:：]|{other}[:：](?!\S)"
            rf"|[Qq]\d*(?:\.[ \t]|[．、]|[ \t]+[:：])[^\n]*[{QUESTION_MARKS}]"
        )
        for syntax, other in (("qa", r"[CEMPST]\d*"), ("hashcards", r"(?:C\d+|[EMPST]\d*)"))
    }
)
"""What begins a line like a question where `Q:` does, by the page's syntax."""
_Q, _A = re.compile(r"[Q问]\d*[:：]"), re.compile(r"[A答]\d*[:：]")
_INNER = re.compile(
    rf"[ \t]*(?:(?:[-+*]|\d{{1,9}}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?(?={_Q.pattern})"
)
"""What stands before a `Q:` that continues a list, a row or a quotation, or begins an item."""
_CARD_TAGS = frozenset(["#card", "#card-reverse", "#card-spaced"])
"""The tags behind a line that Flashcards, a plugin of Obsidian's, takes for a question."""
_OUTER = frozenset({"paragraph_open", "heading_open"})
_ASKED_BY: Mapping[str, str] = MappingProxyType({"heading": "heading", "list": "list item"})
"""What asks, by the syntax, where `Q:` is no mark."""
_BULLET = re.compile(r"[•‣◦●]|[·－—–][ \t\xa0\u3000]|[-+*][\xa0\u3000]|\d{1,3}[、．]")
_BEGINS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **dict.fromkeys(_WORDS, frozenset("#＃*QqCEMPST问")),
        "list": frozenset("#＃*•‣◦·●－—–-+0123456789"),
    }
)
"""What a line that looks like any of these begins with, by the page's syntax."""
_BEGINS_ANYWHERE = frozenset("#＃*")


@dataclass(frozen=True, slots=True)
class _Look:
    """A way of looking like a question, and what to do about it."""

    message: str
    hint: str


_CLOSE = _Look(
    "these hashes make no heading: no blank stands behind them",
    "write a blank behind them; or a backslash before them, if they are text",
)
_FULL_WIDTH = _Look(
    "these hashes make no heading: they are full-width characters",
    "write # instead, and a blank behind; or a backslash before them, if they are text",
)
_ODD_BLANK = _Look(
    "these hashes make no heading: the blank beside them is not an ordinary one",
    "write an ordinary blank; or a backslash before the hashes, if they are text",
)
_DEEP = _Look(
    "these hashes make no heading: they continue the paragraph above",
    "leave a blank line above them and no blanks before them; or write a backslash before them",
)
_IN_BOLD = _Look(
    "this is no question: its mark is bold",
    "write Q: and A: without stars; or a heading for each question",
)
_UNKNOWN_MARK = _Look(
    "this line begins like a question, and is none",
    "write Q: for a question and A: for its answer; or a backslash before the colon or stop",
)
_INSIDE = _Look(
    "this line begins like a question, and stands in a list, a row or a quotation",
    "leave a blank line above it, and no mark before it; or write a backslash before its colon",
)
_MARK_STAYS = _Look(
    "this mark stands on the card: here a {} asks, and what is beneath it answers",
    "leave it out; or write Q: and A: alone, with no {}",
)
_DEEPER = _Look(
    "this heading asks, and is part of an answer",
    "say `level: {}` in the front matter if such headings are the questions, `level: {}` if not",
)
_IN_CHAPTER = _Look(
    "this heading is part of an answer that consists of such headings alone",
    _DEEPER.hint,
)
_BOLD_ASKS = _Look(
    "this paragraph asks in bold, and makes no card",
    "write a question as the others are written; if this is text, say `syntax: {}` in the front "
    "matter",
)
_TAGGED = _Look(
    "this line is tagged as a card, and makes none",
    "write a question as the others are written; or leave the tag out, if this is text",
)
_TWO_SIDES = _Look(
    "a --- stands beneath this heading, which may ask: here list items do",
    "say `syntax: sides` in the front matter if the file is a card, `syntax: list` if items are",
)
_LONGEST_SIDE = 2
"""Blocks above such a `---`, with the heading."""
_FEWEST = 2
"""Headings or paragraphs with a question mark that may be the questions of a page; one may be part
of a text."""
_NO_ITEM = _Look(
    "this line looks like an item of a list, and is none",
    "begin it with - or 1. and an ordinary blank",
)


@dataclass(frozen=True, slots=True)
class Alike:
    """The lines of a file that look alike."""

    problem: Problem
    lines: tuple[int, ...]
    """Counted from 0; the problem stands at the first."""


def alike(page: Page, cards: Sequence[RawCard], syntax: str) -> list[Alike]:
    """Return the lines of a page that look like questions, by how they look.

    `syntax` is the name of the one in which the page is read: what begins like an item is told only
    where items ask, and what begins like `Q:` only where `Q:` does. There it asks; where it does
    not, a `Q:` or an `A:` in front of a question or an answer is told, too.
    """
    found: dict[_Look, list[Place]] = {}
    for line, column, text in _lines(page, syntax):
        if look := _look(text, page.lines[line][:column], syntax):
            found.setdefault(look, []).append(page.place(line, column))
    if syntax in _WORDS:
        told = {place.line - 1 for places in found.values() for place in places}
        found |= _inside(page, told | {card.lines.start for card in cards})
    if syntax in _ASKED_BY:
        found |= {**_marked(cards, syntax), **_tagged(page, cards)}
    if syntax == "heading" and not page.meta.level:
        found |= _deeper(page)
    if syntax in _ASKED_BY and not page.meta.syntax:
        found |= _bold(page, syntax) | _two_sides(page, cards, syntax)
    return [_told(look, sorted(places)) for look, places in found.items()]


def _inside(page: Page, but: set[int]) -> dict[_Look, list[Place]]:
    """Return where a `Q:` asks nothing, as it is a part of another block than a paragraph.

    Some lines are left out, which ask or of which more is told.
    """
    outer = (range(each.start, each.stop) for each in page.blocks if each.type in _OUTER)
    lines = page.prose().difference(but, *outer)
    marks = {line: _INNER.match(page.lines[line]) for line in sorted(lines)}
    places = [page.place(line, mark.end()) for line, mark in marks.items() if mark]
    return {_INSIDE: places} if places else {}


def _deeper(page: Page) -> dict[_Look, list[Place]]:
    """Return the headings that ask by their mark, where none of the level of the questions does.

    And those that are all that stands in chapters.
    """
    blocks = unfolded(page.blocks)
    asking = [block for block in blocks if block.heading_level >= page.level and asks(block)]
    levels = [block.heading_level for block in asking]
    level = next((each for each in levels if levels.count(each) >= _FEWEST), 0)
    look = _DEEPER
    if level <= page.level or page.level in levels:
        asking = [*inside_chapters(blocks)] if page.level == USUAL else []
        if len(asking) < _FEWEST:
            return {}
        look, level = _IN_CHAPTER, asking[0].heading_level
    look = replace(look, hint=look.hint.format(level, page.level))
    places = [page.place(block.start) for block in asking if block.heading_level == level]
    return {look: places}


def _bold(page: Page, syntax: str) -> dict[_Look, list[Place]]:
    """Return the paragraphs that are questions in bold, if there are several."""
    asking = [
        block
        for block in page.blocks
        if block.type == "paragraph_open" and _BOLD_QUESTION.fullmatch(block.content)
    ]
    places = [page.place(block.start) for block in asking]
    look = _Look(_BOLD_ASKS.message, _BOLD_ASKS.hint.format(syntax))
    return {look: places} if len(places) >= _FEWEST else {}


def _marked(cards: Iterable[RawCard], syntax: str) -> dict[_Look, list[Place]]:
    """Return the questions and answers with a mark that stays on the card."""
    passages = [
        (mark, passage)
        for card in cards
        for mark, passage in ((_Q, card.question), (_A, card.answer))
    ]
    places = [each.place for mark, each in passages if each and mark.match(each.text)]
    return {_stays(syntax): places} if places else {}


def _tagged(page: Page, cards: Sequence[RawCard]) -> dict[_Look, list[Place]]:
    """Return the paragraphs whose first line is tagged as a card, and is no question."""
    if "#card" not in page.whole.text:
        return {}
    asking = {card.question.place.line for card in cards}
    tagged = [
        page.place(block.start)
        for block in page.blocks
        if block.type == "paragraph_open" and _is_tagged(block.content.split("\n", 1)[0])
    ]
    places = [place for place in tagged if place.line not in asking]
    return {_TAGGED: places} if places else {}


def _is_tagged(line: str) -> bool:
    """Tell whether one of the tags that end a text makes it a card."""
    words = line.split()
    tags = list(takewhile(lambda word: word.startswith("#"), reversed(words[1:])))
    return not _CARD_TAGS.isdisjoint(tags) and not words[0].startswith("#")


def _two_sides(page: Page, cards: Sequence[RawCard], syntax: str) -> dict[_Look, list[Place]]:
    """Return the only heading of a page of lists, if one `---` divides it from a list below.

    Where an item has a question mark, items ask.
    """
    headings = [number for number, block in enumerate(page.blocks) if block.heading_level]
    rules = [number for number, block in enumerate(page.blocks) if block.type == "hr"]
    is_divided = headings == [0] and len(rules) == 1 and rules[0] <= _LONGEST_SIDE
    if syntax != "list" or not is_divided or any(is_question(card.question.text) for card in cards):
        return {}
    return {_TWO_SIDES: [page.place(page.blocks[0].start)]}


def _stays(syntax: str) -> _Look:
    asked_by = _ASKED_BY[syntax]
    return _Look(_MARK_STAYS.message.format(asked_by), _MARK_STAYS.hint.format(asked_by))


def _told(look: _Look, places: Sequence[Place]) -> Alike:
    message = f"{look.message}{more_below(len(places))}"
    problem = Problem(Code.QUESTION_LIKE, message, places[0], look.hint, Severity.WARNING)
    return Alike(problem, tuple(place.line - 1 for place in places))


def _lines(page: Page, syntax: str) -> Iterator[tuple[int, int, str]]:
    """Yield the lines of paragraphs that may look like something, with where their text begins."""
    begins = _BEGINS.get(syntax, _BEGINS_ANYWHERE)
    for token in _paragraphs(page.tokens):
        assert token.map
        if begins.isdisjoint(token.content):
            continue
        for number in range(*token.map):
            whole = page.lines[number]
            # The first line of an item begins with its mark.
            is_item = number == token.map[0] and token.level > 1
            text = token.content.split("\n", 1)[0] if is_item else whole
            text = text[_end(text) :]
            if text[:1] in begins:
                yield number, max(whole.find(text), 0), text


def _end(text: str) -> int:
    """Return how many characters in front of a text cannot be seen."""
    found = _UNSEEN.match(text)
    return found.end() if found else 0


def _paragraphs(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the inline content of paragraphs that stand in no quotation."""
    quotations, is_paragraph = 0, False
    for token in tokens:
        if token.type in {"blockquote_open", "blockquote_close"}:
            quotations += token.nesting
        elif token.type == "inline" and is_paragraph and not quotations and token.map:
            yield token
        is_paragraph = token.type == "paragraph_open"


def _look(text: str, before: str, syntax: str) -> _Look | None:
    if hashes := _HASHES.match(text):
        return _heading_like(hashes["hashes"], hashes["behind"], before)
    if _BOLD.match(text):
        return _IN_BOLD
    if syntax in _WORDS and _WORDS[syntax].match(text):
        return _UNKNOWN_MARK
    return _NO_ITEM if syntax == "list" and _BULLET.match(text) else None


def _heading_like(hashes: str, behind: str, before: str) -> _Look | None:
    """How hashes that make no heading look; one without a blank behind is a tag."""
    is_tag = len(hashes) == 1 and not behind.isspace()
    if is_tag or not behind or behind == "\\":
        return None
    if "＃" in hashes:
        return _FULL_WIDTH
    if not behind.isspace():
        return _CLOSE
    is_odd = behind not in _BLANKS or bool(before.strip(_BLANKS))
    return _ODD_BLANK if is_odd else _DEEP
