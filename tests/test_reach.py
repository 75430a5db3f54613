"""What a build takes for deleted, moved or another card: by what it reads, and what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import MOMENT, Project, project, remembered

from verideck.history.stamp import RETIRED
from verideck.model import ChangeKind
from verideck.targets import packages

FIRST = "## What is x? {{{}}}\n\nThe unknown of an equation.\n\n"
OTHER = "## Other thing? {#other}\n\nYes, it is.\n"


def told(made: Project, *paths: str, output: str = "deck.apkg") -> dict[str, str]:
    """Build again; returns what became of the notes, by their ids."""
    files = [made.root / path for path in paths]
    built = made.package(made.result(*files), output, MOMENT + 10)
    return {
        each.id: str(each.kind) for each in built.changes if each.kind is not ChangeKind.UNTOUCHED
    }


def test_a_new_id_retires_the_old_note(tmp_path: Path) -> None:
    """Although the same question stands in the file, and is another note's."""
    made = project(tmp_path, {"a.md": FIRST.format("#old") + OTHER})
    made.build()
    made.write("cards/a.md", FIRST.format("#new") + OTHER)
    assert told(made) == {"old": "retired", "new": "new"}


def test_a_question_that_text_repeats_is_known_when_it_is_reworded(tmp_path: Path) -> None:
    """A table of contents asks nothing."""
    contents = "In this file:\n\n- What does a softmax subtract first?\n\n"
    answer = "\n\nThe maximum of the scores, so that no exponential overflows.\n"
    made = project(tmp_path, {"a.md": f"{contents}## What does a softmax subtract first?{answer}"})
    made.build()
    made.write("cards/a.md", f"{contents}## What is subtracted first by a softmax?{answer}")
    (fate,) = told(made).values()
    assert fate == "reworded"


@pytest.mark.parametrize(
    "draft",
    [
        "## What is x?\n",
        "## What is x? ##\n",
        '## What is x? {tags="b"}\n',
        '## What is x? {hint="h"}\n',
        "## What is x? {#known}\n",
    ],
)
def test_a_draft_keeps_its_note(tmp_path: Path, draft: str) -> None:
    """A question without an answer, however it is written, is no deleted card."""
    made = project(tmp_path, {"a.md": "## What is x?\n\nThe unknown.\n\n" + OTHER})
    made.build()
    made.write("cards/a.md", f"{draft}\n{OTHER}")
    assert told(made) == {}


def test_a_reworded_draft_is_known_by_its_id(tmp_path: Path) -> None:
    """Its question is another one, and its answer is not written."""
    made = project(tmp_path, {"a.md": FIRST.format("#known") + OTHER})
    made.build()
    made.write("cards/a.md", "## What was x? {#known}\n\n" + OTHER)
    assert told(made) == {}


def test_a_build_of_a_part_takes_no_other_files_note(tmp_path: Path) -> None:
    """The same question in a file that is not built is that file's card, and this is another."""
    made = project(tmp_path, {"a.md": "## What is x?\n\nA says this.\n"})
    made.build()
    (guid,) = remembered(made.root).entries
    made.write("cards/b.md", "## What is x?\n\nB says otherwise entirely.\n")
    assert [*told(made, "cards/b.md", output="b.apkg").values()] == ["new"]
    assert remembered(made.root).entries[guid].path == "cards/a.md"


def test_a_card_that_moved_and_was_reworded_is_known_by_a_build_of_its_file(tmp_path: Path) -> None:
    """The file where it stood is looked at, too."""
    answer = "\n\nThe maximum of the scores, so that no exponential overflows.\n\n"
    made = project(
        tmp_path,
        {
            "a.md": f"## What does a softmax subtract first?{answer}{OTHER}",
            "b.md": FIRST.format("#x"),
        },
    )
    made.build()
    made.write("cards/a.md", OTHER)
    made.write(
        "cards/b.md", f"{FIRST.format('#x')}## What is subtracted first by a softmax?{answer}"
    )
    (fate,) = told(made, "cards/b.md", output="b.apkg").values()
    assert fate == "moved"


def test_faults_of_files_that_are_not_built_are_not_told(tmp_path: Path) -> None:
    """A part can be built while another is being written."""
    made = project(tmp_path, {"a.md": FIRST.format("#x"), "b.md": "## Open ${x$\n\nNo {#y.\n"})
    assert told(made, "cards/a.md") == {"x": "new"}


def test_a_file_outside_of_the_cards_is_not_taken_for_deleted(tmp_path: Path) -> None:
    """A build of all cards does not read it; once it is gone, its note is retired."""
    made = project(tmp_path, {"a.md": OTHER})
    made.write("extra/e.md", FIRST.format("#extra"))
    made.build()
    assert told(made, "extra/e.md", output="e.apkg") == {"extra": "new"}
    assert told(made) == {}
    (made.root / "extra/e.md").unlink()
    assert "extra" in told(made)


def test_a_new_id_begins_anew_as_another_kind(tmp_path: Path) -> None:
    """As the error advises, also where the question is the same and had no id."""
    made = project(tmp_path, {"a.md": "## Is the sky blue?\n\nYes.\n"})
    made.build()
    (old,) = (each.identity.id for each in remembered(made.root).entries.values())
    made.write("cards/a.md", "## Is the sky blue? {.type}\n\nYes.\n")
    assert made.problems() == ["cards/a.md:1:4 kind-changed"]
    made.write("cards/a.md", "## Is the sky blue? {#sky .type}\n\nYes.\n")
    assert told(made) == {old: "retired", "sky": "new"}


def test_only_the_text_that_was_built_last_is_told_again(tmp_path: Path) -> None:
    """An older package would take a correction back from whoever has it."""
    made = project(tmp_path, {"a.md": "## What is x? {#x}\n\nOld wrong text.\n\n" + OTHER})
    older = made.build().read_bytes()
    made.write("cards/a.md", "## What is x? {#x}\n\nCorrected text.\n\n" + OTHER)
    newer = made.build(build_time=MOMENT + 1).read_bytes()
    made.write("deck.apkg", older)
    made.write("cards/a.md", OTHER)
    assert told(made) == {"x": "untagged"}
    made.write("cards/a.md", "## What is x? {#x}\n\nCorrected text.\n\n" + OTHER)
    made.build(build_time=MOMENT + 20)
    made.write("deck.apkg", older)  # and the newer one where this build writes
    made.write("b.apkg", newer)
    made.write("cards/a.md", OTHER)
    assert told(made, output="b.apkg") == {"x": "retired"}
    (retired,) = (
        each for each in packages.read(made.root / "b.apkg").values() if RETIRED in each.tags
    )
    assert "Corrected text." in retired.fields["Answer"]
