"""matplotlib's open figures, as the pictures that a card shows."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from types import ModuleType

from verideck.verifiers.python.failures import Refusal

_HAN = ["Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "PingFang SC", "Microsoft YaHei"]
"""Fonts with Chinese, as Debian (whose collection goes by its first name), macOS and Windows have
them."""


def ready(matplotlib: ModuleType) -> None:
    """Draw what the default font lacks in one that has it, as a browser does."""
    matplotlib.rcParams["font.family"] = ["sans-serif", *_HAN]
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # one of them will do


def taken() -> list[str]:
    """The open figures as SVG, the same bytes for the same drawing; they are closed.

    Raises Refusal where a character of a figure is in no font here.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not pyplot.get_fignums():
        return []
    drawings = []
    settled = {"svg.hashsalt": "verideck", "svg.fonttype": "path"}
    with (
        sys.modules["matplotlib"].rc_context(settled),
        warnings.catch_warnings(action="always", record=True) as said,
    ):
        for number in pyplot.get_fignums():
            drawing = io.StringIO()
            pyplot.figure(number).savefig(
                drawing,
                format="svg",
                transparent=True,
                bbox_inches="tight",
                metadata={"Date": None, "Creator": None},
            )
            drawings.append(drawing.getvalue())
    pyplot.close("all")
    boxes = [str(each.message) for each in said if "missing from font" in str(each.message)]
    if boxes:
        glyph, _, _ = boxes[0].partition(" missing from font")
        message = f"an empty box stands in the figure\n{glyph} is in no font here"
        raise Refusal("figure-glyph", message, "install a font that has it, or write another")
    return drawings
