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
from snippets.figures import BLUE, GREY, ORANGE, axes, cells, legend
from snippets.training import smooth_labels


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


def draw_last_layer(depths: Sequence[int] = (2, 4, 8, 16)) -> tuple[list[float], list[float]]:
    """Draw the last layer's gradient by the depth of the stack; return both curves."""
    post, pre = (
        [mean_gradients(depth, norm_first=kind)[-1] for depth in depths] for kind in (False, True)
    )
    ax = axes("初始化时最后一层的梯度", "总层数 L", "梯度范数")
    ax.loglog(depths, post, "o-", ms=4, color=ORANGE, label="Post-LN")
    ax.loglog(depths, pre, "o-", ms=4, color=BLUE, label="Pre-LN")
    for axis, ticks in ((ax.xaxis, depths), (ax.yaxis, (0.25, 0.5, 1))):
        axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    legend(ax)
    return post, pre


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
    names = ("encoder 自注意力", "decoder 自注意力", "cross-attention")
    for ax, mask, name in zip(row, masks, names, strict=True):
        cells(ax, mask, name, "key")
    row[0].set_ylabel("query", fontsize=9, color=GREY)
    return masks
