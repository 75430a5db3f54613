"""Long histories: an author edits and builds, a learner studies and imports, and nothing is lost.

The real Anki is the judge. What should be is kept here, in a model of its own: which card each card
is to its author, what the packages said of it, and what the learner made of it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import MOMENT, ROOT, Project, build, check, project, remembered
from test_anki import FINE, Learner, front, judge, seen

from verideck.history import identity, lock
from verideck.history.likeness import alike, features
from verideck.history.stamp import RETIRED
from verideck.model import FIELDS, Kind, NoteType, Packaged
from verideck.problems import BuildFailedError, Code, Problems
from verideck.render import note_types
from verideck.targets import packages

# What is known to be wrong is kept out of any history, and is told on its own at the end.
NUMBERS_ARE_HANDED_ON = False
"""Until a number that is written counts for less than a text that was hidden."""
GUIDS_COLLIDE = False
"""Until a guid is chosen with regard to those that there are."""

# What an author writes


def _unit(number: int, *, han: bool) -> str:
    """A word, or two Han characters, that no other number has."""
    if han:
        return "".join(chr(0x4E00 + (2 * number + each) * 97 % 20_000) for each in (0, 1))
    syllables = [
        f"{'bdfgklmnprstvz'[number // 5**each % 14]}{'aeiou'[number % 5]}" for each in (1, 2)
    ]
    return "".join(
        [
            *syllables,
            f"{'bdfgklmnprstvz'[number // 70 % 14]}{'aeiou'[number // 11 % 5]}",
            str(number),
        ]
    )


@dataclass(slots=True)
class Part:
    """A word or two of a question; of a cloze card, it may be hidden."""

    text: str
    deletion: int = 0
    """Which deletion this is to the author, for ever; 0 for a part that was never one."""
    hidden: bool = False
    number: int | None = None
    """As it is written; None for `==text==`."""

    def __str__(self) -> str:
        if not self.hidden:
            return self.text
        return f"=={self.text}==" if self.number is None else f"{{{{c{self.number}::{self.text}}}}}"


@dataclass(slots=True)
class Sheet:
    """A card as its author has it in mind: which one it is, whatever it says."""

    key: int
    kind: Kind
    han: bool
    parts: list[Part]
    answer: list[str]
    reverse: bool = False
    tags: tuple[str, ...] = ()
    id: str = ""
    source: int = 0
    """The card that it was made from, which it is not."""

    def joined(self, texts: list[str]) -> str:
        """Join words, or Han characters with commas."""
        return ("，" if self.han else " ").join(texts)

    @property
    def question(self) -> str:
        """In Markdown."""
        return self.joined([str(part) for part in self.parts])

    @property
    def asked(self) -> str:
        """What a reader sees of the question."""
        return self.joined([part.text for part in self.parts])

    @property
    def told(self) -> str:
        """The answer."""
        return self.joined(self.answer)

    @property
    def deletions(self) -> dict[int, Part]:
        """What is hidden."""
        return {part.deletion: part for part in self.parts if part.hidden}

    @property
    def attributes(self) -> str:
        """What stands behind the question."""
        words = [f"#{self.id}"] if self.id else []
        words += [".cloze"] if self.kind is Kind.CLOZE else []
        words += [".type"] if self.kind is Kind.TYPED else []
        words += [".reversed"] if self.reverse else []
        words += [f'tags="{" ".join(self.tags)}"'] if self.tags else []
        return f" {{{' '.join(words)}}}" if words else ""

    def meaning(self, form: str) -> object:
        """What the fields and tags follow from: the same meaning is the same note."""
        parts = [(part.text, part.hidden and part.deletion) for part in self.parts]
        return parts, tuple(self.answer), self.reverse, self.tags, form if self.answer else ""


FORMS: Mapping[str, tuple[str, str]] = {
    "heading": ("## {}\n\n", "{}\n\n"),
    "list": ("- {}\n", "    - {}\n"),
    "qa": ("Q: {}\n\n", "A: {}\n\n"),
}


@dataclass(slots=True)
class Page:
    """A file of cards."""

    folder: int
    name: int
    form: str
    sheets: list[Sheet] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it lies in the project."""
        folder = f"folder{self.folder}/" if self.folder else ""
        return f"cards/{folder}page{self.name}.md"

    def written(self) -> tuple[str, dict[int, Sheet]]:
        """The Markdown, and on which lines the questions stand."""
        asking, telling = FORMS[self.form]
        text, lines = f"# Title {self.name}\n\n", {}
        for sheet in self.sheets:
            lines[text.count("\n") + 1] = sheet
            text += asking.format(f"{sheet.question}{sheet.attributes}")
            text += telling.format(sheet.told) if sheet.answer else ""
        return text, lines


Tree = list[Page]


def sheets(tree: Tree) -> list[Sheet]:
    """All cards of some pages."""
    return [sheet for page in tree for sheet in page.sheets]


