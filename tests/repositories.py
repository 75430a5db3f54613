"""Repositories of git that tests make, whoever runs them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from projects import Project

NOBODY: Mapping[str, str] = {
    f"GIT_{role}_{what}": "nobody@nowhere"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
} | {"GIT_CONFIG_GLOBAL": "/dev/null"}
"""Who commits, in an environment."""


def run(
    folder: Path, *words: str, environment: Mapping[str, str] = NOBODY
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, as nobody."""
    return subprocess.run(
        words,
        cwd=folder,
        env=Project(folder).environment(**{**NOBODY, **environment}),
        check=False,
        capture_output=True,
        encoding="utf-8",
    )


def git(folder: Path, *words: str) -> str:
    """What git says, which must succeed."""
    done = run(folder, "git", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def committed(folder: Path) -> None:
    """Make a repository of a folder, with all that is in it."""
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "x")
