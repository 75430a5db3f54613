"""An author, who edits and builds; each build is compared with what it should be."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from projects import MOMENT, project

import verideck
from model.draft import Draft
from model.edits import EDITS
from model.pages import Sheet, copied, sheets
from model.shown import hidden_texts, seen, uncovered
from verideck.history import lock
from verideck.history.likeness import alike, features
from verideck.history.stamp import RETIRED
from verideck.model import Kind, NoteType, Packaged
from verideck.problems import BuildFailedError, Code, Problems
from verideck.push_choices import Choices
from verideck.push_plan import Pushed
from verideck.render import note_types
from verideck.targets import packages
from verideck.targets.anki.receiver import Receiver


class Author(Draft):
    """Somebody's cards, the builds of them, and what was promised of each build."""

    def __init__(self, folder: Path) -> None:
        """Begin without a card."""
        super().__init__()
        self.made = project(folder, {})
        self.now = MOMENT
        self.built: dict[int, Sheet] = {}
        """Every card, as it was when it was built last."""
        self.meanings: dict[int, object] = {}
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
        self.style_built = 0
        """The style of the last build."""
        self.styled = 0
        """When the style last changed."""

    # Edits

    def edit(self, name: str, one: int, other: int) -> bool:
        """Make an edit, unless nobody could tell afterwards which card is which."""
        self.now += 10
        before = copied(self.tree)
        EDITS[name](self, one, other)
        self.tree = [page for page in self.tree if page.sheets]
        if not self._is_clear():
            self.tree = before
            return False
        self.ever |= {sheet.key: sheet.copy() for sheet in sheets(self.tree)}
        return True

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
        new = [part for each, part in now.items() if each not in self.numbers]
        return all(part.number not in taken_away for part in new)

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
        self.past.append(copied(self.tree))

    def push(self, receiver: Receiver) -> Pushed:
        """Push what was built last: the same is built once more, of the same cards."""
        assert self.package
        built = self.package.read_bytes()
        with self._styled(), verideck.Project.open(self.made.root) as opened:
            result = opened.check()
            plan = opened.plan(result, receiver, Choices(moves=True, sync=False))
            assert not plan.refusals
            pushed = opened.push(result, receiver, plan)
        assert self.package.read_bytes() == built
        return pushed

    def _write(self) -> dict[tuple[str, int], Sheet]:
        """Write the files; returns where the questions stand."""
        shutil.rmtree(self.made.root / "cards", ignore_errors=True)
        asking: dict[tuple[str, int], Sheet] = {}
        for page in self.tree:
            text, lines = page.written()
            self.made.write(page.path, text)
            asking |= {(page.path, line): sheet for line, sheet in lines.items()}
        return asking

    def _styled(self) -> AbstractContextManager[object]:
        """Build with another style sheet, as a newer verideck may have."""
        if not self.style:
            return nullcontext()
        types = {kind: self.notetype(kind) for kind in Kind}
        return patch("verideck.render.own_look.note_types", lambda: types)

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
            uncovered(seen(note.fields["Question"])): guid for guid, note in there.items()
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
            hidden = hidden_texts(note.fields["Question"])
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
                self.built[sheet.key] = sheet.copy()

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
