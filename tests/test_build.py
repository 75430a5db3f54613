"""From cards to the file: the same bytes, whole or not at all, and nothing left behind."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from projects import DOT, MOMENT, Project, card, files, project

from verideck.problems import BuildFailedError, Code

FILES: dict[str, str | bytes] = {
    "first.md": "# 一 <1>\n\n"
    + card("one", "print({'a', 'b', 'c', 'd'} and 1)\nassert int('1')")
    + "## Reversed? {#two .reversed tags='z a m::n'}\n\nYes: $x < y$.\n\n![dot](dot.png)\n",
    "deep/er/second.md": "- The {{c2::moon}} and the {{c10::sun}}, {{c1::both}} {#three}\n"
    "- Which ==one==? {#four .cloze}\n    - `{{c7::it}}`, ![other](../../other.png)\n"
    "- Type it {#five .type}\n\n    a < b\n",
    "cards/dot.png": DOT,
    "cards/other.png": DOT + b"\0",
}
"""Every kind of note, two files, decks, tags, deletions out of order, media, code."""

WRONG: dict[str, str | bytes] = {
    "a.md": card("fails", "assert int('1') == 2") + "## Open? {#open}\n\n${x$\n",
    "b.md": card("ok", "assert int('1')") + "## Which? {#which}\n\n```pyhton\nx\n```\n",
    "c/d.md": "## Twice? {#ok}\n\nYes.\n\n![none](none.png)\n",
    "e.md": b"## Latin? {#latin}\n\n\xff\n",
    "f.md": b"\xef\xbb\xbf## Latin? {#late}\n\n\xc3\xa9\xfe\n",
}
PROBLEMS = [
    "cards/a.md:6:1 assertion-failed",
    "cards/a.md:11:1 maths-unclosed",
    "cards/b.md:11:4 language-unknown",
    "cards/c/d.md:1:4 id-repeated",
    "cards/c/d.md:5:1 image-unusable",
    "cards/e.md:3:1 not-utf8",
    "cards/f.md:3:2 not-utf8",
]


def sha256(made: Project, *words: str, folder: str = ".", **environment: str) -> str:
    """The hash of what the command builds, as it tells it."""
    run = made.invoke("build", "--format", "json", *words, folder=folder, **environment)
    assert run.returncode == 0, run.stderr
    return str(json.loads(run.stdout)["sha256"])


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    """Two builds of one process differ in nothing, whatever the files are called."""
    made = project(tmp_path, FILES)
    first, second = made.build("one.apkg"), made.build("two.apkg")
    assert first.read_bytes() == second.read_bytes()


def test_the_same_bytes_anywhere(tmp_path: Path) -> None:
    """Neither folder, hash seed, locale, time zone nor the order of the disk is in the file."""
    here = project(tmp_path / "here", FILES)
    backwards = dict(reversed(FILES.items()))
    there = project(tmp_path / "there" / "deeper 文件夹", backwards)
    there.write("sub/x.txt", "")
    expected = sha256(here, PYTHONHASHSEED="0")
    assert sha256(there, PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C") == expected
    assert sha256(there, "../cards", folder="sub", PYTHONHASHSEED="random") == expected
    assert here.build().read_bytes() == (there.root / "deck.apkg").read_bytes()


def test_another_moment_changes_stamps_alone(tmp_path: Path) -> None:
    """What a first build is stamped with stands in the file; ids do not follow it."""
    rows = []
    for build_time in (MOMENT, MOMENT + 1):
        made = project(tmp_path / str(build_time), FILES)
        with closing(database(made.build(build_time=build_time))) as connection:
            rows.append(connection.execute("select id, guid, flds, tags from notes").fetchall())
            stamps = connection.execute("select distinct mod from notes").fetchall()
            assert stamps == [(build_time,)]
    assert rows[0] == rows[1]


def test_what_has_not_changed_is_stamped_as_it_was(tmp_path: Path) -> None:
    """A later build of the same cards has the same bytes; with a lock, no moment is in them."""
    made = project(tmp_path, FILES)
    first = made.build().read_bytes()
    assert made.build(build_time=MOMENT + 60).read_bytes() == first
    again = project(tmp_path / "clone", FILES)
    again.write("cards.lock", (tmp_path / "cards.lock").read_bytes())
    assert again.build(build_time=MOMENT + 90).read_bytes() == first


def test_the_archive_is_plain(tmp_path: Path) -> None:
    """A zip of compressed entries, dated as early as can be, with nothing that nobody asked for."""
    with zipfile.ZipFile(project(tmp_path, FILES).build()) as archive:
        assert archive.testzip() is None
        assert archive.comment == b""
        assert [entry.filename for entry in archive.infolist()] == [
            "collection.anki2",
            "media",
            "0",
            "1",
        ]
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_DEFLATED
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.extra, entry.comment, entry.create_system) == (b"", b"", 3)
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644
        names = json.loads(archive.read("media"))
        content = {archive.read(number) for number in names}
        assert content == {DOT, DOT + b"\0"}
        assert all(name.startswith("verideck-") for name in names.values())


def database(package: Path) -> sqlite3.Connection:
    """The package's collection."""
    with zipfile.ZipFile(package) as archive:
        content = archive.read("collection.anki2")
    connection = sqlite3.connect(":memory:")
    connection.deserialize(content)
    return connection


