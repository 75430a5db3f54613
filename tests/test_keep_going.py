"""A build that keeps going: what holds is packaged, and no history pays for what does not."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import MOMENT, Project, project, remembered

import verideck
from verideck.history.stamp import RETIRED
from verideck.problems import BuildFailedError, Code
from verideck.result import Built
from verideck.targets import packages

PAGE = """\
## What is a planet?

A body that goes round a star.

## What is {six}?

```python
product = 2 * 3
assert product == {six}
```

## What is a moon?

A body that goes round a planet.
"""


def kept_going(made: Project, build_time: int = MOMENT + 60, *, locked: bool = False) -> Built:
    """Build what holds."""
    with verideck.Project.open(made.root) as opened:
        result = opened.check()
        assert not result.ok
        return opened.build(result, keep_going=True, build_time=build_time, locked=locked)


def asked(made: Project, file: str = "deck.apkg") -> set[str]:
    """What the notes of a package ask that have a card."""
    notes = packages.read(made.root / file).values()
    return {note.fields["Question"] for note in notes if RETIRED not in note.tags}


def guids(made: Project) -> dict[str, str]:
    """The guids of all notes that are not retired, by their questions."""
    entries = remembered(made.root).entries
    return {each.identity.question: guid for guid, each in entries.items() if not each.retired}


def test_the_cards_that_hold_are_packaged(tmp_path: Path) -> None:
    """The others are named, and the command fails all the same."""
    made = project(tmp_path, {"a.md": PAGE.format(six=7)})
    run = made.run("build", "--keep-going")
    assert run.returncode == 1
    assert "cards/a.md:9:" in run.stderr
    assert "[assertion-failed]" in run.stderr
    assert "left out: cards/a.md:5  What is 7?" in run.stderr
    assert "Error: 1 problem in 3 cards; what holds is packaged" in run.stderr
    assert "deck.apkg: 2 notes, sha256 " in run.stderr
    assert asked(made) == {"What is a planet?", "What is a moon?"}


def test_the_cards_that_could_not_be_read_are_named(tmp_path: Path) -> None:
    """As those that were executed, or rendered, and do not hold."""
    pages: dict[str, str | bytes] = {
        "a.md": "## Good?\n\nYes.\n\n## Bad? {#bad}\n\n$\\frac{1$\n\n## Gone?\n\n![](no.png)\n",
        "b.md": "```python {.setup a=1}\n```\n\n## Why?\n\nSo.\n\n## Who?\n\n```pyhton=5\n```\n",
    }
    run = project(tmp_path, pages).run("build", "--keep-going")
    named = [line.split(maxsplit=3) for line in run.stderr.split("\n") if "left out" in line]
    assert [(place, asks) for *_, place, asks in named] == [
        ("cards/a.md:5", "Bad?"),
        ("cards/a.md:9", "Gone?"),
        ("cards/b.md:4", "Why?"),
        ("cards/b.md:8", "Who?"),
    ]
    assert "deck.apkg: 1 note" in run.stderr


def test_programs_read_what_was_left_out(tmp_path: Path) -> None:
    """As JSON; where nothing was packaged, there is nothing to tell."""
    made = project(tmp_path, {"a.md": PAGE.format(six=7)})
    run = made.run("build", "--keep-going", "--format", "json")
    told = json.loads(run.stdout)
    assert run.returncode == 1
    assert told["left_out"] == [{"path": "cards/a.md", "line": 5, "question": "What is 7?"}]
    assert told["notes"] == 2
    assert json.loads(made.run("build", "--format", "json").stdout)["left_out"] is None


def test_where_all_holds_nothing_is_different(tmp_path: Path) -> None:
    """The same exit code, the same words, the same package."""
    made = project(tmp_path, {"a.md": PAGE.format(six=6)})
    run = made.run("build", "--keep-going")
    assert run.returncode == 0
    package = (made.root / "deck.apkg").read_bytes()
    assert made.run("build").returncode == 0
    assert (made.root / "deck.apkg").read_bytes() == package


def test_strictness_and_going_on_exclude_each_other(tmp_path: Path) -> None:
    """What --strict refuses, --keep-going would package."""
    made = project(tmp_path, {"a.md": PAGE.format(six=6)})
    assert made.run("build", "--keep-going", "--strict").returncode == 2


WRONG: dict[str, tuple[str, str, Code]] = {
    "settings": ("pyproject.toml", "[tool.verideck]\ndekk = 'Root'\n", Code.SETTING_INVALID),
    "the lock": ("cards.lock", "nothing\n", Code.LOCK_INVALID),
    "every card": ("cards/a.md", "## One? {#a .foo}\n\nOne.\n", Code.ATTRIBUTE_INVALID),
}


@pytest.mark.parametrize("what", WRONG)
def test_nothing_is_written_where_nothing_can_be_known(tmp_path: Path, what: str) -> None:
    """A wrong setting or a damaged lock may concern every card; and a deck needs a card."""
    made = project(tmp_path, {"a.md": PAGE.format(six=7)})
    path, text, code = WRONG[what]
    made.write(path, text)
    with verideck.Project.open(made.root) as opened, pytest.raises(BuildFailedError) as failure:
        opened.build(opened.check(), keep_going=True)
    assert code in {each.code for each in failure.value.problems}
    assert not (made.root / "deck.apkg").exists()


def test_a_card_that_fails_keeps_its_note(tmp_path: Path) -> None:
    """It is not retired, and so is nothing else meanwhile; mended, it is the note that it was."""
    made = project(tmp_path, {"a.md": PAGE.format(six=6)})
    made.build()
    before = guids(made)
    planet, _, rest = PAGE.format(six=6).partition("## What is 6?")
    broken = "## What is 6?" + rest.replace("== 6", "== 7").partition("## What is a moon?")[0]
    made.write("cards/a.md", planet + broken)
    built = kept_going(made)
    assert (built.notes, built.retired) == (1, 0)
    assert guids(made) == before
    made.write("cards/a.md", planet + broken.replace("== 7", "== 6"))
    made.build(build_time=MOMENT + 120)
    (retired,) = (note for note in packages.read(made.root / "deck.apkg").values() if not note.deck)
    assert retired.tags == (RETIRED,)
    assert retired.fields["Answer"] == "A body that goes round a planet."
    assert guids(made) == {each: before[each] for each in ("What is a planet?", "What is 6?")}


def test_what_was_left_out_and_then_deleted_is_retired_with_its_text(tmp_path: Path) -> None:
    """The package between had no text of it: the lock has."""
    made = project(tmp_path, {"a.md": PAGE.format(six=6)})
    made.build()
    made.write("cards/a.md", PAGE.format(six=6).replace("== 6", "== 7"))
    kept_going(made)
    made.write("cards/a.md", PAGE.format(six=6).partition("## What is 6?")[0])
    made.build(build_time=MOMENT + 120)
    notes = packages.read(made.root / "deck.apkg").values()
    assert {note.fields["Question"] for note in notes if RETIRED in note.tags} == {
        "What is 6?",
        "What is a moon?",
    }


def test_a_locked_build_goes_on_too(tmp_path: Path) -> None:
    """A card that fails here and not there is no reason to call the lock stale."""
    made = project(tmp_path, {"a.md": PAGE.format(six=6)})
    made.build()
    lock = (made.root / "cards.lock").read_bytes()
    made.write("cards/a.md", PAGE.format(six=6).replace("== 6", "== 7"))
    assert kept_going(made, locked=True).notes == 2
    assert (made.root / "cards.lock").read_bytes() == lock


def test_of_two_cards_with_one_id_neither_is_packaged(tmp_path: Path) -> None:
    """Which of them has the reviews is the author's to say."""
    twins = "## One? {#one}\n\n1.\n\n## Which? {#one}\n\n2.\n\n## Two?\n\n2.\n"
    made = project(tmp_path, {"a.md": twins})
    kept_going(made)
    assert asked(made) == {"Two?"}


