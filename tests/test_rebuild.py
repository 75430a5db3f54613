"""Building again: killed, refused, overtaken, interrupted, locked, merged; the deck stays whole."""

from __future__ import annotations

import json
import os
import platform
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from filelock import FileLock
from projects import (
    COMMAND,
    DOT,
    MOMENT,
    ROOT,
    Project,
    files,
    project,
    remembered,
    soon,
)

from verideck.history.identity import chosen
from verideck.storage.store import FOLDER
from verideck.targets import packages

FORMER = MOMENT - 1000
LATER = MOMENT + 1000

LOCK = "cards.lock"
PACKAGE = "deck.apkg"
WRITTEN = {LOCK, PACKAGE}

linux = pytest.mark.linux(reason="as Linux has it")

Files = Mapping[str, str | bytes]


def qa(question: str, answer: str) -> str:
    """A card without an id, which only the lock knows again."""
    return f"## {question}\n\n{answer}\n\n"


def numbered(count: int, first: int = 0) -> str:
    """So many cards, no two of them alike."""
    return "".join(
        qa(f"What is 注意力 number {n} of {n * n}?", f"Answer {n * 7919 % 1009} of {n}.")
        for n in range(first, first + count)
    )


ADDED = qa("Was this here before?", "No.")
REWORDED = ("What is 注意力 number 1 of 1?", "What is 注意力 number 1 (of 1), if any?")
CHANGED = ("Answer 703 of 2.", "The answer is 703.")
DELETED = qa("What is 注意力 number 3 of 9?", "Answer 550 of 3.")


def edited(text: str) -> str:
    """One card reworded, one answered anew, one deleted and one added."""
    for old, new in (REWORDED, CHANGED, (DELETED, "")):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text + ADDED


@dataclass(frozen=True, slots=True)
class State:
    """What stands on the disk; None where nothing does."""

    lock: bytes | None
    package: bytes | None

    @staticmethod
    def of(root: Path, package: str = PACKAGE) -> State:
        """Of a project."""
        return State(*(_content(root / name) for name in (LOCK, package)))

    def write(self, root: Path) -> None:
        """Make a project's files these."""
        for name, content in ((LOCK, self.lock), (PACKAGE, self.package)):
            if content is None:
                (root / name).unlink(missing_ok=True)
            else:
                (root / name).write_bytes(content)


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A project that was built, then edited; and what its next build makes."""

    made: Project
    former: State
    new: State


def rebuild(folder: Path, cards: int, *, first: bool = False, more: Files | None = None) -> Rebuild:
    """Some cards, built once or not yet; what a build of the edited ones makes is found aside."""
    made = project(
        folder, {"a.md": numbered(cards), "b.md": numbered(cards, cards), **(more or {})}
    )
    if not first:
        made.build(build_time=FORMER)
    former = State.of(made.root)
    made.write("cards/a.md", edited(numbered(cards)))
    aside = Project(folder.with_name(f"{folder.name} aside"))
    shutil.copytree(folder, aside.root)
    aside.build(build_time=MOMENT)
    new = State.of(aside.root)
    assert new.lock != former.lock
    assert new.package != former.package
    return Rebuild(made, former, new)


def whole(root: Path) -> None:
    """Lock and package can be read, as far as they are there."""
    remembered(root)
    if (root / PACKAGE).exists():
        assert packages.read(root / PACKAGE)


def consistent(root: Path, package: str = PACKAGE) -> None:
    """The package is that of the lock: another build changes nothing. No card is two notes."""
    before, made = State.of(root, package), Project(root)
    made.package(made.result(), package, LATER, locked=True)
    assert State.of(root, package) == before
    once(root)


def once(root: Path) -> None:
    """Each question is remembered with one guid, and each id too."""
    entries = [each for each in remembered(root).entries.values() if not each.retired]
    assert len({each.identity.question for each in entries}) == len(entries)
    assert len({each.identity.id for each in entries}) == len(entries)


# Killed


AT_A_CALL = """\
import os, signal, sys
from verideck.cli import main

names, left, sent = sys.argv.pop(1).split(), int(sys.argv.pop(1)), int(sys.argv.pop(1))

def counted(call):
    def calling(*given, **named):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), sent)
        return call(*given, **named)
    return calling

for name in names:
    setattr(os, name, counted(getattr(os, name)))
main()
"""
"""The command, which gets a signal as it is about to call the system for the n-th time."""

ANY = "fsync replace unlink"
"""What changes a disk."""

CALLS = 12
"""A build makes fewer such calls."""


def at_call(
    made: Project, number: int, sent: signal.Signals, calls: str = ANY
) -> subprocess.CompletedProcess[str]:
    """A build that gets a signal at a call."""
    return run_script(made, AT_A_CALL, calls, str(number), str(int(sent)), "build")


def run_script(made: Project, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a Python script, which is the command and something more, in a project."""
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=made.root,
        env=made.environment(),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def recovers(made: Project, former: State, new: State) -> str:
    """What a killed build left is whole, and the next build makes of it what is right."""
    whole(made.root)
    left = State.of(made.root)
    if left == State(new.lock, former.package) and left != new:
        assert made.run("build", SOURCE_DATE_EPOCH=str(LATER)).returncode == 0
        assert State.of(made.root) == new
        return "mixed"
    assert left in (former, new)
    return "former" if left == former else "new"


