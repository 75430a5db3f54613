"""Pictures of a card of every kind, and those that docs/look.md shows.

    python tests/look_page.py FOLDER [--page]

FOLDER gets both sides of every card, by day and by night, on three screens. With `--page`, the
pictures of docs/look.md are taken too: some of these, and the ways in which code can fit.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from pictures import EVERY_MODE, Mode, photograph
from projects import DOT, ROOT, project

PICTURES = ROOT / "docs/look"

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


def main() -> None:
    """Take the pictures; exit 1 if anything does not appear as it should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", action="store_true", help="take those of docs/look.md, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        package = project(
            Path(temporary), {"kinds.md": KINDS.read_text("utf-8"), "dot.png": DOT}
        ).build()
        found = photograph(package, options.folder, modes=EVERY_MODE)
        if options.page:
            _take_pages(package, options.folder)
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


if __name__ == "__main__":
    main()