def test_what_is_wrong_with_a_file_takes_all_its_cards(tmp_path: Path) -> None:
    """Nobody knows their deck, or their tags."""
    files: dict[str, str | bytes] = {
        "cards/a.md": "---\ntags: 3: 4\ndeck: [a]\n---\n\n## One?\n\n1.\n",
        "b.md": "## Two?\n\n2.\n",
    }
    made = project(tmp_path, files)
    kept_going(made)
    assert asked(made) == {"Two?"}


def test_a_card_under_the_floor_is_left_out(tmp_path: Path) -> None:
    """Its assertions hold, and are not worth enough."""
    weak = "## Big?\n\n```python\ny = 2 * 3\n```\n\n```python {.check}\nassert y > 0\n```\n"
    made = project(tmp_path, {"a.md": f"{weak}\n## Two?\n\n2.\n"})
    made.write(
        "pyproject.toml",
        '[tool.verideck]\nnamespace = "tests"\noutput = "deck.apkg"\n'
        "[tool.verideck.audit]\nbuild = true\nfloor = 0.99\n",
    )
    kept_going(made)
    assert asked(made) == {"Two?"}


MOON = "## What is a moon of Jupiter?\n\nA body that goes round that planet, as Europa does.\n"
EUROPA = MOON.replace("What is a moon", "Which is a moon")
CLOSED = "---\nlang: en\n---\n\n"
"""Front matter; without its last line nothing of the file can be read."""


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ({"a.md": CLOSED + MOON}, {"a.md": CLOSED + MOON, "b.md": EUROPA}),
        ({"a.md": CLOSED + MOON}, {"a.md": CLOSED + PAGE.format(six=6), "b.md": EUROPA}),
        ({"a.md": CLOSED + MOON}, {"a.md": CLOSED + MOON, "b.md": f"# Other\n\n{MOON}"}),
    ],
    ids=["another card like it", "it has moved", "the same question"],
)
@pytest.mark.parametrize("fault", ["front matter", "bytes"])
def test_who_a_card_is_waits_until_all_can_be_read(
    tmp_path: Path, before: dict[str, str | bytes], then: dict[str, str], fault: str
) -> None:
    """A card is not taken for a note, nor for a new one, that a file may hold which is unread."""
    made, other = project(tmp_path / "one", before), project(tmp_path / "other", before)
    for each in (made, other):
        each.build()
        for path, text in then.items():
            each.write(f"cards/{path}", text)
    try:
        other.build(build_time=MOMENT + 120)
    except BuildFailedError as failure:
        assert {each.code for each in failure.problems} == {Code.ID_REPEATED}  # noqa: PT017
        return
    text = then["a.md"]
    broken = (
        text.encode() + b"\xff" if fault == "bytes" else text.replace("---\n\n", "", 1).encode()
    )
    made.write("cards/a.md", broken)
    made.write("cards/c.md", "## What is new?\n\nThis.\n")
    kept_going(made)
    assert asked(made) == {"What is new?"}
    (made.root / "cards/c.md").unlink()
    made.write("cards/a.md", text)
    made.build(build_time=MOMENT + 120)
    assert guids(made) == guids(other)