class Author:
    """Somebody's cards, the builds of them, and what was promised of each build."""

    def __init__(self, folder: Path) -> None:
        """Begin without a card."""
        self.made = project(folder, {})
        self.now = MOMENT
        self.tree: Tree = []
        self.past: list[Tree] = []
        self.ever: dict[int, Sheet] = {}
        """Every card, as it was last."""
        self.built: dict[int, Sheet] = {}
        """Every card, as it was when it was built last."""
        self.meanings: dict[int, object] = {}
        self.former: list[Sheet] = []
        """Cards as they were built before they were reworded."""
        self.guids: dict[int, str] = {}
        self.ids: dict[int, lock.Entry] = {}
        """What the lock has of each card."""
        self.numbers: dict[int, int] = {}
        """Anki's number of each deletion."""
        self.hidden: dict[int, str] = {}
        """What each deletion hid when it was last built as one."""
        self.package: Path | None = None
        self.told: dict[str, Packaged] = {}
        """All notes of the last package by guid."""
        self.style = self.style_built = self.styled = 0
        self._count = 0

    # Edits

    def edit(self, name: str, one: int, other: int) -> bool:
        """Make an edit, unless nobody could tell afterwards which card is which."""
        self.now += 10
        before = deepcopy(self.tree)
        EDITS[name](self, one, other)
        self.tree = [page for page in self.tree if page.sheets]
        if not self._is_clear():
            self.tree = before
            return False
        self.ever |= {sheet.key: deepcopy(sheet) for sheet in sheets(self.tree)}
        return True

    def count(self) -> int:
        """A number that was not given before."""
        self._count += 1
        return self._count

    def units(self, number: int, *, han: bool) -> list[str]:
        """Words that no other text has."""
        return [_unit(self.count(), han=han) for _ in range(number)]

    def new(self, kind: Kind, *, han: bool, cloze_answer: bool = True) -> Sheet:
        """A card that there was not."""
        common = ["什么", "如何"] if han else ["what", "is"]
        parts = [Part(each) for each in [*common, *self.units(7, han=han)]]
        sheet = Sheet(self.count(), kind, han, parts, self.units(14, han=han))
        if kind is Kind.CLOZE:
            sheet.answer = sheet.answer if cloze_answer else []
            for number, part in enumerate(parts[3:6:2], start=1):
                part.deletion, part.hidden, part.number = self.count(), True, number
        return sheet

    def sheet(self, one: int, *kinds: Kind) -> Sheet | None:
        """One of the cards, of some kinds."""
        fit = [sheet for sheet in sheets(self.tree) if not kinds or sheet.kind in kinds]
        return fit[one % len(fit)] if fit else None

    def page(self, one: int) -> Page:
        """One of the pages; there are up to four."""
        number = one % 4
        if number >= len(self.tree):
            form = list(FORMS)[one % 3]
            self.tree.append(Page(one % 2, self.count(), form))
            return self.tree[-1]
        return self.tree[number]

    def has_been_named(self, sheet: Sheet) -> bool:
        """Whether a card has got an id that it had not at first."""
        return identity.guid("tests", self.ids[sheet.key].identity.id) != self.guids[sheet.key]

    def _is_clear(self) -> bool:
        """Whether each card is known again by what the manual promises, or must be asked for."""
        now = sheets(self.tree)
        keys = {sheet.key: sheet for sheet in now}
        asked = [sheet.asked for sheet in now]
        if not now or len(set(asked)) < len(asked):
            return False
        others = {each.question: key for key, each in self.built.items()}
        if any(others.get(sheet.question, sheet.key) != sheet.key for sheet in now):
            return False
        return all(
            self._is_known(sheet) if sheet.key in self.built else self._is_new(sheet, keys)
            for sheet in now
        )

    def _is_new(self, sheet: Sheet, keys: Mapping[int, Sheet]) -> bool:
        """A card made from another is new, as long as that one is nearer to what it was."""
        was = self.built.get(sheet.source)
        if sheet.id or was is None:
            return True
        source = keys.get(sheet.source)
        return source is not None and _likeness(source, was) >= _likeness(sheet, was)

    def _is_known(self, sheet: Sheet) -> bool:
        was, entry = self.built[sheet.key], self.ids[sheet.key]
        if not self._are_numbers_clear(sheet, was):
            return False
        if sheet.id and entry.identity.written:
            return sheet.id == entry.identity.id
        if sheet.id == entry.identity.id or sheet.question == was.question:
            return True
        if sheet.id or entry.retired:
            return False
        return (sheet.answer == was.answer != []) or _likeness(sheet, was) >= 0.52

    def _are_numbers_clear(self, sheet: Sheet, was: Sheet) -> bool:
        """Whether each deletion hides what it hid, or more of it, or is seen to be new."""
        now = sheet.deletions
        same = {each for each, part in now.items() if self.hidden.get(each) == part.text}
        for each in now.keys() - same:
            former = self.hidden.get(each)
            is_like = not former or former in now[each].text or now[each].text in former
            if not is_like and not _is_as_it_was_around(sheet, was):
                return False
        # A new text under the number of what is taken away at once is that text, changed.
        taken_away = {self.numbers[each] for each in was.deletions if each not in now}
        if any(part.number in taken_away for each, part in now.items() if each not in self.numbers):
            return False
        if not NUMBERS_ARE_HANDED_ON:
            return True
        free = {self.numbers[each]: each for each in self.deletions(sheet.key) - same}
        return all(free.get(now[each].number or 0, each) == each for each in now.keys() - same)

    # Builds

    def build(self, back: int = 0) -> None:
        """Build what there is, by a clock that may be set back; answer what is asked."""
        self.now += 10
        build_time = self.now - back
        before = self.package.read_bytes() if self.package else b""
        for _ in range(3):
            asking = self._write()
            try:
                with self._styled():
                    self.package = self.made.build(build_time=build_time)
            except BuildFailedError as failure:
                self._answer(failure, asking)
            else:
                break
        else:
            pytest.fail("the answers to what was asked do not end the asking")
        former, self.told = self.told, packages.read(self.package)
        self._judge_identities()
        self._judge_numbers()
        self._judge_contents(former)
        self._judge_retired(former)
        self._judge_stamps(former, build_time)
        if self.past and self.tree == self.past[-1] and self.style == self.style_built:
            assert self.package.read_bytes() == before
        self.style_built = self.style
        self.past.append(deepcopy(self.tree))

    def _write(self) -> dict[tuple[str, int], Sheet]:
        """Write the files; returns where the questions stand."""
        shutil.rmtree(self.made.root / "cards", ignore_errors=True)
        asking: dict[tuple[str, int], Sheet] = {}
        for page in self.tree:
            text, lines = page.written()
            self.made.write(page.path, text)
            asking |= {(page.path, line): sheet for line, sheet in lines.items()}
        return asking

    def _styled(self) -> ExitStack:
        """Build with another style sheet, as a newer verideck may have."""
        stack = ExitStack()
        if self.style:
            for module in ("verideck.history.stamp", "verideck.targets.apkg"):
                stack.enter_context(patch(f"{module}.notetype", self.notetype))
        return stack

    def notetype(self, kind: Kind) -> NoteType:
        """The note type in its present style."""
        found = note_types.notetype(kind)
        return replace(found, css=f"{found.css}/* {self.style} */") if self.style else found

    def _answer(self, failure: BuildFailedError, asking: dict[tuple[str, int], Sheet]) -> None:
        """Say which cards those are that could be several."""
        for problem in failure.problems:
            assert problem.code is Code.MATCH_AMBIGUOUS, problem
            sheet = asking[problem.place.path, problem.place.line]
            entry = self.ids.get(sheet.key)
            assert entry is None or f"{{#{entry.identity.id}}}" in problem.message, (
                "the note that this card was is not among those that are offered"
            )
            sheet.id = entry.identity.id if entry else f"answer-{self.count()}"
            self.ever[sheet.key].id = sheet.id

    def _judge_identities(self) -> None:
        """Each card is the note that it always was, and no note is two cards."""
        remembered = lock.read(self.made.root, Problems())
        assert remembered is not None
        there = {guid: note for guid, note in self.told.items() if RETIRED not in note.tags}
        now = sheets(self.tree)
        assert len(there) == len(now)
        by_question = {
            _uncovered(seen(note.fields["Question"])): guid for guid, note in there.items()
        }
        for sheet in now:
            guid = by_question[sheet.asked]
            former = self.guids.get(sheet.key)
            if former is None:
                assert guid not in self.guids.values(), "a new card was given another card's note"
                self.guids[sheet.key] = guid
            else:
                assert guid == former, "a card has become another note"
        for key, guid in self.guids.items():
            self.ids[key] = remembered.entries[guid]

    def _judge_numbers(self) -> None:
        """A number asks for what it always asked for."""
        for sheet in sheets(self.tree):
            note = self.told[self.guids[sheet.key]]
            if sheet.kind is not Kind.CLOZE:
                assert note.numbers == ({1, 2} if sheet.reverse else {1})
                continue
            hidden = _hidden(note.fields["Question"])
            assert note.numbers == set(hidden)
            by_text = {text: number for number, text in hidden.items()}
            assert set(by_text) == {part.text for part in sheet.deletions.values()}
            used = {self.numbers[each]: each for each in self.deletions(sheet.key)}
            for deletion, part in sheet.deletions.items():
                number = by_text[part.text]
                assert self.numbers.setdefault(deletion, number) == number, "a number has changed"
                assert used.setdefault(number, deletion) == deletion, "a number was handed on"
                self.hidden[deletion] = part.text

    def deletions(self, key: int) -> set[int]:
        """The deletions of a card that have a number already."""
        parts = [*self.ever[key].parts, *(self.built[key].parts if key in self.built else ())]
        past = [s for tree in self.past for s in sheets(tree) if s.key == key]
        parts += [part for sheet in past for part in sheet.parts]
        return {part.deletion for part in parts if part.deletion in self.numbers}

    def _judge_contents(self, former: Mapping[str, Packaged]) -> None:
        """Each note says what its author wrote, and the same in the same words."""
        for page in self.tree:
            for sheet in page.sheets:
                guid, meaning = self.guids[sheet.key], sheet.meaning(page.form)
                note = self.told[guid]
                assert seen(note.fields["Answer"]) == sheet.told
                assert note.tags == tuple(sorted(sheet.tags))
                if self.meanings.get(sheet.key) == meaning and RETIRED not in former[guid].tags:
                    assert _content(former[guid]) == _content(note)
                self.meanings[sheet.key] = meaning
                was = self.built.get(sheet.key)
                if was and was.question != sheet.question:
                    self.former.append(was)
                self.built[sheet.key] = deepcopy(sheet)

    def _judge_retired(self, former: Mapping[str, Packaged]) -> None:
        """What is no card any more is told as it was, with its tag, and without a card."""
        here = {sheet.key for sheet in sheets(self.tree)}
        for key, guid in self.guids.items():
            if key not in here:
                note = self.told[guid]
                assert note.fields == former[guid].fields
                assert set(note.tags) == {*former[guid].tags, RETIRED}
                assert not note.numbers
        assert set(self.told) == set(self.guids.values())

    def _judge_stamps(self, former: Mapping[str, Packaged], build_time: int) -> None:
        """A stamp moves with the content and only then, forwards, and no further than it must."""
        for guid, note in self.told.items():
            if guid not in former:
                assert note.mod == build_time
            elif _content(former[guid]) == _content(note):
                assert note.mod == former[guid].mod
            else:
                assert former[guid].mod < note.mod <= max(build_time, former[guid].mod + 1)
        if not former or self.style != self.style_built:
            self.styled = max(build_time, self.styled + 1)


