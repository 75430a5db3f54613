"""What is printed is inert: no character of a project acts on a terminal, a log or a reader."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import Project, card, project

import verideck
from verideck import inert
from verideck.cli import printing
from verideck.model import Place
from verideck.problems import BuildFailedError, Code, Problem

PACKAGE = Path(verideck.__file__).parent
FORMS = ["human", "json", "github"]

EVIL = {
    "a title of the window": "\x1b]0;pwned\x07",
    "an escape of C1": "\x9b31m",
    "a right-to-left override": "a\u202eb",
    "an isolate": "\u2066a\u2069",
    "a mark of direction": "a\u200fb\u061c",
    "no width": "a\u200bb\ufeff",
    "tags": "a\U000e0041\U000e007f",
    "separators": "a\u2028b\u2029c\x85",
    "a backspace": "a\x08b\x7f",
}


def acting(text: str) -> list[str]:
    """The characters in what was printed that are not seen and act; line feeds are ours."""
    acts = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [each for each in text if unicodedata.category(each) in acts and each not in "\n\t"]


# The rule


@given(st.text(st.characters() | st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_no_character_acts(text: str) -> None:
    """One line stays one line, letters stay what they are, and twice is no more than once."""
    shown = inert.line(text)
    assert acting(shown) == []
    assert "\n" not in shown
    assert inert.line(shown) == shown
    assert acting(inert.lines(text)) == []
    assert not re.search(r"##\w*\[|^\s*::", inert.lines(text), re.MULTILINE)


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters=":#\u034f")))
def test_what_is_seen_stays(text: str) -> None:
    """Letters, marks, numbers, punctuation and symbols of all scripts are printed as they are."""
    assert all(each in inert.line(text) or ord(each) in inert._FILLERS for each in text)  # noqa: SLF001 - the exceptions


def test_the_room_that_prints_has_one_door() -> None:
    """Nothing in `cli/` prints but `printing.py`, whatever is added."""
    for file in (PACKAGE / "cli").glob("*.py"):
        if file.name == "printing.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in {"print", "echo", "secho", "write", "writelines", "print_exc"}, file


def test_a_project_of_the_library_fails_inertly() -> None:
    """The text of the exception can be printed; what it holds is as it was."""
    problem = Problem(Code.NO_CARD, "a\x1b[31m\u202e", Place("a\n::error::b.md"))
    error = BuildFailedError([problem])
    assert acting(str(error)) == []
    assert str(error).count("\n") == 0
    assert error.problems == (problem,)


# The commands. Row 13 of the review, and its siblings


def yaml(text: str) -> str:
    """Text as a string of YAML, every character escaped."""
    return '"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"'


@pytest.fixture(params=EVIL)
def evil(request: pytest.FixtureRequest) -> str:
    """What a hostile project writes wherever it can."""
    return EVIL[request.param]


def judge(made: Project, *words: str) -> str:
    """Run a command in every form; returns what is printed in the first."""
    told = []
    for form in FORMS if words[0] not in {"id", "diff"} else [""]:
        run = made.invoke(*words, *(["--format", form] if form else []))
        told.append(run.stdout + run.stderr)
        assert run.returncode in {0, 1, 2}
        assert acting(told[-1]) == [], (words, form)
        if form == "json":
            assert json.loads(run.stdout) is not None
    return told[0]


def test_a_moved_deck_and_a_reworded_question_are_told_inertly(tmp_path: Path, evil: str) -> None:
    """The names of decks, questions, tags, sources and ids, in every command and form."""
    head = f"---\ndeck: {yaml('D' + evil)}\ntags: [{yaml('t' + evil.replace(' ', ''))}]\n"
    head += f"source: {yaml(evil)}\n---\n\n"
    asked = re.sub(r"[\x00-\x1f\x7f]", "", evil)
    made = project(tmp_path, {"a.md": "## What? {#a}\n\nThis.\n"})
    assert made.invoke("build").returncode == 0
    made.write("cards/a.md", f"{head}## What {asked} now? {{#a}}\n\nThis {asked}.\n")
    for words in (["lint"], ["check"], ["diff"], ["build", "--locked"], ["build"], ["id"]):
        judge(made, *words)


@pytest.mark.linux("executes")
def test_what_a_snippet_says_is_told_inertly(tmp_path: Path, evil: str) -> None:
    """What fails in code: its output, its exception, its values; an audit and an update, too."""
    code = f"text = {evil!a}\nprint(text)\nassert text == 'no', text"
    raises = f"raise ValueError({evil!a})"
    shown = f"## Shown? {{#c}}\n\nA.\n\n```python\nprint({evil!a})\n```\n\n```output\nx\n```\n"
    made = project(tmp_path, {"a.md": card("a", code) + card("b", raises) + shown})
    for words in (["check"], ["audit"], ["check", "--update"]):
        judge(made, *words)


def test_a_file_with_a_hostile_name_is_told_on_one_line(tmp_path: Path) -> None:
    """No name of a file begins a line, in any form: `::error` is no command of the project's."""
    made = project(tmp_path, {"a.md": "## What?\n\n${x$\n"})
    try:
        made.write("cards/x\n::error::pwned\x1b[31m.md", "## What is it?\n\n${x$\n")
        made.write("cards/::error::pwned.md", "## What is that?\n\n${x$\n")
    except OSError:
        pytest.skip("this file system has no such names")
    told = judge(made, "check", "--no-verify")
    assert "x␊::error::pwned␛[31m.md" in told
    for form in FORMS:
        run = made.invoke("check", "--no-verify", "--format", form, folder="cards")
        lines = [x for x in (run.stdout + run.stderr).split("\n") if x.lstrip().startswith("::")]
        assert all(re.match(r"::(error|notice|warning) file=|::notice::", x) for x in lines)
        assert bool(lines) == (form == "github")


