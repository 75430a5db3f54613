"""What the parent reads and writes: regular files, inside of the project, through no link."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path

import pytest
from projects import DOT, SETTINGS, Project, project

from verideck.settings import find_root
from verideck.storage.reading import OUTSIDE, Limit, UnusableFileError, hash_of, read
from verideck.storage.writing import write_together, write_whole

if sys.platform == "win32":
    pytest.skip("links need a right, and there are no FIFOs", allow_module_level=True)

PROSE = "## What is one?\n\nA number.\n"
PRIVATE = "## What is private?\n\nThis text.\n"
SECONDS = 30
"""In which every command has ended: whoever waits for a FIFO waits for ever."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of somebody's, with a few files."""
    there = tmp_path / "home"
    for name in ("Documents/one.md", "Documents/deep/two.md", "start", "data.sqlite", "OUT.apkg"):
        file = there / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(PRIVATE, encoding="utf-8")
    return there


@pytest.fixture
def deck(tmp_path: Path) -> Project:
    """A stranger's project beside that home."""
    return project(tmp_path / "deck", {"a.md": PROSE})


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, with its mode and content."""
    return {
        file.relative_to(folder).as_posix(): (
            file.lstat().st_mode,
            file.read_bytes() if file.is_file() else b"",
        )
        for file in sorted(folder.rglob("*"))
    }


@contextmanager
def unharmed(home: Path) -> Iterator[None]:
    """Nothing in a home is changed, made or removed."""
    before = state(home)
    yield
    assert state(home) == before


def run(deck: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, which ends in time, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "verideck", *words],
        cwd=deck.root,
        env=deck.environment(),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


COMMANDS = [("check",), ("build",), ("lint",), ("id",), ("clean",), ("check", "--update")]


def a_socket(path: Path) -> None:
    """A socket with a name in the file system."""
    with chdir(path.parent), socket.socket(socket.AF_UNIX) as made:  # names of sockets are short
        made.bind(path.name)


SPECIAL: dict[str, Callable[[Path], None]] = {
    "a FIFO": os.mkfifo,
    "a socket": a_socket,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a process's memory": lambda path: path.symlink_to("/proc/self/mem"),
    "a link to a process's variables": lambda path: path.symlink_to("/proc/self/environ"),
    "a link out of the project": lambda path: path.symlink_to("../../home/Documents/one.md"),
}


def sparse(path: Path, size: int) -> None:
    """A file that has a size and takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


# Where verideck keeps and writes


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_kept_folder_that_is_a_link_is_an_error(
    deck: Project, home: Path, words: tuple[str, ...]
) -> None:
    """Row 1: `clean` removed what was there, and `check` wrote into it."""
    (deck.root / ".verideck").symlink_to("../home", target_is_directory=True)
    with unharmed(home):
        done = run(deck, *words)
    assert done.returncode == 1
    assert ".verideck:1:1: error: this is a link" in done.stderr
    assert "[path-unsafe]" in done.stderr


