"""No text takes the square of its length, or a depth of the stack, or a memory of its own."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from growth import FORMS, OUTPUTS, PLACES, REPORTED, SIBLINGS, Case, cases, complaints
from projects import Project, project

from verideck.history.diff import plain, words
from verideck.model import Place
from verideck.problems import Code, Severity
from verideck.proof.expected import difference, unwritable
from verideck.proof.python.parent.places import line_at
from verideck.rules.series import series
from verideck.source.includes import IncludedFiles, IncludeError
from verideck.source.size import LONGEST
from verideck.storage.files import Lines

pytestmark = pytest.mark.no_cover

QUICK = [2_000, 16_000]
"""A text, and one of eight times its length: what takes the square takes 64 times as long."""
FREELY = float("inf")
"""What a character may take is measured by the benchmark, where nothing traces the code."""
TIMES = 3.0
"""How many times as long a character of the longer text may take: far from eight, and from one."""

ALL = {f"{case.pattern!r} in {case.place}": replace(case, bound=FREELY) for case in cases()}
ONCE_SLOW = [name for name, case in ALL.items() if case.was_slow]


@pytest.mark.parametrize(
    "case",
    [pytest.param(ALL[name], id=name) for name in ONCE_SLOW],
)
def test_what_was_once_slow_is_linear(case: Case) -> None:
    """Whatever stands in an answer, a question, code, maths, attributes or an expected output."""
    assert list(complaints(case, QUICK, TIMES)) == []


@pytest.mark.parametrize("pattern", SIBLINGS)
def test_every_other_mark_is_linear(pattern: str) -> None:
    """In an answer, where most marks mean something."""
    case = ALL[f"{pattern!r} in an answer"]
    assert list(complaints(case, QUICK, TIMES)) == []


@pytest.mark.parametrize("place", FORMS)
def test_the_marks_of_other_tools_are_linear(place: str) -> None:
    """In a file of theirs, whether they are closed or not."""
    found = [complaints(case, QUICK, TIMES) for case in ALL.values() if case.place == place]
    assert found
    assert [each for those in found for each in those] == []


@pytest.mark.parametrize("line", ["# region a{}b", "/* region a{}*/ x", "#{}region x y"])
def test_a_line_that_begins_a_region_is_linear(tmp_path: Path, line: str) -> None:
    """However many blanks stand in it: its regular expression took the cube of their number."""
    blanks = " " * 1_000_000
    text = f"# region x\n{line.format(blanks)}\na = 1\n# endregion x\n"
    (tmp_path / "a.py").write_text(text)
    started = time.process_time()
    assert "a = 1" in IncludedFiles(tmp_path).find("a.py", "", "x").code
    assert time.process_time() - started < 2


def test_the_name_of_a_region_ends_where_its_comment_does(tmp_path: Path) -> None:
    """Behind it may stand what closes a comment, and blanks."""
    lines = ["/* region the one */", "a", "<!--endregion the one-->  ", "# region b */ c", "d"]
    (tmp_path / "a.py").write_text("\n".join([*lines, "# endregion b */ c"]))
    included = IncludedFiles(tmp_path)
    assert included.find("a.py", "", "the one").code == "a\n"
    assert included.find("a.py", "", "b */ c").code == "d\n"


SERIES = re.compile(
    r"(?:[^\s,.;:!?]+(?: [^\s,.;:!?]+){0,2}, ){2,}(?:[^\s,.;:!?]+ ){0,3}?(?:and|or) "
)
"""What a series is, as a regular expression, which takes the square of the length of a text."""


def test_a_series_is_what_its_regular_expression_says() -> None:
    """In any order of words, commas and blanks."""
    random = Random(1)  # noqa: S311 - no secret
    pieces = ["a", "bb", " ", " ", ", ", ", ", " and ", " or ", "and ", ", and ", "."]
    for _ in range(20_000):
        text = "".join(random.choice(pieces) for _ in range(random.randrange(30)))
        expected = [
            (
                found.group().count(",") + 1 + (not found.group().endswith((", and ", ", or "))),
                found.start(),
            )
            for found in SERIES.finditer(text)
        ]
        assert list(series(text)) == expected, text


def test_what_cannot_be_decided_is_never_taken_for_equal() -> None:
    """A number agrees with all others; behind the wildcard there are too many places to try."""
    expected = "..." + "1.0 " * 5000 + "2.0..."
    found = difference(expected, "1.0 " * 20_000)
    assert found is not None
    assert found.undecided
    assert difference(expected, "x " + "1.0 " * 5000 + "2.0 y") is None


def test_what_cannot_be_decided_is_told(tmp_path: Path) -> None:
    """At the output, with what to write instead."""
    shown = "..." + "1.0 " * 2000 + "2.0"
    code = '```python\nprint("1.0 " * 9000)\n```\n\n```output\n' + shown + "...\n```\n"
    made = project(tmp_path, {"a.md": f"## What is printed?\n\n{code}"})
    (problem,) = (each for each in made.result().problems if each.severity is Severity.ERROR)
    assert (problem.code, problem.place.line) == (Code.OUTPUT_DIFFERS, 7)
    assert "too many places" in problem.message


@pytest.mark.parametrize("exponent", ["9" * 5000, "-" + "9" * 5000, "0" * 5000 + "1"])
def test_a_number_of_thousands_of_digits_is_compared(exponent: str) -> None:
    """Python makes no integer of it, and no traceback may come of that."""
    assert difference(f"0.5e{exponent}", "x 0.1") is not None
    assert difference("0.0e400", "17.5") is not None, "nothing is near by any number of digits"


def test_blank_lines_are_looked_at_once() -> None:
    """For a line that would close a fence, among a million blank ones."""
    started = time.process_time()
    assert unwritable("\n" * 1_000_000 + "a\n" + " " * 1_000_000) == ""
    assert unwritable("\n \n  ```") != ""
    assert time.process_time() - started < 2


def sized(root: Path, text: str) -> Project:
    """A project of one file."""
    return project(root, {"a.md": text})


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("## What?\n\n{}\n", 3, "this"),
        ("## What?\n\n```text\n{}\n```\n", 3, "this"),
        ("## What?\n\n    {}\n", 3, "this"),
        ("## {}\n\nanswer\n", 1, "this"),
        ("- {}\n  - answer\n", 1, "this"),
        ("Q: {}\n\nA: answer\n", 1, "this"),
    ],
    ids=["paragraph", "fence", "indented", "heading", "item", "Q"],
)
def test_a_text_that_is_too_long_is_told_at_its_line(
    tmp_path: Path, text: str, line: int, what: str
) -> None:
    """And at once, before anything in it is parsed."""
    made = sized(tmp_path, text.format("*a " * (LONGEST // 3 + 1)))
    started = time.process_time()
    (problem,) = [each for each in made.result().problems if each.code is not Code.DECK_EMPTY]
    assert time.process_time() - started < 5
    assert (problem.code, problem.place.line) == (Code.CARD_TOO_LARGE, line)
    assert problem.message.startswith(f"{what} is too long: 100,")


def test_a_module_is_parsed_once_for_all_its_symbols(tmp_path: Path) -> None:
    """A fence that includes one is forty characters, and the module may be a million."""
    (tmp_path / "a.py").write_text("def f():\n    return 1\n" + "x = 1\n" * 100_000)
    started = time.process_time()
    for _ in range(50):
        assert IncludedFiles(tmp_path).find("a.py", "f", "").code.startswith("def f")
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1\n" * 200_000 + "def f(): ...\n", "too long"),
        ("x = " + "-" * 60_000 + "1\ndef f(): ...\n", "not Python"),
    ],
)
def test_a_module_that_cannot_be_parsed_is_told(tmp_path: Path, text: str, why: str) -> None:
    """Its tree would take gigabytes, or more levels of the stack than there are."""
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(IncludeError, match=why):
        IncludedFiles(tmp_path).find("a.py", "f", "")


@pytest.mark.parametrize("pattern", ["a b ", "<!--", "<style>", "<br ", "<script>x", "<p>a</p>"])
def test_a_field_of_a_former_package_is_compared_in_time(pattern: str) -> None:
    """It may be a stranger's, and say anything; long texts that share no end are not aligned."""
    random = Random(1)  # noqa: S311 - nothing is secret
    old, new = ("".join(random.choice(pattern) for _ in range(20_000)) for _ in range(2))
    long = pattern * (400_000 // len(pattern))
    started = time.process_time()
    assert words(old, new)
    assert words(plain(long), plain(f"{long}{long}"))
    assert time.process_time() - started < 8


def test_an_image_is_read_once_however_often_it_is_shown(tmp_path: Path) -> None:
    """Neither time nor memory is that of its size times the number of cards."""
    asked = "".join(f"## What {n}?\n\n{'![](a.png)' * 100}\n\n" for n in range(30))
    made = project(tmp_path, {"a.md": asked, "cards/a.png": b"x" * 10_000_000})
    started = time.process_time()
    result = made.result()
    assert time.process_time() - started < 15
    assert len(result.notes) == 30
    assert len({id(each.content) for note in result.notes for each in note.media}) == 1


def test_a_line_of_a_module_is_found_as_fast_as_any_other(tmp_path: Path) -> None:
    """A report may name a thousand lines of each of a thousand modules: each is read once."""
    files = {f"{name}.py": "x\n" * 1_000_000 for name in "ab"}
    made = project(tmp_path, {"a.md": "## A?\n\nB.\n"})
    for name, text in files.items():
        made.write(name, text)
    places = [Place(name, line) for name in files for line in range(1, 1001)]
    started = time.process_time()
    assert all(line_at(each, (), made.root) == "x" for each in places)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\nb", "\n\nb\n"])
def test_lines_are_those_of_the_text(text: str) -> None:
    """From the first to the last, and none beside them."""
    lines, wanted = Lines(text), text.split("\n")
    assert [lines.at(number) for number in range(1, len(wanted) + 1)] == wanted
    assert lines.at(0) is lines.at(len(wanted) + 1) is None


@pytest.mark.linux("has its clock")
def test_code_that_takes_long_again_and_again_takes_long_once(tmp_path: Path) -> None:
    """Pygments has lexers that never end: seconds for each such fence would be hours for a file."""
    fence = '## What {}?\n\n```fish\n"' + "\\" * 60 + "!\n```\n\n"
    made = sized(tmp_path, "".join(map(fence.format, range(30))) + "## A?\n\n```c\nint a;\n```\n")
    started = time.process_time()
    found = [each.code for each in made.result().problems]
    assert time.process_time() - started < 8
    assert found == [Code.HIGHLIGHT_FAILED] * 30


def test_an_answer_of_many_paragraphs_is_told_at_its_first_line(tmp_path: Path) -> None:
    """Each of them is short enough, and all of them are not."""
    made = sized(tmp_path, "## One?\n\n1\n\n## What?\n\n" + "a word\n\n" * (LONGEST // 8 + 1))
    (problem,) = made.result().problems
    assert (problem.code, problem.place.line) == (Code.CARD_TOO_LARGE, 7)
    assert problem.message.startswith("this answer is too long: 100,")


def test_a_long_text_that_is_short_enough_is_a_card(tmp_path: Path) -> None:
    """The limit is that of no card that a person has written."""
    made = sized(tmp_path, "## What?\n\n" + "word " * (LONGEST // 5 - 1))
    assert made.check().ok


def test_a_note_that_is_too_large_for_android_is_told(tmp_path: Path) -> None:
    """Code of many signs becomes twenty times as long in a field."""
    code = "~~~text\n" + "<" * 90_000 + "\n~~~\n\n"
    fences = (
        "## What?\n\n~~~c\n"
        + "+ - " * 4_900
        + "\n~~~\n"
        + "\n~~~c\n".join(["", *["* / " * 4_900 + "\n~~~\n"] * 4])
    )
    made = project(tmp_path, {"a.md": fences, "b.md": f"## Why?\n\n{code}"})
    (problem,) = (each for each in made.result().problems if each.severity is Severity.ERROR)
    assert (problem.code, problem.place) == (Code.CARD_TOO_LARGE, Place("cards/a.md", 1, 4))
    assert "bytes of HTML, at most 1,000,000" in problem.message


def test_more_deletions_than_anki_asks_for_are_told(tmp_path: Path) -> None:
    """Anki makes an empty card of a deletion with a number above 500."""
    made = sized(tmp_path, "## A {{c1::b}}\n\n" + "==a== " * 600)
    (problem,) = [each for each in made.result().problems if each.code is Code.CLOZE_NUMBER]
    assert "601 things" in problem.message


def test_every_place_has_a_pattern() -> None:
    """The benchmark measures what these tests assert."""
    assert {case.place for case in ALL.values()} >= {*PLACES, "an output", "an included file"}
    assert {case.pattern for case in ALL.values()} >= {*REPORTED, *SIBLINGS, *OUTPUTS}
