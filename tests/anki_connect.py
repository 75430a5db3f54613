"""A running Anki with AnkiConnect, as far as a push sees it: the real library behind a port.

It answers the actions that are used as the add-on was seen to answer them, with what surprises in
it: a note without cards fails a request, a move is SQL, a key is wanted by every action but one,
the profile chooser names a profile all the same. None of the add-on's own code is here.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.import_export_pb2 import ImportAnkiPackageUpdateCondition
from anki.sync_pb2 import SyncAuth

Fault = Callable[["Handler", str], bool]
"""What happens to a request instead of an answer; True where the action is to be done before."""


class RunningAnki:
    """An Anki that is open, and listens."""

    def __init__(
        self, collection: Collection, *, key: str = "", auth: SyncAuth | None = None
    ) -> None:
        """Serve a collection; `auth` is the account that it syncs with."""
        self.collection: Collection | None = collection
        self.key = key
        self.auth = auth
        self.profile = "User 1"
        self.profiles = ["User 1"]
        self.in_review = False
        self.lacking: set[str] = set()
        """Actions that this version does not have."""
        self.asked: list[str] = []
        """Every action that was asked for."""
        self.faults: dict[str, Fault] = {}
        self.before: dict[str, Callable[[], None]] = {}
        """What happens right before an action."""
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._server.anki = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def written(self) -> list[str]:
        """The actions that were asked for and write."""
        return [each for each in self.asked if each in WRITING]

    @property
    def col(self) -> Collection:
        """The collection, where a profile is open."""
        if self.collection is None:
            raise RuntimeError("collection is not available")
        return self.collection

    def rows(self, query: str, *values: str | float) -> list[list[Any]]:
        """Rows of the collection's database."""
        assert self.col.db
        return [list(row) for row in self.col.db.all(query, *values)]

    def act(self, action: str, parameters: dict[str, Any]) -> object:
        """Do what is asked for."""
        if action not in ACTIONS or action in self.lacking:
            raise RuntimeError("unsupported action")
        return ACTIONS[action](self, **parameters)

    # The actions, by their own names

    def request_permission(self) -> object:
        """Nobody is asked who comes without an origin."""
        return {"permission": "granted", "requireApikey": bool(self.key), "version": 6}

    def reflect(self, scopes: list[str], actions: list[str]) -> object:
        """The actions that are there."""
        assert scopes == ["actions"]
        there = [each for each in actions if each in ACTIONS and each not in self.lacking]
        return {"scopes": ["actions"], "actions": there}

    def deck_names(self) -> object:
        """All decks."""
        return [each.name for each in self.col.decks.all_names_and_ids()]

    def type_ids(self) -> object:
        """The ids of note types by name."""
        return {each.name: each.id for each in self.col.models.all_names_and_ids()}

    def whole_types(self, modelIds: list[int]) -> object:  # noqa: N803 - the action's own word
        """Note types as Anki has them."""
        return [self._type(self.col.models.get(each)) for each in modelIds]  # type: ignore[arg-type]

    def field_names(self, modelName: str) -> object:  # noqa: N803
        """The fields of a note type."""
        return [each["name"] for each in self._named(modelName)["flds"]]

    def templates(self, modelName: str) -> object:  # noqa: N803
        """The templates of a note type."""
        named = self._named(modelName)["tmpls"]
        return {each["name"]: {"Front": each["qfmt"], "Back": each["afmt"]} for each in named}

    def styling(self, modelName: str) -> object:  # noqa: N803
        """The style sheet of a note type."""
        return {"css": self._named(modelName)["css"]}

    def _named(self, name: str) -> Any:  # noqa: ANN401 - Anki's own
        return self._type(self.col.models.by_name(name))

    @staticmethod
    def _type(found: Any) -> Any:  # noqa: ANN401 - Anki's own
        if found is None:
            raise RuntimeError("model was not found")
        return found

    def find_cards(self, query: str) -> object:
        """A search."""
        return list(self.col.find_cards(query))

    def cards_to_notes(self, cards: list[int]) -> object:
        """The notes of cards."""
        every, wanted = self.rows("select id, nid from cards"), set(cards)
        return list(dict.fromkeys(note for card, note in every if card in wanted))

    def notes_info(self, notes: list[int]) -> object:
        """Notes; one without cards fails all."""
        found = []
        for each in notes:
            (row,) = self.rows("select id, mid, mod, flds, tags from notes where id = ?", each)
            number, note_type, mod, fields, tags = row
            cards = [
                c for (c,) in self.rows("select id from cards where nid = ? order by ord", each)
            ]
            if not cards:
                raise IndexError("list index out of range")
            type_ = self._type(self.col.models.get(note_type))
            named = zip(type_["flds"], fields.split("\x1f"), strict=True)
            info = {
                "noteId": number,
                "profile": self.profile,
                "tags": tags.split(),
                "fields": {f["name"]: {"value": text, "order": f["ord"]} for f, text in named},
                "modelName": type_["name"],
                "mod": mod,
                "cards": cards,
            }
            found.append({k: v for k, v in info.items() if k not in self.lacking})
        return found

    def stamps(self, notes: list[int]) -> object:
        """When notes have changed."""
        stamps = dict(self.rows("select id, mod from notes"))
        return [{"noteId": each, "mod": stamps[each]} if each in stamps else {} for each in notes]

    def get_decks(self, cards: list[int]) -> object:
        """The cards by their decks."""
        found: dict[str, list[int]] = {}
        wanted = set(cards)
        for number, deck in self.rows("select id, did from cards"):
            if number in wanted:
                found.setdefault(self.col.decks.name(deck), []).append(number)
        return found

    def are_suspended(self, cards: list[int]) -> object:
        """Whether each is; None for what is not there."""
        queues = dict(self.rows("select id, queue from cards"))
        return [queues[each] == -1 if each in queues else None for each in cards]

    def reviews(self, cards: list[int]) -> object:
        """The reviews of cards."""
        query = "select id, ease from revlog where cid = ?"
        return {c: [{"id": i, "ease": e} for i, e in self.rows(query, c)] for c in cards}

    def deck_config(self, deck: str) -> object:
        """The options of a deck, or False."""
        number = self.col.decks.id_for_name(deck)
        return self.col.decks.config_dict_for_deck_id(number) if number else False

    def bring(self, path: str) -> object:
        """Import, by options that nobody chooses."""
        if not Path(path).is_file():
            raise FileNotFoundError(f"No such file: {path}")
        newer = ImportAnkiPackageUpdateCondition.IMPORT_ANKI_PACKAGE_UPDATE_CONDITION_IF_NEWER
        options = ImportAnkiPackageOptions(
            merge_notetypes=True,
            with_scheduling=True,
            with_deck_configs=True,
            update_notes=newer,
            update_notetypes=newer,
        )
        self.col.import_anki_package(ImportAnkiPackageRequest(package_path=path, options=options))
        self.col.models._clear_cache()  # noqa: SLF001 - as Anki's window does after an import
        return True

    def change_deck(self, cards: list[int], deck: str) -> object:
        """Move, by SQL, whatever the decks are."""
        number = self.col.decks.id(deck)
        assert self.col.db
        query = "update cards set usn = -1, mod = ?, did = ?, odid = 0 where id = ?"
        self.col.db.executemany(query, [(int(time.time()), number, card) for card in cards])
        return None

    def suspend(self, cards: list[int]) -> object:
        """Suspend; one that is not there fails all."""
        known = {number for (number,) in self.rows("select id from cards")}
        if not set(cards) <= known:
            raise RuntimeError("card was not found")
        self.col.sched.suspend_cards(cards)  # type: ignore[arg-type]
        return True

    def delete(self, notes: list[int]) -> object:
        """Delete notes."""
        self.col.remove_notes(notes)  # type: ignore[arg-type]
        return None

    def create_deck(self, deck: str) -> object:
        """Make a deck, unless it is there."""
        return self.col.decks.id(deck)

    def sync(self) -> object:
        """Sync, unless one side would be replaced."""
        if self.auth is None:
            raise RuntimeError("sync: auth not configured")
        out = self.col.sync_collection(self.auth, sync_media=False)
        if out.required not in (out.NO_CHANGES, out.NORMAL_SYNC):
            raise RuntimeError(f"Sync status {out.required} not one of [0, 1]")
        return None

    def active_profile(self) -> object:
        """Also while none is chosen."""
        return self.profile

    def all_profiles(self) -> object:
        """All of them."""
        return self.profiles

    def is_in_review(self) -> object:
        """Whether a card is asked."""
        return self.in_review


