"""A batch is its sequences in the functions that cards show, also where sizes coincide."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
import torch.nn.functional as F  # noqa: E402, N812
from projects import Project  # noqa: E402
from tensors import draw, steady  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from verideck.model import Role  # noqa: E402

ROOT = Path(__file__).parents[1]
SIZES = [(1, 2, 3, 4), (3, 2, 5, 4), (2, 2, 2, 4), (4, 4, 4, 4)]
"""Of batch, heads, tokens and features; several alike, where a shape may be right by luck."""

Batched = Callable[[Tensor], Tensor]
Shown = Callable[..., Tensor]


@functools.cache
def shown(card: str, name: str) -> Shown:
    """Return the function of that name as the card shows it, with the others beside it."""
    (found,) = (each for each in Project(ROOT).cards() if each.id == card)
    names = {"torch": torch, "F": F, "nn": nn, "math": math}
    for snippet in found.snippets:
        if snippet.options.role is Role.SHOWN:
            lines = ast.parse("\n".join(snippet.shown_lines().values()))
            lines.body = [each for each in lines.body if isinstance(each, ast.FunctionDef)]
            exec(compile(lines, card, "exec"), names)  # noqa: S102 - the deck's own code
    function: Shown = names[name]
    return function


def of_three(card: str, name: str, *more: int) -> Callable[[int, int, int], Batched]:
    """Queries, keys and values that differ, all of one batch."""
    return lambda *_: lambda x: shown(card, name)(x, x.flip(1), 2 * x, *more)


def weighted(
    card: str, name: str, *shapes: Callable[[int], tuple[int, ...]]
) -> Callable[[int, int, int], Batched]:
    """Weights that every sequence of a batch shares."""

    def drawn(h: int, t: int, d: int) -> Batched:
        del h, t
        weights = [draw(*shape(d)) for shape in shapes]
        return lambda x: shown(card, name)(x, *weights)

    return drawn


def masked(h: int, t: int, d: int) -> Batched:
    """Attention under the mask of pads, whose lengths each sequence tells itself."""
    del d

    def run(x: Tensor) -> Tensor:
        lengths = 1 + (x[:, 0, 0] > 0) * (t - 1)
        keep = shown("padding-mask", "padding_mask")(lengths, t)
        heads = x[:, None].expand(-1, h, -1, -1)
        return shown("padding-mask", "attention")(heads, heads, heads, keep)

    return run


def grouped(h: int, t: int, d: int) -> Batched:
    """Heads that share keys and values, under the same mask."""
    w = draw(d, d)

    def run(x: Tensor) -> Tensor:
        lengths = 1 + (x[:, 0, 0] > 0) * (t - 1)
        keep = shown("padding-mask", "padding_mask")(lengths, t)
        q = x[:, None].expand(-1, h, -1, -1) @ w
        kv = x[:, None].expand(-1, h // 2, -1, -1)
        return shown("shared-heads", "gqa")(q, kv, kv, keep)

    return run


def heads(h: int, t: int, d: int) -> Batched:
    """A whole layer of heads."""
    del t
    w_qkv, w_out = draw(d, 3 * d), draw(d, d)
    return lambda x: shown("head-dimension", "mha")(x, w_qkv, w_out, h)


def encoder(h: int, t: int, d: int) -> Batched:
    """An encoder's layer, with torch's weights."""
    del t
    layer = steady(nn.TransformerEncoderLayer(d, h, 8, batch_first=True))
    return lambda x: shown("encoder-decoder", "encoder_layer")(layer, x)


def decoder(h: int, t: int, d: int) -> Batched:
    """A decoder's layer, with torch's weights and a memory of each sequence."""
    del t
    layer = steady(nn.TransformerDecoderLayer(d, h, 8, batch_first=True))
    return lambda x: shown("encoder-decoder", "decoder_layer")(layer, x, x.flip(1))


FUNCTIONS: dict[str, Callable[[int, int, int], Batched]] = {
    "attention": of_three("attention-formula", "attention"),
    "causal": of_three("attention-causal", "causal_attention"),
    "masked": masked,
    "grouped": grouped,
    "heads": heads,
    "tiled": of_three("flash", "tiled", 2),
    "softmax": lambda *_: shown("softmax-shift", "softmax"),
    "rope": lambda _, t, __: lambda x: shown("position-rope", "rope")(x, torch.arange(t)),
    "layer norm": weighted("layernorm-vs-batchnorm", "layer_norm", lambda d: (d,), lambda d: (d,)),
    "RMS norm": weighted("layernorm-vs-batchnorm", "rms_norm", lambda d: (d,)),
    "QK norm": lambda _, __, d: (
        lambda x: shown("qk-norm-what", "scores")(
            x, x.flip(1), torch.linspace(1, 2, d).double(), torch.linspace(2, 1, d).double()
        )
    ),
    "ffn": weighted(
        "architecture-ffn-lines",
        "ffn",
        lambda d: (d, 8),
        lambda _: (8,),
        lambda d: (8, d),
        lambda d: (d,),
    ),
    "swiglu": weighted(
        "block-today", "swiglu", lambda d: (d, 8), lambda d: (d, 8), lambda d: (8, d)
    ),
    "encoder": encoder,
    "decoder": decoder,
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_batch_is_its_sequences(name: str, sizes: tuple[int, int, int, int]) -> None:
    """What a shown function makes of a batch it makes of each sequence, whatever is beside it."""
    torch.manual_seed(0)
    batch, h, t, d = sizes
    run = FUNCTIONS[name](h, t, d)
    x = draw(batch, t, d)
    out = run(x)
    assert out.size(0) == batch
    for one in range(batch):
        assert_close(out[one : one + 1], run(x[one : one + 1]))
