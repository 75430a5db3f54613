"""The pictures of position encodings; each function opens one figure and returns its data."""

import torch
from torch import Tensor

from snippets.figures import BLUE, GREEN, GREY, ORANGE, axes, legend
from snippets.position import alibi, frequencies, rope, sinusoid


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


def draw_rope_scores(first: int = 100, second: int = 500, reach: int = 60) -> tuple[Tensor, Tensor]:
    """Draw a query's scores against n - m from two positions m; return both, (2 reach + 1,)."""
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 1, 64, generator=generator, dtype=torch.float64)
    keys = torch.arange(-reach, reach + 1)
    from_first, from_second = (
        (rope(q, torch.tensor([m])) @ rope(k.expand(keys.numel(), -1), m + keys).mT)[0]
        for m in (first, second)
    )
    ax = axes("RoPE 的分数", "n − m", "分数")
    ax.plot(keys, from_first, color=BLUE, label=f"query 在 {first}")
    name = f"query 在 {second}"
    ax.plot(keys[::4], from_second[::4], "o", color=ORANGE, markersize=3, label=name)
    ax.axvline(0, ymin=0.25, color=GREY, linewidth=0.8, linestyle=":")  # above the legend
    legend(ax)
    return from_first, from_second


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


def draw_alibi(heads: int = 8, length: int = 33) -> Tensor:
    """Draw ALiBi's bias of the last query against the distance and return it, (H, T)."""
    bias = alibi(heads, length)[:, -1].flip(-1)
    ax = axes("ALiBi 的偏置", "距离 i − j", "加到分数上")
    ax.plot(bias.T, color=BLUE, alpha=0.6)
    for head in (0, 1, heads - 1):
        ax.plot(bias[head], color=(ORANGE, GREEN, GREY)[min(head, 2)], label=f"头 {head + 1}")
    legend(ax)
    return bias
