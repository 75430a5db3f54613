"""What the pictures of cards have in common: their size and their colours.

Colours are dark, because they are read on white by day and by night on the light plate that a card
puts behind its pictures.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

GREY, BLUE, ORANGE, GREEN = "#555b63", "#2563b0", "#b45309", "#1f7a45"


def axes(title: str, x: str, y: str) -> Axes:
    """Open a figure of a card's size and return its axes, with title and labels."""
    figure, ax = plt.subplots(figsize=(4, 2.6))
    figure.set_facecolor("none")
    ax.set_facecolor("none")
    ax.set_title(title, fontsize=10, color=GREY)
    ax.set_xlabel(x, fontsize=9, color=GREY)
    ax.set_ylabel(y, fontsize=9, color=GREY)
    ax.tick_params(colors=GREY, labelsize=9)
    for spine in ax.spines.values():
        spine.set_color(GREY)
    return ax


def legend(ax: Axes) -> None:
    """Name the lines of ax, in grey."""
    ax.legend(fontsize=9, labelcolor=GREY, framealpha=0, edgecolor="none")


def cells(ax: Axes, filled: Tensor, name: str, below: str, colour: str = BLUE) -> None:
    """Fill the cells that are True, and rule all of them; label the panel ax."""
    height, width = filled.shape
    for row, marks in enumerate(filled.tolist()):
        for column, mark in enumerate(marks):
            # Grey lines cannot be seen between filled cells, nor white ones around empty cells.
            face, edge = (colour, "white") if mark else ("none", GREY)
            box = Rectangle((column, row), 1, 1, fc=face, ec=edge, lw=0.8, zorder=1 + (not mark))
            ax.add_patch(box)
    ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal")
    ax.set_title(name, fontsize=10, color=GREY)
    ax.set_xlabel(below, fontsize=9, color=GREY)
    ax.set_frame_on(False)