ACTIONS: dict[str, Callable[..., object]] = {
    "requestPermission": RunningAnki.request_permission,
    "apiReflect": RunningAnki.reflect,
    "getActiveProfile": RunningAnki.active_profile,
    "getProfiles": RunningAnki.all_profiles,
    "guiReviewActive": RunningAnki.is_in_review,
    "deckNames": RunningAnki.deck_names,
    "modelNamesAndIds": RunningAnki.type_ids,
    "findModelsById": RunningAnki.whole_types,
    "modelFieldNames": RunningAnki.field_names,
    "modelTemplates": RunningAnki.templates,
    "modelStyling": RunningAnki.styling,
    "findCards": RunningAnki.find_cards,
    "cardsToNotes": RunningAnki.cards_to_notes,
    "notesInfo": RunningAnki.notes_info,
    "notesModTime": RunningAnki.stamps,
    "getDecks": RunningAnki.get_decks,
    "areSuspended": RunningAnki.are_suspended,
    "getReviewsOfCards": RunningAnki.reviews,
    "getDeckConfig": RunningAnki.deck_config,
    "importPackage": RunningAnki.bring,
    "changeDeck": RunningAnki.change_deck,
    "suspend": RunningAnki.suspend,
    "deleteNotes": RunningAnki.delete,
    "createDeck": RunningAnki.create_deck,
    "sync": RunningAnki.sync,
}
WRITING = {"importPackage", "changeDeck", "suspend", "deleteNotes", "createDeck", "sync"}


