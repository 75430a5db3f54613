"""A project that is open: what a check comes to, and that only what has changed is done again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path

import pytest
from projects import DOT, MOMENT, SETTINGS, Project, card, processes, project, soon

import verideck
from verideck.events import CardFailed, CardProven, CardRendered, Counted, Event, Executing
from verideck.model import Place, Rewritten
from verideck.problems import BuildFailedError, Problems
from verideck.project import configured_settings
from verideck.result import Result
from verideck.source.read import read
from verideck.storage.store import FOLDER
from verideck.targets import packages

PROSE = "## Why? {#why}\n\nBecause.\n\n![dot](dot.png)\n\n## How? {#how}\n\nSo.\n"
CODE = card("code", "x = 2", "\n```python {.check}\nassert x == 2\n```\n")
HELPED = card("helped", "from snippets.half import half\nassert half(4) in {2, 3}")
FILES: dict[str, str | bytes] = {
    "prose.md": PROSE,
    "code.md": CODE + card("other", "y = 3\nassert y == 3"),
    "helped.md": HELPED,
    "included.md": card("included", "", "\n```python {.check}\nassert one() == 1\n```\n").replace(
        "```python\n\n", '```python {include="snippets/one.py"}\n'
    ),
    "cloze.md": "- The {{c1::moon}} and the {{c2::sun}} {#cloze}\n",
    "snippets/half.py": "def half(x):\n    return x / 2\n",
    "snippets/one.py": "def one():\n    return 1\n",
    "cards/dot.png": DOT,
}


@dataclass(frozen=True, slots=True)
class Work:
    """What a check did anew."""

    files: int = 0
    cards: int = 0
    executed: int = 0


def work(result: Result) -> Work:
    """What a check did anew."""
    return Work(result.stats.parsed, result.stats.rendered, result.stats.executed)


SAID = """
import json, sys
from verideck import Project
with Project.open(sys.argv[1]) as project:
    result = project.check()
print(json.dumps([repr(each) for each in (result.cards, result.notes, result.problems,
                                           sorted(result.inputs))]))
"""


def fresh(made: Project, **environment: str) -> list[str]:
    """What a process of its own finds in a project that remembers nothing."""
    run = subprocess.run(
        [sys.executable, "-c", SAID, str(made.root)],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )
    found: list[str] = json.loads(run.stdout)
    return found


def said(result: Result) -> list[str]:
    """The same of a result."""
    parts = (result.cards, result.notes, result.problems, sorted(result.inputs))
    return [repr(each) for each in parts]


def edit(made: Project, path: str, old: str, new: str) -> None:
    """Change the text of a file."""
    file = made.root / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


Edit = Callable[[Project], object]

EDITS: dict[str, tuple[Edit, Work]] = {
    "nothing": (lambda _: None, Work()),
    "prose": (lambda made: edit(made, "cards/prose.md", "So.", "Thus."), Work(1, 2, 0)),
    "code": (lambda made: edit(made, "cards/code.md", "x = 2", "x = 1 + 1"), Work(1, 1, 1)),
    "a helper": (lambda made: edit(made, "snippets/half.py", "x / 2", "x / 2 + 1"), Work(0, 0, 1)),
    "an include": (lambda made: edit(made, "snippets/one.py", "1\n", "2 - 1\n"), Work(1, 1, 1)),
    "an image": (lambda made: made.write("cards/dot.png", DOT + b"\0"), Work(1, 2, 0)),
    "settings": (
        lambda made: edit(made, "pyproject.toml", 'deck = "Root"', 'deck = "Stem"'),
        Work(5, 2, 0),
    ),
    "a set-up": (
        lambda made: made.write("cards/code.md", f"```python {{.setup}}\nz = 1\n```\n\n{CODE}"),
        Work(1, 1, 1),
    ),
    "a new file": (lambda made: made.write("cards/new.md", "## New? {#new}\n\nYes.\n"), Work(1, 1)),
    "a deleted file": (lambda made: (made.root / "cards/new.md").unlink(), Work()),
    "a failing card": (
        lambda made: edit(made, "cards/helped.md", "{2, 3}", "{7}"),
        Work(1, 1, 0),  # it is looked at all the same: what is wrong beside its code is told, too
    ),
}
"""Each with what is done again: files parsed, cards rendered, cards executed that hold."""


def test_only_what_changed_is_done_again(tmp_path: Path) -> None:
    """An open project finds after every edit what a fresh process finds, with less work."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(tmp_path) as opened:
        first = opened.check()
        assert first.ok, first.problems
        assert work(first) == Work(5, 7, 4)
        opened.build(first, build_time=MOMENT)
        for name, (change, expected) in EDITS.items():
            change(made)
            result = opened.check()
            assert work(result) == expected, name
            aside = tmp_path.with_name(f"{tmp_path.name} aside")
            shutil.rmtree(aside, ignore_errors=True)
            copied(made, aside)
            assert said(result) == [
                each.replace(str(aside), str(made.root)) for each in fresh(Project(aside))
            ], name


