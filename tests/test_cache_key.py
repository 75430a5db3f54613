"""The key by which a user's own rows are known: what others have kept proves nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from projects import (
    EXECUTORS,
    MOMENT,
    SANDBOXED,
    SETTINGS,
    Project,
    card,
    execution_config,
    project,
)

import verideck
from verideck.proof.python.parent.proof_cache import run_key
from verideck.proof.python.parent.request import request_of
from verideck.proof.scheduling import executed
from verideck.storage import cache_key as keys
from verideck.storage.store import FILE, FOLDER, opened

VARIABLE = keys.VARIABLE
MINE, THEIRS = "mine, which nobody else knows", "that of somebody else"
PLAIN = card("one", "print(1)\nassert int('1')", "\n![](dot.svg)\n")
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
LINUX = pytest.mark.linux(reason="has modes, links and FIFOs")


def made(folder: Path, text: str = PLAIN, settings: str = SETTINGS) -> Project:
    """A project with a card that is executed, highlighted, rendered and has a picture."""
    return project(folder / "deck", {"a.md": text, "cards/dot.svg": DOT}, settings)


def done(made: Project, **variables: str) -> tuple[int, int, int]:
    """How many cards a build executed and rendered, and how many files it parsed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with verideck.Project.open(made.root) as opened:
            result = opened.check()
            opened.build(result, made.root / "deck.apkg", build_time=MOMENT)
    return result.stats.executed, result.stats.rendered, result.stats.parsed


def known_again(made: Project, **variables: str) -> int:
    """How many proofs a process of its own takes from the cache."""
    run = made.run("check", "--format", "json", **variables)
    assert run.returncode == 0, run.stderr
    reused: int = json.loads(run.stdout)["reused"]
    return reused


def state(folder: Path) -> dict[str, str]:
    """The variables of a user who keeps the key in a folder, and has said none."""
    return {"XDG_STATE_HOME": str(folder), VARIABLE: ""}


def key_file(folder: Path) -> Path:
    """Where a user's key is."""
    return folder / "verideck" / keys.NAME


def rewritten(store: Path, change: str, *values: object) -> None:
    """Change rows of a store behind its back."""
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(f"update rows set {change}", values)  # noqa: S608 - ours


def _hashed(variable: str) -> bytes:
    """The key that a variable stands for."""
    return hashlib.blake2b(variable.encode(), digest_size=32).digest()


def test_a_cache_that_came_with_a_repository_proves_nothing(tmp_path: Path) -> None:
    """Whatever it holds, of any kind, everything is done again; one's own is known again."""
    deck = made(tmp_path)
    assert done(deck, **{VARIABLE: THEIRS}) == (1, 1, 1)
    assert done(deck, **{VARIABLE: THEIRS}) == (0, 0, 0)
    assert done(deck, **{VARIABLE: MINE}) == (1, 1, 1)
    assert done(deck, **{VARIABLE: MINE}) == (0, 0, 0)


def test_no_row_of_another_key_is_found(tmp_path: Path) -> None:
    """Proofs, audits, files, looks, highlighted code and packages: there is one hash for all."""
    deck = made(tmp_path, settings=f"{SETTINGS}[tool.verideck.audit]\nbuild = true\nfloor = 0\n")
    assert deck.invoke("build", **{VARIABLE: MINE}).returncode == 0
    with closing(sqlite3.connect(deck.root / FOLDER / FILE)) as connection:
        rows = connection.execute("select kind, key from rows").fetchall()
    assert {"proofs", "audits", "files", "looks", "packages"} <= {kind for kind, _ in rows}
    with opened(deck.root / FOLDER, _hashed(MINE)) as mine, opened(deck.root / FOLDER) as others:
        assert all(mine.find(*row) for row in rows)
        assert not any(others.find(*row) for row in rows)


