"""Pictures of every card of a package in the desktop Anki's own reviewer, without a screen.

    python tests/desktop_reviewer.py DECK.apkg FOLDER --theme night --size 800x900

It wants an environment that has `aqt[qt6]`, and an X server at `DISPLAY`: `make desktop` has both.
Each card comes as a learner gets it: imported by the program, asked by its scheduler, shown by its
reviewer, turned and answered by Enter. FOLDER gets `NOTE.NUMBER.question.png` and
`NOTE.NUMBER.answer.png`, of the page within the window.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")  # a container has none, nor has root

import aqt
from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.decks import DeckId
from aqt.main import AnkiQt
from aqt.profiles import ProfileManager, VideoDriver
from aqt.theme import Theme
from PyQt6.QtCore import qVersion
from PyQt6.QtGui import QImage

PROFILE = "User 1"
THEMES = {"light": Theme.LIGHT, "night": Theme.DARK}
PATIENCE = 60.0
"""Seconds that anything may take."""
REST = 0.15
"""Seconds between two pictures that are equal where the page has come to rest."""

SETTLED = """window.isSettled = false; (async () => {
    await new Promise(done => _queueAction(done));
    await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
    await document.fonts.ready;
    window.scrollTo(0, 0);
    document.activeElement?.blur();
    window.isSettled = true;
})()"""


class Desktop:
    """The program, with a collection of its own that goes away with it."""

    def __init__(self, base: str, theme: str) -> None:
        """Start it, as often before: nothing is asked."""
        manager = ProfileManager(Path(base))
        manager.setupMeta()
        manager.create(PROFILE)
        manager.load(PROFILE)
        manager.meta["firstRun"] = False
        manager.set_theme(THEMES[theme])
        manager.set_video_driver(VideoDriver.Software)
        manager.set_update_check(False)
        manager.save()
        words = ["anki", "-b", base, "-p", PROFILE, "-l", "en"]
        app = aqt._run(words, exec=False)  # noqa: SLF001 - its documented way to be tested
        if app is None or aqt.mw is None:
            sys.exit("Anki has not started")
        self._app = app
        self._window: AnkiQt = aqt.mw
        self.until(lambda: self._window.state == "deckBrowser", "the decks are shown")

    def until(self, is_so: Callable[[], object], what: str) -> None:
        """Let the program go on until something is so. Ends this one if it takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                sys.exit(f"too late: {what}")
            self._app.processEvents()
            time.sleep(0.005)

    def review(self, package: Path) -> None:
        """Import a package, and ask for its cards, all of them today."""
        collection = self._window.col
        options = ImportAnkiPackageOptions()
        request = ImportAnkiPackageRequest(package_path=str(package.resolve()), options=options)
        collection.import_anki_package(request)
        preset = collection.decks.config_dict_for_deck_id(DeckId(1))
        # Without steps, a card that was answered once is not asked again today.
        preset["new"] |= {"perDay": 9_999, "bury": False, "delays": []}
        preset["rev"] |= {"perDay": 9_999, "bury": False}
        collection.decks.update_config(preset)
        first = collection.get_card(collection.find_cards("", order=True)[0])
        name = collection.decks.name(first.did).partition("::")[0]
        deck = collection.decks.id_for_name(name)
        assert deck is not None
        collection.decks.select(deck)
        self._window.moveToState("review")
        self.until(lambda: self._window.reviewer.card, "a card is asked")

    def resize(self, width: int, height: int) -> None:
        """Give the page a size."""
        web, window = self._window.web, self._window
        for _ in range(20):  # what stands around it changes its height, and not at once
            beside = window.size() - web.size()
            window.resize(width + beside.width(), height + beside.height())
            self.rest()
            if (web.width(), web.height()) == (width, height):
                return
        sys.exit(f"the page is {web.width()}x{web.height()}: is the screen too small?")

    def rest(self) -> QImage:
        """Wait until the page shows the same twice; what it shows."""
        before, now = QImage(), self._grabbed()
        while before != now:
            self._wait(REST)
            before, now = now, self._grabbed()
        return now

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, "a moment has passed")

    def picture(self) -> QImage:
        """The page, when all of it is there."""
        self._answer(SETTLED)
        self.until(lambda: self._answer("window.isSettled") is True, "the card is shown")
        return self.rest()

    def card(self) -> str:
        """The card that is asked: its note's Id and its number; empty behind the last one."""
        card = self._window.reviewer.card
        if card is None:
            return ""
        identity = html.unescape(re.sub(r"<[^>]*>", "", card.note()["Id"])).strip()
        return f"{identity}.{card.ord + 1}"

    def turn(self, typed: str) -> None:
        """Type, where an answer is to be typed, and turn the card over."""
        given = f"(typeans => typeans && (typeans.value = {json.dumps(typed)}))"
        self._answer(f"{given}(document.getElementById('typeans')); 0")
        self._window.reviewer.onEnterKey()
        self.until(lambda: self._window.reviewer.state == "answer", "the answer is shown")

    def answer(self) -> None:
        """Answer; the next card is asked, or the deck is done."""
        reviewer, asked = self._window.reviewer, self.card()
        reviewer.onEnterKey()

        def is_next() -> bool:
            return self.is_done or (reviewer.state == "question" and self.card() != asked)

        self.until(is_next, "the next card is asked")

    @property
    def is_done(self) -> bool:
        """Whether no card is left."""
        return self._window.state != "review"

    def _grabbed(self) -> QImage:
        return self._window.web.grab().toImage()

    def _answer(self, script: str) -> object:
        """What a script comes to in the page."""
        found: list[object] = []
        self._window.web.evalWithCallback(script, found.append)
        self.until(lambda: found, "the page answers")
        return found[0]


def main() -> None:
    """Photograph, and end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("deck", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", choices=THEMES, default="light")
    parser.add_argument("--size", default="800x900", help="of the page, in pixels")
    parser.add_argument("--typed", default="", help="what is typed where something is asked for")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as base:
        desktop = Desktop(base, given.theme)
        desktop.review(given.deck)
        desktop.resize(width, height)
        while not desktop.is_done:
            card = desktop.card()
            desktop.picture().save(str(given.folder / f"{card}.question.png"))
            desktop.turn(given.typed)
            desktop.picture().save(str(given.folder / f"{card}.answer.png"))
            desktop.answer()
        print(f"Anki {aqt.appVersion}, Qt {qVersion()}", flush=True)  # noqa: T201 - a command's output
        os._exit(0)  # a profile that is closed in order would ask to be synchronised


if __name__ == "__main__":
    main()