def copied(made: Project, aside: Path) -> None:
    """Lay a project anew elsewhere, without what it remembers."""
    shutil.copytree(made.root, aside, symlinks=True, ignore=shutil.ignore_patterns(FOLDER))


def test_a_lock_that_another_build_wrote_is_read(tmp_path: Path) -> None:
    """Cards are what the lock says now: a build in between is not overlooked."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(tmp_path) as opened:
        before = opened.check()
        made.build()
        after = opened.check()
        assert work(after) == Work()
        assert [each.identity.id for each in after.notes] == [
            each.identity.id for each in before.notes
        ]
        assert before.lock != after.lock
        edit(made, "cards/prose.md", "{#how}", "")
        edit(made, "cards.lock", '"id": "how"', '"id": "known"')
        renamed = opened.check()
        assert "known" in {each.identity.id for each in renamed.notes}


def test_what_is_remembered_serves_the_next_process(tmp_path: Path) -> None:
    """Nothing is parsed, rendered or executed again where nothing has changed."""
    project(tmp_path, FILES)
    with verideck.Project.open(tmp_path) as opened:
        first = opened.check()
    with verideck.Project.open(tmp_path) as opened:
        second = opened.check()
    assert work(second) == Work()
    assert said(second) == said(first)


def test_a_part_parses_no_other_file_again(tmp_path: Path) -> None:
    """The project's other files are read to know their cards, and parsed once."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(tmp_path) as opened:
        opened.check()
    edit(made, "cards/prose.md", "So.", "Thus.")
    with verideck.Project.open(tmp_path) as opened:
        part = opened.check([tmp_path / "cards/prose.md"])
    assert work(part).files == 1
    assert {each.id for each in part.cards} == {"why", "how"}


def test_a_failing_card_takes_only_itself_away(tmp_path: Path) -> None:
    """The others have their notes; a build refuses, and writes nothing."""
    wrong = card("wrong", "assert int('1') == 2") + "## Open? {#open}\n\n${x$\n"
    project(tmp_path, {**FILES, "wrong.md": wrong})
    with verideck.Project.open(tmp_path) as opened:
        result = opened.check()
        assert not result.ok
        assert {str(each.code) for each in result.problems} == {
            "assertion-failed",
            "maths-unclosed",
        }
        ids = {each.identity.id for each in result.notes}
        assert ids == {"why", "how", "code", "other", "helped", "included", "cloze"}
        with pytest.raises(BuildFailedError, match="assertion-failed"):
            opened.build(result)
    assert not (tmp_path / "deck.apkg").exists()
    assert not (tmp_path / "cards.lock").exists()


def test_a_listener_cannot_change_a_result(tmp_path: Path) -> None:
    """Whatever it does with what it hears, every card is there, and its note."""
    made = project(tmp_path, {**FILES, "wrong.md": card("wrong", "assert int('1') == 2")})
    heard: list[Event] = []

    def meddle(event: Event) -> None:
        heard.append(event)
        if isinstance(event, CardProven):
            with pytest.raises(FrozenInstanceError):
                event.proofs = ()  # type: ignore[misc]
        if isinstance(event, CardRendered):
            with pytest.raises(AttributeError):
                event.note.fields.clear()  # type: ignore[attr-defined]

    with verideck.Project.open(tmp_path) as opened:
        result = opened.check(on_event=meddle)
    assert said(result) == fresh(made)
    kinds = [type(each) for each in heard]
    assert kinds[0] is Counted
    assert kinds.count(CardProven) == kinds.count(CardRendered) == 7
    assert kinds.count(CardFailed) == 1


