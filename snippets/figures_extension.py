"""The pictures of windows, long contexts and rank collapse; each returns its data.

Each function opens one figure and leaves it open.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from snippets.context import interpolated, ntk_aware, yarn
from snippets.figures import BLUE, GREEN, GREY, ORANGE, axes, cells, legend
from snippets.figures_attention import normal
from snippets.position import frequencies
from snippets.windows import sink_mask, window_mask


def draw_windows(length: int = 10, window: int = 4, first: int = 2) -> tuple[Tensor, Tensor]:
    """Draw which keys a window keeps, A without and B with the first ones; return both masks.

    Neither a name nor a label says what the first ones are for: a card asks.
    """
    masks = window_mask(length, window), sink_mask(length, window, first)
    figure, row = plt.subplots(1, 2, figsize=(4.2, 2.3), layout="constrained")
    figure.set_facecolor("none")
    for ax, mask, name in zip(row, masks, ("A", "B"), strict=True):
        cells(ax, mask, name, "key")
    row[0].set_ylabel("query", fontsize=9, color=GREY)
    return masks


def draw_scalings(scale: int = 8, size: int = 128, length: int = 2048) -> dict[str, Tensor]:
    """Draw by how much each pair's frequency is multiplied; return the factors, (D/2,) each."""
    before = frequencies(size)
    factors = {
        "PI": interpolated(size, scale) / before,
        "NTK": ntk_aware(size, scale) / before,
        "YaRN": yarn(size, scale, length) / before,
    }
    ax = axes(f"新频率是原频率的几倍（s = {scale}）", "维度对 i（越右频率越低）", "倍数")
    for curve, colour, style, letter in zip(
        factors.values(), (GREY, BLUE, ORANGE), (":", "-", "--"), "ABC", strict=True
    ):
        ax.plot(curve, style, color=colour, label=letter)
    ax.set_ylim(0, 1.08)
    legend(ax)
    return factors


def attention_layer(h: Tensor, w: Tensor) -> Tensor:
    """One head of self-attention alone, h (T, D), its projections w[:3], (D, D) each."""
    q, k, v = h @ w[:3]
    mixed: Tensor = (q @ k.mT / h.size(-1) ** 0.5).softmax(-1) @ v
    return mixed


def skip_layer(h: Tensor, w: Tensor) -> Tensor:
    """The same with a residual connection."""
    return h + attention_layer(h, w)


def pre_ln_block(h: Tensor, w: Tensor) -> Tensor:
    """A whole Pre-LN block: the FFN's two weights, of width 4 D, are in w[3:7] and w[7:11]."""
    h = h + attention_layer(F.layer_norm(h, h.shape[-1:]), w)
    hidden = (F.layer_norm(h, h.shape[-1:]) @ w[3:7]).relu()  # (4, T, D)
    return h + (hidden @ w[7:11]).sum(0) / 2  # 2 is the root of 4


def distances(
    depth: int,
    layer: Callable[[Tensor, Tensor], Tensor],
    tokens: int = 32,
    size: int = 64,
) -> list[float]:
    """Return how far tokens are from being alike before and after each of depth layers."""
    drawn = normal(tokens + depth * 11 * size, size)
    h, rest = drawn[:tokens], drawn[tokens:] / size**0.5
    found = [apart(h)]
    for w in rest.view(depth, 11, size, size):
        h = layer(h, w)
        found.append(apart(h))
    return found


def apart(h: Tensor) -> float:
    """Return the distance of h (T, D) from rows that are all alike, relative to its size."""
    size = torch.linalg.vector_norm
    ratio: float = (size(h - h.mean(0)) / size(h)).item()
    return ratio


def draw_collapse(depth: int = 24) -> tuple[list[float], list[float], list[float]]:
    """Draw the distances through attention alone, A, with skips, B, and whole blocks, C.

    Returns the three. A has three layers: a fourth would end at the rounding of float64, which
    is the processor's.
    """
    pure = distances(3, attention_layer)
    skip, whole = (distances(depth, layer) for layer in (skip_layer, pre_ln_block))
    ax = axes("各 token 离“全都一样”有多远", "层数", "相对距离")
    ax.semilogy(pure, "o-", ms=4, color=ORANGE, label="A")
    ax.semilogy(skip, "s-", ms=4, color=GREEN, label="B")
    ax.semilogy(whole, "^-", ms=4, color=BLUE, label="C")
    ax.set_xticks(range(0, depth + 1, 3))
    legend(ax)
    return pure, skip, whole
