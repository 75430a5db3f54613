"""`cards.lock` is believed only if every line of it could have been written by a build."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verideck.history import lock
from verideck.history.lock import Entry, Lock, NoteTypeState
from verideck.model import FIELDS, Identity, Kind, LastBuilt
from verideck.problems import Code, Problem, Problems

Line = dict[str, Any]

WHOLE: Line = {
    "id": "moon",
    "written": True,
    "guid": "guid-of-the-moon",
    "kind": "cloze",
    "path": "cards/a.md",
    "deck": "Root::a",
    "question": "The {{c2::moon}} and the {{c1::earth}}.",
    "answer": "",
    "cards": {"2": "moon", "1": "earth"},
    "dropped": {"3": "sun"},
    "content": "0",
    "mod": 1_700_000_000,
    "retired": True,
    "last": {"fields": dict.fromkeys(FIELDS, "x"), "tags": ["a::b", "c"]},
}
"""A line that has all that a line can have."""


def read(folder: Path, *lines: object) -> Lock | Problem:
    """The lock of these lines, or what is wrong with it."""
    written = "\n".join(json.dumps(line) for line in lines)
    head = lock.text(Lock()).replace("# the end\n", "")
    (folder / lock.NAME).write_text(f"{head}{written}\n# the end\n", encoding="utf-8")
    return read_file(folder)


def read_file(folder: Path, known: Lock | None = None) -> Lock | Problem:
    """The lock in a folder, or the one problem with it."""
    problems = Problems()
    found = lock.read(folder, problems, known)
    if found:
        assert not problems
        return found
    (problem,) = problems
    return problem


def test_a_lock_is_written_as_it_was_read(tmp_path: Path) -> None:
    """Whatever a line can hold, and the numbers in their order."""
    found = read(tmp_path, WHOLE)
    assert isinstance(found, Lock)
    assert lock.text(found) == (tmp_path / lock.NAME).read_text(encoding="utf-8")
    (entry,) = found.entries.values()
    assert entry.identity.numbers == ((2, "moon"), (1, "earth"))


def test_the_repositorys_lock_is_written_as_it_was_read() -> None:
    """To the byte: a build in which nothing changed must leave no difference to git."""
    root = Path(__file__).parents[1]
    found = read_file(root)
    assert isinstance(found, Lock)
    assert found.entries
    assert lock.text(found).encode() == (root / lock.NAME).read_bytes()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(min_size=1))
def test_any_text_is_written_as_the_standard_library_writes_it(question: str, tag: str) -> None:
    """Locks that are under version control must not change with the library that writes them."""
    word = "".join(tag.split()).encode(errors="ignore").decode() or "tag"
    identity = Identity("id", True, "guid", question, "", ((3, question), (1, "")))  # noqa: FBT003 - as a line has them
    last = LastBuilt(dict.fromkeys(FIELDS, question), (word,))
    entry = Entry(identity, Kind.CLOZE, question, question, "0", 1, retired=True, last=last)
    written = lock.text(Lock({"guid": entry}))
    _, line, *end = written.split("\n")
    assert end == ["# the end", ""]
    assert line == json.dumps(json.loads(line), ensure_ascii=False)
    assert json.loads(line)["question"] == question


def _put(*path: str) -> Callable[[Line, object], None]:
    """What puts a value into a line, however deep."""

    def put(line: Line, value: object) -> None:
        *above, name = path
        for each in above:
            line = line[each]
        line[name] = value

    return put


WRONG: dict[str, tuple[Callable[[Line, object], None], list[object]]] = {
    "id": (_put("id"), ["", " ", "two words", "a\x1fb", None, 1, "\ud800"]),
    "written": (_put("written"), ["true", 1, None]),
    "guid": (_put("guid"), ["", "two words", "\n", None, []]),
    "kind": (_put("kind"), ["", "plain", None, 1]),
    "path": (_put("path"), [None, 1, ["cards/a.md"]]),
    "deck": (_put("deck"), [None, 1]),
    "question": (_put("question"), [None, 1, "\ud800"]),
    "answer": (_put("answer"), [None, {}]),
    "cards": (_put("cards"), [None, [], "moon", {"0": "moon"}, {"-1": "moon"}, {"one": "moon"},
                              {"1.5": "moon"}, {"1": None}, {"1": "a", "01": "b"},
                              {"3": "moon"}]),
    "dropped": (_put("dropped"), [None, [], {"0": "sun"}, {"1": "sun"}]),
    "content": (_put("content"), [None, 0]),
    "mod": (_put("mod"), [None, "1", -1, 1.5, True, 2**40]),
    "retired": (_put("retired"), ["true", 1, None]),
    "last": (_put("last"), [None, [], "", {}, {"fields": {}}]),
    "fields": (_put("last", "fields"), [None, {}, [], dict.fromkeys([*FIELDS, "More"], ""),
                                        dict.fromkeys(list(FIELDS)[1:], "")]),
    "a field": (_put("last", "fields", "Answer"), [None, 1, "a\x1fb", "\ud800"]),
    "tags": (_put("last", "tags"), [None, "ab", {"a": 1}, [""], ["two words"], ["a\u3000b"], [1]]),
}  # fmt: skip
"""What puts a value into a line, and values that no build has written there."""

CASES = [(name, value) for name, (_, values) in WRONG.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n} {v!r}" for n, v in CASES])
def test_what_no_build_has_written_is_refused(tmp_path: Path, name: str, value: object) -> None:
    """At its line: it must be neither believed nor overwritten."""
    line = json.loads(json.dumps(WHOLE))
    WRONG[name][0](line, value)
    found = read(tmp_path, {**WHOLE, "id": "other", "guid": "another"}, line)
    assert isinstance(found, Problem)
    assert (found.code, found.place.line) == (Code.LOCK_INVALID, 3)


@pytest.mark.parametrize("line", [[], "id", 1, None, True, {}, {"notetype": "basic"}])
def test_what_is_no_entry_is_refused(tmp_path: Path, line: object) -> None:
    """JSON of another shape."""
    found = read(tmp_path, line)
    assert isinstance(found, Problem)
    assert (found.code, found.place.line) == (Code.LOCK_INVALID, 2)


@pytest.mark.parametrize(
    "name", [name for name in WHOLE if name not in {"cards", "dropped", "retired", "last"}]
)
def test_nothing_may_be_missing(tmp_path: Path, name: str) -> None:
    """But what says nothing where it is left out."""
    found = read(tmp_path, {key: value for key, value in WHOLE.items() if key != name})
    assert isinstance(found, Problem)


def test_a_lock_that_has_not_changed_is_read_once(tmp_path: Path) -> None:
    """What another build has written meanwhile is read; nothing is not taken for something."""
    known = read(tmp_path, WHOLE)
    assert isinstance(known, Lock)
    assert read_file(tmp_path, known) is known
    changed = read(tmp_path, {**WHOLE, "mod": WHOLE["mod"] + 1})
    assert isinstance(changed, Lock)
    assert read_file(tmp_path, known) == changed != known
    (tmp_path / lock.NAME).unlink()
    assert read_file(tmp_path, known) == Lock()


def test_a_line_may_have_another_order(tmp_path: Path) -> None:
    """It is no build that writes it so, but an editor or a tool may, and nothing is lost."""
    note_type = {"mod": 5, "content": "x", "notetype": "cloze"}
    found = read(tmp_path, dict(reversed(WHOLE.items())), note_type)
    assert isinstance(found, Lock)
    assert list(found.entries) == [WHOLE["guid"]]
    assert found.note_types == {Kind.CLOZE: NoteTypeState("x", 5)}


def test_a_key_that_is_not_known_is_refused(tmp_path: Path) -> None:
    """It would be lost with the next build."""
    assert isinstance(read(tmp_path, {**WHOLE, "more": 1}), Problem)
    assert isinstance(
        read(tmp_path, {"notetype": "basic", "content": "", "mod": 1, "x": 1}), Problem
    )


def test_of_two_lines_of_a_note_the_last_stamp_counts(tmp_path: Path) -> None:
    """Branches were merged line by line: the note is known by what the other line has, too."""
    lines = [{**WHOLE, "question": str(mod), "mod": mod} for mod in (2, 3, 1)]
    types = [{"notetype": "basic", "content": str(mod), "mod": mod} for mod in (2, 3, 1)]
    found = read(tmp_path, *lines, *types)
    assert isinstance(found, Lock)
    assert [each.identity.question for each in found.entries.values()] == ["3"]
    assert {each.identity.question for each in found.merged} == {"1", "2"}
    assert found.note_types == {Kind.BASIC: NoteTypeState("3", 3)}


def test_a_stamp_in_the_future_is_refused(tmp_path: Path) -> None:
    """Anki would take no correction of the note, nor of any deck's note type, until then."""
    now = int(time.time())
    assert isinstance(read(tmp_path, {**WHOLE, "mod": now + 3600}), Lock)
    for line in (WHOLE, {"notetype": "basic", "content": "x"}):
        found = read(tmp_path, {**line, "mod": now + 100_000})
        assert isinstance(found, Problem)
        assert (found.code, found.place.line) == (Code.LOCK_INVALID, 2)
        assert "in the future" in found.message


def test_an_id_belongs_to_one_note(tmp_path: Path) -> None:
    """It could not be said which of two notes a card with that id is."""
    found = read(tmp_path, WHOLE, {**WHOLE, "guid": "another"})
    assert isinstance(found, Problem)
    assert found.message == "two notes have the id moon"
    assert found.place.line == 3


def test_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    """Git may have written them."""
    found = read(tmp_path, WHOLE)
    file = tmp_path / lock.NAME
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_file(tmp_path) == found


@given(st.lists(st.binary() | st.sampled_from([b"\n", b'{"', b'": "', b'", "', b"}", b"\xff"])))
def test_any_bytes_are_read_without_an_exception(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    """They are a lock, or there is one problem at a line of theirs."""
    folder = tmp_path_factory.mktemp("project")
    body = b"".join(parts)
    for content in (body, lock.text(Lock()).encode().replace(b"# the end", body + b"\n# the end")):
        (folder / lock.NAME).write_bytes(content)
        found = read_file(folder)
        if isinstance(found, Problem):
            assert found.code is Code.LOCK_INVALID
            assert found.place.line <= content.count(b"\n") + 1
