"""Obsidian_to_Anki: `START`, a type, fields and `END`; in a line `STARTI [type] … ENDI`.

`TARGET DECK` and `FILE TAGS` speak of the whole file. `<!--ID: 1566052191670-->` is the note's id.
A note may stand in a comment, see `commented`. In a file with a `TARGET DECK`, `#flashcard` ends a
question, as in the style of Neuracache that its manual shows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from verideck.model import Kind, Passage, Place, more_below
from verideck.problems import Code, Problem, Problems, Severity
from verideck.source.syntaxes.commented import BEGIN, END, FORM
from verideck.source.syntaxes.deletions import CURLY, hidden
from verideck.source.syntaxes.page import Page, Titles, indent_of
from verideck.source.syntaxes.raw_card import RawCard, Reading, Written
from verideck.source.syntaxes.syntax import Syntax

_REVERSED = "Add Reverse"
_TAGS = "Tags"
_DECK, _FILE_TAGS = "TARGET DECK", "FILE TAGS"
_CHINESE = {
    "正面": "Front",
    "背面": "Back",
    "文字": "Text",
    "背面额外": "Extra",
    "增加翻转的卡片": _REVERSED,
}
"""The names of fields in a note type of Anki's own where it speaks Chinese."""
_SAME = {"Back Extra": "Extra", **_CHINESE}
"""Another name of a field."""
_COLON = r"(?::(?:[ \t]+|$)|：[ \t]*)"
_LABEL = re.compile(
    rf"(?P<name>Front|Back|Text|Extra|{_REVERSED}|{_TAGS}|{'|'.join(_SAME)}){_COLON}"
)
_INLINE_LABEL = re.compile(rf"(?<=\s){_LABEL.pattern}")
_SAYS = re.compile(r"[^\W\d_]")
_ID = re.compile(r"(?:<!--)?[ \t]*ID:[ \t]*(?P<id>\d+)[ \t]*(?:-->)?")
_INLINE = re.compile(r"STARTI\s+\[(?P<type>[^\[\]]+)\]\s*(?P<fields>.*?)\s*ENDI")
_SETTING = re.compile(rf"(?P<name>{_DECK}|{_FILE_TAGS})(?::[ \t]*(?P<value>.*))?")
_NAMES_DECK = re.compile(rf"^{_DECK}\b", re.MULTILINE)
_ASKS = re.compile(r"(?<=\S)[ \t]+#flashcard[ \t]*$", re.MULTILINE)
"""Stands behind a question, and its answer on the lines below."""


@dataclass(frozen=True, slots=True)
class _NoteType:
    """A note type of Anki."""

    kind: Kind
    fields: tuple[str, str]
    """The field that asks, and the one that answers."""
    reverse: bool = False
    label: re.Pattern[str] = _LABEL
    """Begins the line of a field."""
    in_chinese: bool = False
    """Whether its fields have names in Chinese."""

    def has(self, label: str) -> bool:
        """Tell whether a label is the name of a field, and no other text in front of a colon."""
        if self is _UNKNOWN:
            return _is_name(label)
        is_understood = self.in_chinese or label not in _CHINESE
        return is_understood and self.named(label, 0) in {*self.fields, _REVERSED, _TAGS}

    def named(self, label: str, order: int) -> str:
        """Return the name of the field of a label, of a type that is not known by its order."""
        known = self is not _UNKNOWN or label == _TAGS
        return _SAME.get(label, label) if known else self.fields[order]


_UNKNOWN = _NoteType(
    Kind.BASIC, ("Front", "Back"), label=re.compile(rf"(?P<name>[^\W\d_][^\n:：]{{0,30}}){_COLON}")
)
NOTE_TYPES: Mapping[str, _NoteType] = MappingProxyType(
    {
        "Basic": _NoteType(Kind.BASIC, ("Front", "Back")),
        "Basic (and reversed card)": _NoteType(Kind.BASIC, ("Front", "Back"), reverse=True),
        "Basic (optional reversed card)": _NoteType(Kind.BASIC, ("Front", "Back")),
        "Basic (type in the answer)": _NoteType(Kind.TYPED, ("Front", "Back")),
        "Cloze": _NoteType(Kind.CLOZE, ("Text", "Extra")),
    }
)
"""The note types that come with Anki, by the names that the first line of a note says."""
_IN_CHINESE: Mapping[str, str] = MappingProxyType(
    {
        "基础": "Basic",
        "问答题": "Basic",
        "问答题（附翻转卡片）": "Basic (and reversed card)",
        "问答题（可选附翻转卡片）": "Basic (optional reversed card)",
        "问答题（输入答案）": "Basic (type in the answer)",
        "填空题": "Cloze",
    }
)
"""Their names where Anki speaks Chinese, now and formerly."""


