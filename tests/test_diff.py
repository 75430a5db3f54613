"""`verideck diff`: what an import of a build would do."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from projects import Project, project

from verideck.history.diff import plain, words
from verideck.targets import packages
from verideck.targets.packages import NoPackageError

FIRST = """# One

## What is it? {#same}

This.

## What changes? {#changed}

The old answer, of some length, with a word that goes.

## Which wording? {#reworded}

Mine.

## Where? {#moved}

Here.

## Gone? {#gone}

Yes.

## The {{c1::moon}} and the {{c2::earth}}. {#cloze}
"""
SECOND = (
    FIRST.replace("a word that goes", "a phrase that stays")
    .replace("Which wording?", "Which words?")
    .replace("## Where? {#moved}\n\nHere.\n\n## Gone? {#gone}\n\nYes.\n\n", "")
    .replace("and the {{c2::earth}}", "alone")
)


def edited(folder: Path) -> Project:
    """A project that was built once and has changed since."""
    made = project(folder, {"a.md": FIRST})
    made.build()
    made.write("cards/a.md", SECOND)
    made.write("cards/b.md", "# Two\n\n## Where? {#moved}\n\nHere.\n\n## New? {#new}\n\nYes.\n")
    return made


def test_everything_that_an_import_would_do(tmp_path: Path) -> None:
    """Each note with its fates and a difference by words; nothing is written."""
    made = edited(tmp_path)
    before = {file: file.read_bytes() for file in (tmp_path / "deck.apkg", tmp_path / "cards.lock")}
    run = made.invoke("diff", SOURCE_DATE_EPOCH="1700000060")
    assert run.returncode == 0, run.stderr
    assert run.stdout == (
        "changed  cards/a.md:7:4  changed  What changes?\n"
        "    Answer: … with a [-word-]{+phrase+} that [-goes-]{+stays+}.\n"
        "reworded  cards/a.md:11:4  reworded  Which words?\n"
        "    Question: Which [-wording-]{+words+}?\n"
        "reworded, emptied  cards/a.md:15:4  cloze  The {{c1::moon}} alone.\n"
        "    Question: …:moon}} [-and the {{c2::earth}}-]{+alone+}.\n"
        "moved  cards/b.md:3:4  moved  Where?\n"
        "new  cards/b.md:7:4  new  New?\n"
        "retired  gone  Gone?\n"
        "an import of this build: 1 new, 1 changed, 2 reworded, 1 moved, 1 emptied, 1 retired, "
        "1 untouched\n"
    )
    assert {file: file.read_bytes() for file in before} == before


def test_programs_are_told_the_same(tmp_path: Path) -> None:
    """As JSON: counts, and every note."""
    told = json.loads(edited(tmp_path).invoke("diff", "--format", "json").stdout)
    assert told["verideck"] == 1
    assert told["counts"] == {
        "new": 1, "changed": 1, "reworded": 2, "moved": 1, "emptied": 1, "retired": 1,
        "untagged": 0, "returned": 0, "untouched": 1,
    }  # fmt: skip
    by_id = {note["id"]: note for note in told["notes"]}
    assert by_id["changed"] == {
        "id": "changed",
        "fates": ["changed"],
        "question": "What changes?",
        "path": "cards/a.md",
        "line": 7,
        "arrives": True,
        "edits": {"Answer": "… with a [-word-]{+phrase+} that [-goes-]{+stays+}."},
    }


def test_an_older_package_may_be_named(tmp_path: Path) -> None:
    """A learner's, who skipped builds."""
    made = edited(tmp_path)
    shutil.copy(tmp_path / "deck.apkg", tmp_path / "old.apkg")
    made.build(build_time=1_700_000_060)
    assert made.invoke("diff").stdout == "an import of this build: 6 untouched\n"
    assert "1 new, 1 changed, 2 reworded" in made.invoke("diff", "old.apkg").stdout


CLOZE = "## The {{c1::moon}}. {#moon}\n\n- goes round the {{c2::earth}}\n\n"
VERSIONS: dict[str, list[str]] = {
    "nothing": [FIRST, FIRST],
    "a bit of all": [FIRST, SECOND],
    "the answer of a cloze card": [CLOZE, CLOZE.replace("goes", "turns")],
    "its question": [CLOZE, CLOZE.replace("The", "Our")],
    "two of its deletions": [
        CLOZE.replace("{{c2::earth}}", "{{c2::x}} {{c3::y}}"),
        CLOZE[:29] + "\n",
    ],
    "another mark in a question": [FIRST, FIRST.replace("Which wording?", "Which \\wording?")],
    "a card of another deck": [FIRST, f"# Other\n\n{FIRST[7:]}"],
    "a card that was retired": [FIRST, SECOND, SECOND.replace("alone", "with others")],
    "a card that returns": [FIRST, SECOND, FIRST],
    "a card that returns with other words": [FIRST, SECOND, FIRST.replace("Gone?", "Here again?")],
    "a reverse": ["## A? {#a .reversed}\n\nB.\n", "## A? {#a}\n\nB.\n"],
}


@pytest.mark.parametrize("name", VERSIONS)
def test_a_build_counts_as_a_difference_does(tmp_path: Path, name: str) -> None:
    """What is told before a build is told after it, in the same words."""
    made = project(tmp_path, {})
    *former, last = VERSIONS[name]
    for build_time, text in enumerate(former):
        made.write("cards/a.md", text)
        made.build(build_time=1_700_000_000 + build_time)
    made.write("cards/a.md", last)
    before = made.invoke("diff", SOURCE_DATE_EPOCH="1700000060").stdout.splitlines()[-1]
    (after,) = (
        line
        for line in made.invoke("build", SOURCE_DATE_EPOCH="1700000060").stdout.splitlines()
        if line.startswith("since the last build: ")
    )
    assert before.partition(": ")[2] == after.partition(": ")[2]


