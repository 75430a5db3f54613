"""Multi-head attention: to the sequence itself, and to another.

Source: Vaswani et al. 2017 (arXiv:1706.03762) §3.2.2 and §3.2.3.
"""

from torch import Tensor

from snippets.attention import scaled_dot_product_attention


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, D/H); D % H != 0 raises ValueError."""
    batch, length, size = x.shape
    if size % heads:
        msg = f"{size} features do not split into {heads} heads"
        raise ValueError(msg)
    x = x.view(batch, length, heads, size // heads)  # (B, T, H, D/H)
    return x.transpose(1, 2)  # (B, H, T, D/H)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, D/H) -> (B, T, D), the inverse of split_heads."""
    return x.transpose(1, 2).flatten(-2)


def multi_head_attention(
    x: Tensor,
    w_qkv: Tensor,
    w_out: Tensor,
    heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Self-attention, (B, T, D); w_qkv (D, 3D), w_out (D, D)."""
    q, k, v = (x @ w_qkv).chunk(3, dim=-1)  # (B, T, D) each
    q, k, v = (split_heads(t, heads) for t in (q, k, v))
    mixed = scaled_dot_product_attention(q, k, v, mask)
    return merge_heads(mixed) @ w_out  # (B, T, D)


def multi_head_cross_attention(  # noqa: PLR0913, PLR0917 - a layer's weights and inputs
    x: Tensor,
    memory: Tensor,
    w_q: Tensor,
    w_kv: Tensor,
    w_out: Tensor,
    heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """(B, L, D), (B, S, D) -> (B, L, D); w_kv (D, 2D), mask (B, 1, 1, S)."""
    q = split_heads(x @ w_q, heads)  # (B, H, L, D/H)
    k, v = (split_heads(t, heads) for t in (memory @ w_kv).chunk(2, -1))
    mixed = scaled_dot_product_attention(q, k, v, mask)
    return merge_heads(mixed) @ w_out  # (B, L, D)
