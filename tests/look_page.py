"""Pictures of a card of every kind, and those that docs/look.md shows.

    python tests/look_page.py FOLDER [--page]

FOLDER gets both sides of every card, by day and by night, on three screens. With `--page`, pictures
of the docs are taken too: some of these and the ways in which code can fit, for docs/look.md; the
card of README.md; the page of `verideck preview`.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

from pictures import CHROMIUM, EVERY_MODE, FLAGS, Mode, photograph
from playwright.sync_api import sync_playwright
from projects import DOT, ROOT, Project, project
from served import served

DOCS = ROOT / "docs"
PICTURES = DOCS / "look"

KINDS = ROOT / "tests/data/kinds.md"

_NO_ROWS = """
.card .row, .card .row::after { all: unset; white-space: inherit; }
.card .row::before, .card .row::after { content: none; }
"""
STEP = f"""{_NO_ROWS}
.card pre {{ white-space: pre; overflow-wrap: normal; font-size: 10.5px; }}
"""
"""Code that is not wrapped, in the smallest letters that can still be read."""
INDENTED = f"""{_NO_ROWS}
.card pre {{ text-indent: 2ch hanging each-line; }}
"""
"""Code that is wrapped by a style sheet alone."""
WAYS = {"wrapped": "", "by-css": INDENTED, "smaller": STEP}
PAGE = ("basic.1.answer.390.light", "code.1.answer.390.night", "table.1.answer.320.light",
        "typed.1.answer.390.light", "cloze.4.question.390.light", "figure.1.answer.390.night",
        "table.1.answer.1280.light")  # fmt: skip


COLOURS = 256
"""Of a picture in the docs: with fewer, code would lose its own."""


def main() -> None:
    """Take the pictures; exit 1 if anything does not appear as it should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", action="store_true", help="take those of docs/look.md, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        made = project(Path(temporary), {"kinds.md": KINDS.read_text("utf-8"), "dot.png": DOT})
        package = made.build()
        found = photograph(package, options.folder, modes=EVERY_MODE)
        if options.page:
            _take_pages(package, options.folder)
            _take_card(options.folder / "card")
            _take_preview(made)
    wrong = [each for each in found if each.overflow or each.broken]
    for each in wrong:
        print(each.name, *each.broken, sep="\t")  # noqa: T201 - a command's output
    sys.exit(bool(wrong))


def _take_pages(package: Path, folder: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    for name in PAGE:
        shutil.copy(folder / f"{name}.png", PICTURES)
    phone = Mode("390", 390, 500, phone=True)
    for way, css in WAYS.items():
        photograph(package, folder / way, only="code", modes=[phone], css=css)
        shutil.copy(folder / way / "code.1.answer.390.png", PICTURES / f"code.{way}.png")


def _take_card(folder: Path) -> None:
    """The card of README.md, by day beside by night."""
    from PIL import Image  # noqa: PLC0415 - comes with matplotlib

    example = DOCS / "example"
    with tempfile.TemporaryDirectory() as temporary:
        package = project(
            Path(temporary), {"softmax.md": (example / "cards/softmax.md").read_text("utf-8")}
        ).build()
        modes = [Mode("day", 800, 500), Mode("night", 800, 500, night=True)]
        photograph(package, folder, only="softmax-shift", modes=modes)
    joined = Image.new("RGB", (1600, 500))
    for left, mode in ((0, "day"), (800, "night")):
        with Image.open(folder / f"softmax-shift.1.answer.{mode}.png") as taken:
            joined.paste(taken, (left, 0))
    joined.quantize(COLOURS).save(DOCS / "card.png", optimize=True)


def _take_preview(made: Project) -> None:
    """The page that shows a deck while it is written, with a card turned over."""
    from PIL import Image  # noqa: PLC0415 - comes with matplotlib

    with served(made) as page, sync_playwright() as playwright:
        page.events(lambda events: "deck" in events)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
        tab.goto(f"{page.url}#code")
        tab.wait_for_selector("#stage[data-shown*=front]")
        tab.keyboard.press(" ")
        tab.wait_for_selector("#stage[data-shown*=back]")
        taken = Image.open(io.BytesIO(tab.screenshot(animations="disabled")))
        taken.convert("RGB").quantize(COLOURS).save(DOCS / "preview.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
