"""What a change must pass, and what is published: metadata, versions, and the jobs of CI."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from importlib.metadata import metadata, requires, version
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from projects import ROOT
from ruamel.yaml import YAML

import verideck

SCRIPT = ".ci/run"
WORKFLOW = ".github/workflows/ci.yml"


RELEASE = ".github/workflows/release.yml"


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _groups() -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = tomllib.loads(_text("pyproject.toml"))["dependency-groups"]
    return groups


def _jobs(workflow: str = WORKFLOW) -> dict[str, Any]:
    jobs: dict[str, Any] = YAML(typ="safe").load(_text(workflow))["jobs"]
    return jobs


def _published() -> list[Requirement]:
    return [Requirement(each) for each in requires("verideck") or []]


def _needed() -> Iterator[Requirement]:
    """Every requirement of the package, of its extras, of its build, of the repository's groups."""
    yield from _published()
    yield from map(Requirement, tomllib.loads(_text("pyproject.toml"))["build-system"]["requires"])
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
    proved = {f"test-{of}" for of in ("pytest8", "schemas", "sdist", "specification", "wheel")}
    targets = {"deck", "fuzz", "site", "test"} | proved
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


def test_a_release_is_published_by_no_secret() -> None:
    """What builds may only read; what publishes runs no command, and is known by where it runs."""
    assert re.search(r"^permissions: \{\}$", _text(RELEASE), re.MULTILINE)
    assert "secrets." not in _text(RELEASE)
    jobs = _jobs(RELEASE)
    assert jobs["build"]["permissions"] == {"contents": "read"}
    publishing = jobs["publish"]
    assert publishing["permissions"] == {"id-token": "write", "attestations": "write"}
    assert publishing["needs"] == "build"
    assert publishing["environment"]
    assert not any("run" in step for step in publishing["steps"])
    assert publishing["steps"][-1]["with"]["attestations"] is True
    for job in jobs.values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))


@pytest.mark.parametrize(
    ("tag", "changelog", "code"),
    [
        ("", "## Unreleased\n", 0),
        (
            f"v{verideck.__version__}",
            f"## Unreleased\n\n## {verideck.__version__}, 2026-01-01\n",
            0,
        ),
        (f"v{verideck.__version__}", "## Unreleased\n\n### Added\n", 1),
        ("v99.0.0", "## 99.0.0, 2026-01-01\n", 1),
    ],
    ids=["no tag", "right", "no changes told", "another version"],
)
def test_a_tag_is_the_version_and_in_the_changelog(
    tmp_path: Path, tag: str, changelog: str, code: int
) -> None:
    """Otherwise nothing is made of it: a version that is published cannot be taken back."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "verideck").mkdir()
    for name in (".ci/release.py", "verideck/__init__.py"):
        (tmp_path / name).write_text(_text(name), encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ".ci/release.py"],
        cwd=tmp_path,
        env={"TAG": tag},
        check=False,
        capture_output=True,
    )
    assert done.returncode == code, done.stderr


def test_the_package_reads_well_where_it_is_published(tmp_path: Path) -> None:
    """Its page has the README, whose links and pictures are whole addresses there."""
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (each for each in opened.namelist() if each.endswith(".dist-info/METADATA"))
        told = message_from_bytes(opened.read(name))
    assert told["Version"] == verideck.__version__
    labels = {each.split(",")[0] for each in told.get_all("Project-URL") or []}
    assert labels == {"Changelog", "Documentation", "Issues", "Repository", "Security"}
    text = str(told.get_payload())
    tokens = MarkdownIt().parse(text)
    every = [inner for token in tokens for inner in token.children or ()]
    targets = [str(each.attrs.get("href") or each.attrs.get("src") or "https://") for each in every]
    assert len(targets) > 40
    assert [each for each in targets if not each.startswith("https://")] == []


def test_what_needs_linux_is_marked() -> None:
    """A test is skipped on other systems by its marker, by which CI leaves it out, too."""
    for file in (ROOT / "tests").glob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"skipif\(\s*sys\.platform", text), file.name
