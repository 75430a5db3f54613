"""What an open project and its store remember: never more than what still holds."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pygments
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import DOT, MOMENT, Project, card, processes, project, soon
from test_project import copied, fresh, said

import verideck
from verideck import memo
from verideck.events import Counted, Event
from verideck.findings import Findings
from verideck.model import DeckContents, Kind, Source
from verideck.outline import Outline
from verideck.problems import Problems
from verideck.render.note_types import note_types
from verideck.result import Result
from verideck.source.config import SourceConfig
from verideck.storage import store
from verideck.storage.named_files import NamedFiles
from verideck.storage.store import FOLDER, opened
from verideck.targets.deliver import deliver

FILES: dict[str, str | bytes] = {
    "a.md": "## One? {#one}\n\nA [link][l], ![dot](dot.png).\n\n## Two?\n\nSecond.\n\n[l]: https://a.b\n",
    "b.md": "---\nlang: de\n---\n\n- The {{c1::moon}} and {{c2::sun}} ![](../cards/dot.png)\n",
    "sub/c.md": "## Three?\n\n```python\nx = 1\n```\n\n## Four {.reversed}?\n\nFourth.\n",
    "d.md": '## Five? {#five}\n\n```python {include="one.py"}\n```\n',
    "cards/dot.png": DOT,
    "one.py": "def one():\n    return 1\n",
}
MARKDOWN = ("a.md", "b.md", "sub/c.md", "d.md", "new.md", "sub/new.md")
WORDS = (
    ("Second", "Zweites"), ("{#one}", ""), ("{#five}", "{#one}"), ("## Two?", "## One?"),
    ("{.reversed}", ""), ("{{c2::", "{{c3::"), ("{{c1::moon}}", "moon"), ("lang: de", "lang: no"),
    ("https://a.b", "https://c.d"), ("dot.png", "dots.png"), ("x = 1", "x = 2"), ("Four", "$Four"),
    ("## Three?", "## Three? {.type}"), ("python\n", "klingon\n"),
    ("---\n\n-", "tags: [x]\n---\n\n-"),
    ("Fourth.", ""), ("one.py", "two.py"), ("lang: de", "verify: false"), ("\n", "\r\n"),
    ("Second.", "Second!"),
)  # fmt: skip
CONFIG = (
    ('"Root"', '"Stem"'), ("output", 'lang = "zh-CN"\noutput'),
    ("output", "verify = false\noutput"),
    ('cards = "cards/sub"\n', ""), ("output", 'cards = "cards/sub"\noutput'),
    ('"tests"', '"others"'), ("output", "what = 1\noutput"), ("what = 1\n", ""),
)  # fmt: skip

Edit = Callable[[Project], None]


def replaced(path: str, old: str, new: str) -> Edit:
    """Another text, as fast as editors write and with the former time."""

    def edit(made: Project) -> None:
        file = made.root / path
        if file.is_file() and old.encode() in file.read_bytes():
            before = file.stat()
            file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    return edit


def removed(path: str) -> Edit:
    """A file, a link or an empty folder that is there no more."""

    def edit(made: Project) -> None:
        file = made.root / path
        if file.is_symlink() or file.is_file():
            file.unlink()
        elif file.is_dir() and not any(file.iterdir()):
            file.rmdir()

    return edit


def written(path: str, content: str | bytes) -> Edit:
    """A file with another content, where no folder stands."""

    def edit(made: Project) -> None:
        if not (made.root / path).is_dir():
            removed(path)(made)
            made.write(path, content)

    return edit


def moved(old: str, new: str) -> Edit:
    """A file under another name."""

    def edit(made: Project) -> None:
        if (made.root / old).is_file() and not (made.root / new).is_dir():
            (made.root / old).rename(made.root / new)

    return edit


def linked(path: str, target: str) -> Edit:
    """A link in place of a file."""

    def edit(made: Project) -> None:
        if not (made.root / path).is_dir():
            removed(path)(made)
            (made.root / path).symlink_to(target)

    return edit


def a_folder(path: str) -> Edit:
    """A folder in place of a file."""

    def edit(made: Project) -> None:
        removed(path)(made)
        (made.root / path).mkdir(exist_ok=True)

    return edit


files_of_cards = st.sampled_from(MARKDOWN).map(lambda name: f"cards/{name}")
others = st.sampled_from(("cards/dot.png", "cards/dots.png", "one.py", "two.py"))
contents: st.SearchStrategy[str | bytes] = st.sampled_from(
    [*FILES.values(), b"\xff", "", "## One? {#one}\n\nFirst.\n", DOT + b"\0", "## New?\n\nYes.\n"]
)
targets = st.sampled_from(
    ("dot.png", "../one.py", "a.md", "/etc/hostname", "../cards.lock", "gone")
)
words = st.sampled_from(WORDS) | st.sampled_from(WORDS).map(lambda pair: pair[::-1])
damage = st.sampled_from((("# the end", ""), ('"one"', '"eins"'), ("\n{", "\n<<<<<<< {")))
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(lambda path, pair: replaced(path, *pair), files_of_cards, words),
    st.sampled_from(CONFIG).map(lambda pair: replaced("pyproject.toml", *pair)),
    st.builds(written, files_of_cards | others, contents),
    st.builds(removed, files_of_cards | others | st.just("cards.lock")),
    st.builds(moved, files_of_cards, files_of_cards),
    st.builds(moved, others, others),
    st.builds(linked, files_of_cards | others, targets),
    st.builds(a_folder, others),
    damage.map(lambda pair: replaced("cards.lock", *pair)),
    damage.map(lambda pair: replaced("cards.lock", *pair[::-1])),
)


def built(opened: verideck.Project, result: Result, build_time: int) -> list[bytes]:
    """The package and the lock of a result."""
    opened.build(result, build_time=build_time)
    return [(opened.root / name).read_bytes() for name in ("deck.apkg", "cards.lock")]


def told(found: Findings) -> Findings:
    """What a check tells, but for how long it took and what it found anew."""
    stats = replace(found.stats, seconds=0.0, parsed=0, rendered=0)
    return Findings(found.problems, stats, found.forms)


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(edits, min_size=1, max_size=3), max_size=10))
def test_whatever_is_edited_is_found_as_by_a_fresh_project(steps: list[list[Edit]]) -> None:
    """One that was open all the time, and one with its store, find and build the same."""
    with tempfile.TemporaryDirectory() as folder:
        made = project(Path(folder, "made"), FILES)
        with verideck.Project.open(made.root, verify=False) as opened:
            for number, step in enumerate([[], *steps]):
                for edit in step:
                    edit(made)
                aside = Path(folder, str(number), "made")
                copied(made, aside)
                with verideck.Project.open(aside, verify=False) as fresh:
                    findings, anew = told(opened.findings()), told(fresh.findings())
                    result, expected = opened.check(), fresh.check()
                    assert said(result) == said(expected)
                    assert findings == anew == told(expected)
                    with verideck.Project.open(made.root, verify=False) as second:
                        assert told(second.findings()) == told(expected)
                        assert said(second.check()) == said(expected)
                    if expected.ok:
                        moment = MOMENT + number
                        packaged = built(opened, result, moment)
                        assert packaged == built(fresh, expected, moment)


PLACES: dict[str, Edit] = {
    "nothing": lambda _: None,
    "a link in a circle": linked("cards/dot.png", "dot.png"),
    "a folder": a_folder("cards/dot.png"),
    "a link to the outside": linked("cards/dot.png", "/etc/hostname"),
    "a link to the inside": linked("cards/dot.png", "../one.py"),
    "a file": written("cards/dot.png", DOT),
}


def found_anew(opened: verideck.Project, folder: Path) -> list[str]:
    """What a project finds that remembers nothing, in a copy of the folder."""
    copied(Project(opened.root), folder / opened.root.name)
    with verideck.Project.open(folder / opened.root.name, verify=False) as fresh:
        return said(fresh.check())


def test_whatever_stands_where_an_image_is_shown_is_noticed(tmp_path: Path) -> None:
    """A file that cannot be read is remembered with the reason: another one is another problem."""
    shown = '## One?\n\n![](dot.png)\n\n## Two?\n\n```text {include="cards/dot.png"}\n```\n'
    made = project(tmp_path / "made", {"a.md": shown})
    with verideck.Project.open(made.root, verify=False) as opened:
        for number, (name, edit) in enumerate([*PLACES.items(), *reversed(PLACES.items())]):
            removed("cards/dot.png")(made)
            edit(made)
            assert said(opened.check()) == found_anew(opened, tmp_path / str(number)), name


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    """An image, an include and a Markdown file that lead nowhere are problems at their lines."""
    text = '## One?\n\n![](d%00.png) ![](loop.png)\n\n```text {include="cards/loop.png"}\n```\n'
    made = project(tmp_path, {"a.md": text})
    linked("cards/loop.png", "loop.png")(made)
    linked("cards/loop.md", "loop.md")(made)
    with verideck.Project.open(tmp_path) as opened:
        codes = {str(each.code) for each in opened.check().problems}
    assert codes == {"include-missing", "file-unreadable"}
    replaced("cards/a.md", "```text", "## Two?\n\n```text")(made)
    with verideck.Project.open(tmp_path) as opened:
        codes = {str(each.code) for each in opened.check().problems}
    assert codes == {"include-missing", "file-unreadable", "image-unusable"}


def test_a_copy_of_a_project_shows_its_own_images(tmp_path: Path) -> None:
    """What came along in the folder tells nothing of the place where it was made."""
    made = project(
        tmp_path / "made", {"a.md": "- The {{c1::moon}} ![](d.png)\n", "cards/d.png": DOT}
    )
    with verideck.Project.open(made.root) as opened:
        opened.check()
    shutil.copytree(made.root, tmp_path / "copy")
    (tmp_path / "copy/cards/d.png").write_bytes(DOT + b"\0")
    with verideck.Project.open(tmp_path / "copy") as opened:
        ((media,),) = [note.media for note in opened.check().notes]
    assert media.content == DOT + b"\0"


def test_an_image_that_goes_while_cards_are_proved_is_told(tmp_path: Path) -> None:
    """A check that takes long returns, whatever an author does meanwhile."""
    made = project(tmp_path, {"a.md": "## One?\n\n![](d.png)\n", "cards/d.png": DOT})

    def remove(event: Event) -> None:
        if isinstance(event, Counted):
            removed("cards/d.png")(made)

    with verideck.Project.open(tmp_path) as opened:
        (problem,) = opened.check(on_event=remove).problems
    assert problem.code == "image-unusable"


def test_a_watcher_is_told_what_to_watch(tmp_path: Path) -> None:
    """The inputs hold what cannot be read or is missing too: mending it changes the result."""
    made = project(
        tmp_path,
        {
            "a.md": "## One?\n\n![](no.png)\n",
            "b.md": b"\xff",
            "c.md": "## Two?\n\nB. ![](dot.png)\n",
            "cards/dot.png": DOT,
        },
    )
    always = {"pyproject.toml", "cards.lock"}
    cards = {f"cards/{name}" for name in ("a.md", "b.md", "c.md", "no.png", "dot.png")}
    with verideck.Project.open(tmp_path) as opened:
        assert opened.check().inputs == always | cards
        part = opened.check([tmp_path / "cards/c.md"])
        assert part.inputs == always | {"cards/a.md", "cards/c.md", "cards/dot.png"}
        made.write("cards/a.md", "## One?\n\nA.\n")
        removed("cards/b.md")(made)
        before = opened.check()
        made.build()
        opened.build(before)
        made.write("cards/c.md", "## Two?\n\nB.\n")
        assert opened.check().inputs == always | {"cards/a.md", "cards/c.md"}


def test_the_result_of_another_project_is_refused(tmp_path: Path) -> None:
    """Every note of this one would seem to be gone."""
    one, other = (project(tmp_path / name, {f"{name}.md": f"## {name}?\n\nA.\n"}) for name in "ab")
    one.build()
    before = (one.root / "cards.lock").read_bytes()
    with verideck.Project.open(other.root) as opened:
        result = opened.check()
    with verideck.Project.open(one.root) as opened, pytest.raises(ValueError, match="result is of"):
        opened.build(result)
    assert (one.root / "cards.lock").read_bytes() == before


@pytest.mark.linux(reason="sends Ctrl-C to this process")
def test_ctrl_c_twice_leaves_a_project_that_can_be_used(tmp_path: Path) -> None:
    """The second one comes while the first is still being heeded."""
    code = card("one", "import time\ntime.sleep(2)\nassert int('1')")
    project(tmp_path, {"a.md": code})

    def interrupt() -> None:
        time.sleep(1)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.02)

    with verideck.Project.open(tmp_path) as opened:
        impatient = threading.Thread(target=interrupt)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the second comes in here too
            impatient.start()
            try:
                opened.check()
            finally:
                impatient.join()
        assert opened.check().ok


def test_a_store_that_is_held_for_long_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without it takes its time, and not once more for each row."""
    made = project(tmp_path, {f"{n}.md": f"## {n}?\n\nA.\n" for n in range(30)})
    with verideck.Project.open(tmp_path) as opened:
        opened.check()
    monkeypatch.setattr(store, "_PATIENCE", 0.5)
    with closing(sqlite3.connect(made.root / FOLDER / store.FILE)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        started = time.monotonic()
        with verideck.Project.open(tmp_path) as opened:
            assert len(opened.check().notes) == 30
        assert time.monotonic() - started < 8


def many(count: int) -> dict[str, str | bytes]:
    """Files that are worth two cores."""
    text = "".join(f"## What is {{n}} of {k}?\n\nThis is `{k}` of ${{n}}$.\n\n" for k in range(900))
    return {f"{n}.md": text.replace("{n}", str(n)) for n in range(count)}


real = memo._encoded_row  # noqa: SLF001 - what a process of its own does


def killed_at_third(
    config: SourceConfig, named: NamedFiles, outline: Outline | None, source: Source
) -> bytes:
    """The system ends a process for want of memory."""
    if source.path.endswith("/3.md"):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(config, named, outline, source)


@pytest.mark.linux(reason="two cores are used where a fork is safe")
def test_a_process_that_is_killed_takes_no_card_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was to find is found by this process."""
    project(tmp_path, many(12))
    monkeypatch.setattr(memo, "_encoded_row", killed_at_third)
    with verideck.Project.open(tmp_path) as opened:
        assert len(opened.check().notes) == 12 * 900


@pytest.mark.linux(reason="looks into /proc")
def test_processes_that_share_the_work_end_with_the_one_that_is_killed(tmp_path: Path) -> None:
    """None of them waits for ever for work that nobody gives."""
    made = project(tmp_path, many(30))
    running = made.start("check")
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    assert soon(lambda: len(children.read_text().split()) > 1)
    shared = {int(each) for each in children.read_text().split()}
    running.kill()
    running.communicate(timeout=10)
    assert soon(lambda: not shared & {*processes("verideck\0check")})


def test_another_pygments_highlights_anew(tmp_path: Path) -> None:
    """What a library made is not remembered beyond the library."""
    made = project(tmp_path / "made", {"a.md": "## One?\n\n```javascript\nlet x\n```\n"})
    shutil.copytree(Path(pygments.__file__).parent, tmp_path / "lib/pygments")
    token = tmp_path / "lib/pygments/token.py"
    text = token.read_text(encoding="utf-8")
    found = []
    for old, new in (("'kd'", "'kd'"), ("'kd'", "'declares'")):
        assert old in text
        token.write_text(text.replace(old, new), encoding="utf-8")
        (tmp_path / "lib/pygments/__init__.py").touch()
        lib = str(tmp_path / "lib")
        found.append(fresh(made, PYTHONPATH=lib, PYTHONDONTWRITEBYTECODE="1")[1])
    assert 'class="kd"' in found[0]
    assert 'class="declares"' in found[1]


def test_a_package_follows_from_all_that_it_holds(tmp_path: Path) -> None:
    """A package is made again where only a note type differs, or a retired note's text."""
    made = project(tmp_path, {"a.md": "## One?\n\nA.\n"})
    types = note_types()
    styled = {**types, Kind.BASIC: replace(types[Kind.BASIC], css="p { color: red }")}
    with verideck.Project.open(tmp_path) as project_:
        (note,) = project_.check().notes
    other = replace(note.identity, id="gone", guid="gone")
    gone = replace(note, content="", retired=True, identity=other)
    reworded = replace(gone, fields={**gone.fields, "Question": "Two?"})
    stamps = dict.fromkeys(types, MOMENT)
    editions = [
        DeckContents((note, each), stamps, MOMENT, given)
        for each in (gone, reworded)
        for given in (types, styled)
    ]
    with opened(made.root / FOLDER) as kept:
        made_of = [
            deliver(each, made.root / "deck.apkg", {}, made.root, kept, Problems())
            for each in editions
        ]
    assert len({each.sha256 for each in made_of if each}) == len(editions)
