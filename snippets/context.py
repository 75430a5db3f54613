"""RoPE for more positions than a model was trained on.

Sources: Chen et al. 2023 (arXiv:2306.15595) §2.3 for interpolation (PI), Peng et al. 2023
(arXiv:2309.00071v3) appendix A.2 for the NTK-aware base and §3 for YaRN, whose ramp is here
the paper's, linear in the number of turns (that of the released code is linear in the index
of the pair). Frequencies are in float64, as those of `snippets.position`.
"""

import math

import torch
from torch import Tensor

from snippets.position import frequencies


def turn(x: Tensor, positions: Tensor, theta: Tensor) -> Tensor:
    """Turn the pairs (2i, 2i+1) of x (..., T, D) by positions * theta.

    positions are (T,), the frequencies theta (D/2,).
    """
    angles = torch.outer(positions.double(), theta)  # (T, D/2)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, D/2)
    turned = (even * cos - odd * sin, even * sin + odd * cos)
    return torch.stack(turned, -1).flatten(-2)  # (..., T, D)


def interpolated(size: int, scale: float, base: float = 1e4) -> Tensor:
    """PI: every frequency is divided by scale, (D/2,)."""
    return frequencies(size, base) / scale


def ntk_aware(size: int, scale: float, base: float = 1e4) -> Tensor:
    """Return (D/2,): the first frequency stays, the last is / scale.

    A size of 2 raises ValueError: its first pair is its last.
    """
    if size == 2:  # noqa: PLR2004 - one pair
        msg = "one pair cannot both stay and slow down"
        raise ValueError(msg)
    return frequencies(size, base * scale ** (size / (size - 2)))


def yarn(
    size: int,
    scale: float,
    length: int,
    slow: float = 1,
    fast: float = 32,
) -> Tensor:
    """Return (D/2,), by how often a pair turns in the training length.

    Fewer than slow turns: divided by scale; more than fast: kept.
    """
    theta = frequencies(size)
    turns = length * theta / (2 * math.pi)  # (D/2,)
    keep = ((turns - slow) / (fast - slow)).clamp(0, 1)
    return keep * theta + (1 - keep) * theta / scale


def yarn_factor(scale: float) -> float:
    """Return sqrt(1/t), by which q and k are each multiplied."""
    return 0.1 * math.log(scale) + 1
