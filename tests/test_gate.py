"""What a change must pass, and what is published: metadata, versions, and the jobs of CI."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import metadata, requires, version
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from projects import ROOT
from ruamel.yaml import YAML

import verideck

SCRIPT = ".ci/run"
WORKFLOW = ".github/workflows/ci.yml"


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _groups() -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = tomllib.loads(_text("pyproject.toml"))["dependency-groups"]
    return groups


def _jobs() -> dict[str, Any]:
    jobs: dict[str, Any] = YAML(typ="safe").load(_text(WORKFLOW))["jobs"]
    return jobs


def _published() -> list[Requirement]:
    return [Requirement(each) for each in requires("verideck") or []]


def _needed() -> Iterator[Requirement]:
    """Every requirement of the package, of its extras, and of the repository's groups."""
    yield from _published()
    for group in _groups().values():
        yield from (Requirement(each) for each in group if isinstance(each, str))


def test_the_version_is_the_packages() -> None:
    """What an installer calls the package is what it calls itself."""
    assert version("verideck") == verideck.__version__


def test_only_what_users_need_is_published() -> None:
    """The tool has four extras, and neither the deck's requirements nor those of the tests."""
    assert metadata("verideck").get_all("Provides-Extra") == ["anki", "dask", "preview", "sandbox"]
    published = {canonicalize_name(each.name) for each in _published()}
    assert not published & {"torch", "numpy", "matplotlib", "pytest", "mypy", "ruff"}


def test_every_requirement_has_one_version_here() -> None:
    """constraints.txt holds one version of each requirement, which satisfies it."""
    pins = [Requirement(line) for line in _text("constraints.txt").splitlines() if line[0] != "#"]
    pinned = {canonicalize_name(each.name): str(each.specifier) for each in pins}
    assert len(pinned) == len(pins)
    for needed in _needed():
        pin = pinned[canonicalize_name(needed.name)]
        assert pin.startswith("=="), needed
        assert needed.specifier.contains(pin.removeprefix("==")), needed


def test_every_requirement_tells_its_reason() -> None:
    """A requirement of the package has a comment beside it that says what it is for."""
    text = _text("pyproject.toml").split("[dependency-groups]")[0]
    told = re.findall(r'^    "([\w.-]+)>=.*",? *# .', text, re.MULTILINE)
    needed = sorted(canonicalize_name(each.name) for each in _published())
    assert sorted(map(canonicalize_name, told)) == needed


def test_ci_runs_the_commands_of_the_makefile() -> None:
    """Every job that tests has its commands in one place, which contributors can run."""
    makefile, script = _text("Makefile"), _text(SCRIPT)
    proved = {f"test-{of}" for of in ("pytest8", "sdist", "specification", "wheel")}
    targets = {"deck", "fuzz", "test"} | proved
    assert set(re.findall(r"^make ([\w-]+)$", script, re.MULTILINE)) == targets
    assert {f"{target}:" for target in targets} <= set(
        re.findall(r"^[\w-]+:", makefile, re.MULTILINE)
    )
    assert set(_jobs()["published"]["strategy"]["matrix"]["target"]) < targets


def test_ci_tests_every_python_that_is_published() -> None:
    """The versions that the metadata names are those of the workflow, and the first is required."""
    classifiers = metadata("verideck").get_all("Classifier") or []
    named = [found[1] for each in classifiers if (found := re.search(r":: (3\.\d+)$", each))]
    assert _jobs()["test"]["strategy"]["matrix"]["python"] == named
    assert metadata("verideck")["Requires-Python"] == f">={named[0]}"


def test_windows_runs_the_fast_tests() -> None:
    """The workflow cannot read the Makefile there: it names the same files."""
    (fast,) = re.findall(r"^FAST := .*,([a-z ]+)\)$", _text("Makefile"), re.MULTILINE)
    command = _jobs()["windows"]["steps"][-1]["run"]
    assert command.endswith(f" tests/test_{{{fast.replace(' ', ',')}}}.py")


def test_ci_may_do_nothing_but_read() -> None:
    """Each job can read the repository, and takes actions by a commit, which cannot be moved."""
    assert re.search(r"^permissions: \{\}$", _text(WORKFLOW), re.MULTILINE)
    for job in _jobs().values():
        assert job["permissions"] == {"contents": "read"}
        actions = [step["uses"] for step in job["steps"] if "uses" in step]
        assert actions
        assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in actions)


def test_what_needs_linux_is_marked() -> None:
    """A test is skipped on other systems by its marker, by which CI leaves it out, too."""
    for file in (ROOT / "tests").glob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"skipif\(\s*sys\.platform", text), file.name