def _is_as_it_was_around(sheet: Sheet, was: Sheet) -> bool:
    """Whether the question is the same but for what is hidden in it."""
    one, other = (
        [part.deletion if part.hidden else part.text for part in each.parts]
        for each in (sheet, was)
    )
    return one == other


def _content(note: Packaged) -> object:
    fields = {name: text for name, text in note.fields.items() if name != "Id"}
    return fields, set(note.tags)


def _likeness(one: Sheet, other: Sheet) -> float:
    """How alike the less alike of question and answer is."""
    found = alike(features(one.question), features(other.question))
    if one.answer or other.answer:
        found = min(found, alike(features(one.told), features(other.told)))
    return found


def _hidden(text: str) -> dict[int, str]:
    """What each number of a cloze field hides."""
    found = re.findall(r"\{\{c(\d+)::(.*?)\}\}", text)
    assert len({number for number, _ in found}) == len(found)
    return {int(number): hidden for number, hidden in found}


def _asks(fields: Mapping[str, str]) -> set[int]:
    """The numbers under which a note asks for something."""
    return set(_hidden(fields["Question"])) or ({1, 2} if fields["Reverse"] else {1})


def _uncovered(text: str) -> str:
    return re.sub(r"\{\{c\d+::(.*?)\}\}", r"\1", text)


