"""`verideck init`: what it finds out, what it writes, and what it leaves as it is."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import ROOT, Project

from verideck import __version__
from verideck.init.files import WORKFLOW, with_lines, with_table
from verideck.init.language import language_of

NOTES = """\
# Losses

## Squared error

### What is it?

It is the mean of the squares of the errors that a model makes.

### Why is it used?

It is smooth, and the errors that are large count more than those that are not.

### Which is 3?

```python
x = 3
```
"""

DECK = 'deck = "ml"   # the name in Anki: change it as you like\n'
NAMESPACE = 'namespace = "ml"   # never change it: with a card\'s id it is the card to Anki\n'


@pytest.fixture
def ml(tmp_path: Path) -> Project:
    """A folder that is called `ml`, and is no project."""
    folder = tmp_path / "ml"
    folder.mkdir()
    return Project(folder)


def begun(made: Project, *words: str) -> str:
    """What `init` says, which must succeed."""
    run = made.invoke("init", *words)
    assert run.returncode == 0, run.stderr
    return run.stdout


def read(made: Project, name: str) -> str:
    """A file of the project."""
    return (made.root / name).read_text(encoding="utf-8")


def test_an_empty_folder_gets_an_example_that_builds(ml: Project) -> None:
    """With code that is executed; and the deck is there."""
    assert begun(ml).endswith("a first build gives 3 notes\nnext: `verideck build`\n")
    assert read(ml, "pyproject.toml") == f"[tool.verideck]\n{DECK}{NAMESPACE}"
    assert read(ml, ".gitignore") == ".verideck/\ndist/\n"
    assert ml.run("build").returncode == 0
    assert (ml.root / "dist/ml.apkg").exists()
    assert ml.invoke("lint", "--strict").returncode == 0


def test_what_the_notes_say_is_set(ml: Project) -> None:
    """Where they are, their language, the level of what asks, and that no code says what it gives.

    A page about the folder is no note, nor is what others have put there.
    """
    ml.write("notes/a.md", NOTES)
    ml.write("README.md", "## Installation\n\nNone.\n")
    ml.write("node_modules/x/guide.md", "## Guide\n\nThis.\n")
    told = begun(ml)
    assert "notes/a.md: 3 cards\n" in told
    assert "of 1 card with code that can be executed, 0 say what it gives\n" in told
    assert read(ml, "pyproject.toml") == (
        f"[tool.verideck]\n{DECK}{NAMESPACE}"
        'cards = "notes"   # where the Markdown is\n'
        'lang = "en"\n'
        "level = 3   # of the headings that ask\n"
        "verify = false   # no code here says what it gives; take this away and it is executed\n"
    )
    assert ml.run("build").returncode == 0


def table(made: Project) -> dict[str, object]:
    """The settings that `init` wrote."""
    written: dict[str, object] = tomllib.loads(read(made, "pyproject.toml"))["tool"]["verideck"]
    return written


NUMBERED = "".join(f"### {n}. What is {n}?\n\nIt is {n}.\n\n" for n in range(1, 9))


def test_a_readme_that_holds_most_cards_is_a_note(ml: Project) -> None:
    """Whatever its name says; one that holds few is left out, and named."""
    ml.write("README.md", f"# Questions\n\n{NUMBERED}")
    ml.write("examples/DEMO.md", "## How to run\n\nBy hand.\n")
    told = begun(ml)
    assert table(ml)["cards"] == "."
    assert "README.md: 8 cards\n" in told
    assert "left out" not in told


def test_files_with_cards_that_are_left_out_are_named(ml: Project) -> None:
    """Each of them, with its cards; also where the settings were there before."""
    ml.write("notes/a.md", NOTES)
    ml.write("README.md", "## Installation\n\nNone.\n")
    left = "left out: README.md: 1 card\n`cards` in pyproject.toml is the folder that is read\n"
    assert left in begun(ml)
    ml.write("pyproject.toml", '[tool.verideck]\ncards = "docs"\n')
    assert "left out: notes/a.md: " in begun(ml)


def code(count: int, asserting: int) -> str:
    """Cards with code, of which some say what it gives."""
    says = ["\n```python {.check}\nassert x == 1\n```\n"] * asserting + [""] * count
    shown = "```python\nx = 1\n```\n"
    return "".join(f"## What is {n}?\n\n{shown}{says[n]}\n" for n in range(count))


@pytest.mark.parametrize(
    ("asserting", "why"),
    [(0, "no code here"), (1, "not all code here"), (2, "not all code here"), (3, "")],
)
def test_code_is_executed_where_it_says_what_it_gives(
    ml: Project, asserting: int, why: str
) -> None:
    """Where a clear majority of the cards with code does: else most of them would be errors."""
    verify = not why
    ml.write("cards/a.md", code(4, asserting))
    told = begun(ml)
    assert table(ml).get("verify", True) is verify
    assert f"verify = false   # {why}" in read(ml, "pyproject.toml") or verify
    assert ("a first build executes that code, and gives at most 4 notes\n" in told) is verify
    assert ("a first build gives 4 notes\n" in told) is not verify


@pytest.mark.parametrize("folder", ["logseq", "journals"])
def test_a_graph_of_logseq_is_read_as_one(ml: Project, folder: str) -> None:
    """So that its other pages, which ask nothing, are read as neither lists nor headings."""
    ml.write("pages/a.md", "- What is a pod? #card\n  - The smallest unit.\n")
    ml.write("pages/b.md", "- A list\n  - of notes\n- Another\n  - one\n")
    ml.write(f"{folder}/c.md", "- text\n")
    told = begun(ml)
    assert table(ml)["syntax"] == "logseq"
    assert table(ml)["cards"] == "pages"
    assert "a first build gives 1 note\n" in told


def test_pages_beside_one_with_cards_are_no_graph(ml: Project) -> None:
    """Where neither Logseq's own folder nor those of its pages are there."""
    ml.write("notes/a.md", "- What is a pod? #card\n  - The smallest unit.\n")
    ml.write("notes/b.md", "- A list\n  - of notes\n")
    begun(ml)
    assert "syntax" not in table(ml)


