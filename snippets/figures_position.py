"""The pictures of position encodings; each function opens one figure and returns its data."""

import torch
from torch import Tensor

from snippets.figures import BLUE, GREY, ORANGE, axes, legend
from snippets.position import frequencies, sinusoid


def draw_sinusoid(length: int = 60, size: int = 64) -> Tensor:
    """Draw the table of sinusoids (T, D) as a heat map and return it."""
    table = sinusoid(length, size)
    ax = axes("正余弦位置编码", "维度", "位置")
    image = ax.imshow(table, cmap="RdBu", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    bar = ax.figure.colorbar(image, ax=ax, ticks=[-1, 0, 1])
    bar.ax.tick_params(colors=GREY, labelsize=9)
    return table


def draw_products(size: int = 64, reach: int = 128) -> Tensor:
    """Draw PE(p) . PE(p + k) against k in -reach..reach and return it, (2 reach + 1,)."""
    table = sinusoid(2 * reach + 1, size)
    products = table @ table[reach]
    ax = axes(f"位置向量的内积，d = {size}", "k", "PE(p) · PE(p+k)")
    ax.plot(torch.arange(-reach, reach + 1), products, color=BLUE)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    return products


def draw_turns(size: int = 128, length: int = 4096) -> Tensor:
    """Draw how many turns each pair makes in a training length and return it, (D/2,)."""
    turns = length * frequencies(size) / (2 * torch.pi)
    ax = axes(f"{length} 个位置里转过的圈数", "维度对 i", "圈数")
    ax.semilogy(turns, color=BLUE)
    ax.axhline(1, color=ORANGE, linestyle="--", label="一圈")
    ax.fill_between(range(size // 2), turns, 1, where=turns < 1, color=ORANGE, alpha=0.4)
    ax.set_xticks(range(0, size // 2 + 1, size // 16))
    legend(ax)
    return turns
