"""matplotlib's open figures, as the pictures that a card shows."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
import warnings
from types import ModuleType
from typing import Any

from verideck.proof.python.child.failures import Refusal
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import LARGEST_FIGURE, MOST_FIGURES

use_own_builtins(globals())

_HAN = ["Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "PingFang SC", "Microsoft YaHei"]
"""Fonts with Chinese, as Debian (where the collection has the name of its first font), macOS and
Windows have them."""

_SETTLED = {"svg.hashsalt": "verideck", "svg.fonttype": "path", "path.simplify": False}
"""Settings under which equal drawings have equal bytes. Which points of a straight line can be left
out depends on their last bits, and so on the processor."""
_PLACED = re.compile(r'\b(?:d|x|y)="[^"]*"|translate\([^)]*\)')
_LINK = re.compile(r"</?a\b[^>]*>")
"""A card shows figures as images, in which no link can be followed."""
_LONG = re.compile(r"-?\d+\.\d{3,}")


def on_import(matplotlib: ModuleType) -> None:
    """Set further fonts for the characters that the default font lacks, as a browser does."""
    matplotlib.rcParams["font.family"] = ["sans-serif", *_HAN]
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # one of them will do


class Figures:
    """The figures of a card. Each is drawn once, as the step that opened it left it.

    Those of a shown fence stay open for the checks below it, until `close`.
    """

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self._drawn: list[object] = []

    def taken(self, *, keep: bool) -> list[str]:
        """The figures opened since, as SVG, the same bytes for the same drawing.

        They are closed, unless told to `keep` them. Raises Refusal if a character of a figure is in
        no font.
        """
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None or not (numbers := pyplot.get_fignums()):
            return []
        current = pyplot.gcf()
        opened = [pyplot.figure(number) for number in numbers]
        pyplot.figure(current)
        fresh = [each for each in opened if not any(each is drawn for drawn in self._drawn)]
        drawings = _drawings(fresh)
        if keep:
            self._drawn += fresh
        else:
            for figure in fresh:
                pyplot.close(figure)
        return drawings

    def close(self) -> None:
        """Close all figures: the next step begins with none."""
        self._drawn.clear()
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")


def _drawings(figures: list[Any]) -> list[str]:
    if not figures:
        return []
    _meet_new_fonts()
    drawings = []
    with (
        sys.modules["matplotlib"].rc_context(_SETTLED),
        warnings.catch_warnings(module=warnings, action="always", record=True) as said,
    ):
        for figure in figures:
            drawing = io.StringIO()
            figure.savefig(
                drawing,
                format="svg",
                transparent=True,
                bbox_inches="tight",
                metadata={"Date": None, "Creator": None},
            )
            drawings.append(_rounded(drawing.getvalue()))
            _refuse_too_much(drawings)
    boxes = [str(each.message) for each in said if "missing from font" in str(each.message)]
    if boxes:
        glyph, _, _ = boxes[0].partition(" missing from font")
        message = f"an empty box stands in the figure\n{glyph} is in no font here"
        raise Refusal("figure-glyph", message, "install a font that has it, or write another")
    return drawings


def _refuse_too_much(drawings: list[str]) -> None:
    """Raise Refusal for figures that are too large, or too many, for a card."""
    hint = "draw fewer points, or draw them with rasterized=True"
    if len(drawings[-1]) > LARGEST_FIGURE:
        size = f"{len(drawings[-1]):,} bytes of SVG, more than {LARGEST_FIGURE:,}"
        raise Refusal("output-limit", f"a figure is too large for a card: {size}", hint)
    if len(drawings) > MOST_FIGURES:
        many = f"more than {MOST_FIGURES} figures are left open"
        raise Refusal("output-limit", many, "close those that the card does not show")


def _meet_new_fonts() -> None:
    """Add fonts that were installed after matplotlib made its list.

    They are looked up only if none of `_HAN` is known, because that takes a while.
    """
    manager = sys.modules["matplotlib.font_manager"]
    fonts = manager.fontManager
    if {each.name for each in fonts.ttflist}.isdisjoint(_HAN):
        known = {each.fname for each in fonts.ttflist}
        for file in manager.findSystemFonts():
            if file not in known:
                with contextlib.suppress(Exception):  # fonts are broken in many ways
                    fonts.addfont(file)


def _rounded(drawing: str) -> str:
    """A drawing with its coordinates to a hundredth of a point.

    Their last digits are rounding noise, which differs from processor to processor.
    """
    return _PLACED.sub(
        lambda placed: _LONG.sub(lambda number: f"{float(number[0]):.2f}", placed[0]),
        _LINK.sub("", drawing),
    )
