"""A running Anki, through its add-on AnkiConnect, at a port of this machine alone.

What answers may be anything: a hostile program that took the port first, an Anki that is busy or
half-open, an older add-on. So each request has its time and its answer a size and a form, and every
write asks before it whether the profile is still the one that was planned for.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Collection as Some
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

from verideck.push_plan import (
    CardThere,
    Collection,
    FieldThere,
    NoteThere,
    NoteTypeThere,
    PushError,
    folded,
)
from verideck.targets.anki import answers
from verideck.targets.anki.answers import (
    DeckConfig,
    Model,
    Names,
    NoteInfo,
    NoteStamp,
    Numbers,
    Permission,
    Reflection,
    Styling,
    WrongAnswerError,
)
from verideck.targets.anki.receiver import Asked
from verideck.targets.ids import ids_of

PORT = 8765
"""AnkiConnect's own default."""
HOST = "127.0.0.1"
"""Never by a name: `localhost` may be another address, and another machine's Anki is not ours."""
_ASKED = 8.0
"""Seconds for an answer. A request that somebody else sent half blocks AnkiConnect for five."""
_DONE = 120.0
"""Seconds for an import, or a sync."""
_LARGEST = 64_000_000
"""Bytes of an answer. 500 notes of a hundred kilobytes have fewer."""
_NOTES = 500
"""Notes that are asked for at once."""
_IDS = 20_000
"""Ids in one search, which is a text of 15 bytes for each."""

_NEEDED = frozenset(
    {
        "getActiveProfile", "getProfiles", "deckNames", "modelNamesAndIds", "findCards",
        "cardsToNotes", "notesInfo", "notesModTime", "getDecks", "areSuspended",
        "getReviewsOfCards", "getDeckConfig", "importPackage", "changeDeck", "suspend",
        "deleteNotes", "createDeck",
        "guiReviewActive", "sync", "modelFieldNames", "modelTemplates", "modelStyling",
    }
)  # fmt: skip
_WHOLE_TYPES = "findModelsById"
"""Tells of a note type what no other action does: the ids of its fields, and when it changed."""
_UPDATE = "update it in Anki: Tools, Add-ons, Check for Updates"


