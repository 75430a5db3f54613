"""Cards of every kind in the desktop Anki itself, beside the page's: compared by what is written.

    python tests/desktop.py FOLDER --anki PYTHON [--page]

PYTHON is that of an environment with `aqt[qt6]`. The cards of `data/kinds.md` are reviewed there on
a screen that nobody sees (`desktop_reviewer.py`), and shown in a frame of `verideck preview`, by
day and by night. In both pictures blocks of text are found by their pixels; a block that only one
has, that stands elsewhere, or whose letters are others is told. FOLDER gets the pictures, and for
each the two side by side. With `--page`, those of docs/look.md are taken, too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pictures import CHROMIUM, FLAGS, Mode, nearly
from PIL import Image
from playwright.sync_api import sync_playwright
from projects import DOT, ROOT, Project, project

KINDS = ROOT / "tests/data/kinds.md"
PICTURES = ROOT / "docs/look"
TYPED = nearly("LayerNorm")
"""What is typed where `kinds.md` asks for it."""
MODES = tuple(Mode(theme, 800, 1000, night=theme == "night") for theme in ("light", "night"))
SCREEN = "1000x1400x24"
"""Of the desktop: larger than the page and the bars around it."""
PAGE = ("basic.1.answer.light", "code.1.answer.light", "table.1.answer.light",
        "typed.1.answer.night", "cloze.4.question.light", "figure.1.answer.night",
        "image.1.answer.light")  # fmt: skip
"""Those that docs/look.md shows."""

EDGE = 40
"""By how much the luminance of neighbouring pixels differs, of 255, where something is drawn."""
CELL = 6
"""Pixels of a cell; what is in neighbouring cells is one block."""
NEAR = 1
"""Pixels by which two engines may set the same letter apart."""
MOST_SHIFT = 1
"""Pixels by which the edges of a block may differ."""
MOST_COLOUR = 5
"""By how much of 255 the mean colour of a block may differ: letters are smoothed in two ways."""
LEAST_ALIKE = 0.97
"""The share of a block's pixels that the other picture has, too."""


@dataclass(frozen=True, slots=True)
class Box:
    """The place of what is drawn together: a word, a line, a picture."""

    left: int
    top: int
    right: int
    bottom: int

    def shift(self, other: Box) -> int:
        """By how much the edges differ, at most."""
        edges = zip(self._edges(), other._edges(), strict=True)
        return max(abs(one - two) for one, two in edges)

    def _edges(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom


Ink = NDArray[np.bool_]
"""Where something is drawn."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of one card, in both."""

    name: str
    blocks: int
    shift: int
    """Of the block that is shifted most."""
    alike: float
    """The share of pixels that both have, of those that either has."""
    colour: float
    """By how much the mean colour of a block differs at most, of 255."""
    lacking: tuple[Box, ...]
    """Blocks of either picture that the other has not."""

    @property
    def is_same(self) -> bool:
        """Whether a learner sees the same."""
        is_alike = self.alike >= LEAST_ALIKE and self.colour <= MOST_COLOUR
        return not self.lacking and self.shift <= MOST_SHIFT and is_alike


def ink(picture: Image.Image) -> Ink:
    """Where something is drawn: what differs from the pixel above it, or to its left."""
    grey = np.asarray(picture.convert("L"), dtype=np.int16)
    across, down = (np.abs(np.diff(grey, axis=axis, prepend=0)) > EDGE for axis in (1, 0))
    across[:, 0] = down[0, :] = False
    return across | down


def blocks(drawn: Ink) -> Iterator[Ink]:
    """The blocks of a picture: what stands together of what is drawn."""
    height, width = drawn.shape
    rows, columns = -(-height // CELL), -(-width // CELL)
    padded = np.zeros((rows * CELL, columns * CELL), bool)
    padded[:height, :width] = drawn
    cells = padded.reshape(rows, CELL, columns, CELL).any(axis=(1, 3))
    waiting = {(int(row), int(column)) for row, column in zip(*np.nonzero(cells), strict=True)}
    while waiting:
        together = [waiting.pop()]
        for row, column in together:
            around = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)} & waiting
            waiting -= around
            together += around
        block = np.zeros_like(cells)
        block[tuple(zip(*together, strict=True))] = True
        yield block.repeat(CELL, 0).repeat(CELL, 1)[:height, :width]


def box(drawn: Ink) -> Box | None:
    """Where something is drawn; None if nothing is."""
    ys, xs = np.nonzero(drawn)
    if not len(ys):
        return None
    return Box(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)


