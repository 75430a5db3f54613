"""The layers, the FFN and the residual that the cards show, against PyTorch's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
from tensors import draw, steady  # noqa: E402
from torch import nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import attention, transformer  # noqa: E402

if TYPE_CHECKING:
    from torch import Tensor


@pytest.fixture(autouse=True)
def seed() -> None:
    """Make every test draw the same numbers alone as in company."""
    torch.manual_seed(0)


def encoder(*, norm_first: bool) -> nn.TransformerEncoderLayer:
    """Return a small encoder layer."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
    steady(layer)
    return layer


def decoder(*, norm_first: bool) -> nn.TransformerDecoderLayer:
    """Return a small decoder layer."""
    layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
    steady(layer)
    return layer


def test_ffn_is_two_linear_layers() -> None:
    """It is torch's Linear, ReLU, Linear, whose weights are transposed."""
    first, second = nn.Linear(6, 10).double(), nn.Linear(10, 6).double()
    x = draw(2, 5, 6)
    weights = (first.weight.T, first.bias, second.weight.T, second.bias)
    assert_close(transformer.ffn(x, *weights), second(first(x).relu()))


def test_ffn_is_a_convolution_of_width_one() -> None:
    """Vaswani et al. 2017 §3.3: two convolutions with kernel size 1."""
    x, w_1, b_1, w_2, b_2 = draw(2, 5, 6), draw(6, 10), draw(10), draw(10, 6), draw(6)
    hidden = nn.functional.conv1d(x.mT, w_1.T[..., None], b_1).relu()
    by_torch = nn.functional.conv1d(hidden, w_2.T[..., None], b_2).mT
    assert_close(transformer.ffn(x, w_1, b_1, w_2, b_2), by_torch)


def test_residual_wraps_are_the_sublayers_of_torchs_layer() -> None:
    """Two of them in a row are the encoder layer, in both orders."""
    x = draw(2, 5, 8)
    for norm_first, wrap in ((False, transformer.post_norm), (True, transformer.pre_norm)):
        layer = encoder(norm_first=norm_first)

        def attend(h: Tensor, layer: nn.TransformerEncoderLayer = layer) -> Tensor:
            seen: Tensor = layer.self_attn(h, h, h)[0]
            return seen

        def forward(h: Tensor, layer: nn.TransformerEncoderLayer = layer) -> Tensor:
            return transformer.feed_forward(layer, h)

        y = wrap(x, attend, layer.norm1)
        assert_close(wrap(y, forward, layer.norm2), layer(x))


def test_a_sublayer_of_zeros_leaves_pre_norm_alone() -> None:
    """Pre-LN is then the identity, to the last bit; Post-LN is the norm."""
    x, norm = 3 + 2 * draw(4, 8), nn.LayerNorm(8).double()
    assert torch.equal(transformer.pre_norm(x, torch.zeros_like, norm), x)
    assert_close(transformer.post_norm(x, torch.zeros_like, norm), norm(x))


def test_encoder_layers_are_torchs() -> None:
    """Both orders are nn.TransformerEncoderLayer."""
    x = draw(2, 5, 8)
    post, pre = encoder(norm_first=False), encoder(norm_first=True)
    assert_close(transformer.encoder_layer(post, x), post(x))
    assert_close(transformer.pre_norm_encoder_layer(pre, x), pre(x))


def test_decoder_layers_are_torchs() -> None:
    """Both orders are nn.TransformerDecoderLayer, its mask inverted."""
    x, memory, mask = draw(2, 5, 8), draw(2, 7, 8), attention.causal_mask(5)
    post, pre = decoder(norm_first=False), decoder(norm_first=True)
    y = transformer.decoder_layer(post, x, memory, mask)
    assert_close(y, post(x, memory, tgt_mask=~mask))
    y = transformer.pre_norm_decoder_layer(pre, x, memory, mask)
    assert_close(y, pre(x, memory, tgt_mask=~mask))


def test_layers_refuse_the_other_order() -> None:
    """A layer that normalises elsewhere raises: the result would be another one."""
    x, mask = draw(2, 5, 8), attention.causal_mask(5)
    with pytest.raises(ValueError, match="is Pre-LN"):
        transformer.encoder_layer(encoder(norm_first=True), x)
    with pytest.raises(ValueError, match="is Pre-LN"):
        transformer.decoder_layer(decoder(norm_first=True), x, x, mask)
    with pytest.raises(ValueError, match="not Pre-LN"):
        transformer.pre_norm_encoder_layer(encoder(norm_first=False), x)
    with pytest.raises(ValueError, match="not Pre-LN"):
        transformer.pre_norm_decoder_layer(decoder(norm_first=False), x, x, mask)
