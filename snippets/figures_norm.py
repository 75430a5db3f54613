"""The pictures of normalisation; each function opens one figure and returns its data."""

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from snippets.figures import BLUE, GREY, ORANGE, axes, cells, legend


def draw_axes(samples: int = 2, tokens: int = 3, features: int = 4) -> list[Tensor]:
    """Draw which cells of (N, L, C) share a statistic with one cell; return them, (N*L, C).

    The panels are called A, B and C, so that a card can ask which is which: BN over all but
    the channel, LN over the features, InstanceNorm over the positions of a sample.
    """
    names = ("A", "B", "C")
    shared = [torch.zeros(samples * tokens, features, dtype=torch.bool) for _ in names]
    shared[0][:, 1] = True
    shared[1][1, :] = True
    shared[2][:tokens, 1] = True
    figure, panels = plt.subplots(1, 3, figsize=(4, 2.6), layout="constrained")
    figure.set_facecolor("none")
    for ax, name, mask in zip(panels, names, shared, strict=True):
        cells(ax, mask, name, "特征", ORANGE)
        ax.axhline(tokens, color=BLUE, linewidth=3)
    panels[0].set_ylabel("token（蓝线隔开两个样本）", fontsize=9, color=GREY)
    return shared


def draw_noise(draws: int = 2000) -> tuple[list[int], Tensor]:
    """Draw how much BN's output of one sample depends on its company; return sizes, spread."""
    generator = torch.Generator().manual_seed(0)
    sizes = [2, 4, 8, 16, 32, 64, 128, 256]
    spread = torch.zeros(len(sizes), dtype=torch.float64)
    for place, size in enumerate(sizes):
        shape = (size, draws)  # (N, C): every channel is a draw
        batch = torch.randn(shape, generator=generator, dtype=torch.float64)
        batch[0] = 0.5
        spread[place] = F.batch_norm(batch, None, None, training=True)[0].std()
    ax = axes("同一样本，不同的同批样本", "batch 大小 N", "BN 输出的标准差")
    ax.loglog(sizes, spread, "o-", color=BLUE, label="实测")
    ax.loglog(sizes, [size**-0.5 for size in sizes], "--", color=ORANGE, label="1/√N")
    for axis, ticks in ((ax.xaxis, [2, 4, 16, 64, 256]), (ax.yaxis, [0.05, 0.1, 0.2, 0.4, 0.8])):
        axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    legend(ax)
    return sizes, spread