@pytest.mark.parametrize("first", [False, True], ids=["rebuild", "first build"])
def test_a_build_killed_at_any_call_is_made_good(tmp_path: Path, *, first: bool) -> None:
    """Both files are as they were, or new, or the lock is new: then the next build makes both."""
    made, former, new = _parts(rebuild(tmp_path / "deck", 10, first=first))
    seen = []
    for number in range(1, CALLS):
        former.write(made.root)
        run = at_call(made, number, signal.SIGKILL)
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL, run.stderr
        seen.append(recovers(made, former, new))
    assert State.of(made.root) == new
    assert list(dict.fromkeys(seen)) == ["former", "mixed", "new"][: 2 + ("new" in seen)]
    former.write(made.root)
    assert made.run("build").returncode == 0
    assert State.of(made.root) == new


def _parts(found: Rebuild) -> tuple[Project, State, State]:
    return found.made, found.former, found.new


def test_the_next_build_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """Nothing stands beside lock and package in the end."""
    made = rebuild(tmp_path / "deck", 5).made
    there = files(made.root)
    for number in (1, 2):
        assert at_call(made, number, signal.SIGKILL, "replace").returncode == -signal.SIGKILL
    assert made.run("build").returncode == 0
    assert files(made.root) == there


def test_a_power_cut_comes_between_no_file_and_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each content is on the disk before its name is, and the lock's name before the package's."""
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def settled(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        order.append("names" if is_folder else "content")
        fsync(descriptor)

    def renamed(file: str, target: str, **folders: int) -> None:
        order.append(target)
        replace(file, target, **folders)

    monkeypatch.setattr(os, "fsync", settled)
    monkeypatch.setattr(os, "replace", renamed)
    project(tmp_path, {"a.md": numbered(2)}).build()
    assert order == ["content", "content", LOCK, "names", PACKAGE, "names"]


def test_a_folder_that_cannot_be_opened_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    opened = os.open

    def refusing(path: Path | str, *more: int, **named: int) -> int:
        if Path(path).is_dir():
            raise PermissionError
        return opened(path, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    project(tmp_path, {"a.md": numbered(2)}).build()
    whole(tmp_path)
    assert files(tmp_path) >= WRITTEN


# Interrupted


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_build_writes_both_or_neither(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """At any call: the exit code is the signal's, both files are of one build, nothing is left."""
    made, former, new = _parts(rebuild(tmp_path / "deck", 10))
    there = files(made.root)
    seen = []
    for number in range(1, CALLS):
        former.write(made.root)
        run = at_call(made, number, sent)
        assert files(made.root) == there
        left = State.of(made.root)
        assert left in (former, new)
        if run.returncode == 0:
            break
        assert run.returncode == code, run.stderr
        assert "Traceback" not in run.stderr
        seen.append(left)
    assert State.of(made.root) == new
    assert seen[0] == former


AT_AN_EVENT = """\
import os, signal, sys

wanted, sent = sys.argv.pop(1).split(), int(sys.argv.pop(1))

def watch(event, given):
    if wanted and event == wanted[0] and wanted[1] in str(given[0]):
        wanted.clear()
        os.kill(os.getpid(), sent)

sys.addaudithook(watch)
from verideck.cli import main
main()
"""
"""The command, which gets a signal at the first audit event of Python with a name and a value."""