def test_what_does_not_hold_is_counted(ml: Project) -> None:
    """By name; and how to build all the same."""
    ml.write("cards/a.md", "## One?\n\n1.\n\n## Two? {#a .foo}\n\n2.\n")
    told = begun(ml)
    assert "error: 1 attribute-invalid\n" in told
    assert "a first build gives 1 note by --keep-going, and none without" in told


def test_nothing_is_overwritten(ml: Project) -> None:
    """What stands in a file stays to the byte; a second time there is nothing to write."""
    former = "[project]\r\nname = 'mine'   # so\r\n\r\n\r\n"
    ml.write("pyproject.toml", former)
    ml.write(".gitignore", "*.pyc\n/dist")
    ml.write(".github/workflows/verideck.yml", "mine\n")
    begun(ml, "--ci")
    document = (ml.root / "pyproject.toml").read_bytes().decode()
    assert document.startswith(former.rstrip() + "\r\n\r\n[tool.verideck]\r\n")
    assert "\n" not in document.replace("\r\n", "")
    assert read(ml, ".gitignore") == "*.pyc\n/dist\n.verideck/\n"
    assert read(ml, ".github/workflows/verideck.yml") == "mine\n"
    before = (ml.root / "pyproject.toml").read_bytes()
    assert "written:" not in begun(ml, "--ci")
    assert (ml.root / "pyproject.toml").read_bytes() == before


def test_a_workflow_builds_what_is_locked(ml: Project) -> None:
    """On request, by the action of the version that is installed, as docs/ci.md shows it."""
    assert "written: " in begun(ml, "--ci")
    written = read(ml, ".github/workflows/verideck.yml")
    assert f"uses: verideck/verideck@v{__version__}\n" in written
    assert f"```yaml\n{written}```\n" in (ROOT / "docs/ci.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("document", "code"),
    [("[tool]\nverideck = {deck = 'x'}\n", 0), ("tool = {}\n", 1), ("[tool.verideck\n", 1)],
    ids=["another form", "no place", "no TOML"],
)
def test_a_file_without_a_place_is_left(ml: Project, document: str, code: int) -> None:
    """Whatever form it has, it is never broken; where it cannot be added to, nothing is written."""
    ml.write("pyproject.toml", document)
    assert ml.invoke("init").returncode == code
    assert read(ml, "pyproject.toml") == document
    assert (ml.root / ".gitignore").exists() == (code == 0)


def test_a_folder_of_a_project_is_none(ml: Project) -> None:
    """The settings above hold there: others would make other notes of the same cards."""
    begun(ml)
    run = ml.invoke("init", "cards")
    assert run.returncode == 2
    assert "whose settings hold here" in run.stderr