# The edits


def _insert(author: Author, one: int, other: int) -> None:
    kind = [Kind.BASIC, Kind.CLOZE, Kind.TYPED, Kind.CLOZE][one % 4]
    sheet = author.new(kind, han=bool(other % 2), cloze_answer=bool(one % 8 < 4))
    here = author.page(other).sheets
    here.insert(one % (len(here) + 1), sheet)


def _reword(author: Author, one: int, other: int) -> None:
    """A word of the question, or all of it that is not hidden."""
    sheet = author.sheet(one)
    if sheet:
        plain = [part for part in sheet.parts if not part.hidden]
        for part in plain if other % 3 == 0 else [plain[other % len(plain)]]:
            (part.text,) = author.units(1, han=sheet.han)


def _answer(author: Author, one: int, other: int) -> None:
    """A word of the answer, or all of it."""
    sheet = author.sheet(one)
    if sheet and sheet.answer:
        if other % 3 == 0:
            sheet.answer = author.units(14, han=sheet.han)
        else:
            sheet.answer[other % len(sheet.answer)] = author.units(1, han=sheet.han)[0]


def _both(author: Author, one: int, other: int) -> None:
    """A word of each."""
    _reword(author, one, 3 * other + 1)
    _answer(author, one, 3 * other + 1)


def _retag(author: Author, one: int, other: int) -> None:
    if sheet := author.sheet(one):
        sheet.tags = tuple(
            sorted({"core", "a::b", "标签"} - {("core", "a::b", "标签", "")[other % 4]})
        )


def _reorder(author: Author, one: int, other: int) -> None:
    here = author.tree[one % len(author.tree)].sheets
    here.append(here.pop(other % len(here)))


def _delete(author: Author, one: int, _: int) -> None:
    if sheet := author.sheet(one):
        for page in author.tree:
            page.sheets = [each for each in page.sheets if each is not sheet]


def _bring_back(author: Author, one: int, other: int) -> None:
    """As it was, or with another answer."""
    here = {sheet.key for sheet in sheets(author.tree)}
    gone = [sheet for key, sheet in sorted(author.ever.items()) if key not in here]
    if gone:
        sheet = deepcopy(gone[one % len(gone)])
        if other % 3 == 0 and sheet.answer:
            sheet.answer = author.units(14, han=sheet.han)
        author.page(other).sheets.append(sheet)


def _move(author: Author, one: int, other: int) -> None:
    if sheet := author.sheet(one):
        _delete(author, one, other)
        here = author.page(other).sheets
        here.insert(one % (len(here) + 1), sheet)


def _rename(author: Author, one: int, other: int) -> None:
    """A file, or the folder of several."""
    page = author.tree[one % len(author.tree)]
    if other % 2:
        page.name = author.count()
    else:
        old, new = page.folder, author.count()
        for each in author.tree:
            each.folder = new if each.folder == old else each.folder


def _reform(author: Author, one: int, other: int) -> None:
    author.tree[one % len(author.tree)].form = list(FORMS)[other % 3]


def _hide(author: Author, one: int, other: int) -> None:
    """A deletion more, maybe one that was; those behind it are counted on, or it is left out."""
    sheet = author.sheet(one, Kind.CLOZE)
    plain = [part for part in sheet.parts if not part.hidden] if sheet else []
    if sheet and len(plain) > 2:
        part = plain[other % len(plain)]
        number = other // 3 % (len(sheet.deletions) + 1) + 1
        if any(each.number == number for each in sheet.deletions.values()):
            for each in sheet.deletions.values():
                each.number = each.number and each.number + (each.number >= number)
        part.number = None if other % 5 == 0 else number
        part.hidden = True
        part.deletion = part.deletion or author.count()