@pytest.mark.linux("executes")
def test_no_output_is_a_command_of_a_build_server(tmp_path: Path) -> None:
    """What a failing snippet prints is indented text, also `##[…]`, which counts anywhere."""
    code = "print('::set-output name=a::b')\nprint('##[error]x ##vso[task.setvariable]y')\nassert 0"
    told = judge(project(tmp_path, {"a.md": card("a", code)}), "check")
    assert not re.search(r"##\w*\[", told)
    assert not re.search(r"(?m)^\s*::", told)


@pytest.mark.parametrize("form", ["json", "github"])
def test_no_form_for_programs_holds_a_command(tmp_path: Path, form: str) -> None:
    """Both are printed into a log, in which a build server obeys `##[…]` anywhere."""
    said = "##vso[task.prependpath]y ###[debug]"
    made = project(tmp_path, {"a.md": f"## A?\n\n![]({said.replace(' ', '')}.png)\n"})
    run = made.invoke("check", "--no-verify", "--format", form)
    assert "task.prependpath" in run.stdout
    assert not re.search(r"##\w*\[", run.stdout)
    if form == "json":
        assert said.replace(" ", "") in json.loads(run.stdout)["problems"][0]["message"]


def test_wrong_usage_is_told_inertly(tmp_path: Path) -> None:
    """Click repeats what was typed, or what a shell put there."""
    made = project(tmp_path, {"a.md": "## What?\n\nA.\n"})
    for words in (
        ["check", "x\n::error::\x1b[31m"],
        ["\x1b[31m\n::error::x"],
        ["check", "--\u202ex\n::error::"],
        ["check", "--executor", "\x1b\n::error::"],
        ["check", "--format", "\x9b\n::error::"],
        ["build", "-o", "a\n::error::\x1b.zip"],
    ):
        run = made.invoke(*words)
        assert run.returncode == 2
        assert acting(run.stdout + run.stderr) == []
        assert not re.search(r"(?m)^\s*::", run.stderr)


def test_settings_are_told_inertly(tmp_path: Path, evil: str) -> None:
    """A value or a name that is wrong, and a folder that is not there."""
    quoted = '"' + "".join(f"\\U{ord(each):08x}" for each in evil) + '"'
    for line in (
        f"timeout = {quoted}",
        f"{quoted} = 1",
        f"cards = {quoted}",
        f"executor = {quoted}",
    ):
        made = project(tmp_path, {"a.md": "## What?\n\nA.\n"}, f"[tool.verideck]\n{line}\n")
        judge(made, "check", "--no-verify")


def test_json_is_lossless(tmp_path: Path) -> None:
    """A program reads every character, in ASCII."""
    text = "".join(EVIL.values())
    made = project(
        tmp_path, {"a.md": "## A?\n\nB.\n"}, f"[tool.verideck]\ntimeout = {json.dumps(text)}\n"
    )
    run = made.invoke("check", "--format", "json")
    assert run.stdout.isascii()
    assert "\x7f" not in run.stdout


# No traceback: row 20 of the review, and its siblings