def test_a_false_card_is_not_proved_by_a_forged_row(tmp_path: Path) -> None:
    """Who knows the form of the rows forges one that holds for their own key, and for no other."""
    deck = made(tmp_path)
    assert done(deck, **{VARIABLE: THEIRS})[0] == 1
    store = deck.root / FOLDER / FILE
    with closing(sqlite3.connect(store)) as connection:
        ((content,),) = connection.execute("select content from rows where kind = 'proofs'")
    deck.write("cards/a.md", PLAIN.replace("int('1')", "int('1') == 3"))
    (snippets,) = executed(deck.cards()[0]).values()
    key = run_key(request_of(snippets, execution_config(deck.settings())))
    named = f"proofs {key} ".encode() + content
    row = ("proofs", key, content, hashlib.blake2b(named, key=_hashed(THEIRS)).digest(), 0)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("insert into rows values (?, ?, ?, ?, ?)", row)
    assert deck.invoke("check", **{VARIABLE: THEIRS}).returncode == 0, "the forgery is none"
    for forged in (row[3], hashlib.sha256(named).digest(), hashlib.blake2b(named).digest()):
        rewritten(store, "hash = ? where kind = 'proofs'", forged)
        refused = deck.invoke("check", **{VARIABLE: MINE})
        assert (refused.returncode, "[assertion-failed]" in refused.stderr) == (1, True)


@LINUX
@pytest.mark.parametrize("trap", ["/dev/zero", "trap"])
def test_a_file_that_a_forged_row_names_is_not_read(tmp_path: Path, trap: str) -> None:
    """A device has no end, and a FIFO is waited for: the row is not asked for its files."""
    deck = made(tmp_path)
    assert done(deck, **{VARIABLE: THEIRS})[0] == 1
    os.mkfifo(deck.root / "trap")
    store = deck.root / FOLDER / FILE
    with closing(sqlite3.connect(store)) as connection:
        ((content,),) = connection.execute("select content from rows where kind = 'proofs'")
    row = json.loads(content)
    row["last"]["depends_on"]["files"] = {trap: ""}
    rewritten(store, "content = ? where kind = 'proofs'", json.dumps(row).encode())
    rewritten(store, "hash = zeroblob(64) where kind = 'proofs'")
    run = deck.run("check", **{VARIABLE: MINE})
    assert run.returncode == 0, run.stderr


def test_the_key_is_made_once_and_for_the_user_alone(tmp_path: Path) -> None:
    """Outside of the project, with a random content, readable by nobody else."""
    deck = made(tmp_path)
    homes = [state(tmp_path / name) for name in ("one", "two")]
    assert [done(deck, **homes[0])[0], done(deck, **homes[0])[0]] == [1, 0]
    assert [done(deck, **homes[1])[0], done(deck, **homes[1])[0]] == [1, 0]
    files = [key_file(tmp_path / name) for name in ("one", "two")]
    assert len({file.read_bytes() for file in files}) == 2
    assert {len(file.read_bytes()) for file in files} == {32}
    assert [each.name for each in files[0].parent.iterdir()] == [keys.NAME]
    if os.name == "posix":
        assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_processes_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    """The one that is first has made it, whole; the others read it."""
    code = "from verideck.storage.cache_key import cache_key; print(cache_key().hex())"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **state(tmp_path)},
            stdout=subprocess.PIPE,
            encoding="ascii",
        )
        for _ in range(6)
    ]
    said = {each.communicate(timeout=60)[0].strip() for each in started}
    assert said == {key_file(tmp_path).read_bytes().hex()}
    assert [each.name for each in key_file(tmp_path).parent.iterdir()] == [keys.NAME]


def _linked(file: Path) -> None:
    target = file.parent / "target"
    target.write_bytes(b"x" * 32)
    target.chmod(0o600)
    file.symlink_to(target)


def _readable(file: Path) -> None:
    file.write_bytes(b"x" * 32)
    file.chmod(0o644)


def _of(size: int) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_bytes(b"x" * size)
        file.chmod(0o600)

    return write


NO_KEYS: dict[str, Callable[[Path], None]] = {
    "a link": _linked,
    "a link to nothing": lambda file: file.symlink_to(file.parent / "nothing"),
    "a link in a circle": lambda file: file.symlink_to(file),
    "a FIFO": lambda file: os.mkfifo(file, 0o600),
    "everybody's": _readable,
    "empty": _of(0),
    "short": _of(31),
    "long": _of(33),
}