def _unhide(author: Author, one: int, other: int) -> None:
    """A deletion less; the others are counted anew, or not."""
    sheet = author.sheet(one, Kind.CLOZE)
    if sheet and len(sheet.deletions) > 1:
        part = list(sheet.deletions.values())[other % len(sheet.deletions)]
        part.hidden = False
        if other % 3:
            _recount(sheet, 0)


def _renumber(author: Author, one: int, other: int) -> None:
    """Written numbers are the author's own; so are none."""
    if sheet := author.sheet(one, Kind.CLOZE):
        if other % 4 == 0:
            for part in sheet.deletions.values():
                part.number = None
        else:
            _recount(sheet, other)


def _recount(sheet: Sheet, shift: int) -> None:
    parts = list(sheet.deletions.values())
    for place, part in enumerate(parts):
        part.number = (place + shift) % len(parts) + 1 + (shift % 5 == 4)


def _hide_otherwise(author: Author, one: int, other: int) -> None:
    """A hidden text gets a word more."""
    if sheet := author.sheet(one, Kind.CLOZE):
        part = list(sheet.deletions.values())[other % len(sheet.deletions)]
        part.text = sheet.joined([part.text, *author.units(1, han=sheet.han)])


def _put(author: Author, one: int, other: int) -> None:
    """Other texts are hidden where some were; two of a card may exchange their places instead."""
    if sheet := author.sheet(one, Kind.CLOZE):
        parts = list(sheet.deletions.values())
        if other % 3 == 0 and len(parts) > 1:
            first, second = parts[:2]
            first.text, second.text = second.text, first.text
            first.deletion, second.deletion = second.deletion, first.deletion
        else:
            for part in parts if other % 3 == 1 else parts[:1]:
                (part.text,) = author.units(1, han=sheet.han)


def _write_id(author: Author, one: int, _: int) -> None:
    nameless = [sheet for sheet in sheets(author.tree) if not sheet.id]
    if nameless:
        nameless[one % len(nameless)].id = f"id-{author.count()}"


def _take_id_away(author: Author, one: int, _: int) -> None:
    named = [sheet for sheet in sheets(author.tree) if sheet.id]
    if named:
        named[one % len(named)].id = ""


def _undo(author: Author, one: int, _: int) -> None:
    """All that was done since one of the last builds; the lock stays."""
    if author.past:
        author.tree = deepcopy(author.past[-1 - one % min(3, len(author.past))])


def _split(author: Author, one: int, other: int) -> None:
    """Two cards where there was one, each of them changed a little."""
    sheet = author.sheet(one)
    if sheet and sheet.kind is not Kind.CLOZE:
        twin = replace(deepcopy(sheet), key=author.count(), id="", source=sheet.key)
        for each, place in ((sheet, 2), (twin, 4)):
            (each.parts[place].text,) = author.units(1, han=sheet.han)
        author.page(other).sheets.append(twin)


def _ask_again(author: Author, one: int, other: int) -> None:
    """A new card asks what another one asked formerly."""
    former = [was for was in author.former if not (GUIDS_COLLIDE and author.has_been_named(was))]
    if former:
        was = former[one % len(former)]
        sheet = replace(deepcopy(was), key=author.count(), id="", source=was.key)
        sheet.answer = author.units(14, han=sheet.han) if was.answer else []
        for part in sheet.deletions.values():
            part.deletion = author.count()
        author.page(other).sheets.append(sheet)


def _reverse(author: Author, one: int, _: int) -> None:
    if sheet := author.sheet(one, Kind.BASIC):
        sheet.reverse = not sheet.reverse


def _restyle(author: Author, one: int, _: int) -> None:
    author.style = one % 3


EDITS: Mapping[str, Callable[[Author, int, int], None]] = {
    "insert": _insert,
    "reword": _reword,
    "answer": _answer,
    "both": _both,
    "retag": _retag,
    "reorder": _reorder,
    "delete": _delete,
    "bring back": _bring_back,
    "move": _move,
    "rename": _rename,
    "reform": _reform,
    "hide": _hide,
    "unhide": _unhide,
    "renumber": _renumber,
    "hide otherwise": _hide_otherwise,
    "put": _put,
    "write id": _write_id,
    "take id away": _take_id_away,
    "undo": _undo,
    "split": _split,
    "ask again": _ask_again,
    "reverse": _reverse,
    "restyle": _restyle,
}


# The learner


@dataclass(slots=True)
class Theirs:
    """A note as the learner should have it."""

    fields: dict[str, str]
    tags: set[str]
    mod: int


