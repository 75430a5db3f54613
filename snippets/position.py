"""Position encodings: sinusoids, rotations, linear biases.

Sources: Vaswani et al. 2017 (arXiv:1706.03762) §3.5, Su et al. 2021 (arXiv:2104.09864),
Press et al. 2021 (arXiv:2108.12409). Angles are kept in float64: a low precision cannot
even tell neighbouring positions apart.
"""

import torch
from torch import Tensor


def frequencies(size: int, base: float = 1e4) -> Tensor:
    """Return base**(-2i/D) for each pair i, (D/2,); an odd D raises ValueError."""
    if size % 2:
        msg = f"features are turned in pairs, {size} is odd"
        raise ValueError(msg)
    return base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)


def sinusoid(length: int, size: int, base: float = 1e4) -> Tensor:
    """Return (T, D): sines in the even columns, cosines in the odd."""
    positions = torch.arange(length, dtype=torch.float64)
    angles = torch.outer(positions, frequencies(size, base))  # (T, D/2)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)


def rotate(x: Tensor, positions: Tensor, base: float = 1e4) -> Tensor:
    """Turn the pairs of x (..., T, D) by angles of positions (T,).

    An odd D raises ValueError.
    """
    theta = frequencies(x.size(-1), base)  # (D/2,)
    angles = torch.outer(positions.double(), theta)  # (T, D/2)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, D/2)
    turned = (even * cos - odd * sin, even * sin + odd * cos)
    return torch.stack(turned, -1).flatten(-2)  # (..., T, D)


def alibi(heads: int, length: int) -> Tensor:
    """Return -m_h * (i - j) for query i and key j, m_h = 2**(-8h/H), (H, T, T)."""
    slopes = 2.0 ** (-8 * torch.arange(1, heads + 1, dtype=torch.float64) / heads)
    positions = torch.arange(length, dtype=torch.float64)
    return -slopes[:, None, None] * (positions[:, None] - positions)
