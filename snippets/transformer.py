"""The layers of the Transformer, as the paper has them (Post-LN) and as most do now (Pre-LN).

Sources: Vaswani et al. 2017 (arXiv:1706.03762) §3.1 and §3.3; Xiong et al. 2020
(arXiv:2002.04745) Table 1 for Pre-LN. The layers are written in terms of torch's own
sublayers. Dropout is left out, so they are to be in eval mode; a layer that normalises
in the other place raises ValueError.
"""

from collections.abc import Callable

from torch import Tensor, nn

Layer = nn.TransformerEncoderLayer | nn.TransformerDecoderLayer
Map = Callable[[Tensor], Tensor]


def post_norm(x: Tensor, sublayer: Map, norm: Map) -> Tensor:
    """The original: LN(x + f(x)), an LN on the trunk."""
    return norm(x + sublayer(x))


def pre_norm(x: Tensor, sublayer: Map, norm: Map) -> Tensor:
    """The layers of today: x + f(LN(x)), nothing on the trunk."""
    return x + sublayer(norm(x))


def ffn(
    x: Tensor,
    w_1: Tensor,
    b_1: Tensor,
    w_2: Tensor,
    b_2: Tensor,
) -> Tensor:
    """(..., D) -> (..., D); weights (D, F), (F,), (F, D), (D,)."""
    hidden = (x @ w_1 + b_1).relu()  # (..., F), each position alone
    return hidden @ w_2 + b_2  # (..., D)


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


def pre_norm_encoder_layer(
    layer: nn.TransformerEncoderLayer,
    x: Tensor,
) -> Tensor:
    """Two sublayers, Pre-LN: self-attention and FFN, x (B, T, D)."""
    require_pre_norm(layer)
    h = layer.norm1(x)
    seen, _ = layer.self_attn(h, h, h)
    x = x + seen
    return x + feed_forward(layer, layer.norm2(x))


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


def pre_norm_decoder_layer(
    layer: nn.TransformerDecoderLayer,
    x: Tensor,
    memory: Tensor,
    mask: Tensor,
) -> Tensor:
    """Three sublayers, Pre-LN; memory is normed by its own stack."""
    require_pre_norm(layer)
    h = layer.norm1(x)
    x = x + layer.self_attn(h, h, h, attn_mask=~mask)[0]
    h = layer.norm2(x)
    x = x + layer.multihead_attn(h, memory, memory)[0]
    return x + feed_forward(layer, layer.norm3(x))


def feed_forward(layer: Layer, x: Tensor) -> Tensor:
    """max(0, x W1 + b1) W2 + b2, at each position alone."""
    out: Tensor = layer.linear2(layer.linear1(x).relu())
    return out


def require_post_norm(layer: Layer) -> None:
    """Raise ValueError for a layer that normalises before its sublayers."""
    if layer.norm_first:
        msg = "the layer is Pre-LN (norm_first=True), the original is Post-LN"
        raise ValueError(msg)


def require_pre_norm(layer: Layer) -> None:
    """Raise ValueError for a layer that normalises after its sublayers."""
    if not layer.norm_first:
        msg = "the layer is Post-LN (norm_first=False), not Pre-LN"
        raise ValueError(msg)