class Reader:
    """A learner, and what should be in the collection."""

    def __init__(self, folder: Path, author: Author) -> None:
        """Begin an empty collection."""
        self.author = author
        self.learner = Learner(folder)
        self.collection = self.learner.collection
        self.theirs: dict[str, Theirs] = {}
        self.styles: dict[Kind, tuple[str, int]] = {}
        self.reviewed: dict[int, tuple[str, int]] = {}
        """Cards by their ids: the guid of the note, and the number of reviews."""

    def rows(self, query: str, *values: str | int) -> list[list[Any]]:
        """Rows of the collection's database."""
        assert self.collection.db
        return [list(row) for row in self.collection.db.all(query, *values)]

    def take(self) -> None:
        """Import the last build with Anki's defaults, and judge what has become of everything."""
        package = self.author.package
        assert package
        cards, reviews = self.cards(), self.rows("select * from revlog order by id")
        request = ImportAnkiPackageRequest(
            package_path=str(package), options=ImportAnkiPackageOptions()
        )
        self.collection.import_anki_package(request)
        assert self.rows("select * from revlog order by id") == reviews, "a review was lost"
        now = self.cards()
        assert {number: now.get(number) for number in cards} == cards, "a card was touched"
        self._expect()
        self._judge_notes()
        self._judge_cards()
        self._judge_styles()
        self._judge_reviewed()
        if all(_asks(mine.fields) <= self.numbers(guid) for guid, mine in self.theirs.items()):
            # It makes every card that a note could have, retired or not: that is told at the end.
            assert self.collection.fix_integrity() == FINE
            assert self.cards() == now

    def cards(self) -> dict[int, list[Any]]:
        """Everything of every card, by its id, but for when it was last touched and synced."""
        query = (
            "select id, nid, did, ord, type, queue, due, ivl, factor, reps, lapses, left, flags, "
            "data from cards"
        )
        return {int(row[0]): row for row in self.rows(query)}

    def judge_all_new(self) -> None:
        """Whoever had nothing has each card of the last build, and no other."""
        told = self.author.told
        for guid, note in told.items():
            assert self.numbers(guid) == note.numbers
        assert len(self.cards()) == sum(len(note.numbers) for note in told.values())

    def numbers(self, guid: str) -> set[int]:
        """The numbers of a note's cards."""
        query = "select ord + 1 from cards where nid = (select id from notes where guid = ?)"
        return {int(row[0]) for row in self.rows(query, guid)}

    def _expect(self) -> None:
        """What is newer, wins."""
        kinds = {}
        for guid, note in self.author.told.items():
            mine = self.theirs.get(guid)
            if mine is None or note.mod > mine.mod:
                self.theirs[guid] = Theirs(dict(note.fields), set(note.tags), note.mod)
        for key, guid in self.author.guids.items():
            kinds[self.author.ever[key].kind] = guid
        for kind in kinds:
            was = self.styles.get(kind)
            if was is None or self.author.styled > was[1]:
                self.styles[kind] = (self.author.notetype(kind).css, self.author.styled)

    def _judge_notes(self) -> None:
        """One note for each card there ever was; each as its author or else its learner has it."""
        found = self.rows("select guid, flds, tags, mod from notes")
        assert len({row[0] for row in found}) == len(found), "a note is there twice"
        assert {row[0] for row in found} == set(self.theirs)
        for guid, texts, tags, mod in found:
            mine = self.theirs[guid]
            assert dict(zip(FIELDS, texts.split("\x1f"), strict=True)) == mine.fields
            assert (set(tags.split()), mod) == (mine.tags, mine.mod)

    def _judge_cards(self) -> None:
        """Each card that there is can be learnt, and none that there was not for this learner."""
        for guid, note in self.author.told.items():
            assert note.numbers <= self.numbers(guid)
        assert len(self.rows("select distinct nid, ord from cards")) == len(self.cards())

    def _judge_styles(self) -> None:
        """The style is the newest one, be it the learner's own, and no note type is there twice."""
        self.collection.models._clear_cache()  # noqa: SLF001 - as Anki's window does after an import
        names = [each.name for each in self.collection.models.all_names_and_ids()]
        ours = {note_types.notetype(kind).name for kind in self.styles}
        assert sorted(name for name in names if name.startswith("verideck")) == sorted(ours)
        for kind, (css, _) in self.styles.items():
            found = self.collection.models.by_name(note_types.notetype(kind).name)
            assert found
            assert found["css"] == css

    def _judge_reviewed(self) -> None:
        """Behind every review is still what was asked."""
        keys = {guid: key for key, guid in self.author.guids.items()}
        for number, (guid, times) in self.reviewed.items():
            shown = self.collection.get_card(number)  # type: ignore[arg-type]
            assert shown.note().guid == guid
            assert (shown.reps, len(self.collection.card_stats_data(shown.id).revlog)) == (
                times,
                times,
            )
            sheet = self.author.built[keys[guid]]
            hidden = _hidden(self.theirs[guid].fields["Question"])
            deletions = self.author.deletions(sheet.key)
            owners = {self.author.numbers[each] for each in deletions}
            if sheet.kind is Kind.CLOZE:
                assert shown.ord + 1 in owners
                secret = hidden.get(shown.ord + 1)
                assert secret is None or (
                    "[...]" in front(shown) and secret not in seen(front(shown))
                )

    # What a learner does

    def own(self, name: str, one: int) -> None:
        """Make something one's own."""
        if name == "style":
            self.restyle(one)
        elif name == "deck":
            self.file(one)
        else:
            self.write(one, name)

    def study(self, one: int, ease: int) -> None:
        """Answer a card, if it is not blank."""
        cards = [number for number, row in sorted(self.cards().items()) if self._can_be_seen(row)]
        if cards:
            shown = self.collection.get_card(cards[one % len(cards)])  # type: ignore[arg-type]
            judge(self.collection, shown, ease)
            guid, times = self.reviewed.get(shown.id, (shown.note().guid, 0))
            self.reviewed[shown.id] = (guid, times + 1)

    def _can_be_seen(self, row: list[Any]) -> bool:
        ((guid,),) = self.rows("select guid from notes where id = ?", row[1])
        return row[3] + 1 in _asks(self.theirs[guid].fields)

    def write(self, one: int, name: str) -> None:
        """Add something of one's own to a field of a note, or a tag."""
        if not self.theirs:
            return
        self.author.now += 10
        guid = sorted(self.theirs)[one % len(self.theirs)]
        mine = self.theirs[guid]
        ((number,),) = self.rows("select id from notes where guid = ?", guid)
        note = self.collection.get_note(number)
        if name == "tag":
            mine.tags.add(f"own::{self.author.now}")
            note.tags = sorted(mine.tags)
        else:
            mine.fields[name] += f" own {self.author.now}"
            note[name] = mine.fields[name]
        self.collection.update_note(note)
        mine.mod = self.author.now
        assert self.collection.db
        self.collection.db.execute("update notes set mod = ? where id = ?", mine.mod, number)

    def restyle(self, one: int) -> None:
        """Add something of one's own to the style sheet of a note type."""
        if not self.styles:
            return
        self.author.now += 10
        kind = list(self.styles)[one % len(self.styles)]
        found = self.collection.models.by_name(note_types.notetype(kind).name)
        assert found
        found["css"] += f"/* own {self.author.now} */"
        found["mod"] = self.author.now
        self.collection.models.update(found)
        self.styles[kind] = (found["css"], self.author.now)

    def file(self, one: int) -> None:
        """Put a card into a deck of one's own."""
        cards = sorted(self.cards())
        if cards:
            deck = self.collection.decks.id("Own")
            assert deck
            self.collection.set_deck([cards[one % len(cards)]], deck)  # type: ignore[list-item]