class Connect:
    """A running Anki."""

    taken_back = (
        "in Anki, Edit, Undo, as long as no card was moved; else File, Switch Profile, Open Backup"
    )

    def __init__(self, port: int = PORT, key: str = "", patience: float = _ASKED) -> None:
        """Speak to a port, with the key that the add-on's settings name.

        `patience` is how many seconds an answer may take, unless it is to an import or a sync.
        """
        self._port = port
        self._key = key
        self._patience = patience
        self._profile = ""
        self._has_whole_types = False
        self._has_answered = False

    @property
    def name(self) -> str:
        """What it is."""
        return f"the Anki that is running (AnkiConnect at {HOST}:{self._port})"

    def is_there(self) -> bool:
        """Tell whether something answers, which then is an AnkiConnect that can be used.

        Raises PushError for one that cannot.
        """
        try:
            permission = self._ask("requestPermission", Permission)
        except ConnectionRefusedError:
            return False
        self._has_answered = True
        if permission.permission != "granted":
            raise PushError("AnkiConnect gives no permission", "allow it in Anki's window")
        if permission.requires_key and not self._key:
            raise PushError("AnkiConnect asks for a key", _KEY)
        if permission.version < 6:  # noqa: PLR2004 - the version of the interface that is spoken
            raise PushError("this AnkiConnect is too old", _UPDATE)
        wanted = sorted(_NEEDED | {_WHOLE_TYPES})
        there = self._ask("apiReflect", Reflection, scopes=["actions"], actions=wanted)
        self._has_whole_types = _WHOLE_TYPES in there.actions
        if lacking := sorted(_NEEDED - set(there.actions)):
            raise PushError(f"this AnkiConnect is too old: it lacks {', '.join(lacking)}", _UPDATE)
        return True

    # Reading

    def read(self, asked: Asked) -> Collection:
        """Return what the learner has."""
        decks = self._ask("deckNames", Names)  # the profile chooser names a profile, and no deck
        self._profile = self._ask("getActiveProfile", str)
        guids = {number: guid for guid, number in ids_of(asked.guids).items()}
        cards = [card for some in _parts(tuple(guids), _IDS) for card in self._found(some)]
        notes = self._ask("cardsToNotes", Numbers, cards=cards) if cards else ()
        if not set(notes) <= guids.keys():
            raise PushError("Anki names notes that it was not asked for")
        stamps = self._stamps(notes)
        whole = {*asked.retired, *asked.moved}
        read = [
            number
            for number, mod in stamps.items()
            if guids[number] in whole or mod != asked.stamps.get(guids[number])
        ]
        infos = dict(each for some in _parts(read, _NOTES) for each in self._infos(some))
        types = self._note_types(asked.note_types)
        there = self._cards(
            [
                card
                for number, info in infos.items()
                if guids[number] in whole
                for card in info.cards
            ]
        )
        found = {guids[number]: _note(info, types, there) for number, info in infos.items()}
        for number in stamps.keys() - set(read):
            found[guids[number]] = NoteThere(number, 0, {}, (), stamps[number], ())
        return Collection(
            self._profile,
            self._ask("getProfiles", Names),
            found,
            dict(types.values()),
            self._reviews(found[guid] for guid in asked.retired if guid in found),
            frozenset(name for name in _same(decks, asked.decks) if self._is_filtered(name)),
            in_review=self._ask("guiReviewActive", bool),
            takes_other_types=True,
        )

    def _found(self, notes: Sequence[int]) -> Numbers:
        """The cards of notes. One without cards would fail the request for all notes."""
        query = f"nid:{','.join(map(str, notes))}"
        found: Numbers = self._ask("findCards", Numbers, query=query)
        return found

    def _stamps(self, notes: Sequence[int]) -> dict[int, int]:
        """When each note has changed."""
        if not notes:
            return {}
        found = self._ask("notesModTime", tuple[NoteStamp, ...], notes=list(notes))
        stamps = {e.id: e.mod for e in found if isinstance(e.id, int) and isinstance(e.mod, int)}
        if len(found) != len(notes) or not stamps.keys() <= set(notes):
            raise PushError("Anki answers of other notes than it was asked about")
        return stamps

    def _infos(self, notes: Sequence[int]) -> Iterator[tuple[int, NoteInfo]]:
        for info in self._ask("notesInfo", tuple[NoteInfo, ...], notes=list(notes)):
            if not isinstance(info.id, int):  # it went away in between
                continue
            if info.id not in notes:
                raise PushError("Anki names notes that it was not asked for")
            if not isinstance(info.mod, int):
                raise PushError(
                    "this AnkiConnect is too old: it does not tell when a note changed", _UPDATE
                )
            if info.profile not in {"", self._profile}:
                raise PushError(f"Anki answers of the profile {info.profile} instead", _AGAIN)
            yield info.id, info

    def _note_types(self, asked: Some[int]) -> dict[str, tuple[int, NoteTypeThere]]:
        """The note types that were asked for, with their ids, by their names."""
        ids = self._ask("modelNamesAndIds", dict[str, int])
        ids = {name: number for name, number in ids.items() if number in asked}
        if self._has_whole_types:
            models = self._ask(_WHOLE_TYPES, tuple[Model, ...], modelIds=list(ids.values()))
            return {each.name: (each.id, _note_type(each)) for each in models}
        return {name: (number, self._note_type(name)) for name, number in ids.items()}

    def _note_type(self, name: str) -> NoteTypeThere:
        """A note type, as far as an older AnkiConnect tells of it."""
        fields = self._ask("modelFieldNames", Names, modelName=name)
        templates = self._ask("modelTemplates", dict[str, object], modelName=name)
        styling = self._ask("modelStyling", Styling, modelName=name)
        named = tuple(FieldThere(each, None) for each in fields)
        return NoteTypeThere(name, named, tuple(templates), styling.css, None)

    def _cards(self, cards: Sequence[int]) -> dict[int, CardThere]:
        if not cards:
            return {}
        decks = self._ask("getDecks", dict[str, Numbers], cards=list(cards))
        deck_of = {card: deck for deck, some in decks.items() for card in some}
        filtered = set(self._ask("findCards", Numbers, query="deck:filtered"))
        suspended = self._ask("areSuspended", tuple[bool | None, ...], cards=list(cards))
        there = {card for card, is_so in zip(cards, suspended, strict=False) if is_so is not None}
        if len(suspended) != len(cards) or not there <= deck_of.keys():
            raise PushError("Anki answers of other cards than it was asked about")
        return {
            card: CardThere(card, deck_of[card], card in filtered, bool(is_so))
            for card, is_so in zip(cards, suspended, strict=True)
            if card in deck_of
        }

    def _reviews(self, notes: Iterator[NoteThere]) -> dict[int, int]:
        cards = [card.id for note in notes for card in note.cards]
        if not cards:
            return {}
        found = self._ask("getReviewsOfCards", dict[int, tuple[object, ...]], cards=cards)
        return {card: len(reviews) for card, reviews in found.items()}

    def _is_filtered(self, deck: str) -> bool:
        config = self._ask("getDeckConfig", bool | DeckConfig, deck=deck)
        return isinstance(config, DeckConfig) and bool(config.dyn)

    # Writing

    def sync(self) -> None:
        """Have Anki sync; it has pulled when it answers."""
        self._write("sync", seconds=_DONE)

    def backup(self) -> str:
        """Make none: no action of AnkiConnect's does. Anki has an entry for Undo, and its own."""
        return ""

    def bring(self, package: Path) -> None:
        """Import a package."""
        try:
            done = self._write("importPackage", bool, _DONE, path=str(package.absolute()))
        except PushError as error:
            hint = f"Anki must be able to read {package} (Flatpak and WSL: see the docs)"
            raise PushError(str(error), error.hint or hint) from error
        if not done:
            raise PushError(f"Anki has not imported {package}")

    def suspend(self, cards: Sequence[int]) -> None:
        """Suspend cards."""
        self._write("suspend", cards=list(cards))

    def delete(self, notes: Sequence[int]) -> None:
        """Delete notes."""
        self._write("deleteNotes", notes=list(notes))

    def move(self, cards: Sequence[int], deck: str) -> None:
        """Put cards into a deck. Anki's list of what can be undone is empty then."""
        self._write("changeDeck", cards=list(cards), deck=deck)

    def refresh(self, deck: str) -> None:
        """Have open windows show what is there: Anki does so after an action of its own."""
        decks = self._ask("deckNames", Names)
        for there in [*_same(decks, [deck]), *decks][:1]:  # it would make one that is not
            self._write("createDeck", deck=there)

    def close(self) -> None:
        """Nothing is held between two requests."""

    # The way there and back

    def _write(
        self,
        action: str,
        form: Any = object,  # noqa: ANN401 - see `_ask`
        seconds: float = _DONE,
        **parameters: object,
    ) -> Any:  # noqa: ANN401 - of that form
        """Ask for an action that writes, if the profile is still the one that was read."""
        profile = self._ask("getActiveProfile", str)
        if profile != self._profile:
            raise PushError(f"Anki has opened the profile {profile} meanwhile", _AGAIN)
        return self._ask(action, form, seconds, **parameters)

    def _ask(
        self,
        action: str,
        form: Any,  # noqa: ANN401 - a type, or a union of some
        seconds: float = 0.0,
        **parameters: object,
    ) -> Any:  # noqa: ANN401 - of that form
        """Return what AnkiConnect answers.

        Raises ConnectionRefusedError where nothing has listened yet, and PushError for what is no
        answer.
        """
        try:
            body = answers.question(action, parameters, self._key)
        except UnicodeEncodeError as error:
            raise PushError(
                f"Anki cannot be asked to {action}: a text is not UTF-8 ({error.reason})",
                "look at VERIDECK_ANKI_KEY, and at the names of the folders that the package is in",
            ) from error
        try:
            text = self._exchange(body, action, seconds or self._patience)
        except ConnectionRefusedError:
            if not self._has_answered:
                raise
            raise PushError("Anki was closed meanwhile", "open it, and push again") from None
        try:
            answered = answers.answer(text)
            if answered.error:
                raise _refused(action, answered.error)
            return answers.result(answered, form)
        except WrongAnswerError as error:
            raise self._foreign(f"it answers to {action}: {error}") from error

    def _exchange(self, body: bytes, action: str, seconds: float) -> bytes:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection = http.client.HTTPConnection(HOST, self._port, timeout=seconds)
        is_late: Callable[[], bool] = bool
        try:
            connection.connect()
            with closing(connection), _within(connection.sock, seconds) as is_late:
                connection.request("POST", "/", body, headers)
                with connection.getresponse() as response:
                    text = response.read(_LARGEST + 1)
        except TimeoutError:
            raise self._late(action, seconds) from None
        except ConnectionRefusedError:
            raise
        except (OSError, http.client.HTTPException) as error:
            if is_late():
                raise self._late(action, seconds) from None
            what = str(error) or type(error).__name__
            raise self._foreign(f"it breaks off ({what})") from error
        if is_late():
            raise self._late(action, seconds)
        if response.status == http.HTTPStatus.FORBIDDEN:
            raise PushError(
                "AnkiConnect refuses to be asked by this machine",
                "webCorsOriginList in the add-on's settings should hold http://localhost",
            )
        if response.status != http.HTTPStatus.OK:
            raise self._foreign(f"it answers with {response.status}")
        if len(text) > _LARGEST:
            raise self._foreign(f"it answers with more than {_LARGEST:,} bytes")
        length = response.getheader("Content-Length")
        if length is not None and length != str(len(text)):
            raise self._foreign("its answer is cut off")
        return text

    def _late(self, action: str, seconds: float) -> PushError:
        message = f"Anki has not answered to {action} within {seconds:.0f} seconds"
        return PushError(
            message, "it may be busy, or wait for a dialog: look at it, and push again"
        )

    def _foreign(self, what: str) -> PushError:
        message = f"something else than AnkiConnect is at {HOST}:{self._port}: {what}"
        return PushError(message, "end it, or name AnkiConnect's port by VERIDECK_ANKI_PORT")