class Handler(BaseHTTPRequestHandler):
    """Answers one request; no connection is used again."""

    def do_POST(self) -> None:
        """Answer what is asked."""
        anki: RunningAnki = self.server.anki  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "Origin" in self.headers:
            self.send_response(403)
            self.end_headers()
            return
        asked = json.loads(body)
        action = str(asked["action"])
        anki.asked.append(action)
        if action in anki.before:
            anki.before[action]()
        fault = anki.faults.get(action)
        if fault and not fault(self, action):
            return
        answer = self._answer(anki, action, asked)
        if not fault:
            self.say(json.dumps(answer).encode())

    @staticmethod
    def _answer(anki: RunningAnki, action: str, asked: dict[str, Any]) -> object:
        if action != "requestPermission" and asked.get("key", "") != anki.key:
            return {"result": None, "error": "valid api key must be provided"}
        try:
            return {"result": anki.act(action, asked["params"]), "error": None}
        except Exception as error:  # noqa: BLE001 - as the add-on, which answers with whatever is raised
            return {"result": None, "error": str(error)}

    def say(self, text: bytes, length: int | None = None) -> None:
        """Answer with some text, which may be announced as longer than it is."""
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text) if length is None else length))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


# What may happen to an answer


def cut(handler: Handler, _: str) -> bool:
    """Half an answer comes."""
    handler.say(b'{"result": [1, 2', length=5_000)
    return False


def missing(handler: Handler, _: str) -> bool:
    """The connection ends without an answer, and nothing was done."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    return False


def lost(_: Handler, __: str) -> bool:
    """What was asked for is done, and the answer is lost."""
    return True


def saying(text: bytes) -> Fault:
    """Something is answered that is not what was asked for."""

    def say(handler: Handler, _: str) -> bool:
        handler.say(text)
        return False

    return say


def dripping(seconds: float) -> Fault:
    """An answer comes byte by byte, for longer than anybody waits."""

    def drip(handler: Handler, _: str) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        until = time.monotonic() + seconds
        with suppress(OSError):
            while time.monotonic() < until:
                handler.wfile.write(b" ")
                time.sleep(0.02)
        return False

    return drip