OWN = ["Question", "Answer", "Hint", "tag", "style", "deck"]

# Any history


@dataclass(frozen=True, slots=True)
class Season:
    """What an author and a learner do between two builds."""

    edits: list[tuple[str, int, int]]
    back: int
    """How far the author's clock is behind at the build, in seconds."""
    taken: bool
    """Whether the learner imports the build."""
    studied: list[tuple[int, int]]
    own: list[tuple[str, int]]
    """What the learner makes of notes and note types."""


PICK = st.integers(0, 59)
SEASONS = st.builds(
    Season,
    edits=st.lists(st.tuples(st.sampled_from(list(EDITS)), PICK, PICK), min_size=1, max_size=5),
    back=st.sampled_from([0, 0, 0, 25, 5000]),
    taken=st.sampled_from([True, True, False]),
    studied=st.lists(st.tuples(PICK, st.integers(1, 4)), max_size=6),
    own=st.lists(st.tuples(st.sampled_from(OWN), PICK), max_size=3),
)


class History:
    """An author and a learner."""

    def __init__(self, folder: Path, first: int = 8) -> None:
        """Begin with some cards of all kinds."""
        self.folder = folder
        self.author = Author(folder / "author")
        self.reader = Reader(folder / "reader", self.author)
        for number in range(first):
            assert self.author.edit("insert", number, number)

    def pass_by(self, season: Season) -> None:
        """Let a season go by."""
        for name, one, other in season.edits:
            self.author.edit(name, one, other)
        self.author.build(season.back)
        if season.taken:
            self.reader.take()
        for one, ease in season.studied:
            self.reader.study(one, ease)
        for name, one in season.own:
            self.reader.own(name, one)

    def end(self) -> None:
        """Build once more, for the learner and for one who has nothing yet."""
        self.author.build()
        self.reader.take()
        newcomer = Reader(self.folder / "newcomer", self.author)
        try:
            newcomer.take()
            newcomer.judge_all_new()
        finally:
            newcomer.collection.close()


@contextmanager
def history(folder: Path, first: int = 8) -> Iterator[History]:
    """A history, whose collection is closed at its end."""
    made = History(folder, first)
    try:
        yield made
    finally:
        made.reader.collection.close()


@given(seasons=st.lists(SEASONS, min_size=4, max_size=9))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_any_history(seasons: list[Season]) -> None:
    """Whatever an author and a learner do, no review is lost, and no edit of either."""
    with tempfile.TemporaryDirectory() as folder, history(Path(folder)) as both:
        for season in seasons:
            both.pass_by(season)
        both.end()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[History]:
    """An author with some cards of all kinds, and a learner who has nothing yet."""
    with history(tmp_path) as made:
        yield made


def test_half_a_deck_is_reworked(tmp_path: Path) -> None:
    """Of a deck that was studied whole, and then was reworked, no review is lost or doubled."""
    with history(tmp_path, first=40) as both:
        author, reader = both.author, both.reader
        for number in range(0, 40, 8):
            assert author.edit("reverse", number, 0)
        author.build()
        reader.take()
        studied = len(reader.cards())
        for number in range(studied):
            reader.study(number, 1 + number % 4)
        assert len(reader.reviewed) == studied > 55
        reviews, rows = reader.rows("select * from revlog"), reader.cards()
        done = 0
        for number in range(20):
            for name in ("reword", "both", "move", "retag", "hide", "renumber", "hide otherwise"):
                done += author.edit(name, 2 * number, number)
        for number, name in enumerate(
            ("reorder", "reform", "rename", "rename", "reform", "reorder")
        ):
            done += author.edit(name, number, number + 1)
        assert done > 80
        author.build()
        reader.take()
        assert reader.rows("select * from revlog") == reviews
        assert {number: reader.cards()[number] for number in rows} == rows
        assert reader.collection.note_count() == 40
        both.end()


