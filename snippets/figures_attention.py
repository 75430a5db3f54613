"""The pictures of attention and its heads; each function opens one figure and returns its data."""

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from snippets.attention import softmax_jacobian
from snippets.figures import BLUE, GREY, ORANGE, axes, legend


def normal(*shape: int) -> Tensor:
    """Draw independent float64 numbers of mean 0 and variance 1, always the same."""
    generator = torch.Generator().manual_seed(0)
    numbers: Tensor = torch.randn(shape, generator=generator, dtype=torch.float64)
    return numbers


def draw_variance(sizes: list[int], raw: list[float]) -> list[float]:
    """Draw Var(q . k), measured for each d_k, unscaled and scaled; return the scaled."""
    scaled = [variance / d_k for variance, d_k in zip(raw, sizes, strict=True)]
    ax = axes("分数的方差", "$d_k$", "方差")
    ax.loglog(sizes, raw, "o-", base=2, color=ORANGE, label=r"$q\cdot k$")
    ax.loglog(sizes, scaled, "s-", base=2, color=BLUE, label=r"$q\cdot k/\sqrt{d_k}$")
    legend(ax)
    return scaled


def draw_saturation(sizes: list[int], keys: int = 32) -> tuple[list[float], list[float]]:
    """Draw the largest weight of a row by d_k, on the average of 500 rows; return both curves.

    The first curve is of scores that are not scaled, the second of those that are.
    """
    raw, scaled = [], []
    for size in sizes:
        drawn = normal(500, keys + 1, size)
        scores = drawn[:, :1] @ drawn[:, 1:].mT  # one query and its keys
        raw.append(scores.softmax(-1).amax(-1).mean().item())
        scaled.append((scores / size**0.5).softmax(-1).amax(-1).mean().item())
    ax = axes("最大的权重", "$d_k$", "平均最大权重")
    ax.semilogx(sizes, raw, "o-", base=2, color=ORANGE, label="不缩放")
    ax.semilogx(sizes, scaled, "s-", base=2, color=BLUE, label="缩放")
    ax.set_ylim(0, 1.05)
    legend(ax)
    return raw, scaled


def draw_jacobian(keys: int = 4) -> tuple[list[float], list[float]]:
    """Draw |J| of softmax against one logit's lead over the equal others; return both."""
    leads = [0.25 * step for step in range(41)]
    rows = torch.zeros(len(leads), keys, dtype=torch.float64)
    rows[:, 0] = torch.tensor(leads)
    norms: list[float] = softmax_jacobian(rows).flatten(1).norm(dim=1).tolist()
    ax = axes("softmax 的雅可比", "最大分数领先多少", "雅可比的范数")
    ax.plot(leads, norms, color=ORANGE)
    return leads, norms


def draw_maps(shared: Tensor, apart: Tensor) -> None:
    """Draw two attention maps (T, T) side by side, as A and B."""
    figure, panels = plt.subplots(1, 2, figsize=(4, 2.2), layout="constrained")
    figure.set_facecolor("none")
    for ax, weights, name in zip(panels, (shared, apart), "AB", strict=True):
        image = ax.imshow(weights.tolist(), cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(name, fontsize=10, color=GREY)
        ax.set_xlabel("key", fontsize=9, color=GREY)
        ax.set(xticks=[], yticks=[])
    panels[0].set_ylabel("query", fontsize=9, color=GREY)
    bar = figure.colorbar(image, ax=list(panels), ticks=[0, 1])
    bar.ax.tick_params(colors=GREY, labelsize=9)


def draw_rank(narrow: Tensor, wide: Tensor) -> None:
    """Draw the singular values of two heads' (T, T) scores, largest first.

    What is below 1e-9 is rounding, which differs from processor to processor: it stands on one
    line at the bottom.
    """
    ax = axes("一个头的分数矩阵", "第几个奇异值", "奇异值")
    for values, colour, name in ((narrow, ORANGE, "$d_k=8$"), (wide, BLUE, "$d_k=32$")):
        order = range(1, len(values) + 1)
        ax.semilogy(order, values.clamp(min=1e-9), ".", color=colour, label=name)
    legend(ax)
