"""`verideck push`: which way into Anki it takes, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from anki_connect import RunningAnki
from model.learner import Learner, judge
from projects import MOMENT, Project, project, soon

import verideck
from verideck.cli.pushing import pushed_again
from verideck.push_choices import Retired, Usual

CARDS = "# One\n\n## What is a? {#a}\n\nA letter.\n\n## What is b? {#b}\n\nAnother letter.\n"


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """A project of two cards."""
    return project(tmp_path / "deck", {"one.md": CARDS})


@pytest.fixture
def anki(tmp_path: Path) -> Iterator[RunningAnki]:
    """A learner's Anki, which is running."""
    learner = Learner(tmp_path / "Anki2/User 1")
    with RunningAnki(learner.collection) as running:
        yield running
    learner.collection.close()


def push(
    made: Project, anki: RunningAnki, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Push into a running Anki."""
    environment = {"VERIDECK_ANKI_PORT": str(anki.port), **environment}
    return made.invoke("push", *words, **environment)


def nowhere() -> str:
    """A port at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_what_is_told(made: Project, anki: RunningAnki) -> None:
    """Where it goes, what it will do, what is there, and how to take it back."""
    into = f"into the Anki that is running (AnkiConnect at 127.0.0.1:{anki.port})"
    dry = push(made, anki, "--dry-run")
    assert dry.returncode == 0
    assert dry.stdout.splitlines() == [
        into,
        "profile: User 1",
        "new  cards/one.md:3:4  a  What is a?",
        "new  cards/one.md:7:4  b  What is b?",
        "a push: 2 new",
    ]
    assert anki.col.note_count() == 0
    assert not (made.root / "cards.lock").exists()
    first = push(made, anki)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-2] == "there now: 2 new"
    assert "to take it back: in Anki, Edit, Undo" in first.stdout
    again = push(made, anki)
    assert again.stdout.splitlines()[-1] == "nothing to push: all of it is there"
    assert push(made, anki, "--quiet").stdout == ""


def test_word_by_word_and_what_is_not_done_without_a_sync(made: Project, anki: RunningAnki) -> None:
    """An update shows its words; a move and a retired note tell what they wait for."""
    push(made, anki)
    for number in anki.col.find_cards(""):
        judge(anki.col, anki.col.get_card(number), 3)
    text = CARDS.replace("A letter.", "The first letter.").replace("# One", "# First", 1)
    made.write("cards/one.md", text.split("## What is b?")[0])
    later = {"SOURCE_DATE_EPOCH": str(MOMENT + 60)}
    words = ["--moves", "--retired", "suspend"]
    dry = push(made, anki, "--dry-run", *words, **later)
    assert dry.stdout.splitlines()[2:] == [
        "updated  cards/one.md:3:4  a  What is a?",
        "    Answer: [-A-]{+The first+} letter.",
        "moved: a 1 card, Root::One → Root::First",
        "retired, suspended  b  What is b? (1 card, 1 review)",
        (
            "sync every other device first: what was reviewed there and has not been synced loses "
            "its interval on cards that are moved or suspended"
        ),
        "a push: 1 updated, 1 card moved, 1 card suspended",
    ]
    text_only = push(made, anki, *words, **later)
    assert "moving cards and suspending cards needs a sync before: say --sync" in text_only.stdout
    assert "there now: 1 updated\n" in text_only.stdout
    whole = push(made, anki, *words, "--no-sync", **later)
    assert "there now: 1 card moved, 1 card suspended\n" in whole.stdout
    kept = push(made, anki, **later)
    assert "retired, kept  b" in kept.stdout


def test_json(made: Project, anki: RunningAnki) -> None:
    """One document, before and after."""
    plan = json.loads(push(made, anki, "--dry-run", "--format", "json").stdout)
    assert plan["verideck"] == 1
    assert plan["counts"] == {"new": 2, "updated": 0, "overwritten": 0, "kept": 0, "untouched": 0}
    assert [note["id"] for note in plan["notes"]] == ["a", "b"]
    assert "pushed" not in plan
    done = json.loads(push(made, anki, "--format", "json").stdout)
    assert done["pushed"] == {
        "arrived": 2, "missing": [], "moved": 0, "suspended": 0, "deleted": [], "left_out": [],
        "backup": "",
    }  # fmt: skip


def test_a_refusal_is_the_decks_and_nothing_is_built(made: Project, anki: RunningAnki) -> None:
    """Exit code 1, with what to do."""
    refused = push(made, anki, "--profile", "Other")
    assert (refused.returncode, refused.stdout.splitlines()[1:]) == (1, [])
    assert "refused: the profile that is open is User 1, and not Other" in refused.stderr
    assert not (made.root / "cards.lock").exists()
    listed = json.loads(push(made, anki, "--profile", "Other", "--format", "json").stdout)
    assert len(listed["refused"]) == 1


def test_a_card_that_does_not_hold_is_pushed_nowhere(made: Project, anki: RunningAnki) -> None:
    """As in every build."""
    made.write("cards/two.md", "## What? {#c}\n\nSo.\n\n```python\nassert int('1') == 2\n```\n")
    failed = push(made, anki)
    assert failed.returncode == 1
    assert "[assertion-failed]" in failed.stderr
    assert not anki.written


