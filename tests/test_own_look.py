"""A project's own style sheet and templates: what Anki gets of them, and what it costs learners."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from projects import MOMENT, SETTINGS, Project, project

import verideck
from verideck.model import Kind
from verideck.problems import Code
from verideck.render.note_types import STEMS, note_types

CARDS = """## What is two? {#two .reversed}

A number.

## Which {{c1::word}}? {#word}

## Type it {#typed .type}

alpha
"""
OWN = SETTINGS + 'css = "look/deck.css"\ntemplates = "look"\n'
BACK = '{{FrontSide}}<hr id=answer><p class="mine">{{Answer}}</p>{{Extra}}{{Proof}}{{Source}}'


def own(folder: Path, settings: str = OWN, **files: str) -> Project:
    """A project with a look of its own."""
    made = project(folder, {"a.md": CARDS}, settings)
    made.write("look/deck.css", ".card { --accent: teal }\n")
    made.write("look/basic.back.html", BACK)
    for name, text in files.items():
        made.write(name, text)
    return made


@contextmanager
def imported(package: Path) -> Iterator[Collection]:
    """A package in an empty collection of the real Anki."""
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(str(Path(folder) / "collection.anki2"))
        options = ImportAnkiPackageOptions()
        request = ImportAnkiPackageRequest(package_path=str(package), options=options)
        collection.import_anki_package(request)
        yield collection
        collection.close()


def test_anki_gets_the_style_sheet_and_the_template(tmp_path: Path) -> None:
    """Behind ours, and in the place of ours; the real Anki shows a card by them."""
    package = own(tmp_path).build()
    with imported(package) as collection:
        for kind, ours in note_types().items():
            model = collection.models.by_name(ours.name)
            assert model
            assert model["css"] == f"{ours.css}\n.card {{ --accent: teal }}\n"
            back = BACK if kind is Kind.BASIC else ours.templates[0].back
            assert model["tmpls"][0]["afmt"] == back
        cards = [collection.get_card(each) for each in collection.find_cards("note:verideck")]
        assert sorted(card.ord for card in cards) == [0, 1]
        (first,) = (card for card in cards if card.ord == 0)
        assert '<p class="mine">A number.</p>' in first.answer()


def test_another_look_touches_no_note(tmp_path: Path) -> None:
    """Only the note types are stamped anew: no field of a learner's changes."""
    made = own(tmp_path, SETTINGS)
    made.build()
    before = (tmp_path / "cards.lock").read_text("utf-8").splitlines()
    made.write("pyproject.toml", OWN)
    made.build(build_time=MOMENT + 9)
    after = (tmp_path / "cards.lock").read_text("utf-8").splitlines()
    changed = [json.loads(line) for line in set(after) - set(before)]
    assert {each["notetype"] for each in changed} == {"basic", "cloze", "typed"}
    assert {each["mod"] for each in changed} == {MOMENT + 9}


def test_a_watcher_is_told_the_files(tmp_path: Path) -> None:
    """Those that are there, and one that is missing."""
    made = own(tmp_path)
    assert {"look/deck.css", "look/basic.back.html"} <= made.check().inputs
    (tmp_path / "look/deck.css").unlink()
    result = made.result()
    assert "look/deck.css" in result.inputs
    assert [each.code for each in result.problems] == [Code.SETTING_INVALID]


def test_the_result_has_the_note_types(tmp_path: Path) -> None:
    """Who shows cards shows them by these."""
    with verideck.Project.open(own(tmp_path).root) as opened:
        types = opened.check().note_types
    assert types[Kind.BASIC].templates[0].back == BACK
    assert all(each.css.endswith("teal }\n") for each in types.values())


def test_a_page_has_the_look_too(tmp_path: Path) -> None:
    """With the rules for the night."""
    made = own(tmp_path)
    made.write("look/deck.css", ".card { --accent: teal }\n.nightMode .card { --accent: pink }\n")
    with verideck.Project.open(made.root) as opened:
        opened.show(opened.check(), made.root / "deck.html")
    page = (made.root / "deck.html").read_text("utf-8")
    assert '<p class="mine">A number.</p>' in page
    assert page.count("--accent: pink") == 2


def test_a_link_out_of_the_project_is_not_read(tmp_path: Path) -> None:
    """As with all files of a project."""
    made = own(tmp_path / "deck")
    (tmp_path / "secret.css").write_text(".card { color: red }")
    (made.root / "look/deck.css").unlink()
    (made.root / "look/deck.css").symlink_to(tmp_path / "secret.css")
    (problem,) = made.result().problems
    assert "outside the project" in problem.message


@pytest.mark.parametrize("stem", STEMS.values())
def test_our_own_templates_may_be_copied(stem: str, tmp_path: Path) -> None:
    """What one begins with holds."""
    folder = Path(verideck.__file__).parent / "render/templates"
    copies = {
        f"look/{each.name}": each.read_text("utf-8") for each in folder.glob(f"{stem}.*.html")
    }
    assert len(copies) >= 2
    assert own(tmp_path, **copies).result().problems == ()