def compared(name: str, theirs: Image.Image, ours: Image.Image) -> Compared:
    """What differs between two pictures of the same side."""
    one, other = ink(theirs), ink(ours)
    apart = np.asarray(theirs.convert("RGB"), float) - np.asarray(ours.convert("RGB"), float)
    lacking: list[Box] = []
    shifts, colours = [0], [0.0]
    for block in blocks(one | other):
        colours.append(float(np.abs(apart[block].mean(axis=0)).max()))
        here, there = box(one & block), box(other & block)
        if here and there:
            shifts.append(here.shift(there))
        else:
            lacking.extend(each for each in (here, there) if each)
    both = int((one & _widened(other)).sum()) + int((other & _widened(one)).sum())
    either = int(one.sum()) + int(other.sum())
    found = len(shifts) - 1 + len(lacking)
    return Compared(name, found, max(shifts), both / max(1, either), max(colours), tuple(lacking))


def _widened(drawn: Ink) -> Ink:
    wide = drawn.copy()
    for y in range(-NEAR, NEAR + 1):
        for x in range(-NEAR, NEAR + 1):
            wide |= np.roll(drawn, (y, x), (0, 1))
    return wide


# -- the pictures


@contextmanager
def screen() -> Iterator[str]:
    """An X server without a screen: its name."""
    reads, writes = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writes), "-screen", "0", SCREEN, "-nolisten", "tcp"],  # noqa: S607 - where the system has it
        pass_fds=[writes],
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    try:
        with os.fdopen(reads, encoding="ascii") as told:
            yield f":{int(told.readline())}"
    finally:
        server.terminate()
        server.wait()


def take_theirs(python: str, package: Path, folder: Path, mode: Mode) -> str:
    """Have the desktop Anki photographed; its version."""
    reviewer = ROOT / "tests/desktop_reviewer.py"
    words = ["--theme", mode.name, "--size", f"{mode.width}x{mode.height}", "--typed", TYPED]
    with screen() as display:
        environment = {**os.environ, "DISPLAY": display, "LANG": "C.UTF-8"}
        done = subprocess.run(
            [python, str(reviewer), str(package), str(folder), *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}the desktop Anki could not be photographed")
    return done.stdout.splitlines()[-1]


def take_ours(made: Project, folder: Path, mode: Mode) -> str:
    """Photograph the cards of the page; the browser's version."""
    from framed import shown_by_us  # noqa: PLC0415 - needs what the page needs
    from served import served  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    with served(made) as page, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        size = {"width": mode.width, "height": mode.height}
        tab = browser.new_context(viewport=size).new_page()  # type: ignore[arg-type]
        page.events(lambda events: "deck" in events)
        for name in shown_by_us(tab, mode, page):
            tab.screenshot(path=folder / f"{name}.png", animations="disabled")
        version = browser.version
        browser.close()
    return f"Chromium {version}"


def side_by_side(theirs: Image.Image, ours: Image.Image) -> Image.Image:
    """Both pictures, the desktop's to the left, without the empty part below."""
    drawn = ink(theirs) | ink(ours)
    height = min(theirs.height, int(np.nonzero(drawn)[0].max()) + 24)
    joined = Image.new("RGB", (2 * theirs.width + 2, height), (128, 128, 128))
    joined.paste(theirs.convert("RGB"), (0, 0))
    joined.paste(ours.convert("RGB"), (theirs.width + 2, 0))
    return joined


def main() -> None:
    """Take the pictures, compare and tell; exit 1 if anything differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--anki", required=True, metavar="PYTHON")
    parser.add_argument("--page", action="store_true", help="take those of docs/look.md, too")
    given = parser.parse_args()
    found: list[Compared] = []
    with tempfile.TemporaryDirectory() as temporary:
        made = project(Path(temporary), {"kinds.md": KINDS.read_text("utf-8"), "dot.png": DOT})
        package = made.build()
        for mode in MODES:
            theirs, ours = given.folder / "anki" / mode.name, given.folder / "page" / mode.name
            versions = (
                take_theirs(given.anki, package, theirs, mode),
                take_ours(made, ours, mode),
            )
            print("; ".join(versions))  # noqa: T201 - a command's output
            names = {each.name for folder in (theirs, ours) for each in folder.iterdir()}
            for name in sorted(names):
                with Image.open(theirs / name) as one, Image.open(ours / name) as other:
                    both = f"{Path(name).stem}.{mode.name}"
                    found.append(compared(both, one, other))
                    _tell(found[-1])
                    side_by_side(one, other).save(given.folder / f"{both}.png")
    if given.page:
        for name in PAGE:
            with Image.open(given.folder / f"{name}.png") as taken:
                taken.quantize(256).save(PICTURES / f"desktop.{name}.png", optimize=True)
    same = sum(each.is_same for each in found)
    print(f"{same} of {len(found)} sides are the same")  # noqa: T201
    sys.exit(same != len(found) or not found)


def _tell(each: Compared) -> None:
    lacks = "".join(f"  only one has {one}" for one in each.lacking)
    places = f"{each.blocks:4} blocks  {each.shift:3} px"
    line = f"{each.name:30} {places}  {each.alike:7.2%}  {each.colour:3.1f} of 255"
    print(f"{line}{'' if each.is_same else '  DIFFERS'}{lacks}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