def test_what_is_usual_is_the_users_to_say(
    made: Project, anki: RunningAnki, tmp_path: Path
) -> None:
    """In the user's own file; a flag beats it, and a project may say none of it."""
    anki.key = "secret"
    config = tmp_path / "config/verideck/config.toml"
    config.parent.mkdir(parents=True)
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert "asks for a key" in push(made, anki, **home).stderr
    assert push(made, anki, "--dry-run", VERIDECK_ANKI_KEY="secret").returncode == 0
    config.write_text('[push]\nkey = "secret"\nprofile = "Other"\n')
    assert "and not Other" in push(made, anki, **home).stderr
    assert push(made, anki, "--profile", "User 1", **home).returncode == 0
    for wrong in ("kei = 1", "retired = 'burn'", "port = 0", "moves = 1"):
        config.write_text(f"[push]\n{wrong}\n")
        assert push(made, anki, **home).returncode == 2, wrong
    assert push(made, anki, VERIDECK_ANKI_PORT="x").returncode == 2
    made.write("pyproject.toml", "[tool.verideck]\npush.key = 'secret'\n")
    stranger = push(made, anki, VERIDECK_ANKI_KEY="secret")
    assert (stranger.returncode, "[setting-invalid]" in stranger.stderr) == (1, True)


def test_a_closed_collection(made: Project, tmp_path: Path) -> None:
    """It is named, and a backup of it is told."""
    file = tmp_path / "Anki2/User 1/collection.anki2"
    missing = made.invoke("push", "--collection", str(file))
    assert (missing.returncode, "there is no collection" in missing.stderr) == (2, True)
    Learner(file.parent).collection.close()
    pushed = made.invoke("push", "--collection", str(file))
    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout.startswith(f"into the closed collection {file}\nprofile: User 1\n")
    assert "a backup from before is in" in pushed.stdout
    assert made.invoke("push", "--collection", str(file)).stdout.endswith("all of it is there\n")


@pytest.mark.linux(reason="a script stands for Anki")
def test_anki_s_own_dialog(made: Project, tmp_path: Path) -> None:
    """Where nothing else reaches Anki, it is started with the package; nothing can be planned."""
    port = nowhere()
    none = made.invoke("push", "--dry-run", VERIDECK_ANKI_PORT=port)
    assert (none.returncode, "no Anki with AnkiConnect" in none.stderr) == (2, True)
    alone = made.invoke("push", VERIDECK_ANKI_PORT=port, PATH=str(tmp_path))
    assert (alone.returncode, "import the package by hand" in alone.stderr) == (1, True)
    script = tmp_path / "bin/anki"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\n')
    script.chmod(0o755)
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    words = ["push", "--profile", "User 1", "--moves"]
    shown = made.invoke(*words, VERIDECK_ANKI_PORT=port, PATH=path)
    assert shown.returncode == 0, shown.stderr
    assert "into Anki's own import dialog" in shown.stdout
    assert "it moves, suspends, deletes and syncs nothing" in shown.stdout
    said = tmp_path / "said"
    assert soon(lambda: said.exists() and bool(said.read_text()))
    assert said.read_text() == f"-p User 1 {made.root / 'deck.apkg'}\n"


def test_a_port_that_somebody_else_holds(made: Project) -> None:
    """It is told, and nothing is built."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        client = held.getsockname()[1]

        def answer() -> None:
            connection, _ = held.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        told = made.invoke("push", VERIDECK_ANKI_PORT=str(client))
        thread.join()
    assert told.returncode == 2
    assert "something else than AnkiConnect is at" in told.stderr
    assert not (made.root / "cards.lock").exists()


def test_a_save_deletes_no_note(made: Project, anki: RunningAnki) -> None:
    """A card that is put into another file is in none between two saves: its reviews stay."""
    push(made, anki)
    card = "\n## What is b? {#b}\n\nAnother letter.\n"
    usual = Usual(port=anki.port, retired=Retired.DELETE, sync=False)
    made.write("cards/one.md", CARDS.replace(card, ""))
    with verideck.Project.open(made.root) as opened:
        output = made.root / "deck.apkg"
        told = pushed_again(opened, opened.check(), output, usual)
        assert "deleteNotes" not in anki.asked
        made.write("cards/two.md", f"# One\n{card}")
        back = pushed_again(opened, opened.check(), output, usual)
    assert "there now:" in told
    assert "there now: 1 updated" in back
    assert len(anki.rows("select id from cards")) == 2


@pytest.mark.linux(reason="a signal ends it")
def test_watch_pushes_each_build(made: Project, anki: RunningAnki) -> None:
    """What is saved is in Anki, by the same plan and with the same refusals."""
    for each in ("starlette", "uvicorn", "watchfiles"):
        pytest.importorskip(each, reason="of verideck[preview], which make test installs")
    env = {"VERIDECK_ANKI_PORT": str(anki.port)}
    watching = made.start("watch", "--push", **env)
    try:
        assert soon(lambda: anki.asked.count("createDeck") == 1)
        made.write("cards/one.md", CARDS.replace("A letter.", "The first letter."))
        assert soon(lambda: anki.asked.count("createDeck") == 2)
        assert soon(lambda: anki.asked[-1] == "guiReviewActive")  # it has read back
        anki.profile, anki.profiles = "Other", ["User 1", "Other"]
        anki.collection, collection = None, anki.col
        made.write("cards/one.md", CARDS.replace("A letter.", "The very first letter."))
        assert soon(lambda: anki.asked.count("requestPermission") == 3)
        made.write("cards/one.md", CARDS.replace("A letter.", "The very last letter."))
        assert soon(lambda: anki.asked.count("requestPermission") == 4)  # the third is told
        anki.collection = collection
    finally:
        watching.send_signal(signal.SIGINT)
        said, _ = watching.communicate(timeout=60)
    assert said.count("there now:") == 2
    assert "not pushed: Anki has no profile open" in said
    fields = [row[0] for row in anki.rows("select flds from notes")]
    assert any("The first letter." in each for each in fields)
    assert not any("very" in each for each in fields)
    wrong = made.invoke("watch", "--push", "-o", "deck.html")
    assert (wrong.returncode, "--push wants a package" in wrong.stderr) == (2, True)