def test_a_card_that_returns_is_named(tmp_path: Path) -> None:
    """With all that is new in it, before the build and after."""
    made = project(tmp_path, {"a.md": FIRST})
    made.build()
    made.write("cards/a.md", SECOND)
    made.build(build_time=1_700_000_030)
    made.write("cards/a.md", FIRST.replace("Gone?", "Here again?"))
    assert "returned, reworded  cards/a.md:19:4  gone  Here again?\n" in made.invoke("diff").stdout
    told = made.invoke("build").stdout
    assert 'reworded: gone "Gone?" → "Here again?"\n' in told
    assert 'returned: gone "Here again?"\n' in told


def test_what_has_no_text_any_more_is_told(tmp_path: Path) -> None:
    """A note that no build can tag: the package was away when its card was deleted."""
    made = project(tmp_path, {"a.md": FIRST})
    made.build()
    old = tmp_path / "old.apkg"
    shutil.move(tmp_path / "deck.apkg", old)
    made.write("cards/a.md", FIRST.replace("## Gone? {#gone}\n\nYes.\n\n", ""))
    expected = "untagged  gone  Gone?\n    its text is gone, so no import tags it: "
    assert expected in made.invoke("diff", "old.apkg").stdout
    run = made.invoke("build")
    assert 'untagged: gone "Gone?"\n  Anki keeps them without a tag' in run.stdout
    assert "tag:verideck::retired" not in run.stdout
    assert expected in made.invoke("diff", "old.apkg").stdout


def test_a_package_holds_what_is_said(tmp_path: Path) -> None:
    """The notes that are cards, and those that are retired."""
    made = project(tmp_path, {"a.md": FIRST})
    assert ": 6 notes, sha256" in made.invoke("build").stdout
    made.write("cards/a.md", SECOND)
    assert ": 4 notes and 2 retired, sha256" in made.invoke("build").stdout
    told = json.loads(made.invoke("build", "--format", "json").stdout)
    assert (told["notes"], told["retired"]) == (4, 2)


def test_without_its_package_a_lock_is_not_built_upon(tmp_path: Path) -> None:
    """Not before the cards are again those that it remembers: the text of others would be lost."""
    made = project(tmp_path, {"a.md": FIRST})
    made.build()
    (tmp_path / "deck.apkg").unlink()
    run = made.invoke("diff")
    assert (run.returncode, "build with --locked the cards" in run.stderr) == (2, True)


def test_what_is_no_later_does_not_arrive(tmp_path: Path) -> None:
    """Anki takes a note only if it is stamped later; whose lock was lost reads so."""
    made = project(tmp_path, {"a.md": FIRST})
    made.build()
    (tmp_path / "cards.lock").unlink()
    made.write("cards/a.md", FIRST.replace("This.", "That."))
    told = made.invoke("diff").stdout
    assert "    no later than what is there: Anki leaves it as it is\n" in told


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    """Without a package, or with something else, it is a wrong use of the command."""
    made = project(tmp_path, {"a.md": FIRST})
    run = made.invoke("diff")
    assert (run.returncode, "there is no deck.apkg yet" in run.stderr) == (2, True)
    made.write("other.apkg", "not one")
    run = made.invoke("diff", "other.apkg")
    assert (run.returncode, "no package that verideck wrote" in run.stderr) == (2, True)
    made.write("cards/a.md", "## Open $x? {#open}\n\nYes.\n")
    made.write("cards.lock", "?\n")
    made.write("deck.apkg", project(tmp_path / "good", {"a.md": FIRST}).build().read_bytes())
    run = made.invoke("diff")
    assert run.returncode == 1
    assert "[lock-invalid]" in run.stderr
    assert "[maths-unclosed]" in run.stderr


ENDLESS = """
    drop table col;
    create view col as with recursive more(n) as (select 1 union all select n + 1 from more)
    select count(*) as decks from more
"""


def test_a_package_that_computes_is_none(tmp_path: Path) -> None:
    """A collection holds tables: a query of a view need never end, and nothing breaks it off."""
    deck = project(tmp_path, {"a.md": FIRST})
    package = deck.build()
    with zipfile.ZipFile(package) as archive:
        content = archive.read("collection.anki2")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        connection.executescript(ENDLESS)
        content = connection.serialize()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("collection.anki2", content)
    with pytest.raises(NoPackageError, match="col is no table"):
        packages.read(package)


def test_a_package_that_unfolds_without_end_is_none(tmp_path: Path) -> None:
    """A file of a megabyte may hold a thousand."""
    package = tmp_path / "a.apkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("collection.anki2", bytes(10_000_000))
    with pytest.raises(NoPackageError, match="more densely"):
        packages.read(package)


def test_a_difference_of_words() -> None:
    """Words in English, characters in Chinese; what is the same and long is left out."""
    assert words("the old word", "the new word") == "the [-old-]{+new+} word"
    assert words("缩放点积", "缩放的点积") == "缩放{+的+}点积"
    assert words("same", "same") == "(its marks alone)"
    long = " ".join(map(str, range(50)))
    assert words(f"{long} x", f"{long} y") == "… 48 49 [-x-]{+y+}"


def test_the_text_of_a_field() -> None:
    """Without tags and comments, a line for each block."""
    assert plain("<p>a &lt; <b>b</b></p><ul>\n<li>c<!-- x --></li></ul>") == "a < b\nc"