EVENTS = [
    "import msgspec",
    "open pyproject.toml",
    "open cards/a.md",
    "import markdown_it",
    "open .verideck/building",
    "import genanki",
    "open .cards.lock.",
]
"""From the first module that it imports to the first file that is written."""


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_build_interrupted_before_it_writes_leaves_all_as_it_was(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """While it starts, reads, waits and packages."""
    made = project(tmp_path, {"a.md": numbered(3)})
    made.build(build_time=FORMER)
    made.write("cards/a.md", edited(numbered(4)))
    before, there = State.of(made.root), files(made.root)
    for event in EVENTS:
        run = run_script(made, AT_AN_EVENT, event, str(int(sent)), "build")
        assert State.of(made.root) == before, event
        assert files(made.root) == there, event
        assert run.returncode == code, run.stderr
        assert "Traceback" not in run.stderr


def test_an_interrupted_build_says_what_it_has_written(tmp_path: Path) -> None:
    """That nothing was written is said only where it is so."""
    made, former, _ = _parts(rebuild(tmp_path / "deck", 10))
    for number in (1, 2):
        former.write(made.root)
        run = at_call(made, number, signal.SIGINT, "replace")
        assert (State.of(made.root) == former) == ("nothing was written" in run.stderr)


# Refused


def refused(run: subprocess.CompletedProcess[str]) -> None:
    """The system's refusal is told as such, with exit code 1."""
    assert run.returncode == 1, run.stderr
    assert "[output-unwritable]" in run.stderr
    assert "nothing was written" in run.stderr
    assert "    1 | " not in run.stderr, "no line of a package is shown"
    assert "Traceback" not in run.stderr


@contextmanager
def mounted(where: Path, *words: str) -> Iterator[None]:
    """Something mounted, as long as it is needed; skips where that is not allowed."""
    command = shutil.which("mount")
    if command is None or sys.platform != "linux":
        pytest.skip("no mount here")
    done = subprocess.run(
        [command, *words, str(where)], check=False, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        pytest.skip(f"mounting needs root: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)  # noqa: S607 - as mount is


@linux
def test_a_full_disk_leaves_both_files(tmp_path: Path) -> None:
    """With however little room: both are as they were, or both are new, and nothing is beside."""
    deck = rebuild(tmp_path / "deck", 100)
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=4m", "tmpfs"):
        made = Project(disk / "deck")
        shutil.copytree(deck.made.root, made.root)
        there = files(made.root)
        codes = []
        for kilobytes in (0, 4, 24, 48, 72, 200, 2000):
            deck.former.write(made.root)
            filler = disk / "filler"
            room = shutil.disk_usage(disk).free - kilobytes * 1024
            filler.write_bytes(bytes(max(room, 0)))
            run = made.run("build")
            codes.append(run.returncode)
            assert files(made.root) == there
            if run.returncode:
                refused(run)
                assert "No space left" in run.stderr
            assert State.of(made.root) == (deck.former if run.returncode else deck.new)
            filler.unlink()
    assert codes == sorted(codes, reverse=True)
    assert set(codes) == {0, 1}


@linux
@pytest.mark.parametrize("fits", ["nothing", "the lock"])
def test_a_file_size_limit_leaves_both_files(tmp_path: Path, fits: str) -> None:
    """Also where the lock could be written, and the package, which holds a picture, could not."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        pytest.skip("no prlimit here")
    noise = DOT + random.Random(0).randbytes(60_000)  # noqa: S311 - noise cannot be compressed
    shown: Files = {"c.md": "## Noise? {#noise}\n\n![noise](noise.png)\n", "cards/noise.png": noise}
    made, former, new = _parts(rebuild(tmp_path / "deck", 10, more=shown))
    there = files(made.root)
    assert new.lock is not None
    most = len(new.lock) + 1000 if fits == "the lock" else 100
    unmeasured = {"COVERAGE_PROCESS_CONFIG": ""}  # the measurement would be a file, too
    run = made.run("build", through=[prlimit, f"--fsize={most}"], **unmeasured)
    refused(run)
    assert State.of(made.root) == former
    assert files(made.root) == there
    assert made.run("build").returncode == 0
    assert State.of(made.root) == new


def as_anybody() -> list[str]:
    """What takes from root the right to write everywhere."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return []
    rights = "-dac_override"
    return ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}"]


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a deck was built, then edited, and in which nothing may be written."""
    root = rebuild(tmp_path / "deck", 5).made.root
    root.chmod(0o500)
    yield root
    root.chmod(0o700)


@linux
def test_a_lock_that_cannot_be_written_is_told(closed: Path, tmp_path: Path) -> None:
    """No package is made that nobody would remember."""
    before, there = State.of(closed), files(closed)
    run = Project(closed).run("build", "-o", "../deck.apkg", through=as_anybody())
    refused(run)
    assert State.of(closed) == before
    assert files(closed) == there
    assert not (tmp_path / PACKAGE).exists()


@linux
def test_it_is_told_which_file_cannot_be_written(closed: Path) -> None:
    """Another -o would not help."""
    run = Project(closed).run("build", "-o", "../deck.apkg", through=as_anybody())
    assert f"{LOCK}:1:1: error" in run.stderr
    assert "name another file by -o" not in run.stderr


@linux
def test_a_lock_that_is_up_to_date_need_not_be_written(tmp_path: Path) -> None:
    """A package is made from a read-only project, by whoever may write it elsewhere."""
    made = project(tmp_path / "deck", {"a.md": numbered(5)})
    made.build()
    made.root.chmod(0o500)
    try:
        run = made.run("build", "-o", "../copy.apkg", through=as_anybody())
    finally:
        made.root.chmod(0o700)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "copy.apkg").read_bytes() == (made.root / PACKAGE).read_bytes()


@linux
def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    """Neither is the lock written, nor does the build wait for a turn that it cannot take."""
    made, former, _ = _parts(rebuild(tmp_path / "deck", 5))
    with mounted(made.root, "--bind", "-o", "ro", str(made.root)):
        refused(made.run("build", "-o", "../deck.apkg"))
        refused(made.run("build"))
    assert State.of(made.root) == former
    assert not (tmp_path / PACKAGE).exists()


@linux
def test_a_package_that_cannot_be_written_leaves_the_lock(tmp_path: Path) -> None:
    """In a read-only folder, or where a folder stands in its place."""
    made, former, _ = _parts(rebuild(tmp_path / "deck", 5))
    (made.root / "closed").mkdir(mode=0o500)
    (made.root / "taken.apkg").mkdir()
    there = files(made.root)
    for output in ("closed/deck.apkg", "taken.apkg"):
        refused(made.run("build", "-o", output, through=as_anybody()))
        assert State.of(made.root) == former
        assert files(made.root) == there


@linux
def test_a_package_that_cannot_be_replaced_takes_the_lock_back(tmp_path: Path) -> None:
    """A file that is mounted by itself, as containers do, can be written beside and not renamed."""
    made, former, _ = _parts(rebuild(tmp_path / "deck", 5))
    there = files(made.root)
    package = made.root / PACKAGE
    with mounted(package, "--bind", str(package)):
        refused(made.run("build"))
        assert State.of(made.root) == former
        assert files(made.root) == there


# At once


WAITING = """\
import sys
from pathlib import Path
from filelock import FileLock, Timeout
from verideck.cli import main

acquire, told = FileLock.acquire, Path(sys.argv.pop(1))

def telling(lock):
    try:
        return acquire(lock, blocking=False)
    except Timeout:
        told.touch()
        return acquire(lock)

FileLock.acquire = telling
main()
"""
"""The command, which tells by a file that it has checked its cards and was not given its turn."""


def waiting(made: Project, told: Path, *words: str, build_time: int) -> subprocess.Popen[str]:
    """A build that has read its cards and waits for the one that holds the project."""
    command = started(made, told, *words, build_time=build_time)
    assert soon(told.exists)
    return command


def started(made: Project, told: Path, *words: str, build_time: int) -> subprocess.Popen[str]:
    """A build that makes a file when it waits for the one that holds the project."""
    return subprocess.Popen(
        [sys.executable, "-c", WAITING, str(told), "build", *words],
        cwd=made.root,
        env=made.environment(SOURCE_DATE_EPOCH=str(build_time)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def ended(*commands: subprocess.Popen[str]) -> None:
    """All of them end well."""
    for command in commands:
        _, told = command.communicate(timeout=60)
        assert command.returncode == 0, told


@contextmanager
def held(made: Project) -> Iterator[None]:
    """No build of the project gets its turn, as long as this is held."""
    (made.root / FOLDER).mkdir(exist_ok=True)
    with FileLock(made.root / FOLDER / "building"):
        yield


@pytest.mark.parametrize(
    ("outputs", "first"),
    [((PACKAGE, PACKAGE), True), ((PACKAGE, PACKAGE), False), (("one.apkg", "two.apkg"), False)],
    ids=["first build", "rebuild", "-o"],
)
def test_builds_started_together_leave_one(
    tmp_path: Path, outputs: tuple[str, str], *, first: bool
) -> None:
    """Both wait for their turn; the second finds all remembered, and both packages are its lock's.

    They have read the same cards and the same lock, which the first one then writes.
    """
    made = rebuild(tmp_path / "deck", 10, first=first).made
    with held(made):
        commands = [
            started(made, tmp_path / f"told {n}", "-o", output, build_time=MOMENT + n)
            for n, output in enumerate(outputs)
        ]
        assert soon(lambda: all((tmp_path / f"told {n}").exists() for n in range(2)))
    ended(*commands)
    for output in outputs:
        consistent(made.root, output)


@pytest.mark.parametrize("outputs", [(PACKAGE, PACKAGE), ("one.apkg", "two.apkg")], ids=["", "-o"])
@pytest.mark.parametrize("second", [1, 2])
def test_builds_of_different_edits_do_not_mix(
    tmp_path: Path, outputs: tuple[str, str], second: int
) -> None:
    """Lock and package are of one of two builds that read different cards, whoever was first."""
    made = project(tmp_path / "deck", {"a.md": numbered(30)})
    made.build(build_time=FORMER)
    texts = (
        edited(numbered(30)),
        numbered(30).replace(REWORDED[0], "Attention 1?") + ADDED.replace("Was", "Is"),
    )
    with held(made):
        commands = []
        for number, (text, output) in enumerate(zip(texts, outputs, strict=True)):
            made.write("cards/a.md", text)
            told = tmp_path / f"told {number}"
            build_time = MOMENT + (number if second == 1 else -number)
            commands.append(waiting(made, told, "-o", output, build_time=build_time))
    ended(*commands)
    won = [text for text in texts if questions(text) == live(made.root)]
    assert len(won) == 1, [questions(text) ^ live(made.root) for text in texts]
    made.write("cards/a.md", won[0])
    consistent(made.root, outputs[texts.index(won[0])])
    guids = [packages.read(made.root / output) for output in set(outputs)]
    for one in guids:
        assert set(one) <= set(remembered(made.root).entries)


def questions(text: str) -> set[str]:
    """The questions of a file."""
    return set(re.findall(r"^## (.*)$", text, re.MULTILINE))


def live(root: Path) -> set[str]:
    """The questions of what is remembered and not retired."""
    entries = remembered(root).entries.values()
    return {each.identity.question for each in entries if not each.retired}


def test_clean_lets_no_build_in_beside_another(tmp_path: Path) -> None:
    """A build that comes after it is refused its turn, as long as another has it."""
    made = project(tmp_path / "deck", {"a.md": numbered(5)})
    made.build()
    with held(made):
        assert made.run("clean").returncode == 0
        command = waiting(made, tmp_path / "told", build_time=MOMENT)
        assert command.poll() is None
    ended(command)


# --locked


def named(question: str) -> str:
    """How a card without an id is told."""
    return f'{chosen(question, ())} "{question}"'


EDITS: dict[str, tuple[Callable[[str], str], str]] = {
    "reword": (
        lambda text: text.replace(*REWORDED),
        f'reworded: {named(REWORDED[0])} → "{REWORDED[1]}"',
    ),
    "answer": (
        lambda text: text.replace(*CHANGED),
        f"changed: {named('What is 注意力 number 2 of 4?')}",
    ),
    "new": (lambda text: text + ADDED, f"new: {named('Was this here before?')}"),
    "deleted": (
        lambda text: text.replace(DELETED, ""),
        f"retired: {named('What is 注意力 number 3 of 9?')}",
    ),
    "deck": (
        lambda text: f"# Another\n\n{text}",
        f'moved: {chosen("What is 注意力 number 4 of 16?", ())} "Root::a" → "Root::Another"',
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_locked_refuses_what_the_lock_does_not_remember(tmp_path: Path, edit: str) -> None:
    """The message tells what changed; nothing is written, and without --locked all is."""
    made = project(tmp_path, {"a.md": numbered(5)})
    made.build()
    before, there = State.of(tmp_path), files(tmp_path)
    change, told = EDITS[edit]
    made.write("cards/a.md", change(numbered(5)))
    run = made.invoke("build", "--locked")
    assert run.returncode == 1
    assert f"{LOCK}:1:1: error: " in run.stderr
    assert "[lock-stale]" in run.stderr
    assert told in run.stderr
    assert State.of(tmp_path) == before
    assert files(tmp_path) == there
    made.build()
    consistent(tmp_path)


def test_locked_does_not_say_that_a_text_is_lost(tmp_path: Path) -> None:
    """A clone has no package yet: whoever writes the lock has one, and will tag the note."""
    made = project(tmp_path, {"a.md": numbered(5)})
    made.build().unlink()
    made.write("cards/a.md", numbered(4))
    assert "  retired: " in made.invoke("build", "--locked").stderr


def test_locked_tells_how_much_it_leaves_out(tmp_path: Path) -> None:
    """Ten changes are named."""
    made = project(tmp_path, {"a.md": numbered(5)})
    made.build()
    made.write("cards/a.md", numbered(20))
    told = made.invoke("build", "--locked").stderr
    assert (told.count("new: "), "and 5 more" in told) == (10, True)


def test_locked_packages_what_the_lock_remembers(tmp_path: Path) -> None:
    """On a clean clone, where there is no package yet; the lock is not even touched."""
    made = project(tmp_path, {"a.md": numbered(5)})
    package = made.build(build_time=FORMER)
    before, when = State.of(tmp_path), (tmp_path / LOCK).stat().st_mtime_ns
    package.unlink()
    run = made.invoke("build", "--locked")
    assert run.returncode == 0, run.stderr
    assert State.of(tmp_path) == before
    assert (tmp_path / LOCK).stat().st_mtime_ns == when


def test_locked_refuses_a_project_without_a_lock(tmp_path: Path) -> None:
    """Then nobody has remembered anything."""
    made = project(tmp_path, {"a.md": numbered(5)})
    run = made.invoke("build", "--locked", "--format", "json")
    assert run.returncode == 1
    assert [each["code"] for each in json.loads(run.stdout)["problems"]] == ["lock-stale"]
    assert not files(tmp_path) & WRITTEN


def test_locked_never_writes_the_lock(tmp_path: Path) -> None:
    """Also where lines stand in another order, as a merge may leave them."""
    made = project(tmp_path, {"a.md": numbered(5)})
    made.build()
    *lines, one, other, last = (
        (tmp_path / LOCK).read_text(encoding="utf-8").splitlines(keepends=True)
    )
    merged = "".join([*lines, other, one, last]).encode()
    made.write(LOCK, merged)
    made.invoke("build", "--locked")
    assert (tmp_path / LOCK).read_bytes() == merged


def test_a_deleted_card_is_gone_though_its_file_names_it(tmp_path: Path) -> None:
    """A question may be a word, which other cards of the file use."""
    one, other = qa("Softmax", "Weights from scores."), qa("What follows softmax?", "No Softmax.")
    made = project(tmp_path, {"a.md": one + other})
    made.build()
    made.write("cards/a.md", other)
    assert made.invoke("build", "--locked").returncode == 1
    assert "1 retired" in made.invoke("build").stdout


MOVES = {
    "to another file": {"a.md": numbered(5), "b.md": numbered(1, 5)},
    "an id": {"a.md": numbered(6).replace("5 of 25?", "5 of 25? {#five}"), "b.md": ""},
}


@pytest.mark.parametrize("move", MOVES)
def test_locked_tells_of_every_change(tmp_path: Path, move: str) -> None:
    """Also of what changes nothing for a learner."""
    top = "---\ndeck: One\n---\n\n"
    made = project(tmp_path, {"a.md": top + numbered(6), "b.md": top + qa("B", "b")})
    made.build()
    for name, text in MOVES[move].items():
        made.write(f"cards/{name}", top + text + (qa("B", "b") if name == "b.md" else ""))
    run = made.invoke("build", "--locked")
    assert run.returncode == 1
    assert "What is 注意力 number 5 of 25?" in run.stderr


# Merged


UNION = f"{LOCK} merge=union\n"


@dataclass(frozen=True, slots=True)
class Repository:
    """A deck project under git."""

    made: Project

    def git(self, *words: str, fails: bool = False) -> str:
        """Run git, which succeeds unless it is said not to."""
        done = subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *words],  # noqa: S607 - git
            cwd=self.made.root,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout

    def commit(self, build_time: int) -> None:
        """Build, and commit the cards with the lock."""
        self.made.build(build_time=build_time)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "cards")

    def branch(self, name: str, path: str, text: str, build_time: int) -> None:
        """Write a file of cards on a branch of its own, and build there."""
        self.git("checkout", "-q", "-b", name, "main")
        self.made.write(f"cards/{path}", text)
        self.commit(build_time)


def repository(folder: Path, cards: str, *, union: bool) -> Repository:
    """A project whose first build is committed."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    made = project(folder, {"base.md": cards, ".gitignore": f"{FOLDER}/\n*.apkg\n"})
    if union:
        made.write(".gitattributes", UNION)
    found = Repository(made)
    found.git("init", "-q", "-b", "main")
    found.commit(FORMER)
    return found


def nothing_new(made: Project, notes: int) -> None:
    """The next build of merged cards finds all of them remembered."""
    once(made.root)
    run = made.invoke("build", SOURCE_DATE_EPOCH=str(LATER))
    assert run.returncode == 0, run.stderr
    assert f"since the last build: {notes} untouched" in run.stdout, run.stdout
    assert max(each.mod for each in remembered(made.root).entries.values()) < LATER
    assert len(remembered(made.root).entries) == notes
    consistent(made.root)


@pytest.mark.parametrize("union", [True, False], ids=["union", "plain"])
def test_branches_that_add_cards_merge(tmp_path: Path, *, union: bool) -> None:
    """Git joins the locks by itself, and the next build adds nothing."""
    found = repository(tmp_path, numbered(20), union=union)
    found.branch("one", "one.md", numbered(3, 100), MOMENT)
    found.branch("two", "two.md", numbered(3, 200), MOMENT + 7)
    ids = [[chosen(each, ()) for each in sorted(questions(numbered(3, n)))] for n in (100, 200)]
    if not union and neighbours(numbered(20), *ids):
        pytest.skip("these ids sort next to each other")
    found.git("merge", "-q", "--no-edit", "one")
    nothing_new(found.made, 26)
    assert found.git("status", "--porcelain") == ""


def neighbours(base: str, one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether an id of one branch sorts beside one of another, with none of the base between."""
    ids = {chosen(each, ()) for each in questions(base)}
    order = sorted([*ids, *one, *other])
    owners = [0 if each in ids else 1 if each in one else 2 for each in order]
    return any({a, b} == {1, 2} for a, b in pairwise(owners))


def test_without_union_only_neighbours_conflict(tmp_path: Path) -> None:
    """Two new lines merge if a line stands between them; else both versions stay in the file."""
    found = repository(tmp_path, numbered(4), union=False)
    seen = set()
    for number in range(6):
        one, two = (qa(f"Added by {name} at {number}?", name) for name in ("one", "two"))
        found.git("checkout", "-q", "main")
        found.branch(f"one{number}", "one.md", one, MOMENT)
        found.branch(f"two{number}", "two.md", two, MOMENT + 7)
        ids = [[chosen(question, ()) for question in questions(each)] for each in (one, two)]
        conflict = neighbours(numbered(4), *ids)
        seen.add(conflict)
        found.git("merge", "-q", "--no-edit", f"one{number}", fails=conflict)
        if conflict:
            found.git("merge", "--abort")
        else:
            once(tmp_path)
            assert len(remembered(tmp_path).entries) == 6
    assert seen == {True, False}


def test_union_joins_first_builds(tmp_path: Path) -> None:
    """Where neither branch had a lock to begin with, heads and ends may stand twice."""
    found = repository(tmp_path, numbered(3), union=True)
    found.git("rm", "-q", "--cached", LOCK)
    found.git("commit", "-q", "-m", "no lock")
    (tmp_path / LOCK).unlink()
    found.branch("one", "one.md", numbered(2, 100), MOMENT)
    found.branch("two", "two.md", numbered(2, 200), MOMENT + 7)
    found.git("merge", "-q", "--no-edit", "one")
    nothing_new(found.made, 7)


def edited_on_both(folder: Path, *, union: bool) -> Repository:
    """One branch makes a little change to a question, the other answers it at length."""
    found = repository(folder, numbered(8), union=union)
    found.branch("one", "base.md", numbered(8).replace(*REWORDED), MOMENT)
    found.branch("two", "base.md", numbered(8).replace("Answer 856 of 1.", "It is 856."), LATER)
    return found


def test_with_union_the_later_of_two_lines_counts(tmp_path: Path) -> None:
    """A card that both branches have changed is one note, and a build leaves one line of it."""
    found = edited_on_both(tmp_path, union=True)
    (former,) = (each for each in remembered(tmp_path).entries.values() if each.mod == LATER)
    found.git("merge", "-q", "--no-edit", "one")
    lines = (tmp_path / LOCK).read_text(encoding="utf-8")
    assert lines.count(former.identity.guid) == 2
    assert remembered(tmp_path).entries[former.identity.guid] == former
    found.made.build(build_time=LATER + 1)
    assert (tmp_path / LOCK).read_text(encoding="utf-8").count(former.identity.guid) == 1
    entry = remembered(tmp_path).entries[former.identity.guid]
    assert (entry.identity.question, entry.mod) == (REWORDED[1], LATER + 1)
    assert len(remembered(tmp_path).entries) == 8
    consistent(tmp_path)


def test_without_union_two_versions_of_a_line_are_told(tmp_path: Path) -> None:
    """Conflict markers are no lock, and what was not merged is not overwritten."""
    found = edited_on_both(tmp_path, union=False)
    found.git("merge", "-q", "--no-edit", "one", fails=True)
    assert found.git("diff", "--name-only", "--diff-filter=U").split() == [LOCK]
    before = State.of(tmp_path)
    for words in (("build",), ("build", "--locked"), ("check",)):
        run = found.made.invoke(*words)
        assert run.returncode == 1
        assert re.search(rf"^ *{LOCK}:\d+:1: error: .* \[lock-invalid\]$", run.stderr, re.MULTILINE)
        assert State.of(tmp_path) == before


ORDER, WHOLE = (
    "How do transformers see order?",
    ("By positions: every token is given an embedding of its own place, which is added to it."),
)
TWO_LINES = {
    "reworded, and answered anew": (
        qa(ORDER, WHOLE),
        qa("Where does a transformer take its order from?", WHOLE),
        qa(ORDER, "By sines."),
    ),
    "named, and answered anew": (
        qa(ORDER, WHOLE),
        qa(f"{ORDER} {{#order}}", WHOLE),
        qa(ORDER, "By sines."),
    ),
}


@pytest.mark.parametrize("case", TWO_LINES)
def test_what_either_of_two_lines_says_is_known_again(tmp_path: Path, case: str) -> None:
    """The merged card has its question or id from one branch and its answer from another."""
    base, one, two = TWO_LINES[case]
    found = repository(tmp_path, base + numbered(5), union=True)
    found.branch("one", "base.md", one + numbered(5), MOMENT)
    found.branch("two", "base.md", two + numbered(5), LATER)
    found.git("merge", "-q", "--no-edit", "one")
    found.made.build(build_time=LATER + 1)
    entries = remembered(tmp_path).entries.values()
    assert [each.identity.question for each in entries if each.retired] == []
    assert len(entries) == 6


# Anywhere


EVERY: Files = {
    "a.md": "# 一 <1>\n\n" + numbered(20),
    "b.md": "## Reversed? {.reversed tags='z a m::n'}\n\nYes: $x < y$.\n\n![dot](dot.png)\n\n"
    "## Code?\n\n```python {.no-run reason='shown alone'}\nprint({'a', 'b'})\n```\n",
    "deep/c.md": "- The {{c2::moon}} and the {{c10::sun}}, {{c1::both}}\n"
    "- Which ==one== of ==two==? {.cloze}\n- Type it {.type}\n\n    a < b\n",
    "cards/dot.png": DOT,
}


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, State]:
    """Every kind of card, built, then edited: the lock has old stamps, and a note to retire."""
    made = project(tmp_path_factory.mktemp("deck"), dict(EVERY))
    made.build(build_time=FORMER)
    made.write("cards/a.md", edited(str(EVERY["a.md"])))
    made.build(build_time=MOMENT)
    return made, State.of(made.root)


def packaged(deck: tuple[Project, State], folder: Path, command: Sequence[str], **more: str) -> str:
    """What a build elsewhere, at another time, says against a package and lock; "" if nothing."""
    made, expected = deck
    shutil.copytree(made.root, folder)
    (folder / PACKAGE).unlink()
    environment = made.environment(**{"SOURCE_DATE_EPOCH": str(LATER), **more})
    run = subprocess.run(
        [*command, "build", "--locked"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    if run.returncode:
        return run.stderr
    return "" if State.of(folder) == expected else "other bytes"


@pytest.mark.parametrize("seed", ["0", "1", "2", "random"])
def test_cards_and_lock_are_a_package_in_any_folder(
    deck: tuple[Project, State], tmp_path: Path, seed: str
) -> None:
    """Whatever the hash seed is, the folder is called, the time zone and the language are."""
    folder = tmp_path / f"文件夹 {seed}" / ("deeper" * int(seed != "0"))
    environment = {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    assert packaged(deck, folder, [str(COMMAND)], **environment) == ""


def test_cards_and_lock_are_a_package_from_any_folder(
    deck: tuple[Project, State], tmp_path: Path
) -> None:
    """The working directory is not in it, nor is how the cards are named."""
    made, expected = deck
    folder = tmp_path / "copy"
    shutil.copytree(made.root, folder)
    copy = Project(folder)
    for words, where in ((["."], "cards"), (["../../cards"], "cards/deep"), ([], ".")):
        (folder / PACKAGE).unlink()
        run = copy.run("build", *words, folder=where, SOURCE_DATE_EPOCH=str(LATER))
        assert run.returncode == 0, run.stderr
        assert State.of(folder) == expected


def pythons() -> dict[str, str]:
    """Other interpreters here that verideck is for, by their versions."""
    names = [f"python3.{minor}" for minor in range(11, 20)]
    folders = os.get_exec_path()
    found = [path for name in names for one in folders if (path := shutil.which(name, path=one))]
    found += map(str, Path.home().glob(".pyenv/versions/3.*/bin/python"))
    asked = "import platform as p; print(p.python_implementation(), p.python_version())"
    versions: dict[str, str] = {}
    for path in found:
        told = subprocess.run([path, "-c", asked], check=False, capture_output=True, text=True)
        name, _, version = told.stdout.strip().partition(" ")
        if told.returncode == 0 and name == "CPython" and version != platform.python_version():
            versions.setdefault(version, path)
    return {version: path for version, path in versions.items() if minor_of(version) >= (3, 11)}


def minor_of(version: str) -> tuple[int, ...]:
    """A version of Python without its last number: what is compiled fits all of these."""
    return tuple(map(int, version.split(".")[:2]))


def compiled_for(version: str) -> Path | None:
    """A folder with msgspec, which is compiled, for a version of Python; None if pip has none.

    It is kept for the next run of the tests.
    """
    minor = ".".join(map(str, minor_of(version)))
    folder = ROOT / "build" / "msgspec" / f"{metadata.version('msgspec')}-{minor}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        installed = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"),
                *("--target", f"{made}/whole", "--python-version", minor, "--no-deps"),
                *("--only-binary=:all:", f"msgspec=={metadata.version('msgspec')}"),
            ],
            check=False,
        )
        if installed.returncode:
            return None
        return Path(made, "whole").rename(folder)


def test_cards_and_lock_are_a_package_under_any_python(
    deck: tuple[Project, State], tmp_path: Path
) -> None:
    """What is installed here in pure Python is lent to every other interpreter that there is."""
    lent = [str(ROOT), *(path for path in sys.path if Path(path).name == "site-packages")]
    # Behind what an interpreter has itself: what is compiled here would not fit it.
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.path += {lent!r}\n")
    said = {}
    without = []
    for version, path in pythons().items():
        found = [str(tmp_path)]
        if minor_of(version) != sys.version_info[:2]:
            compiled = compiled_for(version)
            if compiled is None:
                without.append(version)
                continue
            found.append(str(compiled))
        environment = {"PYTHONPATH": os.pathsep.join(found), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [path, "-m", "verideck"]
        said[version] = packaged(deck, tmp_path / version, command, **environment)
    assert said == dict.fromkeys(said, "")
    if not said or without:
        names = f" for {', '.join(without)}" if without else ""
        pytest.skip(f"no other Python from 3.11 on here, or no msgspec{names}: {len(said)} tested")
