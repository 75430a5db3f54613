"""Decoding with a cache of keys and values, and what makes that cache smaller.

Sources: Shazeer 2019 (arXiv:1911.02150) §2 and §3 for incremental decoding and multi-query
attention, Ainslie et al. 2023 (arXiv:2305.13245) §2.2 for groups, DeepSeek-AI 2024
(arXiv:2405.04434) §2.1 for latents, Jiang et al. 2023 (arXiv:2310.06825) §2 for windows,
Xiao et al. 2023 (arXiv:2309.17453) §3 for sinks. Everything is at the sizes of one layer.
"""

import math

import torch
from torch import Tensor

from snippets.attention import causal_mask, scaled_dot_product_attention

Cache = tuple[Tensor, Tensor]
"""The keys and the values of all tokens so far, (B, H, T, D) each."""


def decode_step(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    past: Cache,
) -> tuple[Tensor, Cache]:
    """Attend from one new token; q, k, v (B, H, 1, D).

    Returns its output, (B, H, 1, D), and the longer cache.
    """
    keys = torch.cat((past[0], k), dim=-2)  # (B, H, T + 1, D)
    values = torch.cat((past[1], v), dim=-2)
    out = scaled_dot_product_attention(q, keys, values)  # sees all
    return out, (keys, values)


def cache_bytes(
    layers: int,
    kv_heads: int,
    size: int,
    tokens: int = 1,
    width: int = 2,
) -> int:
    """Return the bytes of one sequence's cached keys and values."""
    return 2 * layers * kv_heads * size * tokens * width  # 2: K and V


def grouped_query_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """(B, H, L, D), (B, G, S, D) twice -> (B, H, L, D); G divides H."""
    require_groups(q.size(1), k.size(1))  # or ValueError
    split = (k.size(1), -1)  # H -> G, H/G
    if mask is not None:  # any that broadcasts to (B, H, L, S)
        mask = mask.expand(*q.shape[:3], k.size(2))
        mask = torch.unflatten(mask, 1, split)
    q = torch.unflatten(q, 1, split)  # (B, G, H/G, L, D)
    k, v = k[:, :, None], v[:, :, None]  # (B, G, 1, S, D)
    return scaled_dot_product_attention(q, k, v, mask).flatten(1, 2)


def require_groups(heads: int, groups: int) -> None:
    """Raise ValueError if heads of queries do not split into groups."""
    if heads % groups:
        msg = f"{heads} query heads do not split into {groups} groups"
        raise ValueError(msg)


def pool_heads(w: Tensor, groups: int) -> Tensor:
    """Average the heads of each group, (H, D, d) -> (G, D, d).

    This is how keys and values of MHA begin as those of GQA.
    """
    require_groups(w.size(0), groups)
    return torch.stack([group.mean(0) for group in w.chunk(groups)])


def latent_attention(
    q: Tensor,
    latent: Tensor,
    w_uk: Tensor,
    w_uv: Tensor,
) -> Tensor:
    """(H, L, D), (S, C) -> (H, L, E): keys and values stay latent.

    The up-projections (H, C, D), (H, C, E) would give K and V.
    """
    absorbed = q @ w_uk.mT  # (H, L, C): queries of the latents
    scores = absorbed @ latent.mT / math.sqrt(q.size(-1))  # (H, L, S)
    mixed = scores.softmax(-1) @ latent  # (H, L, C)
    return mixed @ w_uv  # (H, L, E)


def window_mask(length: int, window: int) -> Tensor:
    """Return (T, T), True at the window last keys, itself included."""
    position = torch.arange(length)
    back = position[:, None] - position  # (T, T), how far behind
    return (back >= 0) & (back < window)


def sink_mask(length: int, window: int, sinks: int) -> Tensor:
    """Return (T, T), the window's keys and the first ones, for ever."""
    first = torch.arange(length) < sinks  # (T,)
    return causal_mask(length) & (window_mask(length, window) | first)
