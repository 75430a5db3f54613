"""The pictures of attention and its heads; each function opens one figure and returns its data.

Colours are of middle brightness, so that they can be read on white and on black.
"""

import math

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from snippets.attention import causal_mask, padding_mask, softmax_jacobian
from snippets.figures import BLUE, GREY, ORANGE, axes, legend

SIZES = [4, 16, 64, 256, 1024]
"""The d_k of the curves."""


def normal(*shape: int) -> Tensor:
    """Draw independent float64 numbers of mean 0 and variance 1, always the same."""
    generator = torch.Generator().manual_seed(0)
    numbers: Tensor = torch.randn(shape, generator=generator, dtype=torch.float64)
    return numbers


def dot_products(d_k: int, queries: int, keys: int) -> Tensor:
    """Return (queries, keys) unscaled scores of random vectors."""
    vectors = normal(queries, 1 + keys, d_k)
    return (vectors[:, :1] * vectors[:, 1:]).sum(-1)


def draw_variance() -> tuple[list[float], list[float]]:
    """Draw Var(q . k) against d_k, unscaled and scaled; return both."""
    raw = [dot_products(d_k, 2000, 1).var().item() for d_k in SIZES]
    scaled = [variance / d_k for variance, d_k in zip(raw, SIZES, strict=True)]
    ax = axes("分数的方差", "$d_k$", "方差")
    ax.loglog(SIZES, raw, "o-", base=2, color=ORANGE, label=r"$q\cdot k$")
    ax.loglog(SIZES, scaled, "s-", base=2, color=BLUE, label=r"$q\cdot k/\sqrt{d_k}$")
    legend(ax)
    return raw, scaled


def draw_saturation(keys: int = 32) -> tuple[list[float], list[float]]:
    """Draw the mean largest weight of a row against d_k, unscaled and scaled; return both."""
    curves: tuple[list[float], list[float]] = ([], [])
    for d_k in SIZES:
        scores = dot_products(d_k, 500, keys)
        for curve, z in zip(curves, (scores, scores / math.sqrt(d_k)), strict=True):
            curve.append(z.softmax(-1).amax(-1).mean().item())
    ax = axes(f"{keys} 个 key 中最大的权重", "$d_k$", "平均最大权重")
    ax.semilogx(SIZES, curves[0], "o-", base=2, color=ORANGE, label="不缩放")
    ax.semilogx(SIZES, curves[1], "s-", base=2, color=BLUE, label="缩放")
    ax.set_ylim(0, 1.05)
    legend(ax)
    return curves


def draw_jacobian(keys: int = 4) -> tuple[list[float], list[float]]:
    """Draw |J| of softmax against one logit's lead over the equal others; return both."""
    leads = [0.25 * step for step in range(41)]
    rows = torch.zeros(len(leads), keys, dtype=torch.float64)
    rows[:, 0] = torch.tensor(leads)
    norms: list[float] = softmax_jacobian(rows).flatten(1).norm(dim=1).tolist()
    ax = axes("softmax 的雅可比", "最大分数领先多少", "Frobenius 范数")
    ax.plot(leads, norms, color=ORANGE)
    return leads, norms


def draw_masks(real: int = 3, length: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Draw the masks A, B and C of a sentence padded to length; return them, (T, T) each.

    A hides the pads, B the future, C both; the panels bear letters, so that a card can ask.
    """
    keep = padding_mask(torch.tensor([real]), length)[0, 0].expand(length, length)
    causal = causal_mask(length)
    masks = (keep, causal, keep & causal)
    figure, panels = plt.subplots(1, 3, figsize=(4.2, 1.9), layout="constrained")
    figure.set_facecolor("none")
    for ax, mask, name in zip(panels, masks, "ABC", strict=True):
        cells(ax, mask, name)
    panels[0].set_ylabel("query", fontsize=9, color=GREY)
    return masks


def cells(ax: Axes, mask: Tensor, name: str) -> None:
    """Fill the cells that are True, and rule all of them."""
    ax.set_facecolor("none")
    rows, columns = mask.nonzero(as_tuple=True)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        ax.add_patch(Rectangle((column, row), 1, 1, color=BLUE, linewidth=0))
    height, width = mask.shape
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_xticks(range(width + 1), labels=[])
    ax.set_yticks(range(height + 1), labels=[])
    ax.grid(color=GREY, linewidth=0.8)
    ax.tick_params(length=0)
    ax.set_title(name, fontsize=10, color=GREY)
    ax.set_xlabel("key", fontsize=9, color=GREY)
    for spine in ax.spines.values():
        spine.set_color(GREY)


def draw_shared(size: int = 24) -> tuple[Tensor, Tensor]:
    """Draw attention maps A, of shared Q and K, and B, of separate ones; return both, (T, T)."""
    x = normal(size, size)
    w_q, w_k = normal(3, size, size)[1:] / size**0.5
    maps = tuple(((x @ w_q) @ (x @ w).T / size**0.5).softmax(-1) for w in (w_q, w_k))
    figure, panels = plt.subplots(1, 2, figsize=(4, 2.2), layout="constrained")
    figure.set_facecolor("none")
    for ax, weights, name in zip(panels, maps, "AB", strict=True):
        image = ax.imshow(weights.tolist(), cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(name, fontsize=10, color=GREY)
        ax.set_xlabel("key", fontsize=9, color=GREY)
        ax.set(xticks=[], yticks=[])
    panels[0].set_ylabel("query", fontsize=9, color=GREY)
    bar = figure.colorbar(image, ax=list(panels), ticks=[0, 1])
    bar.ax.tick_params(colors=GREY, labelsize=9)
    return maps[0], maps[1]


def draw_rank(length: int = 64, sizes: tuple[int, ...] = (8, 32)) -> list[Tensor]:
    """Draw the singular values of one head's (T, T) scores, for some d_k; return them."""
    ax = axes(f"一个头的分数矩阵（{length}×{length}）", "第几个奇异值", "奇异值")
    spectra = []
    for d_k, colour in zip(sizes, (ORANGE, BLUE), strict=True):
        q, k = normal(2, length, d_k)
        spectra.append(torch.linalg.svdvals(q @ k.T / math.sqrt(d_k)))
        shown = spectra[-1].clamp(min=1e-18)
        order = range(1, length + 1)
        ax.semilogy(order, shown, ".", color=colour, label=f"$d_k={d_k}$")
    legend(ax)
    return spectra


def draw_cost(n: int = 128, d: int = 512) -> tuple[list[int], list[int]]:
    """Draw how products and softmaxed elements grow with the heads; return both counts."""
    heads = [1, 2, 4, 8, 16, 32]
    products = [8 * n * d**2 + 4 * h * n**2 * (d // h) for h in heads]
    elements = [h * n**2 for h in heads]
    ax = axes("头数与开销（单头为 1）", "头数 h", "相对开销")
    for name, counts, style, colour in (
        ("A", products, "s-", BLUE),
        ("B", elements, "o-", ORANGE),
    ):
        ratios = [count / counts[0] for count in counts]
        ax.loglog(heads, ratios, style, base=2, color=colour, label=name)
    legend(ax)
    return products, elements
