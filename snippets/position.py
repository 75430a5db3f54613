"""Position encodings: added to the input, added to the scores, or turning queries and keys.

Sources: Vaswani et al. 2017 (arXiv:1706.03762) §3.5, Shaw et al. 2018 (arXiv:1803.02155) §3,
Raffel et al. 2019 (arXiv:1910.10683) §2.1, Su et al. 2021 (arXiv:2104.09864) §3,
Press et al. 2021 (arXiv:2108.12409) §3. Angles are kept in float64: a low precision cannot
even tell neighbouring positions apart.
"""

import math

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


def learned(x: Tensor, table: Tensor) -> Tensor:
    """Add row t of table (max, D) to token t of x (..., T, D).

    A T above max raises IndexError: there is no such row.
    """
    rows = torch.arange(x.size(-2))  # (T,)
    return x + table[rows]  # (..., T, D)


def relative_scores(q: Tensor, k: Tensor, table: Tensor) -> Tensor:
    """Return Shaw's q_i . (k_j + a_ij) / sqrt(D) for q, k (T, D).

    a_ij is the row of table (2K+1, D) for j - i, clipped to -K..K.
    """
    limit = table.size(0) // 2
    positions = torch.arange(q.size(0))
    distance = positions - positions[:, None]  # (T, T), j - i
    a = table[distance.clamp(-limit, limit) + limit]  # (T, T, D)
    content = q @ k.mT  # (T, T)
    position = (q[:, None] * a).sum(-1)  # (T, T)
    return (content + position) / math.sqrt(q.size(-1))


def t5_bucket(distance: Tensor, buckets: int = 32, limit: int = 128) -> Tensor:
    """Return T5's bucket for key position minus query position.

    Half of the buckets are for keys behind the query. In each half the near
    distances have one of their own, farther ones share them by logarithm.
    """
    half, exact = buckets // 2, buckets // 4
    near = distance.abs()
    growth = torch.log(near.clamp(min=exact) / exact) / math.log(limit / exact)
    far = exact + (growth * (half - exact)).long()
    bucket = torch.where(near < exact, near, far.clamp(max=half - 1))
    return bucket + half * (distance > 0)


def rope(x: Tensor, positions: Tensor, base: float = 1e4) -> Tensor:
    """Turn the pairs (2i, 2i+1) of x (..., T, D) by positions (T,).

    An odd D raises ValueError.
    """
    theta = frequencies(x.size(-1), base)  # (D/2,)
    angles = torch.outer(positions.double(), theta)  # (T, D/2)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, D/2)
    turned = (even * cos - odd * sin, even * sin + odd * cos)
    return torch.stack(turned, -1).flatten(-2)  # (..., T, D)


rotate = rope
"""The same under its former name."""


def rope_half_split(
    x: Tensor,
    positions: Tensor,
    base: float = 1e4,
) -> Tensor:
    """Turn the pairs (i, i + D/2) of x (..., T, D) by positions (T,).

    An odd D raises ValueError.
    """
    theta = frequencies(x.size(-1), base)  # (D/2,)
    angles = torch.outer(positions.double(), theta)  # (T, D/2)
    angles = angles.repeat(1, 2)  # (T, D)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    return x * cos + rotate_half(x) * sin  # (..., T, D)


def rotate_half(x: Tensor) -> Tensor:
    """Return (-b, a) for the halves a, b of x (..., D): a quarter turn."""
    a, b = x.chunk(2, dim=-1)  # (..., D/2)
    return torch.cat((-b, a), dim=-1)  # (..., D)


def alibi(heads: int, length: int) -> Tensor:
    """Return -m_h * (i - j), (H, T, T), with m_h = 2**(-8h/H).

    For j > i it is positive: it belongs beside a causal mask.
    """
    head = torch.arange(1, heads + 1, dtype=torch.float64)
    slopes = 2.0 ** (-8 * head / heads)  # (H,)
    positions = torch.arange(length, dtype=torch.float64)
    return -slopes[:, None, None] * (positions[:, None] - positions)
