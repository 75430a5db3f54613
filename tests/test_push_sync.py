"""A push beside another device, by Anki's own sync server: no review is lost, in whatever order."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from anki.collection import Collection
from model.learner import Learner, judge
from projects import soon
from push_world import ALL, World, prepare

from verideck.push_choices import Choices, Retired

USER, PASSWORD = "somebody", "secret"
SYNCED = replace(ALL, sync=True, retired=Retired.SUSPEND)
TEXT = Choices(sync=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Anki's sync server on this machine; returns its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    users = {f"SYNC_USER{n}": f"{USER}{n}:{PASSWORD}" for n in range(1, 41)}
    environment = {
        **os.environ,
        **users,
        "SYNC_HOST": "127.0.0.1",
        "SYNC_PORT": str(port),
        "SYNC_BASE": str(tmp_path_factory.mktemp("server")),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "anki.syncserver"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert soon(answers)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


class Devices:
    """A desktop, into which is pushed, and a phone; both have the deck, and are in sync."""

    def __init__(self, folder: Path, server: str, number: int) -> None:
        """Push once, and have the phone take all of it."""
        self.world = World(folder, "connect")
        self.desktop = self.world.learner.collection
        self.auth = self.desktop.sync_login(f"{USER}{number}", PASSWORD, server)
        self.world.anki.auth = self.auth
        self.world.push()
        self._replace(self.desktop, upload=True)
        self.phone = Learner(folder / "phone").collection
        self._replace(self.phone, upload=False)

    def _replace(self, collection: Collection, *, upload: bool) -> None:
        out = collection.sync_collection(self.auth, sync_media=False)
        assert out.required not in (out.NO_CHANGES, out.NORMAL_SYNC)
        collection.close_for_full_sync()
        collection.full_upload_or_download(auth=self.auth, server_usn=None, upload=upload)
        collection.reopen(after_full_sync=True)

    def sync(self, collection: Collection) -> None:
        """Sync as a device does by itself: a full sync would be one that nobody was told of."""
        out = collection.sync_collection(self.auth, sync_media=False)
        assert out.required in (out.NO_CHANGES, out.NORMAL_SYNC)

    def review(self, identity: str) -> None:
        """Review a note's card on the phone."""
        (number,) = self.phone.find_cards(f"Id:{identity}")
        judge(self.phone, self.phone.get_card(number), 4)

    def close(self) -> None:
        """End all."""
        self.phone.close()
        self.world.close()


def rows(collection: Collection, query: str) -> list[list[object]]:
    """Rows of a collection's database."""
    assert collection.db
    return [list(row) for row in collection.db.all(query)]


def pass_a_second() -> None:
    """Let the clock show another second: of two changes in one, Anki's sync knows no later one."""
    now = int(time.time())
    assert soon(lambda: int(time.time()) > now)


USERS = iter(range(1, 41))
ORDERS = {
    "pushed first": ["push", "review", "phone syncs"],
    "pushed in between": ["review", "push", "phone syncs"],
    "pushed last": ["review", "phone syncs", "push"],
}


@pytest.mark.parametrize("first", ["phone", "desktop"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("choices", [TEXT, SYNCED], ids=["text", "moves"])
def test_reviews_beside_a_push(
    tmp_path: Path, server: str, order: str, choices: Choices, first: str
) -> None:
    """Every review stays, on both sides, and both end alike; so does the interval where it can."""
    devices = Devices(tmp_path, server, next(USERS))
    try:
        for identity in ("a", "b"):
            devices.world.edit("one.md", f"What is {identity}?", f"What, then, is {identity}?")
        devices.world.edit("one.md", "# One", "# First")
        warned = False
        for step in ORDERS[order]:
            pass_a_second()
            match step:
                case "review":
                    devices.review("a")
                    reviewed = rows(devices.phone, "select id, cid, ease, ivl from revlog")
                    ((interval,),) = rows(devices.phone, "select max(ivl) from cards")
                case "push":
                    warned = bool(devices.world.push(choices).plan.writes_cards)
                case _:
                    devices.sync(devices.phone)
        both = {"phone": devices.phone, "desktop": devices.desktop}
        for name in [first, *(each for each in both if each != first), first, *both]:
            devices.sync(both[name])
        for collection in both.values():
            assert rows(collection, "select id, cid, ease, ivl from revlog") == reviewed
            found = [note for (note,) in rows(collection, "select sfld from notes order by id")]
            assert sum("What, then," in str(each) for each in found) == 2
        query = "select id, did, ivl, queue, due from cards order by id"
        assert rows(devices.phone, query) == rows(devices.desktop, query)
        ((now,),) = rows(devices.desktop, "select max(ivl) from cards")
        is_trap = order == "pushed in between" and choices is SYNCED
        assert warned or not is_trap
        assert (now == interval) is not is_trap
    finally:
        devices.close()


@pytest.mark.parametrize("retired", [Retired.SUSPEND, Retired.DELETE])
def test_what_came_by_the_sync_is_planned_for(
    tmp_path: Path, server: str, retired: Retired
) -> None:
    """A review and an edit of the phone's are there before anything is written, and are told."""
    devices = Devices(tmp_path, server, next(USERS))
    try:
        devices.review("a")
        prepare(devices.world)
        devices.sync(devices.phone)
        devices.world.anki.asked.clear()
        pushed = devices.world.push(replace(SYNCED, retired=retired))
        assert [each.reviews for each in pushed.plan.retired] == [1]
        assert devices.world.anki.asked.index("sync") < devices.world.anki.asked.index(
            "importPackage"
        )
        devices.sync(devices.desktop)
        devices.sync(devices.phone)
        assert len(rows(devices.phone, "select id from revlog")) == 1
        there = rows(devices.phone, "select id from notes")
        assert len(there) == (2 if retired is Retired.DELETE else 3)
    finally:
        devices.close()


def test_a_full_sync_is_left_to_the_learner(tmp_path: Path, server: str) -> None:
    """Text alone is sent, and it is told that there was no sync."""
    devices = Devices(tmp_path, server, next(USERS))
    try:
        models = devices.desktop.models
        other = models.new("Another")
        models.add_field(other, models.new_field("Front"))
        template = models.new_template("Card 1")
        template["qfmt"] = "{{Front}}"
        models.add_template(other, template)
        models.add(other)
        devices.sync(devices.desktop)
        changed = models.by_name("Another")
        assert changed
        models.add_field(changed, models.new_field("Back"))
        models.update_dict(changed)
        prepare(devices.world)
        pushed = devices.world.push(SYNCED)
        assert "no sync" in pushed.told[0]
        assert not {"suspend", "changeDeck"} & set(devices.world.anki.asked)
        assert not pushed.missing
    finally:
        devices.close()
