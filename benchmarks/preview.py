"""How long an author waits for the page: after a save, and when it is opened.

`python benchmarks/preview.py` prints the tables; `--write` also puts them into README.md here.
`--only` measures some of the tables. It needs playwright and chromium, as the tests of the page do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import decks
import measure
from corpus import torch_snippets, write_project
from decks import Deck
from measure import ENVIRONMENT, TODAY, VERIDECK, Cost, Time, Work, bound, of_edition
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu"]
COLD = "checked cold"
SHOWN = "saved, until it is shown"
OPENED = "opened, until the first card is shown"

SMALL_DECK = 1_000
"""Cards. A deck of fewer is checked as fast as a browser opens any page at all."""
SMALL = {OPENED: 2.0, SHOWN: 0.5}
LARGE = {OPENED: 0.6, SHOWN: 0.2}
"""The most that each may take, of a cold check."""

SHOWS = """text => {
    window.shows = new Promise(done => {
        const look = () => {
            const frame = document.querySelector("#stage iframe");
            const shown = frame?.contentDocument?.body?.textContent ?? "";
            if (shown.includes(text)) done();
            else requestAnimationFrame(look);
        };
        look();
    });
}"""
"""Looks at each picture that the browser draws whether the card shows a text."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the decks are."""

    prose: tuple[Deck, ...]
    torch: int
    """How many torch cards."""


FULL = Sizes((Deck(300, 6), Deck(3_000, 60), Deck(10_000, 200)), torch=12)
QUICK = Sizes((Deck(60, 2),), torch=2)


class Preview:
    """A preview that is served, and a browser that looks at it."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        """Serve a project, and wait until its cards are there."""
        self._browser = browser
        self._process = subprocess.Popen(  # noqa: S603 - the command that is measured
            (VERIDECK, "preview", "--port", "0"),
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self._process.stdout
        found = re.match(r"http://\S+", self._process.stdout.readline())
        if not found:
            sys.exit(f"no preview of {folder}")
        self._url = found[0]
        self._process.stdout.readline()

    def opened(self) -> tuple[Cost, Tab]:
        """Open the page, until a card is shown; what a browser starts with is not timed."""
        tab = self._browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
        started, used = time.perf_counter(), self._used()
        tab.goto(self._url)
        tab.wait_for_selector("#stage[data-shown]")
        return Cost(time.perf_counter() - started, self._used() - used), tab

    def saved(self, tab: Tab, text: str, save: Callable[[], None]) -> Cost:
        """Save, until a text is shown."""
        tab.evaluate(SHOWS, text)
        started, used = time.perf_counter(), self._used()
        save()
        tab.evaluate("window.shows")
        return Cost(time.perf_counter() - started, self._used() - used)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()

    def _used(self) -> float:
        """Seconds of user and system time of the process that serves."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def cold(folder: Path) -> Callable[[int], Cost]:
    """Check a project of which nothing is remembered."""

    def check(_: int) -> Cost:
        decks.forget_builds(folder)
        cost, _said = measure.run((VERIDECK, "check"), folder)
        return cost

    return check


def text(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """Cards without code: the page is opened, and a card is edited, at several sizes."""
    works: list[Work] = []
    with chromium() as browser, ExitStack() as stack:
        for deck in sizes.prose:
            for name in ("cold", "open"):
                decks.write(scratch / f"{deck.cards}-{name}", deck)
            folder = scratch / f"{deck.cards}-open"
            preview = Preview(folder, browser)
            stack.callback(preview.close)
            works += [
                Work(_named(COLD, deck), cold(scratch / f"{deck.cards}-cold")),
                Work(_named(OPENED, deck), partial(_opened, preview)),
                Work(_named(SHOWN, deck), _text_edit(preview, folder, deck)),
            ]
        costs = measure.in_turn(works, rounds)
    bounds = []
    for deck in sizes.prose:
        most = LARGE if deck.cards > SMALL_DECK else SMALL
        beside = f"{COLD}, {deck.cards:,} cards"
        for what, ratio in most.items():
            bounds.append(bound(costs, f"{what}, {deck.cards:,} cards", beside, Time.WALL, ratio))
    facts = "cards without code"
    return measure.report(measure.about(facts, rounds), bounds, costs)


def torch(scratch: Path, sizes: Sizes, rounds: int) -> str:
    """The code of a torch card is edited; beside the same project checked cold."""
    for name in ("cold", "open"):
        write_project(scratch / name, torch_snippets(sizes.torch))
    with chromium() as browser, ExitStack() as stack:
        preview = Preview(scratch / "open", browser)
        stack.callback(preview.close)
        works = [
            Work(of_edition(TODAY, COLD), cold(scratch / "cold")),
            Work(of_edition(TODAY, SHOWN), _code_edit(preview, scratch / "open", sizes.torch)),
        ]
        costs = measure.in_turn(works, rounds)
    held = bound(costs, SHOWN, COLD, Time.WALL, 0.15)
    facts = f"{sizes.torch} cards that import torch"
    return measure.report(measure.about(facts, rounds), [held], costs)


def _named(what: str, deck: Deck) -> str:
    return of_edition(TODAY, f"{what}, {deck.cards:,} cards")


def _opened(preview: Preview, _: int) -> Cost:
    cost, tab = preview.opened()
    tab.context.close()
    return cost


def _text_edit(preview: Preview, folder: Path, deck: Deck) -> Callable[[int], Cost]:
    """Say something else on the card that is looked at."""
    _, tab = preview.opened()
    tab.keyboard.press(" ")

    def edit(number: int) -> Cost:
        said = f" 另见 page {number}."
        return preview.saved(
            tab, f"page {number}.", lambda: decks.edit_answer(folder, deck, 0, said)
        )

    return edit


def _code_edit(preview: Preview, folder: Path, count: int) -> Callable[[int], Cost]:
    """Give the card that is looked at another assertion."""
    _, tab = preview.opened()
    tab.keyboard.press(" ")

    def edit(number: int) -> Cost:
        first, *others = torch_snippets(count)
        code = f"{first.code}assert torch.initial_seed() == 0  # edit {number}\n"
        snippets = [replace(first, code=code), *others]
        return preview.saved(tab, f"# edit {number}", lambda: write_project(folder, snippets))

    return edit


TABLES: Mapping[str, Callable[[Path, Sizes, int], str]] = {
    "preview-text": text,
    "preview-torch": torch,
}


def main() -> None:
    """Measure, print, and maybe write."""
    given = measure.arguments(__doc__, rounds=5, tables=TABLES).parse_args()
    measure.measure_tables(given, TABLES, QUICK if given.quick else FULL)


if __name__ == "__main__":
    main()