def test_no_link_is_written_through(ml: Project, tmp_path: Path) -> None:
    """Nor is anything else written then: the project is at fault, as it is for all commands."""
    outside = tmp_path / "outside"
    outside.write_text("mine\n", encoding="utf-8")
    (ml.root / ".gitignore").symlink_to(outside)
    begun = ml.invoke("init")
    assert begun.returncode == 1
    assert ".gitignore:1:1: error: this is outside the project" in begun.stderr
    assert outside.read_text(encoding="utf-8") == "mine\n"
    assert not (ml.root / "pyproject.toml").exists()


LINKED = {
    "pyproject.toml": "home/start",
    ".gitignore": "home/new",
    "cards": "home",
    ".github": "home",
    ".github/workflows": "home",
    ".github/workflows/verideck.yml": "home/new",
}


@pytest.mark.parametrize("name", LINKED)
def test_no_file_of_the_user_is_written(ml: Project, tmp_path: Path, name: str) -> None:
    """Whatever is a link, or a FIFO: nothing is written elsewhere, and nothing waited for."""
    Project(tmp_path / "home").write("start", "mine\n")
    (ml.root / name).parent.mkdir(parents=True, exist_ok=True)
    (ml.root / name).symlink_to(tmp_path / LINKED[name])
    refused = ml.invoke("init", "--ci")
    assert refused.returncode == 1
    assert "error: " in refused.stderr
    (ml.root / name).unlink()
    os.mkfifo(ml.root / name)
    assert ml.invoke("init", "--ci").returncode in {1, 2}
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["start"]
    assert (tmp_path / "home/start").read_text("utf-8") == "mine\n"


ODD = [b"x\xff", b'a"b\n]\n[tool.x]', b"${{ secrets.X }}", b"\x1b]0;x\x07", b"x\\", b"-x"]


@pytest.mark.linux(reason="names that are no text, or hold controls")
@pytest.mark.parametrize("name", ODD)
def test_any_folder_names_its_deck(tmp_path: Path, name: bytes) -> None:
    """As text of TOML, and nowhere else: no line of the workflow is a folder's."""
    made = Project(tmp_path / os.fsdecode(name))
    made.root.mkdir()
    begun(made, "--ci")
    table = tomllib.loads(read(made, "pyproject.toml"))["tool"]
    written = name.decode(errors="replace")
    assert table == {"verideck": dict.fromkeys(["deck", "namespace"], written)}
    assert read(made, ".github/workflows/verideck.yml") == WORKFLOW
    assert made.invoke("check", "--no-verify").returncode == 0


PROSE = {
    "zh-CN": "为什么要除以根号 d_k？因为点积的方差随维度增长，softmax 会饱和。",
    "zh-TW": "為什麼這個模型會學到這些權重？因為它們對應輸入。",
    "ja": "これは何ですか。モデルの重みです。",
    "ko": "이것은 모델의 가중치입니다.",
    "ru": "Это среднее квадратов ошибок модели.",
    "uk": "Це є середнє квадратів помилок моделі, її ціль і міра.",
    "ar": "هذا هو متوسط مربعات الأخطاء",
    "de": "Das ist der Mittelwert der Fehler, und er wird nicht für die Daten benutzt.",
    "fr": "C'est la moyenne des erreurs que le modèle fait sur les données, et pas une autre.",
    "es": "Es la media de los errores que hace el modelo con los datos, pero no la suma.",
    "en": "It is the mean of the errors that a model makes on the data.",
    "": "d_k, softmax",
}


@pytest.mark.parametrize("lang", PROSE)
def test_the_language_is_found(lang: str) -> None:
    """By letters, and by common words; code, maths and addresses are not read."""
    code = "```python\nfor the_of in is_it: the = of\n```\n`the of and is it` https://the.of/is\n"
    assert language_of([f"{PROSE[lang]}\n{code}"]) == lang


@given(st.text(alphabet="ab=[]\"'.\n\r #", max_size=40))
def test_any_toml_stays_what_it_is(text: str) -> None:
    """With a table of ours behind it, a document says all that it said, or is refused."""
    whole = with_table(text, '[tool.verideck]\ndeck = "x"\n')
    try:
        said = tomllib.loads(text)
    except ValueError:
        return
    if whole is None:
        assert "tool" in said
    else:
        assert tomllib.loads(whole) == {**said, "tool": {"verideck": {"deck": "x"}}}


@given(st.text(alphabet="ab/.\n\r", max_size=20))
def test_lines_are_added_once(former: str) -> None:
    """Behind what is there, and never twice."""
    once = with_lines(former, ("a/", "b/"))
    assert once.startswith(former)
    assert with_lines(once, ("a/", "b/")) == once
