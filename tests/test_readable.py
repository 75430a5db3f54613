"""Which files of a project the sandbox lets a card read: all that are not hidden, and no links."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verideck.proof.sandbox.readable import is_hidden, readable, visible

pytestmark = pytest.mark.linux

NAMES = st.sampled_from(["a", "b", ".c", "d.e"])
FILES = st.sets(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=8)


def made(root: Path, files: set[str]) -> set[Path]:
    """Files that were made below a folder; a name that is a folder already is none."""
    for name in sorted(files, reverse=True):
        file = root / name
        if not file.exists() and not any(each.is_file() for each in file.parents):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
    return {each for each in root.rglob("*") if each.is_file()}


def is_read(file: Path, paths: list[str]) -> bool:
    """Whether a rule for some path holds for a file."""
    return any(file.is_relative_to(each) for each in paths)


@given(FILES)
def test_exactly_what_is_not_hidden_is_read(files: set[str]) -> None:
    """A file is read if no name on the way to it begins with a dot, whatever is beside it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        paths = list(visible(str(root)))
        for file in made(root, files):
            hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
            assert is_hidden(str(file), str(root)) == hidden
        paths = list(visible(str(root)))
        for file in (each for each in root.rglob("*") if each.is_file()):
            assert is_read(file, paths) != is_hidden(str(file), str(root))


def test_a_folder_in_which_nothing_is_hidden_is_one_rule(tmp_path: Path) -> None:
    """Rules cost time before every card."""
    made(tmp_path, {"a/b/c", "a/d", "e"})
    assert list(visible(str(tmp_path))) == [str(tmp_path)]


def test_a_link_is_no_rule(tmp_path: Path) -> None:
    """The kernel would follow it, out of the project or to what is hidden."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    made(outside, {"secret"})
    made(root, {".env", "shown"})
    for name, target in {
        "file": outside / "secret",
        "folder": outside,
        "env": root / ".env",
    }.items():
        (root / name).symlink_to(target)
    assert list(visible(str(root))) == [str(root / "shown")]


def test_a_pipe_or_a_socket_is_no_rule(tmp_path: Path) -> None:
    """Only files and folders are read."""
    made(tmp_path, {".env"})
    os.mkfifo(tmp_path / "pipe")
    assert list(visible(str(tmp_path))) == []


def test_a_hidden_file_that_comes_is_seen(tmp_path: Path) -> None:
    """What was seen of a folder is remembered as long as the folder is as it was."""
    made(tmp_path, {"a/b", "c"})
    assert list(visible(str(tmp_path))) == [str(tmp_path)]
    made(tmp_path, {"a/.env"})
    assert sorted(visible(str(tmp_path))) == [str(tmp_path / "a" / "b"), str(tmp_path / "c")]


@pytest.mark.parametrize("where", ["prefix", "path"])
def test_a_project_below_python_hides_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Where the project is in a folder that Python needs (`/usr/src/app`), the rest is read."""
    prefix = tmp_path / "prefix"
    root = prefix / "src" / "app"
    made(prefix, {"lib/module", "src/other", "src/app/.git/config", "src/app/shown"})
    if where == "prefix":
        monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(sys, "path", [*sys.path, str(prefix)])
    paths = readable(root).read
    assert not is_read(root / ".git" / "config", paths)
    for name in ("lib/module", "src/other", "src/app/shown"):
        assert is_read(prefix / name, paths)


def test_a_project_that_is_on_the_path_hides_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editable installation puts a project's folder, or one below it, on Python's path."""
    made(tmp_path, {".env", "cards/.env", "cards/a", "module"})
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(tmp_path / "cards")])
    paths = readable(tmp_path).read
    assert not is_read(tmp_path / ".env", paths)
    assert not is_read(tmp_path / "cards" / ".env", paths)
    assert is_read(tmp_path / "cards" / "a", paths)