def test_the_database_is_sound(tmp_path: Path) -> None:
    """SQLite finds nothing wrong; ids are positive, unique and of the past; cards in order."""
    with closing(database(project(tmp_path, FILES).build())) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        notes = connection.execute("select id, guid, mod, sfld from notes").fetchall()
        cards = connection.execute(
            "select id, nid, ord, due from cards order by due, ord"
        ).fetchall()
    assert len(notes) == 5
    assert len({guid for _, guid, *_ in notes}) == 5
    ids = [row[0] for row in notes + cards]
    assert len(set(ids)) == len(ids)
    assert all(0 < each < MOMENT * 1000 for each in ids)
    by_question = {number: sfld for number, _, _, sfld in notes}
    order = [(by_question[nid][:8], number, due) for _, nid, number, due in cards]
    assert order == [
        ("The {{c2", 0, 0),
        ("The {{c2", 1, 0),
        ("The {{c2", 9, 0),
        ("<p>Which", 0, 1),
        ("<p>Which", 6, 1),
        ("Type it", 0, 2),
        ("What is ", 0, 3),
        ("Reversed", 0, 4),
        ("Reversed", 1, 4),
    ]


def test_decks_are_listed_once(tmp_path: Path) -> None:
    """However many decks there are, no list of them is written over another: none leaves a gap."""
    decks: dict[str, str | bytes] = {
        f"{number}.md": f"## What is {number}? {{#n{number}}}\n\nOdd.\n" for number in range(99)
    }
    with closing(database(project(tmp_path, decks).build())) as connection:
        listed, models = connection.execute("select decks, models from col").fetchone()
        used = {str(did) for (did,) in connection.execute("select did from cards")}
        gaps = connection.execute("pragma freelist_count").fetchone()
    assert len(used) == 99
    assert set(json.loads(listed)) == used | {"1"}
    assert models.count('"css"') == len(json.loads(models)) == 1
    assert gaps == (0,)


def test_every_problem_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    """A bad file, card or snippet hides nothing that is wrong elsewhere."""
    assert project(tmp_path, WRONG).problems() == PROBLEMS


def test_a_failed_build_leaves_the_former_package(tmp_path: Path) -> None:
    """Where one card is wrong, the package that stands there is not touched, and no other made."""
    made = project(tmp_path, FILES)
    package = made.build()
    before, when = package.read_bytes(), package.stat().st_mtime_ns
    made.write("cards/wrong.md", card("wrong", "assert int('1') == 2"))
    there = files(tmp_path)
    run = made.invoke("build")
    assert run.returncode == 1
    assert "nothing was written" in run.stderr
    assert (package.read_bytes(), package.stat().st_mtime_ns) == (before, when)
    assert files(tmp_path) == there
    assert made.invoke("build", "-o", "other.apkg").returncode == 1
    assert files(tmp_path) == there


def test_a_package_is_replaced_whole(tmp_path: Path) -> None:
    """Whoever has the former file open still reads the former file; permissions stay."""
    made = project(tmp_path, FILES)
    package = made.build()
    package.chmod(0o640)
    before = package.read_bytes()
    with package.open("rb") as reading:
        made.write("cards/more.md", "## More? {#more}\n\nYes.\n")
        made.build(build_time=MOMENT + 1)
        assert reading.read() == before
    assert package.read_bytes() != before
    assert stat.S_IMODE(package.stat().st_mode) == 0o640


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """The package goes where it was asked for, also where nothing is yet."""
    made = project(tmp_path, FILES)
    assert made.invoke("build", "-o", "new/folders/deck.apkg").returncode == 0
    assert zipfile.is_zipfile(tmp_path / "new/folders/deck.apkg")


