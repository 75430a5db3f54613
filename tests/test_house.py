"""The rules that a machine can hold: doors, trees, names, and the words of the README."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import version
from math import inf
from pathlib import Path

import pytest

import verideck
from verideck.problems import Code
from verideck.proof.sandbox import kernel
from verideck.rules import RULES
from verideck.settings import SETTABLE
from verideck.source.cards import WORDS
from verideck.source.fences import OPTIONS
from verideck.source.front_matter import KEYS

ROOT = Path(__file__).parents[1]
PACKAGE = Path(verideck.__file__).parent
"""Where the package is imported from: its tests are run against an installed wheel, too."""

DOORS = {
    "anki": {"targets/anki/collection.py"},
    "msgspec": {
        "targets/anki/answers.py",
        "storage/store.py",
        "history/lock.py",
        "settings.py",
        "setting_types.py",
        "folder_settings.py",
        "user_file.py",
        "proof/python/wire/messages.py",
    },
    "click": {"cli/commands.py", "cli/progress.py"},
    "platformdirs": {"storage/user_folders.py"},
    "filelock": {"storage/build_lock.py"},
    "genanki": {"targets/apkg.py"},
    "markdown_it": {"markdown/", "render/html.py"},
    "math_core": {"render/mathml.py"},
    "nh3": {"render/sanitized.py"},
    "mdit_py_plugins": {"markdown/definitions.py"},
    "pytest": {"pytest_plugin/"},
    "pygments": {"markdown/languages.py"},
    "ruamel": {"source/front_matter/of_yaml.py"},
    "tomlkit": {"settings.py"},
    "sandlock": {"proof/sandbox/kernel.py"},
    "pyseccomp": {"proof/sandbox/calls.py"},
    "distributed": {"proof/python/parent/cluster.py"},
    "starlette": {"preview/server.py", "preview/serving.py"},
    "uvicorn": {"preview/serving.py"},
    "watchfiles": {"preview/watch.py"},
}
PYTHON = "proof/python/"
CIRCLES = {
    f"{PYTHON}wire/": (),
    "proof/sandbox/": (),
    f"{PYTHON}child/": (f"{PYTHON}wire/", "proof/sandbox/"),
    f"{PYTHON}host/": (f"{PYTHON}child/", f"{PYTHON}wire/", "proof/sandbox/"),
}
"""What may be imported by the rooms whose code runs in other processes than the user's, besides
themselves and what is above all rooms."""
ROOMS = ("source", "proof", "history", "render", "targets", "rules")
"""The stages, and `lint` beside them. Only what drives them knows more than one."""


def _modules() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert found, "no modules found"
    return found


def _files(folder: Path) -> list[str]:
    """The project's files below a folder, as paths from it.

    Git tells them where there is a repository. Elsewhere, as in a source distribution or an
    installed package, they are the files on the disk whose names .gitignore does not hold.
    """
    if (ROOT / ".git").exists() and folder.is_relative_to(ROOT):
        words = ["ls-files", "--cached", "--others", "--exclude-standard"]
        run = subprocess.run(
            ["git", *words],  # noqa: S607 - git
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        found = run.stdout.splitlines()
    else:
        lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        ignored = [line.strip("/") for line in lines]
        paths = [each.relative_to(folder) for each in folder.rglob("*") if each.is_file()]
        found = [
            path.as_posix()
            for path in paths
            if not any(fnmatch(part, name) for part in path.parts for name in ignored)
        ]
    assert found, f"no files in {folder}"
    return found


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_dependency_has_one_door() -> None:
    """A library is imported where its door is and nowhere else; every import has a door."""
    for file in _modules():
        name = file.relative_to(PACKAGE).as_posix()
        for imported in _imports(file):
            top = imported.partition(".")[0]
            if top == "verideck" or top in sys.stdlib_module_names:
                continue
            assert top in DOORS, f"{name} imports {top}, which has no door"
            assert any(name.startswith(door) for door in DOORS[top]), f"{name} imports {top}"


def _of_ours(file: Path) -> set[str]:
    """The modules of ours that a file imports, as paths below the package without their suffix."""
    names = {name.replace(".", "/") for name in _imports(file) if name.startswith("verideck.")}
    return {name.removeprefix("verideck/") for name in names}


@pytest.mark.parametrize("room", ROOMS)
def test_no_stage_imports_another(room: str) -> None:
    """Only what drives the stages knows their order."""
    for file in (PACKAGE / room).rglob("*.py"):
        others = [name for name in _of_ours(file) if name.split("/")[0] in {*ROOMS} - {room}]
        assert not others, f"{file.relative_to(PACKAGE)} imports {others}"


@pytest.mark.parametrize("circle", CIRCLES)
def test_no_process_imports_what_another_executes(circle: str) -> None:
    """What runs beside an author's code imports nothing that acts with the user's rights."""
    files = list((PACKAGE / circle).glob("*.py"))
    assert files
    for file in files:
        allowed = (circle, *CIRCLES[circle])
        others = [
            name for name in _of_ours(file) if "/" in name and not f"{name}/".startswith(allowed)
        ]
        others = [
            name
            for name in others
            if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()
        ]
        assert not others, f"{file.relative_to(PACKAGE)} imports {others}"


def test_the_way_is_one_page() -> None:
    """The order of the stages is read in seventy lines, imports apart."""
    text = (PACKAGE / "pipeline.py").read_text(encoding="utf-8")
    lines = [line for line in text[text.index("\ndef ") :].split("\n") if line.strip()]
    assert len(lines) <= 70


def test_no_module_is_a_drawer() -> None:
    """A module's name says what is in it."""
    drawers = {"utils", "util", "helpers", "common", "core", "manager", "misc"}
    assert not drawers & {file.stem for file in _modules()}


