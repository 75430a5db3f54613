"""Settings are read from every way to write TOML, and each knows where it stands."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verideck.folder_settings import FolderSettings, folder_settings
from verideck.model import Place
from verideck.problems import Code, Problem, Problems
from verideck.project import configured_settings
from verideck.rules import RULES, configured
from verideck.settings import PYPROJECT, SETTABLE, Settings, find_root, load


def loaded(folder: Path, text: str) -> tuple[Settings, list[Problem]]:
    """The settings of a project with this pyproject.toml, and what is wrong with them."""
    (folder / PYPROJECT).write_text(text, encoding="utf-8")
    problems = Problems()
    return configured_settings(folder, problems), list(problems)


VALUES: Mapping[str, tuple[str, str]] = {
    "deck": ('"first deck"', '"other deck"'),
    "namespace": ("'first namespace'", "'other namespace'"),
    "cards": ('"""first cards"""', '"other cards"'),
    "output": ('"first.apkg"', '"other.apkg"'),
    "lang": ('"en-GB"', '"de-AT"'),
    "tags": ('["a", "b::c"]', '["d"]'),
    "syntax": ('"list"', '"heading"'),
    "level": ("3", "4"),
    "hashtags": ("true", "false"),
    "verify": ("false", "true"),
    "executor": ('"fork"', '"spawn"'),
    "timeout": ("17.5", "21"),
    "memory": ("1_024", "2_048"),
    "disk": ("0x1f", "0x2f"),
    "audit.build": ("true", "false"),
    "audit.floor": ("0.25", "0.35"),
    "audit.seeds": ("3", "4"),
    "lint.code-long": ("[11, 12]", "[13, 14]"),
    "lint.question-long": ('"warning"', "44"),
}
"""A value of each setting, and another."""

NAMES = st.lists(st.sampled_from(sorted(VALUES)), unique=True, min_size=1, max_size=6)
BLANKS = st.sampled_from(["", "", " ", "  ", "\t"])
BETWEEN = st.sampled_from(["", "", "\n", "# deck = 1\n", " # [tool.verideck]\n", "\n\n"])
ELSEWHERE = st.sampled_from(
    [
        "",
        '[project]\nname = "x"\n',
        "[other]\ndeck = 1\naudit.floor = 2\n",
        '[tool.other]\nlint = {code-long = 3}\ndeck = """\n[tool.verideck]\ndeck = 1\n"""\n',
        "[[tool.list]]\ntimeout = 1\n[[tool.list]]\ntimeout = 2\n",
        "[tool.later.verideck]\ncards = 1\n",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A pyproject.toml, and the settings in it, in one of the many ways to write them."""
    names = draw(NAMES)

    def key(*parts: str) -> str:
        quotes = [draw(st.sampled_from(["", "", '"', "'"])) for _ in parts]
        words = [f"{quote}{part}{quote}" for quote, part in zip(quotes, parts, strict=True)]
        return f"{draw(BLANKS)}.{draw(BLANKS)}".join(words)

    def pair(*parts: str, value: str) -> str:
        return f"{draw(BLANKS)}{key(*parts)}{draw(BLANKS)}={draw(BLANKS)}{value}"

    def header(*parts: str) -> str:
        return f"{draw(BLANKS)}[{draw(BLANKS)}{key(*parts)}{draw(BLANKS)}]{draw(BLANKS)}\n"

    def lines(above: tuple[str, ...]) -> str:
        found = [pair(*above, *name.split("."), value=VALUES[name][0]) for name in names]
        return "".join(f"{draw(BETWEEN)}{line}\n" for line in found)

    def inline(*path: str) -> str:
        inside = ", ".join(pair(*name.split("."), value=VALUES[name][0]) for name in names)
        return f"{pair(*path, value='{' + inside + '}')}\n"

    def tables() -> str:
        here = [name for name in names if "." not in name]
        text = [header("tool", "verideck")] if here else []
        text += [f"{draw(BETWEEN)}{pair(name, value=VALUES[name][0])}\n" for name in here]
        for table in ("lint", "audit"):
            inner = [name.partition(".")[2] for name in names if name.startswith(f"{table}.")]
            if draw(st.booleans()) and inner:
                text.append(f"[tool.before-{table}]\ndeck = 1\n")
            text += [header("tool", "verideck", table)] if inner else []
            text += [f"{pair(name, value=VALUES[f'{table}.{name}'][0])}\n" for name in inner]
        return "".join(text)

    ways = {
        "header": lambda: header("tool", "verideck") + lines(()),
        "in tool": lambda: header("tool") + lines(("verideck",)),
        "dotted": lambda: lines(("tool", "verideck")),
        "inline": lambda: header("tool") + inline("verideck"),
        "dotted inline": lambda: inline("tool", "verideck"),
        "tables": tables,
    }
    way = draw(st.sampled_from(sorted(ways)))
    before = "" if "dotted" in way or "in" in way.split() else draw(ELSEWHERE)
    after = '[project]\nname = "after"\n' if "project" not in before else ""
    return f"{before}{draw(BETWEEN)}{ways[way]()}{after}", names


