"""Multi-head self-attention.

Source: Vaswani et al. 2017 (arXiv:1706.03762) §3.2.2.
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
) -> Tensor:
    """Self-attention, (B, T, D); w_qkv (D, 3D), w_out (D, D)."""
    q, k, v = (x @ w_qkv).chunk(3, dim=-1)  # (B, T, D) each
    q, k, v = (split_heads(t, heads) for t in (q, k, v))
    mixed = scaled_dot_product_attention(q, k, v)  # (B, H, T, D/H)
    return merge_heads(mixed) @ w_out  # (B, T, D)