def _printed(page: str) -> dict[str, set[str]]:
    """The names that a page's tree prints, by the folder that each is in; "" is the whole tree."""
    text = (ROOT / page).read_text(encoding="utf-8")
    tree = next(
        block for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL) if "verideck/" in block
    )
    lines = re.findall(r"^( *)([\w.]+(?:/|\.py))  ", tree, re.MULTILINE)
    outermost = min(len(indent) for indent, _ in lines)
    found: dict[str, set[str]] = {}
    above: list[str] = []
    for indent, name in lines:
        del above[(len(indent) - outermost) // 4 :]
        found.setdefault("".join(above), set()).add(name)
        above.append(name)
    return found


@pytest.mark.parametrize(
    ("page", "folder"), [("README.md", ROOT), ("CONTRIBUTING.md", PACKAGE)], ids=["readme", "guide"]
)
def test_the_printed_tree_is_the_disks(page: str, folder: Path) -> None:
    """The tree that a page prints names what is there, and all of it.

    Where it goes into a folder, it names the folders in that.
    """
    files = _files(folder)
    printed = _printed(page)
    on_disk = {
        first + "/" if rest else first
        for first, _, rest in (name.partition("/") for name in files)
        if not first.startswith(".") and (rest or first.endswith(".py"))
    } - {"__init__.py"}
    if folder == ROOT:
        on_disk.add(f"{PACKAGE.name}/")  # it may be installed elsewhere
    assert printed.pop("") == on_disk
    for above, names in printed.items():
        inside = [name.removeprefix(above) for name in files if name.startswith(above)]
        assert names == {f"{name.partition('/')[0]}/" for name in inside if "/" in name}, above


GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_guide_names_every_door() -> None:
    """A newcomer reads on one page where each dependency is imported."""
    (doors,) = re.findall(r"^\*\*Doors\.\*\*.*?\n\n", GUIDE, re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`(.*?)`", doors))
    assert named == {*DOORS, *(door for files in DOORS.values() for door in files)}


ROOM = re.compile(r"`([\w/]+(?:\.py|/)|\w+\.py)`((?: `\w+`,?)*)")
"""A path in the guide, and the names behind it."""


@pytest.mark.parametrize(
    ("path", "names"), sorted(set(ROOM.findall(GUIDE.partition("## Where")[2])))
)
def test_every_room_that_the_guide_names_is_there(path: str, names: str) -> None:
    """A path in the guide is one of the package or of the repository, and defines what it names."""
    found = PACKAGE / path
    assert found.exists() or (ROOT / path).exists()
    if names:
        text = found.read_text(encoding="utf-8")
        for name in re.findall(r"\w+", names):
            assert re.search(rf"^ *(?:def |class )?{name}\b[^.]", text, re.MULTILINE), name


def test_the_readmes_card_is_the_examples() -> None:
    """The card that the README shows is the one that the example builds."""
    example = (ROOT / "docs/example/cards/softmax.md").read_text(encoding="utf-8")
    assert f"````markdown\n{example}````" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readmes_failure_is_what_the_tool_says(tmp_path: Path) -> None:
    """Without the maximum the example fails, in the words that the README prints."""
    cards = tmp_path / "cards"
    cards.mkdir()
    example = (ROOT / "docs/example/cards/softmax.md").read_text(encoding="utf-8")
    (cards / "softmax.md").write_text(example.replace("exp(x - m)", "exp(x)"), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "verideck", "build"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    told = re.sub(r"^sandbox: .*$", f"sandbox: {kernel.NAME}", run.stderr, flags=re.MULTILINE)
    assert f"```text\n{told}```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_setting_and_option() -> None:
    """What can be set and written is told where a user looks for it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for word in SETTABLE | WORDS | OPTIONS | KEYS:
        assert word in readme, word


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_told_with_its_limits(name: Code) -> None:
    """Those who write cards find a rule's limits, weight and source in one table; so does code."""
    table = (ROOT / "docs/lint.md").read_text(encoding="utf-8")
    (row,) = (row for row in table.split("\n") if row.startswith(f"| `{name}`"))
    first, _, limits, weight, source = re.split(r" *\| *", row)[1:-1]
    rule = RULES[name]
    limit = rule.limit
    numbers = [limit.soft, limit.hard] if limit else []
    assert limits == ", ".join(f"{each:g}" for each in numbers if 0 < each < inf)
    assert weight == ("" if limit else rule.severity)
    assert first.endswith("¹") == rule.atomic
    labels = re.findall(r"R\d+", source)
    assert labels
    assert f"({labels[0]})" in (rule.check.__doc__ or "")


def test_every_code_has_a_docstring() -> None:
    """The name of a problem is explained where it is defined."""
    source = ast.parse((PACKAGE / "problems.py").read_text(encoding="utf-8"))
    body = next(n for n in source.body if isinstance(n, ast.ClassDef) and n.name == "Code").body
    explained = [
        isinstance(following, ast.Expr)
        for member, following in zip(body, [*body[1:], None], strict=True)
        if isinstance(member, ast.Assign)
    ]
    assert len(explained) == len(Code)
    assert all(explained)


def test_exported_names() -> None:
    """What `import verideck` offers."""
    names = ["Place", "Problem", "Project", "Result", "Severity", "__version__"]
    assert verideck.__all__ == names
    found = {name: getattr(verideck, name) for name in names}
    assert all(isinstance(found[name], type) for name in names if name != "__version__")
    assert found["__version__"] == version("verideck")


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of the machine on which the project was written."""
    for name in _files(ROOT):
        if (ROOT / name).suffix in {".md", ".py", ".toml", ".txt", ".yml", ""}:
            text = (ROOT / name).read_text(encoding="utf-8")
            assert "/work" + "/" not in text, name
            assert "/root" + "/" not in text, name
