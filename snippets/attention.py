"""Scores, softmax, masks and attention of one head.

Sources: Vaswani et al. 2017 (arXiv:1706.03762) §3.2 for the dot product, Bahdanau
et al. 2014 (arXiv:1409.0473) for the additive scores, PyTorch's `_safe_softmax`
(pull request 131060) for rows that are masked as a whole.
"""

import math

import torch
from torch import Tensor


def scaled_dot_product_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """(..., L, D), (..., S, D), (..., S, E) -> (..., L, E).

    True in mask (..., L, S): the key takes part. A row without a key
    is NaN; a mask of floats raises TypeError.
    """
    scores = q @ k.mT / math.sqrt(q.size(-1))  # (..., L, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v  # (..., L, E)


def softmax(z: Tensor, dim: int = -1) -> Tensor:
    """Softmax along dim, of any shape; -inf all along dim gives NaN."""
    shifted = z - z.amax(dim, keepdim=True)  # <= 0: exp cannot overflow
    powers = shifted.exp()
    return powers / powers.sum(dim, keepdim=True)


def safe_softmax(scores: Tensor) -> Tensor:
    """(..., S) -> (..., S); a row of nothing but -inf gives zeros."""
    nowhere = scores.isneginf().all(-1, keepdim=True)  # (..., 1)
    return scores.softmax(-1).masked_fill(nowhere, 0.0)


def softmax_jacobian(z: Tensor) -> Tensor:
    """(..., S) -> (..., S, S), the derivatives dp_i / dz_j."""
    p = z.softmax(-1)  # (..., S)
    outer = p[..., :, None] * p[..., None, :]  # (..., S, S)
    return torch.diag_embed(p) - outer


def causal_mask(length: int) -> Tensor:
    """Return (T, T), True where the key is not later than the query."""
    return torch.ones(length, length, dtype=torch.bool).tril()


def causal_mask_lower_right(queries: int, keys: int) -> Tensor:
    """Return (L, S), causal, where the last query sees all keys."""
    ones = torch.ones(queries, keys, dtype=torch.bool)
    return ones.tril(keys - queries)


def padding_mask(lengths: Tensor, size: int) -> Tensor:
    """(B,) true lengths -> (B, 1, 1, S), True where a key is no pad.

    A length outside 1..size raises ValueError.
    """
    if lengths.min() < 1 or lengths.max() > size:
        msg = f"lengths outside 1..{size}: {lengths.tolist()}"
        raise ValueError(msg)
    keep = torch.arange(size) < lengths[:, None]  # (B, S)
    return keep[:, None, None, :]  # over heads and queries


def additive_scores(
    q: Tensor,
    k: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    v: Tensor,
) -> Tensor:
    """(L, Dq), (S, Dk) -> (L, S); weights (Dq, H), (Dk, H), (H,)."""
    projected_q, projected_k = q @ w_q, k @ w_k  # (L, H), (S, H)
    pairs = projected_q[:, None] + projected_k[None]  # (L, S, H)!
    return torch.tanh(pairs) @ v  # (L, S)
