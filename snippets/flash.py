"""Exact attention without the matrix of all scores: tiles and an online softmax.

Sources: Milakov and Gimelshein 2018 (arXiv:1805.02867) §3 for the online softmax, Dao et al.
2022 (arXiv:2205.14135) §3.1 for the tiles and for recomputing. What makes it fast is where
the tiles are kept, on the GPU's chip; here are only its numbers.
"""

import math

import torch
from torch import Tensor


def online_statistics(z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maximum m and the sum of exp(z - m), one z at a time.

    z is (..., S), S at least 1; one pass over it is enough.
    """
    top = torch.full(z.shape[:-1], -math.inf, dtype=z.dtype)
    total = torch.zeros_like(top)
    for x in z.unbind(-1):
        new = torch.maximum(top, x)
        total = total * (top - new).exp() + (x - new).exp()
        top = new
    return top, total


def attend_tiled(q: Tensor, k: Tensor, v: Tensor, block: int) -> Tensor:
    """(..., L, D), (..., S, D), (..., S, E) -> (..., L, E), tiled."""
    top = q.new_full((*q.shape[:-1], 1), -math.inf)  # (..., L, 1)
    total = out = torch.zeros_like(top)
    for first in range(0, k.size(-2), block):
        tile = slice(first, first + block)
        keys, values = k[..., tile, :], v[..., tile, :]
        scores = q @ keys.mT / math.sqrt(q.size(-1))  # (..., L, block)
        new = torch.maximum(top, scores.amax(-1, keepdim=True))
        shrink, powers = (top - new).exp(), (scores - new).exp()
        total = total * shrink + powers.sum(-1, keepdim=True)
        out = out * shrink + powers @ values
        top = new
    return out / total


def attend_part(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Attend to some of the keys; also return each row's log-sum-exp.

    (..., L, D), (..., S, D), (..., S, E) -> (..., L, E), (..., L, 1).
    """
    scores = q @ k.mT / math.sqrt(q.size(-1))  # (..., L, S)
    return scores.softmax(-1) @ v, scores.logsumexp(-1, keepdim=True)


def merge(
    a: Tensor,
    lse_a: Tensor,
    b: Tensor,
    lse_b: Tensor,
) -> tuple[Tensor, Tensor]:
    """Join what two attend_part over different keys returned."""
    lse = torch.logaddexp(lse_a, lse_b)  # (..., L, 1)
    out = a * (lse_a - lse).exp() + b * (lse_b - lse).exp()
    return out, lse