def test_cards_are_told_before_they_are_executed(tmp_path: Path) -> None:
    """One event names those that run; what is remembered does not run, and is not named."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1') == 1") + card("two", "1 / 0")})

    def running(opened: verideck.Project) -> list[str]:
        heard: list[Event] = []
        opened.check(on_event=heard.append)
        named = [card.id for each in heard if isinstance(each, Executing) for card in each.cards]
        first = next((n for n, each in enumerate(heard) if isinstance(each, Executing)), 0)
        ended = [each for each in heard[:first] if isinstance(each, CardFailed)]
        assert not ended
        return named

    with verideck.Project.open(made.root) as opened:
        assert running(opened) == ["one", "two"]
        assert running(opened) == ["two"]
        edit(made, "cards/a.md", "1 / 0", "assert int('2') == 2")
        assert running(opened) == ["two"]
        assert running(opened) == []


def test_a_footnote_is_shown_when_its_card_is_remembered(tmp_path: Path) -> None:
    """What was parsed in an earlier run is rendered as in that run, where it is rendered again."""
    code = "\n```python\nx = sum([1])\n```\n\n```python {.check}\nassert x == 1\n```\n"
    noted = f"## One? {{#one}}\n\nThis.[^1]\n{code}\n[^1]: The note.\n"
    made = project(tmp_path, {"a.md": noted})
    assert made.run("build").returncode == 0
    done = made.run("audit", "--format", "json")  # another process, which has parsed nothing
    assert done.returncode == 0, done.stderr
    with verideck.Project.open(made.root) as opened:
        (note,) = opened.check(audit=True).notes
    assert "The note." in note.fields["Extra"]


def test_a_card_that_fails_is_known_as_its_note(tmp_path: Path) -> None:
    """A page that shows it says which note it was."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1') == 1")})
    made.build()
    with verideck.Project.open(made.root) as opened:
        (note,) = opened.check().notes
        edit(made, "cards/a.md", "== 1", "== 2")
        result = opened.check()
        assert result.notes == ()
        (known,) = result.known.values()
        assert known.identity
    assert known.identity.guid == note.identity.guid


def test_settings_that_are_wrong_stop_a_check(tmp_path: Path) -> None:
    """Nothing is executed under settings that nobody meant."""
    made = project(tmp_path, FILES, SETTINGS + "sandbox = 'no'\n")
    with verideck.Project.open(made.root) as opened:
        result = opened.check()
        assert [str(each.code) for each in result.problems] == ["setting-invalid"]
        assert result.cards == ()
        edit(made, "pyproject.toml", "sandbox = 'no'\n", "")
        assert opened.check().ok


def test_no_output_is_updated_under_wrong_settings(tmp_path: Path) -> None:
    """What forbids a check to execute forbids an update, too."""
    printed = "## What is printed? {#printed}\n\n```python\nprint(sum([1]))\n```\n"
    shown = "\n```output\n2\n```\n"
    made = project(tmp_path, {"a.md": printed + shown}, SETTINGS + "require_sandbox = 'yes'\n")
    with verideck.Project.open(made.root, trust=True) as opened:
        with pytest.raises(BuildFailedError) as failed:
            opened.update_outputs()
        assert [str(each.code) for each in failed.value.problems] == ["setting-invalid"]
        edit(made, "pyproject.toml", "require_sandbox = 'yes'\n", "sandbox = false\n")
        place = Place("cards/a.md", 8)
        assert opened.update_outputs() == [Rewritten(place, before="2", after="1")]