_AGAIN = "push again, and name the profile by --profile"
_KEY = "say it by VERIDECK_ANKI_KEY, or by key under [push] in your own configuration file"


def _refused(action: str, error: str) -> PushError:
    """What an error of AnkiConnect's means."""
    said = error.lower()
    if "api key" in said:
        return PushError("AnkiConnect does not take the key", _KEY)
    if "collection is not available" in said:
        return PushError("Anki has no profile open", "choose one in its window, and push again")
    if "unsupported action" in said:
        return PushError(f"this AnkiConnect is too old: it lacks {action}", _UPDATE)
    return PushError(f"Anki refuses {action}: {error[:500]}")


@contextmanager
def _within(sock: socket.socket, seconds: float) -> Iterator[Callable[[], bool]]:
    """End an exchange after a time, however slowly an answer drips.

    A connection lets go of its socket at an answer's head; what is read from then on is the same.
    """
    ended: list[bool] = []

    def end() -> None:
        ended.append(True)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield lambda: bool(ended)
    finally:
        timer.cancel()


def _note(
    info: NoteInfo, types: dict[str, tuple[int, NoteTypeThere]], cards: dict[int, CardThere]
) -> NoteThere:
    assert isinstance(info.id, int)
    assert isinstance(info.mod, int)
    note_type, _ = types.get(info.note_type, (0, None))
    return NoteThere(
        info.id,
        note_type,
        {name: each.value for name, each in info.fields.items()},
        info.tags,
        info.mod,
        tuple(cards[each] for each in info.cards if each in cards),
    )


def _note_type(model: Model) -> NoteTypeThere:
    fields = tuple(FieldThere(each.name, each.id) for each in model.flds)
    templates = tuple(each.name for each in model.tmpls)
    return NoteTypeThere(model.name, fields, templates, model.css, model.mod)


def _same(decks: Sequence[str], wanted: Some[str]) -> list[str]:
    """Those of a learner's decks that are wanted, as the learner writes them."""
    names = {folded(name) for name in wanted}
    return [name for name in decks if folded(name) in names]


def _parts(every: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """A sequence in parts of a size."""
    return (every[start : start + size] for start in range(0, len(every), size))
