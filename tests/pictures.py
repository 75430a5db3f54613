"""Pictures of cards as a learner sees them, and what is wrong with each.

    python tests/pictures.py DECK.apkg FOLDER [--only ID]

The package is imported by the real Anki into an empty collection; Anki renders every card; Anki's
own reviewer page (style sheets, script and MathJax, from the `aqt` wheel) shows it in a headless
chromium. Nothing else can be reached from that page, so a card that fetches something is told.

    apt-get install chromium fonts-noto-cjk
    pip install playwright && pip install --no-deps aqt==<the version of anki>
"""

from __future__ import annotations

import argparse
import html
import mimetypes
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anki.cards import Card
    from playwright.sync_api import Browser, Page, Route

CHROMIUM = Path(shutil.which("chromium") or "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOST = "anki.invalid"
"""Where the reviewer page believes to be. It cannot exist; every request is answered here."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A screen and a theme."""

    name: str
    width: int
    height: int
    scale: int = 1
    night: bool = False
    phone: bool = False


EVERY_MODE = tuple(
    Mode(f"{width}.{theme}", width, height, scale, night=theme == "night", phone=width < 800)
    for width, height, scale in ((1280, 800, 1), (390, 844, 2), (320, 568, 2))
    for theme in ("light", "night")
)
"""A desktop, a telephone and the narrowest one, by day and by night."""
MODES = (
    Mode("light", 800, 600),
    Mode("night", 800, 600, night=True),
    Mode("phone", 390, 844, scale=2, phone=True),
)
SMALL = Mode("small", 320, 568, scale=2, phone=True)
"""The narrowest telephone still in use, for tests of overflow."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One side of one card on one screen."""

    name: str
    """The note's Id, the card's number, the side, the mode: `layer-norm.1.answer.phone`."""

    overflow: bool
    """Whether the whole page can be scrolled sideways."""

    broken: tuple[str, ...]
    """What did not appear as it should: images, formulas, anything fetched from elsewhere, code and
    tables that scroll, words that a table breaks."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A card as Anki hands it to its reviewer page."""

    card: str
    number: int
    question: str
    answer: str


def photograph(
    package: Path,
    folder: Path | None,
    *,
    only: str | None = None,
    modes: Sequence[Mode] = MODES,
    css: str = "",
) -> list[Picture]:
    """Photograph both sides of every card of `package`, or of the one note whose Id is `only`.

    `css` stands behind the style sheet of the cards, to see them in another look.

    `folder` gets a PNG named after each picture. Without one they are looked at and not taken,
    which needs a quarter of the time.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with imported(package) as collection, sync_playwright() as playwright:
        cards = [
            sides_of(collection, collection.get_card(number), css)
            for number in collection.find_cards("", order=True)
        ]
        chosen = [card for card in cards if only is None or card.card.rpartition(".")[0] == only]
        media = Path(collection.media.dir())
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"]
        )
        try:
            return [
                picture
                for mode in modes
                for picture in _in_mode(browser, mode, chosen, media, folder)
            ]
        finally:
            browser.close()


# -- Anki ------------------------------------------------------------------------------------------


@contextmanager
def imported(package: Path) -> Iterator[Collection]:
    """A new collection into which a package was imported."""
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(str(Path(folder) / "collection.anki2"))
        try:
            collection.import_anki_package(
                ImportAnkiPackageRequest(
                    package_path=str(package.resolve()), options=ImportAnkiPackageOptions()
                )
            )
            yield collection
        finally:
            collection.close()


def sides_of(collection: Collection, card: Card, css: str = "") -> Sides:
    """Return a card as Anki renders it, its answer typed with two slips."""
    note = card.note()
    fields = dict(note.items())
    name = plain(fields.get("Id", "")) or note.guid
    escape = collection.media.escape_media_filenames
    style = f"<style>{css}</style>" if css else ""
    return Sides(
        card=f"{name}.{card.ord + 1}",
        number=card.ord + 1,
        question=_TYPED.sub(lambda found: _input(fields, found[1]), escape(card.question()))
        + style,
        answer=_compared(collection, fields, escape(card.answer())) + style,
    )


# As in aqt/reviewer.py: what becomes of {{type:Field}} is not the library's, but the program's.
_TYPED = re.compile(r"\[\[type:(.+?)\]\]")
_RULE = "<hr id=answer>"


def _input(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        return ""
    style = "font-family: 'Arial'; font-size: 20px;"
    return f'<center><input type=text id=typeans style="{style}"></center>'


def _compared(collection: Collection, fields: dict[str, str], answer: str) -> str:
    found = _TYPED.search(answer)
    if found is None:
        return answer
    expected = fields.get(found[1], "")
    if not expected:
        return _TYPED.sub("", answer)
    comparison = collection.compare_answer(expected, nearly(plain(expected)))
    shown = f"<div style=\"font-family: 'Arial'; font-size: 20px\">{comparison}</div>"
    if _RULE in answer:  # Anki moves the rule to stand before the comparison
        shown = _RULE + shown
    return _TYPED.sub(lambda _: shown, answer.replace(_RULE, ""))


def nearly(expected: str) -> str:
    """Type the answer with one character wrong and one missing, so that every colour is seen."""
    middle = len(expected) // 2
    return "x" + expected[1:middle] + expected[middle + 1 :]


def plain(field_html: str) -> str:
    """Return the text of a field."""
    return html.unescape(re.sub(r"<[^>]*>", "", field_html)).strip()


# -- the browser -----------------------------------------------------------------------------------


@dataclass  # no slots: playwright leaves a mark on the object
class Answers:
    """All that the page can reach: Anki's own files and the package's media."""

    media: Path
    page: str
    strangers: list[str] = field(default_factory=list)
    """Requests for anything else, since last asked."""

    def answer(self, route: Route) -> None:
        """Answer a request, or note that it is a stranger's."""
        url = urlsplit(route.request.url)
        path = unquote(url.path).lstrip("/")
        if url.hostname != HOST:
            self.strangers.append(f"fetches {route.request.url}")
            route.abort()
        elif not path:
            route.fulfill(body=self.page, content_type="text/html; charset=utf-8")
        elif path == "favicon.ico":
            route.fulfill(status=204)
        else:
            file = anki_assets() / path.removeprefix("_anki/")
            if not path.startswith("_anki/"):
                file = self.media / path
            if file.is_file():
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                route.fulfill(body=file.read_bytes(), content_type=kind)
            else:
                route.fulfill(status=404)


def anki_assets() -> Path:
    """The folder of Anki's own web files. Raises FileNotFoundError."""
    # `aqt` itself cannot be imported without Qt; its files can be read.
    spec = find_spec("_aqt")
    if spec is None or not spec.submodule_search_locations:
        message = "Anki's web files are missing: pip install --no-deps aqt==<version of anki>"
        raise FileNotFoundError(message)
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "web"


def reviewer(mode: Mode) -> str:
    """Anki's reviewer page, as aqt/webview.py and aqt/reviewer.py put it together."""
    theme, bootstrap = ("night-mode", "dark") if mode.night else ("", "light")
    mobile = " mobile" if mode.phone else ""
    return f"""<!doctype html>
<html class="{theme}{mobile}" dir="ltr" data-bs-theme="{bootstrap}">
<head>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/_anki/css/webview.css">
<style>body {{ background-color: var(--canvas); }} html {{ font-family: sans-serif; }}</style>
<link rel="stylesheet" href="/_anki/css/reviewer.css">
</head>
<body class="isLin fancy">
<script>window.bridgeCommand = window.pycmd = () => {{}};</script>
<script src="/_anki/js/webview.js"></script>
<script src="/_anki/js/reviewer.js"></script>
<div id="_mark" hidden>&#x2605;</div>
<div id="_flag" hidden>&#x2691;</div>
<div id="qa" dir="auto"></div>
</body>
</html>"""


def _in_mode(
    browser: Browser, mode: Mode, cards: Sequence[Sides], media: Path, folder: Path | None
) -> Iterator[Picture]:
    context = browser.new_context(
        viewport={"width": mode.width, "height": mode.height},
        device_scale_factor=mode.scale,
        is_mobile=mode.phone,
        has_touch=mode.phone,
        reduced_motion="reduce",
    )
    answers = Answers(media, reviewer(mode))
    context.route("**/*", answers.answer)
    page = context.new_page()
    if mode.phone:  # its scroll bars float, and fade
        context.new_cdp_session(page).send("Emulation.setScrollbarsHidden", {"hidden": True})
    page.goto(f"http://{HOST}/")
    for card, side in shown_by_anki(page, mode, cards):
        overflow = page.evaluate(_OVERFLOW)
        broken = tuple(dict.fromkeys([*page.evaluate(_FAULTS), *answers.strangers]))
        picture = Picture(f"{_file_name(card.card)}.{side}.{mode.name}", overflow, broken)
        if folder:
            _whole(page, mode, folder / f"{picture.name}.png")
        yield picture
        answers.strangers.clear()
    context.close()


def shown_by_anki(page: Page, mode: Mode, cards: Sequence[Sides]) -> Iterator[tuple[Sides, str]]:
    """Show both sides of each card in Anki's reviewer page: each with its name, when it is whole.

    `page` is at `HOST`, and answered by `Answers`.
    """
    for card in cards:
        classes = f"card card{card.number} isLin fancy" + " nightMode night_mode" * mode.night
        for side, script in (
            ("question", "([q, a, c]) => _showQuestion(q, a, c)"),
            ("answer", "([q, a, c]) => _showAnswer(a, c)"),
        ):
            page.evaluate(script, [card.question, card.answer, classes])
            page.evaluate(_SETTLED)
            yield card, side


# Anki queues what it shows; then images and fonts follow.
_SETTLED = """async () => {
    await new Promise(done => _queueAction(done));
    await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
    await document.fonts.ready;
    window.scrollTo(0, 0);
    document.activeElement?.blur();
}"""

# innerWidth would be the wrong measure: a telephone zooms out to fit what is too wide.
_OVERFLOW = "document.scrollingElement.scrollWidth > document.documentElement.clientWidth"

_FAULTS = r"""() => {
    const all = selector => [...document.querySelectorAll("#qa " + selector)];
    const maths = node => node.closest("mjx-container").textContent.slice(0, 80);
    const texts = document.createTreeWalker(document.querySelector("#qa"), NodeFilter.SHOW_TEXT);
    const raw = [], broken = [];
    while (texts.nextNode()) {
        const {data, parentElement} = texts.currentNode;
        const isOther = parentElement.closest(".long, .own, mjx-container");
        const isCell = !isOther && parentElement.closest("td, th");
        for (const {index, 0: word} of isCell ? data.matchAll(/[A-Za-z0-9_]+/g) : []) {
            const range = document.createRange();
            range.setStart(texts.currentNode, index);
            range.setEnd(texts.currentNode, index + word.length);
            const lines = new Set([...range.getClientRects()].map(box => box.top));
            if (lines.size > 1) broken.push(word);
        }
        if (/\\[(\[]/.test(data) && !parentElement.closest("pre, code, style, mjx-container")) {
            raw.push(data.trim().slice(0, 80));
        }
    }
    const acts = ({name, value}) => /^on/i.test(name) || /^\s*(java|vb)script:/i.test(value);
    return [
        ...all("*").filter(e => [...e.attributes].some(acts)).map(e => `acts: ${e.outerHTML}`),
        ...all("img").filter(i => !i.naturalWidth).map(i => `image ${i.getAttribute("src")}`),
        ...raw.map(text => `formula not typeset: ${text}`),
        ...broken.map(word => `a word of a table is broken: ${word}`),
        ...all("pre, .row, .table").filter(e => e.scrollWidth > e.clientWidth + 1)
            .map(e => `wider than its place: ${e.textContent.trim().slice(0, 80)}`),
        ...all("mjx-merror").map(m => `formula: ${m.dataset.mjxError ?? maths(m)}`),
        ...all("mjx-mtext[style*=red]").map(m => `formula has an unknown command: ${maths(m)}`),
        ...all("mjx-container").filter(m => m.scrollHeight > m.clientHeight + 1)
            .map(m => `formula is cut: ${maths(m)}`),
    ];
}"""


def _whole(page: Page, mode: Mode, path: Path) -> None:
    """Take the whole page; a taller window, unlike `full_page`, keeps the blocks' scroll bars."""
    height: int = page.evaluate("document.scrollingElement.scrollHeight")
    page.set_viewport_size({"width": mode.width, "height": max(height, mode.height)})
    page.screenshot(path=path, animations="disabled")
    page.set_viewport_size({"width": mode.width, "height": mode.height})


def _file_name(card: str) -> str:
    return re.sub(r"[^\w.-]+", "_", card)


def main() -> None:
    """Photograph a deck and print a line for every picture; exit 1 if one has a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("deck", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", metavar="ID", help="the one note to photograph")
    options = parser.parse_args()
    pictures = photograph(options.deck, options.folder, only=options.only)
    if not pictures:
        parser.error("no such card in the deck")
    for picture in pictures:
        faults = ("overflow",) * picture.overflow + picture.broken
        print(options.folder / f"{picture.name}.png", *faults, sep="\t")  # noqa: T201 - a command's output
    sys.exit(any(picture.overflow or picture.broken for picture in pictures))


if __name__ == "__main__":
    main()
