"""A batch is its sequences: no snippet mixes them up, also where sizes coincide."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
from tensors import draw, steady  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import (  # noqa: E402
    attention,
    context,
    heads,
    norm,
    position,
    training,
    transformer,
)

SIZES = [(1, 2, 3, 4), (3, 2, 5, 4), (2, 2, 2, 4), (4, 4, 4, 4)]
"""Of batch, heads, tokens and features; several alike, where a shape may be right by luck."""

Batched = Callable[[Tensor], Tensor]
Snippet = Callable[[int, int, int], Batched]
"""Of heads, tokens and features; draws the weights, and returns what makes of a batch (B, T, D)."""


def _masked(h: int, t: int, d: int) -> Batched:
    w_qkv, w_out = draw(d, 3 * d), draw(d, d)

    def run(x: Tensor) -> Tensor:
        lengths = 1 + (x[:, 0, 0] > 0) * (t - 1)  # of each sequence by what it holds
        mask = attention.padding_mask(lengths, t) & attention.causal_mask(t)
        return heads.multi_head_attention(x, w_qkv, w_out, h, mask)

    return run


def _crossed(h: int, t: int, d: int) -> Batched:
    w_q, w_kv, w_out = draw(d, d), draw(d, 2 * d), draw(d, d)

    def run(x: Tensor) -> Tensor:
        lengths = 1 + (x[:, 0, 0] > 0) * (t - 1)
        mask = attention.padding_mask(lengths, t)
        return heads.multi_head_cross_attention(x, x.flip(1), w_q, w_kv, w_out, h, mask)

    return run


def _encoded(*, first: bool) -> Snippet:
    def drawn(h: int, t: int, d: int) -> Batched:
        del t
        layer = nn.TransformerEncoderLayer(d, h, 8, batch_first=True, norm_first=first)
        steady(layer)
        run = transformer.pre_norm_encoder_layer if first else transformer.encoder_layer
        return lambda x: run(layer, x)

    return drawn


def _decoded(*, first: bool) -> Snippet:
    def drawn(h: int, t: int, d: int) -> Batched:
        layer = nn.TransformerDecoderLayer(d, h, 8, batch_first=True, norm_first=first)
        steady(layer)
        run = transformer.pre_norm_decoder_layer if first else transformer.decoder_layer
        return lambda x: run(layer, x, x.flip(1), attention.causal_mask(t))

    return drawn


def _of_tokens(run: Callable[[Tensor, int, int], Tensor]) -> Snippet:
    """Return what needs no weights, but how many tokens and features there are."""
    return lambda _, t, d: lambda x: run(x, t, d)


def _weighted(run: Callable[..., Tensor], *shapes: Callable[[int], tuple[int, ...]]) -> Snippet:
    def drawn(h: int, t: int, d: int) -> Batched:
        del h, t
        weights = [draw(*shape(d)) for shape in shapes]
        return lambda x: run(x, *weights)

    return drawn


SNIPPETS: dict[str, Snippet] = {
    "attention": _of_tokens(
        lambda x, t, _: attention.scaled_dot_product_attention(
            x, x.flip(1), 2 * x, attention.causal_mask(t)
        )
    ),
    "softmax": _of_tokens(lambda x, _, __: attention.softmax(x)),
    "jacobian": _of_tokens(lambda x, _, __: attention.softmax_jacobian(x)),
    "masked": _masked,
    "crossed": _crossed,
    "rope": _of_tokens(lambda x, t, _: position.rope(x, torch.arange(t))),
    "rope half split": _of_tokens(lambda x, t, _: position.rope_half_split(x, torch.arange(t))),
    "turned": _of_tokens(
        lambda x, t, d: context.turn(x, torch.arange(t), context.ntk_aware(d, 8.0))
    ),
    "layer norm": _weighted(norm.layer_norm, lambda d: (d,), lambda d: (d,)),
    "RMS norm": _weighted(norm.rms_norm, lambda d: (d,)),
    "ffn": _weighted(
        transformer.ffn, lambda d: (d, 8), lambda _: (8,), lambda d: (8, d), lambda d: (d,)
    ),
    "shifted": _of_tokens(lambda x, _, __: training.shift_right((9 * x[..., 0]).long(), -1)),
    "encoder": _encoded(first=False),
    "pre-norm encoder": _encoded(first=True),
    "decoder": _decoded(first=False),
    "pre-norm decoder": _decoded(first=True),
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", SNIPPETS)
def test_a_batch_is_its_sequences(name: str, sizes: tuple[int, int, int, int]) -> None:
    """What is made of a batch is made of each of its sequences, whatever stands beside it."""
    torch.manual_seed(0)
    batch, h, t, d = sizes
    run = SNIPPETS[name](h, t, d)
    x = draw(batch, t, d)
    out = run(x)
    assert out.size(0) == batch
    for one in range(batch):
        assert_close(out[one : one + 1], run(x[one : one + 1]))