@LINUX
@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key_is_replaced(tmp_path: Path, name: str) -> None:
    """Whoever else could know it, or have put it there: a link's target stays as it is."""
    deck = made(tmp_path)
    file = key_file(tmp_path / "state")
    file.parent.mkdir(parents=True)
    NO_KEYS[name](file)
    assert [done(deck, **state(tmp_path / "state"))[0] for _ in range(2)] == [1, 0]
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600
    assert len(file.read_bytes()) == 32
    target = file.parent / "target"
    assert not target.exists() or target.read_bytes() == b"x" * 32
    assert not (file.parent / "nothing").exists()


def _is_folder(folder: Path) -> None:
    key_file(folder).mkdir(parents=True)


def _is_below_a_file(folder: Path) -> None:
    folder.write_text("x")


def _is_anothers(folder: Path) -> None:
    file = key_file(folder)
    file.parent.mkdir(parents=True)
    _of(32)(file)
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, 12345)


def _is_in_anothers_folder(folder: Path) -> None:
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(folder, 12345, 12345)


@LINUX
@pytest.mark.parametrize(
    "make", [_is_folder, _is_below_a_file, _is_anothers, _is_in_anothers_folder]
)
def test_where_no_key_can_be_kept_nothing_is_known_again(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """Each run has a key of its own, and leaves nothing in another user's home."""
    deck = made(tmp_path)
    make(tmp_path / "state")
    before = sorted((tmp_path / "state").rglob("*"))
    for _ in range(2):
        assert known_again(deck, **state(tmp_path / "state")) == 0
    assert sorted((tmp_path / "state").rglob("*")) == before


@pytest.mark.parametrize("where", [".", "state", ".verideck", "~"])
def test_no_key_is_kept_where_a_project_reads_it(tmp_path: Path, where: str) -> None:
    """In the project's own folder, and by a relative path, any snippet could read it."""
    deck = made(tmp_path)
    for folder in (str(deck.root / where), where):
        assert known_again(deck, **state(Path(folder))) == 0
    assert not list(deck.root.rglob(f"*{keys.NAME}*"))


def test_a_variable_holds_the_key_where_nothing_else_is_kept(tmp_path: Path) -> None:
    """A cache that CI brings back is believed by runs with its key; an empty one is none."""
    deck = made(tmp_path)
    homes = [{"XDG_STATE_HOME": str(tmp_path / name)} for name in ("one", "two")]
    assert done(deck, **homes[0], **{VARIABLE: MINE})[0] == 1
    assert done(deck, **homes[1], **{VARIABLE: MINE})[0] == 0
    assert done(deck, **homes[1], **{VARIABLE: ""})[0] == 1
    assert not key_file(tmp_path / "one").exists()


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("line", ["", "sandbox = false\n"])
def test_no_snippet_sees_the_variable(tmp_path: Path, executor: str, line: str) -> None:
    """With a sandbox or without one: no variable of the caller's reaches a snippet."""
    code = (
        "import os, subprocess, sys\n"
        "told = subprocess.run([sys.executable, '-c', 'import os; print(dict(os.environ))'],\n"
        "                      capture_output=True, text=True, check=True).stdout\n"
        "assert not [each for each in os.environ if each.startswith('VERIDECK')]\n"
        "assert 'VERIDECK' not in told\n"
    )
    deck = made(tmp_path, card("one", code), SETTINGS + line)
    run = deck.invoke("check", "--executor", executor, "--trust", **{VARIABLE: MINE})
    assert run.returncode == 0, run.stderr


@SANDBOXED
@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_snippet_in_a_sandbox_reads_the_key(tmp_path: Path, executor: str) -> None:
    """It is outside of all that the sandbox opens."""
    file = key_file(tmp_path / "state")
    code = (
        "try:\n"
        f"    key = open({str(file)!r}, 'rb').read()\n"
        "except PermissionError:\n"
        "    key = b''\n"
        "assert key == b''\n"
    )
    deck = made(tmp_path, card("one", code))
    for _ in range(2):
        run = deck.invoke("check", "--executor", executor, **state(tmp_path / "state"))
        assert run.returncode == 0, run.stderr
        deck.write("cards/a.md", card("one", f"x = 1\n{code}"))
    assert len(file.read_bytes()) == 32