# Whatever is edited, and whatever does not hold meanwhile

WORDS = (
    *("moon", "star", "comet", "orbit", "light", "dust", "ring", "core"),
    *("storm", "wind", "ice", "rock", "tide", "gas", "flare", "crater"),
)


@dataclass(frozen=True)
class Sheet:
    """A card of these histories."""

    file: int
    question: tuple[int, ...]
    answer: tuple[int, ...]

    def text(self, more: str = "") -> str:
        """Its Markdown."""
        question, answer = (
            " ".join(WORDS[each % len(WORDS)] + "s" * (each // len(WORDS)) for each in words)
            for words in (self.question, self.answer)
        )
        return f"## Which {question}?{more}\n\nThe {answer}.\n"


SHEETS = st.lists(
    st.builds(
        Sheet,
        st.integers(0, 2),
        st.lists(st.integers(0, 40), min_size=4, max_size=6).map(tuple),
        st.lists(st.integers(0, 40), min_size=4, max_size=6).map(tuple),
    ),
    min_size=2,
    max_size=6,
    unique_by=lambda each: each.question,
)

EDITS: dict[str, Callable[[Sheet, int], list[Sheet]]] = {
    "reword": lambda sheet, word: [replace(sheet, question=(word, *sheet.question[1:]))],
    "rewrite": lambda sheet, word: [replace(sheet, answer=(word, *sheet.answer[1:]))],
    "move": lambda sheet, word: [replace(sheet, file=word % 3)],
    "both": lambda sheet, word: [Sheet(word % 3, (word, *sheet.question[1:]), sheet.answer)],
    "copy": lambda sheet, word: [sheet, *EDITS["both"](sheet, word)],
    "delete": lambda _, __: [],
}

FAULTS: dict[str, Callable[[str], str | bytes]] = {
    "a card": lambda text: text.replace("?\n", "? {.foo}\n", 1),
    "the last card": lambda text: "? {.foo}\n".join(text.rsplit("?\n", 1)),
    "front matter": lambda text: f"---\ntags: [a b]\n---\n{text}",
    "no front matter": lambda text: f"---\n\t:\n{text}",
    "bytes": lambda text: text.encode() + b"\xff\n",
    "an image": lambda text: text.replace(".\n", " ![](none.png).\n", 1),
}


def written(made: Project, sheets: Sequence[Sheet], faults: Sequence[tuple[int, str]] = ()) -> None:
    """Write cards, with what is wrong with some files."""
    shutil.rmtree(made.root / "cards", ignore_errors=True)
    faulty = dict(faults)
    for file in {each.file for each in sheets}:
        text = "\n".join(each.text() for each in sheets if each.file == file)
        wrong = FAULTS[faulty[file]](text) if file in faulty else text
        made.write(f"cards/{file}.md", wrong)


@given(
    SHEETS,
    st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.integers(0, 9), st.integers(0, 40))),
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(FAULTS))), min_size=1),
)
@settings(max_examples=15)
def test_a_build_between_costs_no_review(
    sheets: list[Sheet], edits: list[tuple[str, int, int]], faults: list[tuple[int, str]]
) -> None:
    """Every note that a build of the mended cards would know again, it knows after that one, too.

    And none is retired that would not be.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = project(Path(folder) / "one", {})
        written(made, sheets)
        made.build()
        edited: list[Sheet] = list(sheets)
        for name, number, word in edits:
            if edited:
                place = number % len(edited)
                edited[place : place + 1] = EDITS[name](edited[place], word)
        if not edited or len({each.question for each in edited}) < len(edited):
            return
        other = Project(Path(folder) / "other")
        shutil.copytree(made.root, other.root)
        written(other, edited)
        try:
            other.build(build_time=MOMENT + 120)
        except BuildFailedError:
            return  # what is not clear anyway
        written(made, edited, faults)
        with verideck.Project.open(made.root) as opened:
            result = opened.check()
            if result.notes:
                opened.build(result, keep_going=True, build_time=MOMENT + 60)
        written(made, edited)
        made.build(build_time=MOMENT + 120)
        assert guids(made) == guids(other)


ABOVE = "## What is a star?\n\nA sun.\n\n"
BELOW = "\n## What is a sun?\n\nA star.\n"
SWALLOWED = {
    "code outside of the cards": ("```python\nx = 1\n```\n\n" + PAGE.format(six=6), 0),
    "a fence": (f"{ABOVE}## What is code?\n\n- this\n\n  ```c\n  x\n{BELOW}", 1),
    "a comment": (f"{ABOVE}## What is <!-- noted?\n\nThis.\n{BELOW}", 2),
}
"""A file in which something stands wrong or open, and how many of its three cards that concerns."""


@pytest.mark.parametrize("what", SWALLOWED)
def test_what_stands_above_or_beside_a_fault_holds(tmp_path: Path, what: str) -> None:
    """Only the cards that may be others than they seem wait."""
    text, waiting = SWALLOWED[what]
    made = project(tmp_path, {"a.md": text})
    kept_going(made)
    assert len(asked(made)) == 3 - waiting
