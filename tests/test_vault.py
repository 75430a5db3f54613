"""Notes of Obsidian: which file a name means, what follows from it, and which words are ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import DOT, Project, project

import verideck
from verideck import markdown
from verideck.model import Passage, Place
from verideck.result import Result
from verideck.storage.named_files import NamedFiles, vault_of

OTHER = DOT[:40] + b"\x01" + DOT[41:]
"""Another picture."""


@pytest.fixture
def named(tmp_path: Path) -> NamedFiles:
    """A project with a vault in it."""
    made = Project(tmp_path)
    for path in (
        "cards/a.png", "cards/deep/a.png", "cards/deep/One.PNG", "cards/deep/pics/b.png",
        "other/b.png", "other/c.png", "cards/.hidden/d.png", "e.png", "cards/deep/e.png",
        "vault/.obsidian/app.json", "vault/notes/x.md", "vault/f.png", "vault/pics/f.png",
        "vault/pics/\u00e9.png", "vault/pics/g.png", "vault/more/g.png",
    ):  # fmt: skip
        made.write(path, b"")
    (tmp_path / "linked").symlink_to(tmp_path / "other")
    return NamedFiles(tmp_path)


@pytest.mark.parametrize(
    ("name", "folder", "found"),
    [
        ("a.png", "cards", ["cards/a.png"]),
        ("a.png", "cards/deep", ["cards/deep/a.png"]),
        ("a.png", "other", ["cards/a.png", "cards/deep/a.png"]),
        ("deep/a.png", "other", ["cards/deep/a.png"]),
        ("eep/a.png", "other", []),
        ("one.png", "other", ["cards/deep/One.PNG"]),
        ("A.PNG", "cards", ["cards/a.png"]),
        ("b.png", "cards", ["cards/deep/pics/b.png", "other/b.png"]),
        ("c.png", "cards", ["other/c.png"]),
        ("d.png", "cards", []),
        ("e.png", "other", ["e.png"]),
        ("/e.png", "cards/deep", ["e.png"]),
        ("f.png", "vault/notes", ["vault/f.png"]),
        ("pics/f.png", "vault/notes", ["vault/pics/f.png"]),
        ("e\u0301.png", "vault/notes", ["vault/pics/\u00e9.png"]),
        ("c.png", "vault/notes", []),
        ("g.png", "vault/notes", ["vault/more/g.png", "vault/pics/g.png"]),
        ("../other/c.png", "cards", ["cards/../other/c.png"]),
        ("./a.png", "cards", ["cards/./a.png"]),
        ("a\0.png", "cards", []),
    ],
)
def test_a_name_means_the_file_that_obsidian_takes(
    named: NamedFiles, name: str, folder: str, found: list[str]
) -> None:
    """The one beside the note, or where the name says, or the only one; else all are named."""
    assert list(named.find(name, folder)) == found


def test_a_vault_is_the_nearest_one_in_the_project(tmp_path: Path) -> None:
    """What is around a project is not looked at."""
    made = Project(tmp_path / "project")
    (tmp_path / ".obsidian").mkdir()
    made.write("a/.obsidian/x", "")
    made.write("a/b/.obsidian/x", "")
    made.write("a/b/c/x", "")
    found = [vault_of(made.root, each) for each in ("a/b/c", "a/b", "a", "", "/a", "../x")]
    assert found == ["a/b/", "a/b/", "a/", None, None, None]
    made.write(".obsidian/x", "")
    assert vault_of(made.root, "") == ""


CARD = "## What?\n\n![[a.png]]\n"


def shown(result: Result) -> list[str]:
    """The names of the media of all notes, and what is wrong."""
    names = [media.name for note in result.notes for media in note.media]
    return names + [each.message for each in result.problems if each.code == "image-unusable"]


def test_a_picture_is_found_anew_when_another_of_its_name_appears(tmp_path: Path) -> None:
    """A card follows from all files of that name, in an open project and in the next run."""
    made = project(tmp_path, {"b.md": CARD})
    made.write("pictures/a.png", DOT)
    with verideck.Project.open(made.root) as opened:
        (first,) = shown(opened.check())
        assert shown(opened.check()) == [first]
        second = made.write("more/a.png", OTHER)
        (message,) = shown(opened.check())
        assert message == "a.png may be more/a.png or pictures/a.png"
    made.write("cards/a.png", OTHER)
    (beside,) = shown(made.result())
    assert beside not in {first, message}
    second.unlink()
    (made.root / "cards/a.png").unlink()
    assert shown(made.result()) == [first]
    (made.root / "pictures/a.png").unlink()
    assert shown(made.result()) == ["there is no file a.png"]


def test_a_name_is_read_like_any_other_path(tmp_path: Path) -> None:
    """Nothing outside of the project, and nothing that is hidden, is packed by its name."""
    made = project(tmp_path / "project", {"b.md": "## What?\n\n![[a.png]] ![[../../c.png]]\n"})
    (tmp_path / "c.png").write_bytes(DOT)
    (made.root / "cards" / "a.png").symlink_to(tmp_path / "c.png")
    told = shown(made.result())
    assert told == ["a.png is outside the project", "../../c.png is outside the project"]


def test_a_picture_of_markdown_is_found_by_its_name_in_a_vault(tmp_path: Path) -> None:
    """Obsidian writes `![](a.png)` for a picture in another folder, if it is told to."""
    made = project(tmp_path, {"b.md": "## What?\n\n![](a%20b.png)\n"})
    made.write("pictures/a b.png", DOT)
    (message,) = shown(made.result())
    assert "cannot be read" in message
    made.write(".obsidian/app.json", "{}")
    (name,) = shown(made.result())
    assert name.endswith(".png")


def test_a_sound_is_found_by_its_name(tmp_path: Path) -> None:
    """As a picture is."""
    made = project(tmp_path, {"b.md": "## What?\n\n![[a.MP3]]\n"})
    made.write("sounds/a.mp3", b"sound")
    (note,) = made.result().notes
    assert note.fields["Answer"] == f"[sound:{note.media[0].name}]"


def test_a_document_is_found_by_its_name(tmp_path: Path) -> None:
    """A link packs it, and tells where there is none or are several."""
    made = project(tmp_path, {"b.md": "## What?\n\n[[a.pdf#page=2|b]] [[c.pdf]] [[d.pdf]]\n"})
    for path in ("more/a.pdf", "x/c.pdf", "y/c.pdf"):
        made.write(path, b"%PDF")
    result = made.result()
    (note,) = result.notes
    (media,) = note.media
    assert note.fields["Answer"] == f'<a href="{media.name}#page=2">b</a> c.pdf d.pdf'
    assert [(each.code, each.message) for each in result.problems] == [
        ("link-dead", "c.pdf leads nowhere: c.pdf may be x/c.pdf or y/c.pdf"),
        ("link-dead", "d.pdf leads nowhere: there is no file d.pdf"),
    ]


def answer(root: Path, text: str) -> str:
    """The answer of a card that ends with a text."""
    made = project(root, {"b.md": f"---\nverify: false\n---\n## What?\n\n{text}\n"})
    (note,) = made.result().notes
    return note.fields["Answer"]


@pytest.mark.parametrize(
    ("written", "is_shown"),
    [
        ("a ^37066d", False),
        ("a ^my-name", False),
        ("a^37066d", True),
        (r"a \^beta", True),
        ("2 ^10", True),
        ("`a ^37066d`", True),
        ("^37066d b", True),
        ("a ^beta.", True),
        ("a ^be_ta", True),
        ("- ^beta", True),
        ("$a ^beta$", True),
    ],
)
def test_a_word_is_an_id_by_its_form_and_its_file(
    tmp_path: Path, written: str, *, is_shown: bool
) -> None:
    """At the end of a block, behind a blank, and only where the file is Obsidian's."""
    assert "^" in answer(tmp_path / "alone", written)
    (tmp_path / "vault" / ".obsidian").mkdir(parents=True)
    assert ("^" in answer(tmp_path / "vault", written)) is is_shown
    assert ("^" in answer(tmp_path / "linked", f"{written}\n\n[[b]]")) is is_shown


