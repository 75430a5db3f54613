"""Layer, batch and RMS normalisation, written out as the papers define them.

Sources: Ba et al. 2016 (arXiv:1607.06450), Ioffe and Szegedy 2015 (arXiv:1502.03167),
Zhang and Sennrich 2019 (arXiv:1910.07467). Where implementations differ (where eps
stands, which variance is kept), this is what torch.nn does.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

MOMENTUM = 0.1
"""The weight of the newest batch in the running statistics, torch.nn's default."""


class Statistics(NamedTuple):
    """Mean and variance of each channel, both (C,)."""

    mean: Tensor
    var: Tensor


def layer_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each token of x (..., D) over its own D features.

    gamma or beta of another shape than (D,) raises ValueError.
    """
    require_shape((x.size(-1),), gamma, beta)
    mean = x.mean(-1, keepdim=True)  # (..., 1)
    var = x.var(-1, correction=0, keepdim=True)  # (..., 1), biased
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


def rms_norm(x: Tensor, gamma: Tensor, eps: float = 1e-5) -> Tensor:
    """Divide each token of x (..., D) by the root of its mean square.

    gamma of another shape than (D,) raises ValueError.
    """
    require_shape((x.size(-1),), gamma)
    mean_square = x.pow(2).mean(-1, keepdim=True)  # (..., 1)
    return gamma * x / torch.sqrt(mean_square + eps)  # no mean, no beta


def batch_norm_train(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running: Statistics,
    eps: float = 1e-5,
) -> tuple[Tensor, Statistics]:
    """Normalise x (N, C, ...) by its batch; return y, new running."""
    axes = all_but_channel(x)
    batch = Statistics(x.mean(axes), x.var(axes, correction=0))  # (C,)
    y = batch_norm_eval(x, gamma, beta, batch, eps)  # biased variance
    mean = torch.lerp(running.mean, batch.mean, MOMENTUM)
    var = torch.lerp(running.var, x.var(axes), MOMENTUM)  # unbiased
    return y, Statistics(mean, var)


def batch_norm_eval(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    statistics: Statistics,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise x (N, C, ...); all else is (C,), or ValueError."""
    require_shape((x.size(1),), gamma, beta, *statistics)
    channel = (1, -1) + (1,) * (x.dim() - 2)  # (C,) -> (1, C, 1, ...)
    mean, var = (s.view(channel) for s in statistics)
    y = (x - mean) / torch.sqrt(var + eps)
    return gamma.view(channel) * y + beta.view(channel)


def fold_batch_norm(
    linear: nn.Linear,
    gamma: Tensor,
    beta: Tensor,
    statistics: Statistics,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor]:
    """Return weight (C, D), bias (C,) of a Linear that does BN too."""
    scale = gamma / torch.sqrt(statistics.var + eps)  # (C,)
    bias = beta + scale * (linear.bias - statistics.mean)  # (C,)
    return scale[:, None] * linear.weight, bias


def all_but_channel(x: Tensor) -> list[int]:
    """Return the axes of x (N, C, ...) that batch normalisation reduces.

    A batch with one value per channel has no variance: it raises ValueError.
    """
    if x.numel() == x.size(1):
        msg = f"one value per channel in {tuple(x.shape)}: no variance to divide by"
        raise ValueError(msg)
    return [axis for axis in range(x.dim()) if axis != 1]


def require_shape(shape: tuple[int, ...], *tensors: Tensor) -> None:
    """Raise ValueError at the first tensor that has another shape."""
    for tensor in tensors:
        if tensor.shape != shape:
            msg = f"expected shape {shape}, got {tuple(tensor.shape)}"
            raise ValueError(msg)
