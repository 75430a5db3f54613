"""The pictures of residual connections, of masks and of training; each returns its data.

Each function opens one figure and leaves it open.
"""

from collections.abc import Sequence
from functools import partial

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from snippets.attention import causal_mask
from snippets.figures import BLUE, GREEN, GREY, ORANGE, axes, cells, legend
from snippets.training import noam, smooth_labels


def jacobian_norms(depth: int, size: int, *, skip: bool) -> list[float]:
    """Return |d output / d layer input| / sqrt(size) after 1..depth linear layers.

    The weights are drawn with a tenth of the spread that would keep sizes.
    """
    generator = torch.Generator().manual_seed(0)
    product, norms = torch.eye(size, dtype=torch.float64), []
    for _ in range(depth):
        w = torch.randn(size, size, generator=generator, dtype=torch.float64)
        step = 0.1 * w / size**0.5 + skip * torch.eye(size)
        product = step @ product
        norms.append((product.norm() / size**0.5).item())
    return norms


def draw_depth(depth: int = 20) -> tuple[list[float], list[float]]:
    """Draw the gradient through plain and through residual layers; return both."""
    plain, skip = (jacobian_norms(depth, 32, skip=kind) for kind in (False, True))
    ax = axes("小权重下的梯度", "层数", "雅可比的相对大小")
    layers = range(1, depth + 1)
    ax.semilogy(layers, plain, color=ORANGE, label="普通堆叠")
    ax.semilogy(layers, skip, color=BLUE, label="残差堆叠")
    legend(ax)
    return plain, skip


def layer_gradients(depth: int, seed: int, *, norm_first: bool) -> list[float]:
    """Return |dL/dW2| of the FFN of each of depth encoder layers at initialisation.

    As in Xiong et al. 2020 §3: one head, Xavier's normal weights, no dropout; a last
    LayerNorm after a Pre-LN stack; cross-entropy over 100 classes.
    """
    torch.manual_seed(seed)
    layer = partial(nn.TransformerEncoderLayer, 64, 1, 256, dropout=0.0, norm_first=norm_first)
    stack = [layer(batch_first=True, dtype=torch.float64) for _ in range(depth)]
    head = nn.Linear(64, 100, bias=False, dtype=torch.float64)
    for weight in (*nn.ModuleList(stack).parameters(), head.weight):
        if weight.dim() > 1:
            nn.init.xavier_normal_(weight)
    h = torch.randn(4, 8, 64, dtype=torch.float64)
    for each in stack:
        h = each(h)
    if norm_first:
        h = F.layer_norm(h, (64,))
    loss = F.cross_entropy(head(h).flatten(0, 1), torch.randint(100, (32,)))
    gradients = torch.autograd.grad(loss, [each.linear2.weight for each in stack])
    return [gradient.norm().item() for gradient in gradients]


def mean_gradients(depth: int, *, norm_first: bool) -> list[float]:
    """Return layer_gradients, averaged over three draws of the weights."""
    draws = [layer_gradients(depth, seed, norm_first=norm_first) for seed in range(3)]
    return [sum(column) / len(draws) for column in zip(*draws, strict=True)]


def draw_by_layer(depth: int = 12) -> tuple[list[float], list[float]]:
    """Draw by which factor Post-LN's gradient at initialisation is Pre-LN's; return both.

    The factor is drawn, layer by layer, and not the two: which layers of one kind have the larger
    gradient depends on the setting, and at this size is not what the paper measured.
    """
    post, pre = (mean_gradients(depth, norm_first=kind) for kind in (False, True))
    factors = [a / b for a, b in zip(post, pre, strict=True)]
    ax = axes("初始化时各层 FFN 的梯度之比", "层（右边靠近输出）", "Post-LN ÷ Pre-LN")
    ax.axhline(1, color=GREY, lw=1, ls="--")
    ax.plot(range(1, depth + 1), factors, "o-", ms=4, color=ORANGE)
    ax.set_ylim(bottom=0)
    return post, pre


def draw_last_layer(depths: Sequence[int] = (2, 4, 8, 16)) -> tuple[list[float], list[float]]:
    """Draw the last layer's gradient by the depth of the stack; return both curves."""
    post, pre = (
        [mean_gradients(depth, norm_first=kind)[-1] for depth in depths] for kind in (False, True)
    )
    ax = axes("初始化时最后一层的梯度", "总层数 L", "梯度范数")
    ax.plot(depths, post, "o-", ms=4, color=ORANGE, label="Post-LN")
    ax.plot(depths, pre, "o-", ms=4, color=BLUE, label="Pre-LN")
    ax.set_xticks(depths)
    ax.set_ylim(bottom=0)
    legend(ax)
    return post, pre


def draw_noam(warmups: Sequence[int] = (2000, 4000, 8000)) -> list[list[float]]:
    """Draw the learning rate for several lengths of the warm-up; return the curves."""
    steps = range(1, 20001, 20)
    ax = axes("Noam 学习率", "步数", "学习率")
    curves = []
    for warmup, colour in zip(warmups, (GREEN, BLUE, ORANGE), strict=True):
        curves.append([noam(step, 512, warmup) for step in steps])
        ax.plot(steps, curves[-1], color=colour, label=f"warmup={warmup}")
    ax.ticklabel_format(axis="y", scilimits=(0, 0))
    ax.yaxis.get_offset_text().set_color(GREY)
    legend(ax)
    return curves


def draw_smoothed_loss(eps: float = 0.1, classes: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Draw the loss against the logit's lead of the true class; return x and two losses."""
    lead = torch.linspace(0, 12, 241, dtype=torch.float64)
    logits = torch.zeros(241, classes, dtype=torch.float64)
    logits[:, 0] = lead
    target = torch.zeros(241, dtype=torch.long)
    hard, soft = (
        -(smooth_labels(target, classes, share) * logits.log_softmax(-1)).sum(-1)
        for share in (0.0, eps)
    )
    ax = axes("正确类的 logit 领先越多越好？", "领先多少", "损失")
    ax.plot(lead, hard, color=BLUE, label="one-hot")
    ax.plot(lead, soft, color=ORANGE, label=f"平滑 ε={eps}")
    ax.plot(lead[soft.argmin()], soft.min(), "o", color=ORANGE)
    legend(ax)
    return lead, hard, soft


def draw_masks(length: int = 5, memory: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Draw which keys each query sees in the three attentions; return the masks."""
    masks = (
        torch.ones(memory, memory, dtype=torch.bool),
        causal_mask(length),
        torch.ones(length, memory, dtype=torch.bool),
    )
    figure, row = plt.subplots(1, 3, figsize=(4.6, 2), layout="constrained")
    figure.set_facecolor("none")
    names = ("Encoder 自注意力", "Decoder 自注意力", "cross-attention")
    for ax, mask, name in zip(row, masks, names, strict=True):
        cells(ax, mask, name, "key")
    row[0].set_ylabel("query", fontsize=9, color=GREY)
    return masks
