"""`cards.lock` is believed only if every line of it could have been written by a build."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verideck.history import lock
from verideck.history.lock import Lock
from verideck.model import FIELDS
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
    """What a lock of these lines says."""
    written = "\n".join(json.dumps(line) for line in lines)
    head = lock.text(Lock()).replace("# the end\n", "")
    (folder / lock.NAME).write_text(f"{head}{written}\n# the end\n", encoding="utf-8")
    problems = Problems()
    found = lock.read(folder, problems)
    return found if found is not None else next(iter(problems))


def test_a_lock_is_written_as_it_was_read(tmp_path: Path) -> None:
    """Whatever a line can hold, and the numbers in their order."""
    found = read(tmp_path, WHOLE)
    assert isinstance(found, Lock)
    assert lock.text(found) == (tmp_path / lock.NAME).read_text(encoding="utf-8")
    (entry,) = found.entries.values()
    assert entry.identity.numbers == ((2, "moon"), (1, "earth"))


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
    assert lock.read(tmp_path, Problems(), known) is known
    changed = read(tmp_path, {**WHOLE, "mod": WHOLE["mod"] + 1})
    assert isinstance(changed, Lock)
    assert lock.read(tmp_path, Problems(), known) == changed != known
    (tmp_path / lock.NAME).unlink()
    assert lock.read(tmp_path, Problems(), known) == Lock()