def test_a_diff_is_of_the_cards_as_the_lock_names_them_now(tmp_path: Path) -> None:
    """A build between a check and a diff has named the cards; a damaged lock is told."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(made.root) as opened:
        result = opened.check()
        made.build()
        edit(made, "cards.lock", '"id": "how"', '"id": "known"')
        package = packages.read(made.root / "deck.apkg")
        assert opened.diff(result, package, build_time=MOMENT) == opened.diff(
            opened.check(), package, build_time=MOMENT
        )
        made.write("cards.lock", "{")
        with pytest.raises(BuildFailedError) as failed:
            opened.diff(result, package)
        assert [str(each.code) for each in failed.value.problems] == ["lock-invalid"]


def test_one_path_is_a_path(tmp_path: Path) -> None:
    """A text is no list of letters: `/` would be all files of the machine."""
    made = project(tmp_path, FILES)
    with verideck.Project.open(made.root) as opened:
        prose = made.root / "cards/prose.md"
        for one in (str(prose), prose, [str(prose)], (prose,)):
            assert {each.place.path for each in opened.check(one).cards} == {"cards/prose.md"}
        assert opened.assign_ids(str(prose)) == []
        assert opened.lint(prose).problems == opened.lint([prose]).problems


def test_a_project_that_is_not_open_is_refused(tmp_path: Path) -> None:
    """What cannot be opened is told at once, and nothing starts in what was closed."""
    made = project(tmp_path, FILES)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        verideck.Project.open(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="sopwn is none of fork, spawn"):
        verideck.Project.open(made.root, executor="sopwn")
    opened = verideck.Project.open(made.root)
    result = opened.check(on_event=None)
    with pytest.raises(ValueError, match=r"cannot write a \.zip: known are \.apkg, \.csv"):
        opened.build(result, made.root / "deck.zip")
    opened.close()
    opened.close()
    for late in (opened.check, opened.lint, opened.assign_ids, opened.update_outputs):
        with pytest.raises(ValueError, match="closed"):
            late()
    assert not _hosts()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="folders have other rights here")
def test_a_folder_that_cannot_be_read_is_told() -> None:
    """The cards in it are not left out in silence. Root may read all, so nobody looks."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = project(Path(folder), {**FILES, "closed/a.md": PROSE})
        wanted = configured_settings(made.root, Problems())
        problems = Problems()
        assert len(read([], wanted, problems)) == 6
        (made.root / "cards/closed").chmod(0)
        was = os.geteuid()
        try:
            os.seteuid(was or 65534)
            sources = read([], wanted, problems)
        finally:
            os.seteuid(was)
            (made.root / "cards/closed").chmod(0o755)
    assert len(sources) == 5
    assert [(str(each.code), each.place.path) for each in problems] == [
        ("file-unreadable", "cards/closed")
    ]


def test_a_strict_result_is_none_that_can_be_built(tmp_path: Path) -> None:
    """Warnings become errors, and all else stays."""
    project(tmp_path, {**FILES, "open.md": "## Unanswered? {#open}\n"})
    with verideck.Project.open(tmp_path) as opened:
        result = opened.check()
        assert result.ok
        strict = result.as_strict()
        assert not strict.ok
        assert replace(strict, problems=()) == replace(result, problems=())


def _hosts() -> list[int]:
    """The warm parents that this process has started (proc_pid_stat(5))."""
    found = []
    for pid in processes("verideck.proof.python.host"):
        with contextlib.suppress(OSError):  # it has ended in between
            status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
            parent = int(status.rpartition(")")[2].split()[1])
            found += [pid] if parent == os.getpid() else []
    return found


@pytest.mark.linux(reason="looks into /proc")
def test_nothing_outlives_a_project_that_was_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After many runs, and one that was broken off, closing leaves neither process nor folder."""
    made = project(tmp_path, {"a.md": card("one", "import colorsys\none = int('1')\nassert one")})
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)

    def interrupt(event: Event) -> None:
        if isinstance(event, CardProven):
            raise KeyboardInterrupt

    with verideck.Project.open(tmp_path) as opened:
        assert opened.check().stats.executed == 1
        (warm,) = _hosts()
        for number in range(3):
            edit(made, "cards/a.md", "import colorsys\n", f"import colorsys\nn = {number}\n")
            assert opened.check().stats.executed == 1
            assert _hosts() == [warm]
        edit(made, "cards/a.md", "n = 0", "n = 7")
        with pytest.raises(KeyboardInterrupt):
            opened.check(on_event=interrupt)
        assert _hosts() == [warm]
        edit(made, "cards/a.md", "n = 7", "n = 8")
        assert opened.check().ok
    assert soon(lambda: not _hosts())
    assert not list(tmp_path.glob("verideck-*"))
