"""What the pictures of cards have in common: their size and their colours.

Colours are dark, because they are read on white by day and by night on the light plate that a card
puts behind its pictures.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

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
