"""The two layers of the original Transformer, in terms of torch's own sublayers.

Source: Vaswani et al. 2017 (arXiv:1706.03762) §3.1. Each sublayer stands in
LayerNorm(x + Sublayer(x)). Dropout is left out, so the layers are to be in eval mode;
a Pre-LN layer raises ValueError.
"""

from torch import Tensor, nn

Layer = nn.TransformerEncoderLayer | nn.TransformerDecoderLayer


def encoder_layer(
    layer: nn.TransformerEncoderLayer,
    x: Tensor,
) -> Tensor:
    """Two sublayers, Post-LN: self-attention and FFN, x (B, T, D)."""
    require_post_norm(layer)
    seen, _ = layer.self_attn(x, x, x)  # all positions see all
    x = layer.norm1(x + seen)
    out: Tensor = layer.norm2(x + feed_forward(layer, x))
    return out


def decoder_layer(
    layer: nn.TransformerDecoderLayer,
    x: Tensor,
    memory: Tensor,
    mask: Tensor,
) -> Tensor:
    """Three sublayers, Post-LN, x (B, T, D), memory (B, S, D)."""
    require_post_norm(layer)
    hide = ~mask  # (T, T); nn.MultiheadAttention: True hides a key
    seen, _ = layer.self_attn(x, x, x, attn_mask=hide)
    x = layer.norm1(x + seen)
    read, _ = layer.multihead_attn(x, memory, memory)  # q, k, v
    x = layer.norm2(x + read)
    out: Tensor = layer.norm3(x + feed_forward(layer, x))
    return out


def feed_forward(layer: Layer, x: Tensor) -> Tensor:
    """max(0, x W1 + b1) W2 + b2, at each position alone."""
    out: Tensor = layer.linear2(layer.linear1(x).relu())
    return out


def require_post_norm(layer: Layer) -> None:
    """Raise ValueError for a layer that normalises before its sublayers."""
    if layer.norm_first:
        msg = "the layer is Pre-LN (norm_first=True), the original is Post-LN"
        raise ValueError(msg)