CRASHES = {
    "a repetition that no number holds": (
        '## What?\n\n```python {raises="ValueError" match="a{99999999999}"}\nint("x")\n```\n'
    ),
    "a pattern that is nested too deeply": (
        '## What?\n\n```python {raises="ValueError" match="%s"}\nint("x")\n```\n'
        % ("(" * 5000 + ")" * 5000)
    ),
    "a tag of YAML alone": "---\n!!null deck\n---\n\n## What?\n\nA.\n",
    "a key that is no text": "---\n? [a]\n: b\n---\n\n## What?\n\nA.\n",
    "bytes that are none": '---\ndeck: !!binary "%%%%"\n---\n\n## What?\n\nA.\n',
    "no such day": "---\ndeck: 2001-99-99\n---\n\n## What?\n\nA.\n",
    "a surrogate in YAML": '---\ndeck: "\\ud800"\n---\n\n## What?\n\nA.\n',
    "a circle in YAML": "---\ndeck: &x [*x]\n---\n\n## What?\n\nA.\n",
    "NUL in an image": "## What?\n\n![](a%00b.png)\n",
    "NUL in a folder": "## What?\n\n![](a%00/b.mp3)\n",
    "NUL in an entity": "## What?\n\n![](a&#0;b.png)\n",
    "a surrogate in an image": "## What?\n\n![](%ED%A0%80.png)\n",
    "an image whose name is too long": f"## What?\n\n![]({'a' * 5000}.png)\n",
    "an image in a circle": "## What?\n\n![](loop/x.png)\n",
    "an image that is a folder": "## What?\n\n![](folder.png)\n",
    "an include whose name is too long": '## What?\n\n```python {include="%s.py"}\n```\n'
    % ("a" * 5000),
    "an include in a circle": '## What?\n\n```python {include="loop/x.py"}\n```\n',
    "an include of bytes": '## What?\n\n```python {include="bytes.py"}\n```\n',
    "a deletion's number": f"## What {{{{c{'9' * 5000}::is}}}} it?\n",
    "a deletion's number in code": f"## What {{{{c1::is}}}} `{{{{c{'9' * 5000}::it}}}}`?\n",
    "a deletion's number in maths": f"## What $a {{{{c{'9' * 5000}::b}}}}$? {{.cloze}}\n",
    "deep brackets": f"## What?\n\n```python\nx = {'(' * 3000}{')' * 3000}\n```\n",
    "deep quotations": f"## What?\n\n{'> ' * 1000}x\n",
}


@pytest.mark.parametrize("name", CRASHES)
def test_nothing_that_is_written_is_a_bug_of_ours(tmp_path: Path, name: str) -> None:
    """Every command ends with a code of its own, and what is wrong is told at a place."""
    made = project(tmp_path, {"a.md": CRASHES[name], "bytes.py": b"\xff\x00"})
    (tmp_path / "cards/folder.png").mkdir()
    for folder in (tmp_path, tmp_path / "cards"):
        (folder / "loop").symlink_to("loop")
    for words in (["lint"], ["check", "--no-verify"], ["build", "--no-verify"], ["id"]):
        judge(made, *words)


@pytest.mark.parametrize(
    "line",
    [
        *(f'{name} = "a\\u0000b{end}"' for name, end in (("cards", ""), ("output", ".apkg"))),
        *(f'{name} = "{"a" * 5000}{end}"' for name, end in (("cards", ""), ("output", ".apkg"))),
        *('cards = "loop"', 'output = "loop/x.apkg"', 'output = "."', 'deck = "\\u0000"'),
    ],
)
def test_no_setting_that_names_a_file_is_a_bug_of_ours(tmp_path: Path, line: str) -> None:
    """NUL, a name that is too long, a circle of links, a folder."""
    made = project(tmp_path, {"a.md": "## What?\n\nA.\n"}, f"[tool.verideck]\n{line}\n")
    (tmp_path / "loop").symlink_to("loop")
    for words in (["check", "--no-verify"], ["build", "--no-verify"], ["diff"]):
        judge(made, *words)


@pytest.mark.parametrize("word", ["a" * 5000, "loop", "loop/x.md", "\udcff", "\n", "\x1b"])
def test_no_word_that_names_a_file_is_a_bug_of_ours(tmp_path: Path, word: str) -> None:
    """What is typed, in the place of a path, a package to compare with, and an output."""
    made = project(tmp_path, {"a.md": "## What?\n\nA.\n"})
    (tmp_path / "loop").symlink_to("loop")
    for words in (["check", word], ["diff", word], ["id", word], ["lint", word]):
        run = made.invoke(*words)
        assert run.returncode == 2
        assert acting(run.stderr) == []
    run = made.invoke("build", "--no-verify", "-o", f"{word}.apkg")
    assert run.returncode in {0, 1}
    assert acting(run.stdout + run.stderr) == []


def test_a_bug_of_ours_is_told_inertly(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback holds the project's text, too."""
    printing.err("ValueError: \x1b[31m\u202e\n::error::x")
    assert capsys.readouterr().err == "ValueError: ␛[31m<U+202E>\n\\::error::x\n"