def fits(page: Page) -> str:
    """Return by what sign the page is written for Obsidian_to_Anki."""
    if not any(each in page.whole.text for each in (BEGIN, "#flashcard")):
        return ""
    lines = [page.lines[number].strip() for number in page.prose()]
    if BEGIN in lines and END in lines:
        return "lines `START` and `END` stand around a note"
    if any("STARTI [" in line and "ENDI" in line for line in lines):
        return "`STARTI` and `ENDI` stand around a note"
    texts = [each.content for each in page.blocks if each.type == "paragraph_open"]
    if any(map(_ASKS.search, texts)) and _NAMES_DECK.search(page.source.text):
        return f"`#flashcard` stands behind a question, and the file has a `{_DECK}`"
    return ""


def read(page: Page, problems: Problems) -> Reading:
    """Return a card for each note of the page.

    Reports notes that have no end, no type or no question, and types that Anki does not have: of
    their fields the first asks, and all others answer.
    """
    return _Reader(page, problems).read()


class _Reader:
    """Reads the notes of a page."""

    def __init__(self, page: Page, problems: Problems) -> None:
        self._page = page
        self._problems = problems
        self._prose = page.prose()
        self._titles = Titles(page)
        self._found = False
        """Whether there is a note at all."""
        self._about: list[range] = []
        """The lines that speak of the whole file, and those of notes to be deleted."""
        self._beside: list[Place] = []
        """Where text stands on the lines of notes that is in none of their fields."""
        self._settings: dict[str, Written] = {}
        for name, lines, value in self._set():
            if name not in self._settings:
                self._settings[name] = value
                self._about.append(lines)

    def read(self) -> Reading:
        cards: list[RawCard] = []
        headings = {each.start: each for each in self._page.blocks if each.heading_level}
        paragraphs = {
            line: number
            for number, each in enumerate(self._page.blocks)
            if each.type == "paragraph_open"
            for line in range(each.start, each.stop)
        }
        done = 0
        for number in sorted(self._prose):
            line = self._page.lines[number]
            if number < done:
                continue
            if number in headings:
                self._titles.enter(headings[number])
            self._found |= BEGIN in line or "#flashcard" in line
            if line.strip() == "DELETE" and _ID.fullmatch(self._below(number)):
                self._about.append(range(number, number + 2))
            if line.strip() == BEGIN:
                end = self._end(number)
                done = end or 0
                cards += self._block(number, end) if end else self._endless(number)
            elif "STARTI" in line:
                cards += self._in_line(number, line)
            elif _ASKS.search(line) and number in paragraphs:
                cards.append(self._tagged(number, paragraphs[number]))
                done = cards[-1].lines.stop
        if self._beside:
            self._problems.report(_left_out(sorted(self._beside)))
        return Reading(
            tuple(cards), is_empty=not self._found, among_notes=True, about=tuple(self._about)
        )

    def _set(self) -> Iterator[tuple[str, range, Written]]:
        """Yield what says the deck and the tags of the file, with its lines; the first counts."""
        for number in sorted(self._prose | self._page.noted):
            found = _SETTING.fullmatch(self._page.written[number].strip())
            if not found:
                continue
            line = number if found["value"] else number + 1
            text = found["value"] or self._below(number)
            if text:
                column = self._page.written[line].find(text)
                value = Written(text, self._page.place(line, column))
                yield found["name"], range(number, line + 1), value

    def _below(self, number: int) -> str:
        return "".join(self._page.written[number + 1 : number + 2]).strip()

    def _end(self, start: int) -> int | None:
        """Return the line of a note's END."""
        for number in range(start + 1, len(self._page.lines)):
            text = self._page.lines[number].strip()
            if number in self._prose and text in {BEGIN, END}:
                return number if text == END else None
        return None

    def _endless(self, line: int) -> Iterator[RawCard]:
        message, hint = "this START has no END", "write END below its last field"
        place = self._page.place(line)
        self._problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))
        yield from ()

    def _block(self, start: int, end: int) -> Iterator[RawCard]:
        """Yield the card between two lines. A note that holds an id alone is to be deleted."""
        note_id, stop = None, end
        for number in range(start + 1, end):
            line = self._page.written[number]
            if found := _ID.fullmatch(line.strip()):
                note_id = Written(found["id"], self._page.place(number, line.index(found["id"])))
                stop = number
                break
        if start + 1 == stop and note_id:
            self._about.append(range(start, end + 1))
            return
        name = self._page.lines[start + 1].strip() if start + 1 < stop else ""
        texts = self._once(self._fields(start + 2, stop, self._type(name, start + 1)))
        self._beside += self._written_in(range(stop + 1, end))
        yield from self._card(name, texts, note_id, range(start, end + 1))

    def _type(self, name: str, line: int) -> _NoteType:
        """Return the type of a name. Reports one that Anki does not have."""
        type_ = _type_of(name)
        if type_ is _UNKNOWN:
            message = f"Anki has no note type {name}" if name else "this note has no type"
            known = ", ".join(NOTE_TYPES)
            hint = f"here its first field asks, and all others answer; Anki has {known}"
            place = self._page.place(line)
            warning = Problem(Code.NOTE_TYPE_UNKNOWN, message, place, hint, Severity.WARNING)
            self._problems.report(warning)
        return type_

    def _fields(self, start: int, stop: int, type_: _NoteType) -> Iterator[tuple[str, Passage]]:
        """Yield the fields between two lines, below the type. The first may lack its name.

        They are indented as their type is.
        """
        above = self._page.lines[start - 1]
        indent = len(above) - len(above.lstrip())
        columns = indent_of(above[:indent])
        begun = [(type_.fields[0], start, indent)]
        for number, found in self._labels(range(start, stop), type_, indent):
            if number == start:
                begun = [(type_.named(found["name"], 0), number, found.end())]
            elif type_ is not _UNKNOWN or not begun[1:] or found["name"] == _TAGS:
                is_shown = type_ is _UNKNOWN and found["name"] != _TAGS
                column = indent if is_shown else found.end()
                begun.append((type_.named(found["name"], 1), number, column))
        for (name, line, column), (_, below, _) in pairwise([*begun, ("", stop, 0)]):
            end = line + 1 if name == _TAGS else below  # tags stand in one line
            self._beside += self._written_in(range(end, below))
            if line < stop and (text := self._page.behind(line, column, end, columns)):
                yield name, text

    def _written_in(self, lines: range) -> Iterator[Place]:
        """Yield the places of lines that are not blank."""
        return (self._page.place(line) for line in lines if not self._page.is_blank(line))

    def _labels(
        self, lines: range, type_: _NoteType, indent: int
    ) -> Iterator[tuple[int, re.Match[str]]]:
        """Yield the names of fields that begin lines, with their lines."""
        for number in lines:
            line = self._page.lines[number]
            if number in self._prose and not line[:indent].strip():
                found = type_.label.match(line, indent)
                if found and type_.has(found["name"]):
                    yield number, found

    def _once(self, fields: Iterable[tuple[str, Passage]]) -> dict[str, Passage]:
        """Return the fields of a note by their names. Of two of a name the first counts."""
        texts: dict[str, Passage] = {}
        for name, text in fields:
            if texts.setdefault(name, text) is not text:
                self._beside.append(text.place)
        return texts

    def _in_line(self, number: int, line: str) -> Iterator[RawCard]:
        """Yield the cards of the notes that stand in a line."""
        notes = list(_INLINE.finditer(line)) if "ENDI" in line else []
        if notes and _SAYS.search(_INLINE.sub("", line)):
            self._beside.append(self._page.place(number))
        for note in notes:
            type_ = self._type(note["type"].strip(), number)
            start, stop = note.span("fields")
            found_id = _ID.search(self._page.written[number], start, note.end())
            note_id = None
            if found_id:
                note_id = Written(found_id["id"], self._page.place(number, found_id.start("id")))
                stop = min(stop, found_id.start())
            labels = [
                each
                for each in _INLINE_LABEL.finditer(line, start, stop)
                if type_ is _UNKNOWN or type_.has(each["name"])
            ]
            begun = [(type_.fields[0], start, start)]
            begun += [(type_.named(each["name"], 1), each.start(), each.end()) for each in labels]
            texts = self._once(
                (name, text)
                for (name, _, column), (_, end, _) in pairwise([*begun, ("", stop, stop)])
                if (text := self._page.piece(number, column, end))
            )
            yield from self._card(note["type"].strip(), texts, note_id, range(number, number + 1))

    def _tagged(self, number: int, paragraph: int) -> RawCard:
        """Return the card of a paragraph, of which a line ends with `#flashcard`.

        Its answer is what stands below, to the next blank line behind it.
        """
        blocks = self._page.blocks
        first, stop = blocks[paragraph], blocks[paragraph].stop
        for each in map(blocks.__getitem__, range(paragraph + 1, len(blocks))):
            text = "\n".join(self._page.lines[each.start : each.stop])
            ends = stop > number + 1 and self._page.is_blank(each.start - 1)
            if ends or each.heading_level or each.type == "hr" or _ASKS.search(text):
                break
            stop = each.stop
        while stop in self._page.noted:
            stop += 1
        question = self._page.passage(first.start, number + 1)
        assert question
        return RawCard(
            replace(question, text=_ASKS.sub("", question.text)),
            self._page.passage(number + 1, stop),
            self._titles.names,
            range(first.start, stop),
            tags=tuple(self._tags(None)),
            deck=self._settings.get(_DECK),
        )

    def _card(
        self, name: str, texts: dict[str, Passage], note_id: Written | None, lines: range
    ) -> Iterator[RawCard]:
        type_ = _type_of(name)
        question, answer = (texts.get(field) for field in type_.fields)
        if question is None:
            message, hint = "this note asks nothing", f"write the text of its {type_.fields[0]}"
            place = self._page.place(lines.start)
            self._problems.report(Problem(Code.QUESTION_MISSING, message, place, hint))
            return
        if type_.kind is Kind.TYPED and answer:
            answer = replace(answer, inline=False)  # what is to be typed is a paragraph
        if type_.kind is Kind.CLOZE and "{{c" not in question.text:
            (question,) = hidden([question], CURLY)
        yield RawCard(
            question,
            answer,
            self._titles.names,
            lines,
            id=note_id,
            kind=type_.kind,
            reverse=type_.reverse or _REVERSED in texts,
            tags=tuple(self._tags(texts.get(_TAGS))),
            deck=self._settings.get(_DECK),
        )

    def _tags(self, own: Passage | None) -> Iterator[Written]:
        """Yield the tags of the file and of a note."""
        if of_file := self._settings.get(_FILE_TAGS):
            yield from _words(Passage(of_file.text, of_file.place))
        if own:
            yield from _words(own)


def _type_of(name: str) -> _NoteType:
    if name in _IN_CHINESE:
        return replace(NOTE_TYPES[_IN_CHINESE[name]], in_chinese=True)
    return NOTE_TYPES.get(name, _UNKNOWN)


def _is_name(label: str) -> bool:
    """Tell the name of a field from other text in front of a colon, in any script.

    It has no punctuation, and no small letter first.
    """
    is_whole = all(each in " _" or unicodedata.category(each)[0] in "LMN" for each in label)
    return is_whole and not label[0].islower()


def _left_out(places: Sequence[Place]) -> Problem:
    more = more_below(len(places))
    message = f"text here is in no field of a note{more}, so no card shows it"
    hint = "write it in a field, or on a line of its own if it is for readers of the file alone"
    return Problem(Code.TEXT_OUTSIDE, message, places[0], hint, Severity.WARNING)


def _words(text: Passage) -> Iterator[Written]:
    for word in re.finditer(r"(?![-+*]\s)\S+", text.text):  # a list of them has marks
        tag = word.group().lstrip("#").replace("/", "::")
        yield Written(tag, text.place_of(word.start()))


SYNTAX = Syntax(FORM, "`START` note", fits, read, is_a_tools=True)