def test_a_newcomer_has_the_last_build(both: History) -> None:
    """What has come and gone before is nothing to learn for who comes late."""
    for edits in (("insert", "reword"), ("delete", "answer"), ("unhide", "delete"), ("move",)):
        for number, name in enumerate(edits):
            assert both.author.edit(name, number, number + 1)
        both.author.build()
    assert sum(not note.numbers for note in both.author.told.values()) == 2
    both.reader.take()
    both.reader.judge_all_new()


def test_a_learners_own_style_stays(both: History) -> None:
    """It outlives each build that has no other style, whatever else is new, and no longer."""
    both.author.build()
    both.reader.take()
    for one in range(3):
        both.reader.restyle(one)
    for name in ("reword", "insert", "delete"):
        assert both.author.edit(name, 1, 1)
        both.author.build()
        both.reader.take()
        assert all("/* own" in css for css, _ in both.reader.styles.values())
    assert both.author.edit("restyle", 1, 0)
    both.author.build()
    both.reader.take()
    assert all("/* own" not in css for css, _ in both.reader.styles.values())


# Found by histories

ORBITS = "The {{c1::moon}} goes round the {{c2::earth}}."


def test_a_former_question_is_asked_anew(tmp_path: Path) -> None:
    """A card that asks what another one asked, before that was named and reworded, is another."""
    made = project(tmp_path, {})
    answer = "\n\nOne attention of several.\n\n"
    again = "## What is a head?\n\nThe upper end of a neck.\n"
    versions = [
        f"## What is a head?{answer}",
        f"## What is a head? {{#head}}{answer}",
        f"## What is one head of many? {{#head}}{answer}",
        f"## What is one head of many? {{#head}}{answer}{again}",
    ]
    for build_time, text in enumerate(versions):
        made.write("cards/a.md", text)
        package = made.build(build_time=MOMENT + build_time)
    assert len(packages.read(package)) == 2


@pytest.mark.parametrize(
    ("versions", "handed"),
    [
        (
            [
                "The moon goes round the {{c1::earth}}.",
                "The moon goes round the {{c2::earth}} in {{c1::27 days}}.",
            ],
            "27 days",
        ),
        (["In {{c1::27 days}} the {{c2::bright moon}} goes round the {{c3::earth}}."], "27 days"),
        (["The moon goes round the {{c1::blue earth}}."], "blue earth"),
    ],
    ids=["dropped before", "counted on and changed", "counted back and changed"],
)
def test_a_number_is_not_handed_on(tmp_path: Path, versions: list[str], handed: str) -> None:
    """Nothing but the moon is ever asked for under the moon's number."""
    made = project(tmp_path, {})
    for build_time, text in enumerate([ORBITS, *versions]):
        made.write("cards/a.md", f"- {text} {{#orbits}}\n")
        package = made.build(build_time=MOMENT + build_time)
    (note,) = packages.read(package).values()
    assert _hidden(note.fields["Question"]).get(1) != handed


def test_a_newcomer_gets_nothing_to_learn_of_what_is_retired(both: History) -> None:
    """A note without cards comes without one; what Check Database makes of it later says it is old.

    Anki has a card for every note then, and no package can tell it otherwise.
    """
    both.author.build()
    assert both.author.edit("delete", 0, 0)
    both.author.build()
    both.reader.take()
    both.reader.judge_all_new()
    before = set(both.reader.collection.find_cards(""))
    assert both.reader.collection.fix_integrity() == FINE
    made = set(both.reader.collection.find_cards("")) - before
    assert made == set(both.reader.collection.find_cards("tag:verideck::retired"))


# The repository's own deck


def test_the_own_deck_is_reworked_and_no_review_is_lost(tmp_path: Path) -> None:
    """Every card is reviewed, half of the files are reworked, and all of it is imported again."""
    shutil.copytree(ROOT / "cards", tmp_path / "cards")
    for name in ("pyproject.toml", "cards.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "snippets", tmp_path / "snippets")
    made = Project(tmp_path)
    settings_ = replace(made.settings(), verify=False, audit_build=False)
    package = tmp_path / "deck.apkg"

    def built(build_time: int) -> Path:
        build(check([], settings_), package, build_time, settings_)
        return package

    before = remembered_moment(tmp_path)
    reader = Learner(tmp_path / "learner")
    try:
        cards = reader.take(built(before + 60)).get("new", 0)
        assert cards == len(reader.notes()) > 200
        for each in reader.cards():
            judge(reader.collection, each, 3)
        known = {each.id: (each.note()["Id"], each.ord, each.reps) for each in reader.cards()}
        files = sorted((tmp_path / "cards").glob("*.md"))
        for file in files[::2]:
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(r"(?m)^## ", "## 请问：", text), encoding="utf-8")
            file.rename(file.with_name(f"reworked-{file.name}"))
        fates = reader.take(built(before + 120))
        after = {each.id: (each.note()["Id"], each.ord, each.reps) for each in reader.cards()}
        lost = [each for each, what in known.items() if after.get(each) != what]
        assert (lost, after.keys() - known.keys()) == ([], set())
        assert fates.get("updated", 0) > 100
        assert set(fates) <= {"updated", "duplicate"}
        reviews = reader.collection.db
        assert reviews
        assert reviews.scalar("select count() from revlog") == len(known)
    finally:
        reader.collection.close()


def remembered_moment(root: Path) -> int:
    """When anything of a project last changed."""
    return remembered(root).build_time
