"""Writes docs/sample.md and its pictures: some cards of the repository's own deck, as they look.

`python tests/sample_page.py` writes them from the package that `make deck` made; `test_cards.py`
tells when a card of the page has changed since.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from projects import ROOT, remembered

PAGE = ROOT / "docs/sample.md"
PICTURES = ROOT / "docs/sample"
PACKAGE = ROOT / "dist/transformer-interview.apkg"

SAMPLE = {
    "scaled-dot-product": "An overview, of the length that one says aloud",
    "position-erratum-rope": "A misconception, and what refutes it",
    "architecture-shift-print": "What does it print? The answer is what was printed",
    "pad-zero-bug": "Where is the bug? The wrong code is executed, and its wrongness asserted",
    "architecture-ffn-lines": "Fill the line: a deletion in code that was proved",
    "kv-cache-512": "Which number? It was computed when the deck was built",
    "scale-variance-figure": "A figure that its snippet drew",
    "norm-axes": "A figure that is part of the question",
}
SHOWN = {"light": 330, "night": 330, "phone": 190}
"""The modes of a picture, and how wide the page shows each, in pixels."""

_HEAD = """\
# Some of its cards

The backs of cards in Anki, by day, by night and on a phone. `python tests/sample_page.py` takes the
pictures, and a test tells when a card here is no longer the one in its picture. `make pictures`
takes them of every card.
"""


def page(contents: Mapping[str, str]) -> str:
    """The whole page; `contents` is what `cards.lock` says of each note's content."""
    return "\n".join([_HEAD, *(_section(name, contents[name]) for name in SAMPLE)])


def contents() -> dict[str, str]:
    """Of each note of the deck, the hash of what it holds."""
    return {each.identity.id: each.content for each in remembered(ROOT).entries.values()}


def picture(name: str, mode: str) -> Path:
    """Where the picture of a card is."""
    return PICTURES / f"{name}.{mode}.png"


def _section(name: str, content: str) -> str:
    images = "\n".join(
        f'<img src="sample/{picture(name, mode).name}" width="{width}" alt="{name}, {mode}">'
        for mode, width in SHOWN.items()
    )
    return f"## {SAMPLE[name]}\n\n`{name}` <!-- {content} -->\n\n{images}\n"


def main() -> None:
    """Take the pictures and write the page."""
    from pictures import photograph  # noqa: PLC0415 - needs the browser's driver
    from PIL import Image  # noqa: PLC0415 - comes with matplotlib

    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        for name in SAMPLE:
            photograph(PACKAGE, Path(folder), only=name)
            for mode in SHOWN:
                with Image.open(Path(folder) / f"{name}.1.answer.{mode}.png") as taken:
                    taken.quantize(64).save(picture(name, mode), optimize=True)
    PAGE.write_text(page(contents()), encoding="utf-8")


if __name__ == "__main__":
    main()