def _flat(text: str) -> dict[str, Any]:
    """What tomllib finds in `[tool.verideck]`, by the names that settings have."""
    found: dict[str, Any] = {}
    for name, value in tomllib.loads(text)["tool"]["verideck"].items():
        tables = (
            {f"{name}.{inner}": each for inner, each in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        found |= tables
    return found


@given(documents())
def test_a_setting_knows_its_line(
    tmp_path_factory: pytest.TempPathFactory, written: tuple[str, list[str]]
) -> None:
    """Another value on that line, behind that column, is another value of that setting alone."""
    text, names = written
    settings, problems = loaded(tmp_path_factory.mktemp("project"), text)
    assert problems == []
    for name in names:
        place = settings.at(name)
        lines = text.split("\n")
        line = lines[place.line - 1]
        before, rest = line[: place.column - 1], line[place.column - 1 :]
        lines[place.line - 1] = before + rest.replace(*VALUES[name], 1)
        changed, former = _flat("\n".join(lines)), _flat(text)
        assert {each for each in former if changed[each] != former[each]} == {name}
        assert rest.lstrip("\"'").startswith(("tool", "verideck", *name.split(".")))


@given(st.text() | st.text("[]{}=.\"'#,\n\\ toolverideck10_-"))
def test_any_text_is_read_without_an_exception(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """What is no TOML, or sets what is not known, is told at a place in the file."""
    folder = tmp_path_factory.mktemp("project")
    for written in (text, f"[tool.verideck]\n{text}", f"[tool.verideck.lint]\n{text}"):
        (folder / PYPROJECT).write_bytes(written.encode(errors="surrogatepass"))
        problems = Problems()
        settings = configured_settings(folder, problems)
        assert find_root(folder) in {folder, None}
        assert settings.root == folder
        assert all(each.code is Code.SETTING_INVALID for each in problems)
        assert all(each.place.path == PYPROJECT for each in problems)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "[tool.verideck]\ndeck" + ".a" * 900 + " = 1",
        "[tool.verideck]\ndeck = " + "[" * 200 + "]" * 200,
        "[tool.verideck]\nmemory = " + "9" * 5000,
        "[tool.verideck]\n" + "".join(f"a{n} = 1\n" for n in range(200)),
    ],
    ids=["brackets", "dotted key", "list", "number", "keys"],
)
def test_a_hostile_file_is_told(tmp_path: Path, text: str) -> None:
    """However deep or long, in few words."""
    _, problems = loaded(tmp_path, text)
    assert problems
    assert all(len(each.message) < 300 for each in problems)


def test_every_setting_has_a_type_that_says_what_fits(tmp_path: Path) -> None:
    """A table, which fits nowhere but for `lint`, is refused for each of them by a sentence."""
    for name in sorted(SETTABLE):
        _, problems = loaded(tmp_path, f"[tool.verideck]\n{name} = [{{}}]\n")
        (problem,) = problems
        assert problem.place == Place(PYPROJECT, 2, 1)
        assert problem.message.startswith(f"{name} must be a") or name in {
            "docs.require_assertions",
            "docs.share",
            "executor",
            "sandbox",
            "require_sandbox",
            "shared_memory",
            "verify",
            "hashtags",
            "warnings",
            "audit.build",
        }
        assert problem.message.endswith(", not [{}]")


@pytest.mark.parametrize(
    "value", ["true", "nan", "inf", "-1", "0", "1e10", "'5'", "10_000_000_000", "1" + "0" * 30]
)
def test_a_number_has_limits(tmp_path: Path, value: str) -> None:
    """Numbers that the system cannot count to are refused, and the default holds."""
    settings, problems = loaded(tmp_path, f"[tool.verideck]\ntimeout = {value}\ndisk = {value}\n")
    assert [each.place.line for each in problems] == [2, 3]
    assert (settings.timeout, settings.disk) == (60.0, 100)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.verideck]\n",
        "[tool.verideck.audit]\nfloor = 0.5\n",
        '[tool]\nverideck.deck = "X"\n',
        "[tool]\nverideck = {}\n",
        'tool.verideck.deck = "X"\n',
        "tool = {verideck = {}}\n",
        "[ 'tool' . \"verideck\" ]\n",
        '["tool"."veri\\u0064eck"]\n',
        "[tool.verideck]\ndeck = \n",
        '[tool]\nverideck.deck = "X\n',
        "[tool.verideck\n",
        "[tool.verideck]\ndeck = " + "[" * 100_000,
    ],
)
def test_a_project_is_found_from_below(tmp_path: Path, text: str) -> None:
    """However it is written. A file that is not TOML is found too, so that this is told."""
    (tmp_path / PYPROJECT).write_text(text, encoding="utf-8")
    below = tmp_path / "cards" / "deep"
    below.mkdir(parents=True)
    assert find_root(below) == tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project]\ndependencies = ["verideck>=0.1"]\n',
        '[project]\nname = "verideck"\n',
        '[tool.other]\ntext = """\n[tool.verideck]\n"""\n',
        "[tool.verideck-other]\n",
        "# [tool.verideck]\n",
        '[project]\ndependencies = [\n"verideck>=0.1",\n',
        '[project.scripts]\nverideck = "verideck.cli:main\n',
    ],
)
def test_another_project_is_passed_over(tmp_path: Path, text: str) -> None:
    """A file that only mentions verideck is none of its projects."""
    (tmp_path / PYPROJECT).write_text("[tool.verideck]\n", encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / PYPROJECT).write_text(text, encoding="utf-8")
    assert find_root(inner) == tmp_path