def test_an_id_that_a_link_names_is_one(tmp_path: Path) -> None:
    """Then nothing is told of it, whatever its form."""
    text = "2 ^10\n\na ^b\n\n[[#^10]] [[c#^b|d]]"
    made = project(tmp_path, {"b.md": f"## What?\n\n{text}\n"})
    result = made.result()
    assert "^10</" not in result.notes[0].fields["Answer"].partition("<span")[0]
    assert [each.code for each in result.problems] == ["note-linked"]


def test_the_blocks_of_a_footnote_have_ids_too(tmp_path: Path) -> None:
    """On its line, on those below it, and on one alone; a note that is nothing else is text."""
    text = (
        "One[^1], two[^2], three[^3] and [[c]].\n\n[^1]: A ^37066d\n[^2]:\n    - B ^ab12cd\n\n"
        "    C\n\n    ^ef3456\n[^3]: ^37066d"
    )
    result = project(tmp_path, {"b.md": f"## What?\n\n{text}\n"}).result()
    shown = result.notes[0].fields["Extra"]
    assert re.findall(r"\^\w+", shown) == ["^37066d"]
    assert re.findall(r"\b[ABC]\b", shown) == ["A", "B", "C"]


WRITTEN = st.lists(
    st.sampled_from(["a", " ", "\n", "^ab12cd", "^b", "- ", "> ", "# ", "|", "[[a]]", "`", "\n\n"])
).map("".join)


@given(WRITTEN)
def test_only_ids_are_taken_away(text: str) -> None:
    """All lines stay where they are, and all but ids and the blanks before them stands in them."""
    passage = Passage(text, Place("a.md"))
    without, alone, told = markdown.unnamed(passage, in_vault=True)
    before, after = text.split("\n"), without.text.split("\n")
    assert len(before) == len(after)
    for whole, left in zip(before, after, strict=True):
        assert whole.startswith(left)
        assert whole == left or re.fullmatch(r"\s*\^[a-z0-9-]+\s*", whole[len(left) :])
    for lines in alone:
        assert not after[lines.start].strip(" >")
    assert all(text.split("\n")[each.place.line - 1][each.place.column - 1] == "^" for each in told)
