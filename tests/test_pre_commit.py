"""The hooks, as the real pre-commit installs and runs them in somebody's repository."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import ROOT, SETTINGS, Project, card
from repositories import committed, git, run
from wheels import BUILDING, installed_as_wheels

pytestmark = [
    pytest.mark.linux(reason="pre-commit makes an environment of Linux's wheels here"),
    pytest.mark.xdist_group("pre-commit"),  # it is made once
]

CONFIGURED = """\
repos:
  - repo: {hooks}
    rev: {rev}
    hooks:
      - id: verideck-check{more}
      - id: verideck-lint
        args: [--strict]
"""
PUBLISHED = ("verideck", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")

GOOD = card("good", "assert int('1')")
BAD = card("bad", "assert int('1') == 2")
TORCH = card("torch", "import torch\n\nassert torch.ones(1) == 1")
HARD = "## Name them all {#hard}\n\n" + "".join(f"- Number {n}\n" for n in range(12))


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with a deck in it, which has the hooks."""

    made: Project
    hooks: Path
    environment: dict[str, str]

    def configure(self, more: str = "") -> None:
        """Say which hooks there are, and what is added to the first one."""
        rev = git(self.hooks, "rev-parse", "HEAD").strip()
        text = CONFIGURED.format(hooks=self.hooks, rev=rev, more=more)
        self.made.write(".pre-commit-config.yaml", text)

    def commit(self, **files: str) -> tuple[bool, str]:
        """Write files of cards, and commit them if the hooks let it be; gives what they say."""
        for name, text in files.items():
            self.made.write(f"cards/{name}.md", text)
        git(self.made.root, "add", ".")
        done = run(self.made.root, "git", "commit", "-m", "x", environment=self.environment)
        return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of git with what is published of ours, as it is here, committed or not."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in PUBLISHED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    committed(folder)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What lets pre-commit install all that it needs without a registry. No torch is there."""
    folder = tmp_path_factory.mktemp("pre-commit")
    installed_as_wheels(folder / "wheels", "verideck[sandbox]", *BUILDING)
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_FIND_LINKS": str(folder / "wheels"),
        "PIP_NO_INDEX": "1",
        "PRE_COMMIT_HOME": str(folder / "home"),
        "VIRTUALENV_OVERRIDE_APP_DATA": str(folder / "virtualenv"),
    }


@pytest.fixture
def repository(tmp_path: Path, hooks: Path, environment: dict[str, str]) -> Repository:
    """A repository whose README holds what is no card, and whose hooks are installed."""
    made = Project(tmp_path / "deck")
    made.write("pyproject.toml", SETTINGS)
    made.write(".gitignore", ".verideck/\n")
    made.write("README.md", "# Deck\n\n## Use\n\n```python\nimport nothing_like_it\n```\n")
    repository = Repository(made, hooks, environment)
    git(made.root, "init", "--quiet")
    repository.configure()
    done = run(made.root, "pre-commit", "install", environment=environment)
    assert done.returncode == 0, done.stdout
    return repository


def test_changed_cards_alone_are_checked(repository: Repository) -> None:
    """One that does not hold is no commit, at its line; what others wrote stands in nobody's way.

    Nor does Markdown that is none of the project's, and no torch is needed for cards without it.
    """
    held, told = repository.commit(good=GOOD)
    assert held, told
    assert "verideck check" in told
    assert "Passed" in told
    held, told = repository.commit(bad=BAD)
    assert not held
    assert "cards/bad.md:6:1: error: assertion failed [assertion-failed]" in told
    assert "README.md:" not in told
    git(repository.made.root, "commit", "--no-verify", "--quiet", "-m", "x")
    held, told = repository.commit(other=GOOD.replace("good", "other").replace("This", "Another"))
    assert held, told
    held, told = repository.commit(other=HARD)
    assert not held
    assert "answer-list" in told


def test_without_torch_the_rest_is_checked(repository: Repository) -> None:
    """What a card needs is told; and without it all but its execution can be asked for."""
    held, told = repository.commit(torch=TORCH)
    assert not held
    assert "cards/torch.md:6:1: error: ModuleNotFoundError: No module named 'torch'" in told
    assert "install torch there" in told
    repository.configure("\n        args: [--no-verify]")
    held, told = repository.commit(torch=TORCH)
    assert held, told
    held, told = repository.commit(torch=TORCH + "## Is this {.foo}\n\nNo.\n")
    assert not held
    assert "attribute-invalid" in told