UNWRITABLE = {
    "below a file": "cards/first.md/deck.apkg",
    "is a folder": "taken.apkg",
    "name too long": f"{'x' * 300}.apkg",
    "no files there": "/proc/deck.apkg",
}


@pytest.mark.parametrize("name", UNWRITABLE)
def test_a_package_that_cannot_be_written_is_told(tmp_path: Path, name: str) -> None:
    """The system's refusal is the author's to read, with exit code 1, and leaves nothing."""
    if name == "no files there" and not sys.platform.startswith("linux"):
        pytest.skip("Linux has such a folder")
    made = project(tmp_path, {**FILES, "taken.apkg/inside.txt": "kept"})
    there = files(tmp_path)
    run = made.invoke("build", "--format", "json", "-o", UNWRITABLE[name])
    assert run.returncode == 1, run.stderr
    told = json.loads(run.stdout)
    assert [each["code"] for each in told["problems"]] == ["output-unwritable"]
    assert (told["output"], told["sha256"], told["notes"], told["cards"]) == (None, None, None, 5)
    assert files(tmp_path) == there


def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    """Where the folder may not be written to, the build says so."""
    rights = "-dac_override"  # without it, root too may write only where anybody may
    as_anybody = ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}"]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    made = project(tmp_path, FILES)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    run = made.run("build", "-o", "closed/deck.apkg", through=as_anybody if is_root else [])
    assert run.returncode == 1
    assert "[output-unwritable]" in run.stderr
    assert files(closed) == set()


def test_build_raises_one_exception(tmp_path: Path) -> None:
    """A build refuses what cannot be written as it refuses what does not hold; a check returns."""
    made = project(tmp_path, FILES)
    checked = made.check()
    with pytest.raises(BuildFailedError) as failure:
        made.package(checked, "cards/first.md/deck.apkg")
    assert [problem.code for problem in failure.value.problems] == [Code.OUTPUT_UNWRITABLE]
    made.write("cards/wrong.md", "## Open? {#open}\n\n${x$\n")
    wrong = made.result()
    assert len(wrong.notes) == len(checked.notes)
    with pytest.raises(BuildFailedError, match="maths-unclosed"):
        made.package(wrong)


@pytest.mark.parametrize("wrong", [False, True], ids=["holds", "fails"])
def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, *, wrong: bool) -> None:
    """Neither the run nor its snippets leave a file behind, whether the cards hold or not."""
    litter = "import tempfile\nopen('here', 'w').close()\nassert tempfile.mkdtemp()"
    extra = card("wrong", f"{litter}\nassert int('1') == 2") if wrong else card("right", litter)
    made = project(tmp_path / "deck", {**FILES, "extra.md": extra})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    there = files(made.root)
    run = made.invoke("build", TMPDIR=str(temporary), TMP=str(temporary), TEMP=str(temporary))
    assert run.returncode == int(wrong), run.stderr
    assert files(temporary) == set()
    assert files(made.root) - there == (set() if wrong else {"deck.apkg", "cards.lock"})


def test_warnings_let_a_package_through_unless_strict(tmp_path: Path) -> None:
    """A question without an answer is left out and told; with --strict nothing is written."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')") + "## Open? {#open}\n"})
    assert made.invoke("build", "--strict").returncode == 1
    assert not (tmp_path / "deck.apkg").exists()
    run = made.invoke("build")
    assert run.returncode == 0
    assert "cards/a.md:9:4: warning: this question has no answer [answer-missing]" in run.stderr
    with closing(database(tmp_path / "deck.apkg")) as connection:
        assert connection.execute("select count(*) from notes").fetchone() == (1,)


def test_a_deck_without_cards_is_not_written(tmp_path: Path) -> None:
    """An empty package would take the place of a full one."""
    made = project(tmp_path, {"a.md": "Prose alone.\n"})
    assert made.problems() == ["cards:1:1 deck-empty", "cards/a.md:1:1 no-card"]
    assert made.invoke("build").returncode == 1
    assert not (tmp_path / "deck.apkg").exists()


def test_what_changes_is_stamped_with_now(tmp_path: Path) -> None:
    """Without a moment given; all else keeps its stamp."""
    made = project(tmp_path, FILES)
    sha256(made)
    made.write("cards/more.md", "## More? {#more}\n\nYes.\n")
    sha256(made, SOURCE_DATE_EPOCH="")
    with closing(database(tmp_path / "deck.apkg")) as connection:
        stamps = sorted(mod for (mod,) in connection.execute("select mod from notes"))
    assert stamps[:-1] == [MOMENT] * 5
    assert abs(stamps[-1] - time.time()) < 60