def test_a_flag_has_no_place_in_the_file(tmp_path: Path) -> None:
    """A problem with a value that a flag gave must not point at the file's line."""
    settings, _ = loaded(tmp_path, '[tool.verideck]\nexecutor = "fork"\n')
    assert settings.at("executor") == Place(PYPROJECT, 2, 1)
    assert replace(settings, executor="spawn").at("executor") == Place(PYPROJECT)
    assert settings.at("cards") == Place(PYPROJECT)


def test_settings_that_are_no_table_are_told(tmp_path: Path) -> None:
    """What stands there would otherwise be passed over."""
    settings, (problem,) = loaded(tmp_path, "[tool]\nverideck = 3\n")
    assert problem.message == "tool.verideck must be a table of settings, not 3"
    assert problem.place == Place(PYPROJECT, 2, 1)
    assert settings.cards == "cards"


def test_a_wrong_setting_leaves_the_others(tmp_path: Path) -> None:
    """Its default holds, and what is set beside it."""
    settings, (problem,) = loaded(tmp_path, '[tool.verideck]\ndisk = "x"\nlang = "en"\n')
    assert problem.place.line == 2
    assert (settings.disk, settings.lang) == (100, "en")


def test_rules_are_set(tmp_path: Path) -> None:
    """A rule is off, weighs less, or has other limits; the others are as they were."""
    lines = "profile = 'full'\ncard-orphan = false\nquestion-long = [1, 2]\ncode-long = true\n"
    settings, problems = loaded(tmp_path, f"[tool.verideck.lint]\n{lines}")
    assert problems == []
    rules = configured(settings.lint, lambda name: settings.at(f"lint.{name}"), Problems())
    assert RULES.keys() - rules.keys() == {Code.CARD_ORPHAN}
    assert rules[Code.CODE_LONG] == RULES[Code.CODE_LONG]
    limit = rules[Code.QUESTION_LONG].limit
    assert limit
    assert (limit.soft, limit.hard) == (1, 2)


FOLDERS = """\
[tool.verideck.folders."cards/ml"]
deck = "ML"
tags = ["ml"]
level = 3

[tool.verideck.folders]
"./cards/old/" = {verify = false, source = "Bishop"}
"""


def test_folders_are_set(tmp_path: Path) -> None:
    """By their paths from the project's folder, however these are written."""
    for folder in ("cards/ml", "cards/old"):
        (tmp_path / folder).mkdir(parents=True)
    settings, problems = loaded(tmp_path, FOLDERS)
    assert problems == []
    assert settings.folders == {
        "cards/ml": FolderSettings(deck="ML", tags=("ml",), level=3),
        "cards/old": FolderSettings(verify=False, source="Bishop"),
    }


@given(st.dictionaries(st.text(max_size=8), st.dictionaries(st.text(max_size=4), st.integers())))
def test_any_folder_is_read_without_an_exception(
    tmp_path_factory: pytest.TempPathFactory, folders: dict[str, dict[str, int]]
) -> None:
    """What cannot be a folder's path, or a setting of a folder, is told."""
    faults: list[str] = []
    root = tmp_path_factory.mktemp("project")
    found = folder_settings(folders, root, lambda name, _: faults.append(name))
    assert all((root / each).is_dir() for each in found)
    assert len(faults) >= len(folders) - len(found)


def test_a_default_has_no_place_to_look_for(tmp_path: Path) -> None:
    """A run in which no setting is wrong imports no parser of places."""
    (tmp_path / PYPROJECT).write_text("[tool.verideck]\ndisk = 1\n", encoding="utf-8")
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "a.md").write_text("- What is two?\n  - A number.\n", encoding="utf-8")
    code = (
        "import sys\n"
        "from verideck import Project\n"
        "from verideck.problems import Problems\n"
        "with Project.open() as project:\n"
        "    assert project.check().ok\n"
        "    assert 'tomlkit' not in sys.modules\n"
        "    assert project.settings(Problems()).at('disk').line == 2\n"
        "    assert 'tomlkit' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_a_project_without_a_file_has_defaults(tmp_path: Path) -> None:
    """The folder names the deck and the package."""
    folder = tmp_path / "interviews"
    folder.mkdir()
    problems = Problems()
    settings = load(folder, problems)
    assert not problems
    assert (settings.deck, settings.namespace) == ("interviews", "interviews")
    assert settings.output == "dist/interviews.apkg"
