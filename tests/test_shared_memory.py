"""Shared memory: what a card leaves there is removed, and nothing that is another's."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import SANDBOXED, SETTINGS, card, project, soon

from verideck.model import ProvenCard
from verideck.proof.python.wire.scratch import SHARED_MEMORY

pytestmark = pytest.mark.linux(reason="shared memory that is a folder")

ALLOWED = SETTINGS + "shared_memory = true\ntimeout = 6\n"
LEAVES = {
    "open": "assert shared.buf is not None",
    "killed": "import os, signal\nassert shared\nos.kill(os.getpid(), signal.SIGKILL)",
    "late": "import time\nassert shared\ntime.sleep(60)",
    "locked": """
import multiprocessing
lock = multiprocessing.get_context("spawn").Lock()
assert lock.acquire()
""",
}
"""By the name of a card, what it does after it has made shared memory; some of them fail."""


def semaphores() -> set[str]:
    """The semaphores of `multiprocessing` that are there."""
    return {each.name for each in SHARED_MEMORY.iterdir() if each.name.startswith("sem.mp-")}


@pytest.fixture
def name() -> Iterator[str]:
    """A name in shared memory that nobody else uses."""
    name = f"verideck-test-{uuid.uuid4().hex}"
    yield name
    for each in SHARED_MEMORY.glob(f"{name}*"):
        each.unlink()


@pytest.mark.parametrize("way", ["", 'executor = "spawn"\n', "sandbox = false\n"])
def test_what_a_card_leaves_is_removed(tmp_path: Path, name: str, way: str) -> None:
    """However the card ends."""
    before = semaphores()
    making = "from multiprocessing.shared_memory import SharedMemory\n"
    codes = {
        each: f"{making}shared = SharedMemory('{name}-{each}', create=True, size=8)\n{code}"
        for each, code in LEAVES.items()
    }
    deck = project(
        tmp_path, {"a.md": "".join(map(card, codes, codes.values()))}, ALLOWED + way, trusted=True
    )
    found = deck.verified()
    assert sum(isinstance(each, ProvenCard) for each in found) == len(LEAVES) - 2
    assert list(SHARED_MEMORY.glob(f"{name}*")) == []
    assert soon(lambda: semaphores() <= before)  # another test's is there for a moment only


@SANDBOXED
def test_a_card_without_the_setting_removes_nothing(tmp_path: Path, name: str) -> None:
    """It can write the list of what is to be removed, but reach nothing that is on it."""
    (SHARED_MEMORY / name).write_bytes(b"another's")
    forged = f"""
import os
from pathlib import Path
Path("../shared").write_text("{name}\\n../..{tmp_path}/mine\\n")
assert Path("../shared").exists()
"""
    (tmp_path / "mine").write_bytes(b"a file")
    for settings in (SETTINGS, SETTINGS + 'executor = "spawn"\n'):
        project(tmp_path / "deck", {"a.md": card("a", forged)}, settings).proven()
        assert (SHARED_MEMORY / name).read_bytes() == b"another's"
    project(tmp_path / "deck", {"a.md": card("a", forged)}, ALLOWED, trusted=True).proven()
    assert (tmp_path / "mine").exists()


@SANDBOXED
def test_the_setting_is_a_part_of_what_a_proof_follows_from(tmp_path: Path) -> None:
    """A card that held with shared memory is executed again without it."""
    code = "from multiprocessing.pool import ThreadPool\nassert ThreadPool(1).map(abs, [-1]) == [1]"
    deck = project(tmp_path, {"a.md": card("a", code)}, ALLOWED, trusted=True)
    deck.proven()
    deck.write("pyproject.toml", SETTINGS)
    (problem,) = deck.result().problems
    assert "shared_memory = true" in problem.hint