@pytest.mark.parametrize(
    ("name", "make"),
    [
        (".gitignore", lambda path: path.symlink_to("../../home/made")),
        ("CACHEDIR.TAG", lambda path: path.symlink_to("../../home/start")),
        ("store.sqlite", lambda path: path.symlink_to("../../home/data.sqlite")),
        ("store.sqlite-wal", lambda path: path.symlink_to("../../home/data.sqlite")),
        ("store.sqlite-shm", lambda path: path.symlink_to("../../home/made")),
        ("proofs", lambda path: path.symlink_to("../../home/Documents")),
        ("building", lambda path: path.symlink_to("../../home/start")),
        ("building", os.mkfifo),
    ],
)
@pytest.mark.parametrize("words", [("check",), ("build",), ("clean",)], ids=" ".join)
def test_what_is_kept_is_no_link(
    deck: Project, home: Path, name: str, make: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    """Row 1 and its siblings: each name in the folder may be a link, too, or a FIFO."""
    (deck.root / ".verideck").mkdir()
    make(deck.root / ".verideck" / name)
    with unharmed(home):
        done = run(deck, *words)
    assert done.returncode == 1
    assert f".verideck/{name}:1:1: error: this is a" in done.stderr


def test_clean_removes_what_verideck_made_and_nothing_else(deck: Project, home: Path) -> None:
    """Known names go, also the first edition's folders; other files, folders and links stay."""
    deck.build()
    kept = deck.root / ".verideck"
    deck.write(".verideck/proofs/ab/cd", "{}")
    (kept / "proofs/link").symlink_to(home, target_is_directory=True)
    deck.write(".verideck/mine/notes.md", "mine")
    (kept / "other").symlink_to(home, target_is_directory=True)
    with unharmed(home):
        assert run(deck, "clean").stdout == "what .verideck kept is forgotten\n"
        assert run(deck, "clean").stdout == "nothing is kept here\n"
    left = {path.name for path in kept.iterdir()}
    assert left - {"building"} == {".gitignore", "CACHEDIR.TAG", "mine", "other"}


@pytest.mark.parametrize("words", [("check",), ("build",)], ids=" ".join)
@pytest.mark.parametrize("target", ["../home", "nowhere", "../home/made"])
def test_the_outputs_folder_is_no_link(
    deck: Project, home: Path, target: str, words: tuple[str, ...]
) -> None:
    """Row 23: through `dist` a build wrote elsewhere; dangling, it made what was not there."""
    deck.write("pyproject.toml", SETTINGS.replace("deck.apkg", "dist/deep/OUT.apkg"))
    (deck.root / "dist").symlink_to(target, target_is_directory=True)
    with unharmed(home):
        done = run(deck, *words)
    assert done.returncode == 1
    assert "dist:1:1: error: this is a link" in done.stderr
    assert "--trust" not in done.stderr, "it is told once, by what mends it"


def test_a_link_on_the_way_to_an_output_that_is_named_is_not_followed(
    deck: Project, home: Path
) -> None:
    """The caller names a path in the project, and does not know that it leads out of it."""
    (deck.root / "out").symlink_to("../home", target_is_directory=True)
    with unharmed(home):
        done = run(deck, "build", "-o", "out/deck.apkg")
    assert done.returncode == 1
    assert "cannot be written: a link [output-unwritable]" in done.stderr


def test_a_file_that_is_no_package_of_ours_is_not_overwritten(deck: Project, home: Path) -> None:
    """Row 23: whoever names it, what somebody else made stays."""
    with zipfile.ZipFile(home / "other.apkg", "w") as archive:
        archive.writestr("collection.anki21b", b"another's deck")
    with unharmed(home):
        for name in ("OUT.apkg", "other.apkg"):
            done = run(deck, "build", "-o", f"../home/{name}")
            assert done.returncode == 1
            assert "it is no package that verideck wrote" in done.stderr
            assert not (deck.root / "cards.lock").exists()
    assert run(deck, "build", "-o", "../home/new.apkg").returncode == 0
    deck.write("cards/a.md", PROSE.replace("number", "digit"))
    assert run(deck, "build", "-o", "../home/new.apkg").returncode == 0


@pytest.mark.parametrize("words", [("check",), ("build",), ("id",)], ids=" ".join)
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("gone"), os.mkfifo, a_socket])
def test_a_lock_that_is_a_link_is_no_missing_lock(
    deck: Project, make: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    """Row 22: a dangling link counted as none, so every note was new."""
    make(deck.root / "cards.lock")
    done = run(deck, *words)
    assert done.returncode == 1
    assert "cards.lock:1:1: error: cards.lock cannot be read: a " in done.stderr
    assert "[lock-invalid]" in done.stderr


def test_no_temporary_name_can_be_guessed(deck: Project, home: Path) -> None:
    """Row 2: links by the names of processes were followed, and what they led to overwritten."""
    for number in range(1, 3000):
        (deck.root / f".cards.lock.{number}").symlink_to("../home/start")
        (deck.root / f".deck.apkg.{number}").symlink_to("../home/made")
    with unharmed(home):
        assert run(deck, "build").returncode == 0
        assert run(deck, "id").returncode == 0
    assert not (deck.root / "cards.lock").is_symlink()


@pytest.mark.parametrize("make", [*SPECIAL.values()], ids=[*SPECIAL])
def test_only_a_leftover_of_ours_is_removed(
    tmp_path: Path, home: Path, make: Callable[[Path], None]
) -> None:
    """What has a temporary's name and is no regular file stays, and is not waited for."""
    folder = tmp_path / "deck" / "cards"
    folder.mkdir(parents=True)
    left, odd = (folder / f".a.md.verideck-{digit * 16}" for digit in "01")
    left.write_text("left", encoding="utf-8")
    make(odd)
    with unharmed(home):
        write_whole(folder / "a.md", b"new", tmp_path / "deck")
    assert {path.name for path in folder.iterdir()} == {"a.md", odd.name}


def test_a_temporary_file_that_is_in_use_is_no_leftover(tmp_path: Path) -> None:
    """Two that write one file at once leave one of both texts, whole, and nothing else."""
    texts = [bytes([number]) * 100_000 for number in range(4)]

    def writing(text: bytes) -> None:
        for _ in range(30):
            write_whole(tmp_path / "one", text, tmp_path)

    threads = [threading.Thread(target=writing, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "one").read_bytes() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_written_file_keeps_its_mode(tmp_path: Path) -> None:
    """As far as it says who may read, write and execute it."""
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "one").chmod(0o640)
    write_together({tmp_path / "one": b"2", tmp_path / "two": b"2"}, tmp_path)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o640
    assert (tmp_path / "two").read_bytes() == b"2"


@pytest.mark.parametrize("make", [*SPECIAL.values()], ids=[*SPECIAL])
def test_nothing_is_written_in_the_place_of_what_is_no_file(
    tmp_path: Path, home: Path, make: Callable[[Path], None]
) -> None:
    """All of the files stay as they were, also those before it."""
    folder = tmp_path / "deck" / "cards"
    folder.mkdir(parents=True)
    (folder / "a.md").write_bytes(b"former")
    make(folder / "b.md")
    with unharmed(home), pytest.raises(UnusableFileError):
        write_together({folder / "a.md": b"new", folder / "b.md": b"new"}, tmp_path / "deck")
    assert (folder / "a.md").read_bytes() == b"former"


def test_ids_are_written_where_a_link_in_the_project_leads(deck: Project) -> None:
    """The link stays one."""
    deck.write("notes/b.md", "## What is two?\n\nA number.\n")
    (deck.root / "cards/b.md").symlink_to("../notes/b.md")
    assert run(deck, "id").returncode == 0
    assert (deck.root / "cards/b.md").is_symlink()
    assert "{#" in (deck.root / "notes/b.md").read_text(encoding="utf-8")


# What is read


@pytest.mark.parametrize("make", [*SPECIAL.values()], ids=[*SPECIAL])
def test_markdown_is_a_regular_file_of_the_project(
    deck: Project, home: Path, make: Callable[[Path], None]
) -> None:
    """Row 11: a link put private text into the package, and a device took all memory."""
    make(deck.root / "cards/b.md")
    with unharmed(home):
        for words in (("check",), ("check", "cards/b.md"), ("lint",), ("id",), ("build",)):
            done = run(deck, *words)
            assert done.returncode == 1
            assert "cards/b.md:1:1: error: this file cannot be read: " in done.stderr
            assert "private" not in done.stderr + done.stdout
    assert not (deck.root / "deck.apkg").exists()


def test_a_file_that_is_too_large_is_told_and_not_read(deck: Project) -> None:
    """Row 11's sibling: ten gigabytes that take no room on the disk."""
    sparse(deck.root / "cards/b.md", 10_000_000_000)
    done = run(deck, "check")
    assert "cards/b.md:1:1: error: this file cannot be read: larger than 10,000,000" in done.stderr
    (deck.root / "cards/b.md").unlink()
    sparse(deck.root / "cards/b.png", Limit.MEDIA + 1)
    deck.write("cards/a.md", f"{PROSE}\n![](b.png)\n")
    assert "b.png cannot be read: larger than 100,000,000 bytes" in run(deck, "check").stderr


@pytest.mark.parametrize("make", [*SPECIAL.values()], ids=[*SPECIAL])
@pytest.mark.parametrize("what", ["![]({})", '```python {{include="{}"}}\n```'])
def test_images_and_includes_are_regular_files_of_the_project(
    deck: Project, home: Path, make: Callable[[Path], None], what: str
) -> None:
    """Row 19: a FIFO was waited for. The problem stands at the line that names the file."""
    name = "one.png" if "!" in what else "cards/one.png"
    make(deck.root / "cards/one.png")
    deck.write("cards/a.md", f"{PROSE}\n{what.format(name)}\n")
    with unharmed(home):
        done = run(deck, "check", "--no-verify")
    assert done.returncode == 1
    assert "cards/a.md:5:1: error: " in done.stderr
    assert any(why in done.stderr for why in ("cannot be read: a ", OUTSIDE))


@pytest.mark.parametrize(
    ("files", "links", "why"),
    [
        ({"a.md": f'{PROSE}\n```text {{include=".git/config"}}\n```\n'}, {}, "is hidden"),
        ({"a.md": f'{PROSE}\n```text {{include=".env"}}\n```\n'}, {}, "is hidden"),
        (
            {"a.md": f'{PROSE}\n```text {{include="b.txt"}}\n```\n'},
            {"b.txt": ".env"},
            "is hidden",
        ),
        ({"a.md": f"{PROSE}\n![](b.svg)\n"}, {"cards/b.svg": "../.git/config"}, "is hidden"),
        ({"a.md": f"{PROSE}\n![](b/config.svg)\n"}, {"cards/b": "../.git"}, "is hidden"),
        ({"a.md": PROSE}, {"cards/b.md": "../.env"}, "cannot be read: hidden"),
    ],
)
def test_what_is_hidden_in_a_project_comes_on_no_card(
    tmp_path: Path, files: dict[str, str | bytes], links: dict[str, str], why: str
) -> None:
    """As no snippet reads it: `.git` may hold the tokens of CI, `.env` those of its author."""
    made = project(tmp_path, files)
    for name in (".env", ".git/config", ".git/config.svg"):
        made.write(name, "TOKEN=1234\n")
    for name, to in links.items():
        (made.root / name).symlink_to(to)
    done = run(made, "build")
    assert done.returncode == 1
    assert why in done.stderr
    assert "1234" not in done.stderr


def test_a_hidden_folder_that_is_named_is_read(tmp_path: Path) -> None:
    """Pictures may lie in one, and the project itself below one."""
    made = project(tmp_path / ".cache/deck", {"a.md": f"{PROSE}\n![](.attachments/b.png)\n"})
    (made.root / "cards/.attachments").mkdir()
    (made.root / "cards/.attachments/b.png").write_bytes(DOT)
    done = run(made, "build")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("home")
def test_a_folder_that_is_a_link_out_of_the_project_is_told(deck: Project) -> None:
    """Nothing in it is read, and nobody is left to think that it was."""
    (deck.root / "cards/more").symlink_to("../../home/Documents", target_is_directory=True)
    done = run(deck, "check")
    assert "cards/more:1:1: error: this folder is a link to outside of the project" in done.stderr
    (deck.root / "cards/more").unlink()
    (deck.root / "cards/round").symlink_to(".", target_is_directory=True)
    deck.write("images/dot.png", DOT)
    (deck.root / "cards/images").symlink_to("../images", target_is_directory=True)
    assert run(deck, "check").returncode == 0
    deck.write("images/b.md", PRIVATE)
    assert (
        "cards/images:1:1: error: this folder is a link: no Markdown" in run(deck, "check").stderr
    )


def test_cards_are_no_link_out_of_the_project(deck: Project, home: Path) -> None:
    """The folder that the settings name by default is a link, and its files are elsewhere."""
    (deck.root / "cards").rename(deck.root / "other")
    (deck.root / "cards").symlink_to("../home/Documents", target_is_directory=True)
    with unharmed(home):
        done = run(deck, "check")
    assert done.returncode == 1
    assert "error: cards is outside the project" in done.stderr


def test_the_caller_may_name_a_file_elsewhere(deck: Project, home: Path) -> None:
    """What the caller names is read; a folder that the caller names does not lead out of itself."""
    assert run(deck, "check", "../home/Documents/one.md").returncode == 0
    (home / "Documents/three.md").symlink_to("../start")
    done = run(deck, "check", "../home/Documents")
    assert done.returncode == 1
    assert "three.md:1:1: error: this file cannot be read: outside" in done.stderr


@pytest.mark.parametrize("make", [*SPECIAL.values()], ids=[*SPECIAL])
def test_settings_are_a_regular_file_of_the_project(
    deck: Project, home: Path, make: Callable[[Path], None]
) -> None:
    """Nobody waits for a FIFO while looking for the project, either."""
    (deck.root / "pyproject.toml").unlink()
    make(deck.root / "cards/pyproject.toml")
    with chdir(deck.root / "cards"):
        assert find_root(Path()) in (None, deck.root / "cards")
    (deck.root / "cards/pyproject.toml").unlink()
    make(deck.root / "pyproject.toml")
    with unharmed(home):
        done = run(deck, "check")
    assert "private" not in done.stderr + done.stdout


def test_a_link_that_is_swapped_while_it_is_read_never_leads_out(tmp_path: Path) -> None:
    """What was opened is what was checked: of ten thousand swaps none gets through."""
    inside, secret = tmp_path / "deck", tmp_path / "secret"
    inside.mkdir()
    secret.write_bytes(b"secret")
    (inside / "mine").write_bytes(b"mine")
    ended = threading.Event()

    def swapping() -> None:
        while not ended.is_set():
            for target in ("mine", "../secret"):
                new = inside / "new"
                new.symlink_to(target)
                new.rename(inside / "a.md")

    (inside / "a.md").symlink_to("mine")
    thread = threading.Thread(target=swapping)
    thread.start()
    found = set()
    try:
        for _ in range(10_000):
            with suppress(UnusableFileError):
                found.add(read(inside / "a.md", Limit.TEXT, (inside,)))
    finally:
        ended.set()
        thread.join()
    assert found == {b"mine"}


def test_a_file_that_grows_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    """The kernel gives such files no size: it is what was read that counts."""
    file = tmp_path / "a"
    file.write_bytes(b"a" * 10)
    assert read(file, Limit.TEXT) == b"a" * 10
    with pytest.raises(OSError, match=r"Input/output|Permission|larger"):
        read(Path("/proc/self/mem"), Limit.TEXT)
    assert read(Path("/proc/self/status"), Limit.TEXT)
    with pytest.raises(UnusableFileError, match="larger"):
        read(Path("/proc/self/pagemap"), Limit.TEXT)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/proc/self/environ", "pipe", "gone"])
def test_what_a_proof_depended_on_is_read_from_the_project_alone(tmp_path: Path, path: str) -> None:
    """Row 7: a path in a forged report was read without an end, in every build."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=f"{OUTSIDE}|FIFO|No such file"):
        hash_of(tmp_path / path, Limit.DATA, (tmp_path,))


def test_a_name_that_no_system_accepts_is_told(deck: Project) -> None:
    """A NUL in an image's name is no bug of ours."""
    deck.write("cards/a.md", f"{PROSE}\n![](a%00b.png)\n")
    assert "[image-unusable]" in run(deck, "check").stderr
