"""The code that the cards show, against PyTorch's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
import torch.nn.functional as F  # noqa: E402, N812
from tensors import draw, steady  # noqa: E402
from torch import nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import attention, heads, norm, position, transformer  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from torch import dtype as DType  # noqa: N812

EPS = 1e-3
"""Large, so that it shows whether eps stands inside the root."""

TOKENS = [(8, 8), (1, 8, 8), (2, 5, 8), (3, 1, 8), (2, 3, 4, 8)]
"""Shapes (..., D); with equal sizes a forgotten keepdim broadcasts in silence."""

BATCHES = [(6, 8), (8, 8), (6, 8, 4), (1, 8, 5), (3, 8, 2, 5)]
"""Shapes (N, C, ...)."""


@pytest.fixture(autouse=True)
def seed() -> None:
    """Make every test draw the same numbers alone as in company."""
    torch.manual_seed(0)


@pytest.mark.parametrize("spread", [1.0, 0.03])
@pytest.mark.parametrize("shape", TOKENS)
def test_layer_norm_is_torchs(shape: Sequence[int], spread: float) -> None:
    """layer_norm gives what F.layer_norm gives, also for small variances."""
    x, gamma, beta = 1 + draw(*shape, spread=spread), draw(8), draw(8)
    expected = F.layer_norm(x, (8,), gamma, beta, EPS)
    assert_close(norm.layer_norm(x, gamma, beta, EPS), expected)


def test_layer_norm_has_torchs_default_eps() -> None:
    """Without eps, layer_norm and F.layer_norm still agree where eps dominates."""
    x, gamma, beta = draw(2, 8, spread=1e-3), draw(8), draw(8)
    assert_close(norm.layer_norm(x, gamma, beta), F.layer_norm(x, (8,), gamma, beta))


def test_layer_norm_of_one_feature_is_beta() -> None:
    """A single feature has variance 0, not NaN."""
    beta = draw(1)
    assert_close(norm.layer_norm(draw(4, 1), draw(1), beta), beta.expand(4, 1))


@pytest.mark.parametrize("spread", [1.0, 0.03])
@pytest.mark.parametrize("shape", TOKENS)
def test_rms_norm_is_torchs(shape: Sequence[int], spread: float) -> None:
    """rms_norm gives what F.rms_norm gives, also for small inputs."""
    x, gamma = draw(*shape, spread=spread), draw(8)
    assert_close(norm.rms_norm(x, gamma, EPS), F.rms_norm(x, (8,), gamma, EPS))
    assert_close(norm.rms_norm(x, gamma), F.rms_norm(x, (8,), gamma, 1e-5))


def test_layer_norm_is_rms_norm_of_the_centred() -> None:
    """LN differs from RMSNorm in the mean alone."""
    x, gamma = 3 + draw(4, 8), draw(8)
    centred = x - x.mean(-1, keepdim=True)
    zero = torch.zeros_like(gamma)
    assert_close(norm.rms_norm(centred, gamma), norm.layer_norm(x, gamma, zero))


@pytest.mark.parametrize("bad", [(1,), (7,), (1, 8), ()])
def test_norms_refuse_a_gamma_that_would_broadcast(bad: Sequence[int]) -> None:
    """A gamma or beta that is not (D,) raises, even where broadcasting allows it."""
    x, good, wrong = draw(4, 8), draw(8), draw(*bad)
    with pytest.raises(ValueError, match=r"expected shape \(8,\)"):
        norm.layer_norm(x, wrong, good)
    with pytest.raises(ValueError, match=r"expected shape \(8,\)"):
        norm.layer_norm(x, good, wrong)
    with pytest.raises(ValueError, match=r"expected shape \(8,\)"):
        norm.rms_norm(x, wrong)


@pytest.mark.parametrize("shape", BATCHES)
def test_batch_norm_is_torchs(shape: Sequence[int]) -> None:
    """Three training steps and one of evaluation agree, output and statistics."""
    kind = nn.BatchNorm2d if len(shape) == len("NCHW") else nn.BatchNorm1d
    layer = steady(kind(8, eps=EPS)).train()
    gamma, beta = layer.get_parameter("weight"), layer.get_parameter("bias")
    running = norm.Statistics(torch.zeros(8).double(), torch.ones(8).double())
    for _ in range(3):
        x = 1 + draw(*shape, spread=0.1)
        y, running = norm.batch_norm_train(x, gamma, beta, running, EPS)
        assert_close(y, layer(x))
        assert_close(running.mean, layer.get_buffer("running_mean"))
        assert_close(running.var, layer.get_buffer("running_var"))
    layer.eval()
    assert_close(norm.batch_norm_eval(x, gamma, beta, running, EPS), layer(x))


def test_batch_norm_has_torchs_default_eps() -> None:
    """Without eps, both functions agree with F.batch_norm where eps dominates."""
    x, gamma, beta = draw(6, 8, spread=1e-3), draw(8), draw(8)
    start = norm.Statistics(torch.zeros(8).double(), torch.full((8,), 1e-6).double())
    by_torch = F.batch_norm(x, None, None, gamma, beta, training=True)
    assert_close(norm.batch_norm_train(x, gamma, beta, start)[0], by_torch)
    by_torch = F.batch_norm(x, *start, gamma, beta)
    assert_close(norm.batch_norm_eval(x, gamma, beta, start), by_torch)


def test_batch_norm_leaves_the_given_statistics_alone() -> None:
    """The new running statistics are new tensors."""
    start = norm.Statistics(torch.zeros(8).double(), torch.ones(8).double())
    norm.batch_norm_train(draw(6, 8), draw(8), draw(8), start)
    assert start.mean.eq(0).all()
    assert start.var.eq(1).all()


@pytest.mark.parametrize("shape", [(1, 8), (1, 8, 1, 1)])
def test_batch_norm_refuses_one_value_per_channel(shape: Sequence[int]) -> None:
    """A batch without a variance raises in training and is fine in evaluation."""
    start = norm.Statistics(torch.zeros(8).double(), torch.ones(8).double())
    x, gamma, beta = draw(*shape), draw(8), draw(8)
    with pytest.raises(ValueError, match="one value per channel"):
        norm.batch_norm_train(x, gamma, beta, start)
    assert norm.batch_norm_eval(x, gamma, beta, start).isfinite().all()


def test_batch_norm_refuses_statistics_of_another_size() -> None:
    """Statistics that are not (C,) raise."""
    start = norm.Statistics(torch.zeros(1).double(), torch.ones(8).double())
    with pytest.raises(ValueError, match=r"expected shape \(8,\)"):
        norm.batch_norm_eval(draw(6, 8), draw(8), draw(8), start)


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (5, 5), (3, 7), (1, 6)])
def test_attention_is_torchs(queries: int, keys: int) -> None:
    """With and without a mask it gives what PyTorch gives, L and S, D and E apart."""
    q, k, v = draw(2, 3, queries, 4), draw(2, 3, keys, 4), draw(2, 3, keys, 6)
    mask = torch.rand(2, 1, queries, keys) < 0.5
    mask[..., 0] = True  # no row without a key
    for given in (None, mask):
        expected = F.scaled_dot_product_attention(q, k, v, attn_mask=given)
        assert_close(attention.scaled_dot_product_attention(q, k, v, given), expected)


def test_attention_of_huge_scores_is_finite() -> None:
    """Softmax is shifted by its maximum, so scores of 1e6 do not overflow."""
    q, k, v = draw(5, 4, spread=1e3), draw(5, 4, spread=1e3), draw(5, 4)
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    assert_close(attention.scaled_dot_product_attention(q, k, v), expected)


def test_attention_to_no_key_is_nan() -> None:
    """A row whose keys are all masked is NaN, and no other row is."""
    mask = torch.tensor([[True, True], [False, False]])
    q, k, v = draw(3, 2, 4)
    y = attention.scaled_dot_product_attention(q, k, v, mask)
    assert y.isnan().all(-1).tolist() == [False, True]
    assert y[0].isfinite().all()


def test_attention_refuses_a_mask_of_floats() -> None:
    """0.0 and 1.0 are no mask: added to scores they would do next to nothing."""
    x = draw(3, 4)
    with pytest.raises(TypeError, match="Boolean"):
        attention.scaled_dot_product_attention(x, x, x, torch.ones(3, 3))


@pytest.mark.parametrize("length", [0, 1, 5])
def test_causal_mask_is_what_is_causal_means(length: int) -> None:
    """Attention under the mask is PyTorch's with is_causal=True."""
    mask = attention.causal_mask(length)
    rows = [[key <= query for key in range(length)] for query in range(length)]
    assert mask.tolist() == rows
    x = draw(1, length, 4)
    y = attention.scaled_dot_product_attention(x, x, x, mask)
    assert_close(y, F.scaled_dot_product_attention(x, x, x, is_causal=True))


def test_causal_attention_has_a_triangular_jacobian() -> None:
    """Exactly nothing of a later position reaches an earlier output."""

    def attend(x: Tensor) -> Tensor:
        y = attention.scaled_dot_product_attention(x, x, x, attention.causal_mask(5))
        return y.sum(-1)

    jacobian = torch.autograd.functional.jacobian(attend, draw(5, 4)).abs().sum(-1)
    assert (jacobian.triu(1) == 0).all()
    assert (jacobian.tril()[jacobian.new_ones(5, 5).tril().bool()] > 0).all()


def test_padding_mask_marks_the_real_keys() -> None:
    """True stands at the keys before each length."""
    mask = attention.padding_mask(torch.tensor([1, 3, 4]), 4)
    assert mask.shape == (3, 1, 1, 4)
    assert mask.sum(-1).flatten().tolist() == [1, 3, 4]
    assert mask[1, 0, 0].tolist() == [True, True, True, False]


@pytest.mark.parametrize("lengths", [[0, 2], [2, 5], [-1, 2]])
def test_padding_mask_refuses_lengths_out_of_range(lengths: list[int]) -> None:
    """A length of 0 would give NaN, one above S would hide nothing."""
    with pytest.raises(ValueError, match=r"lengths outside 1\.\.4"):
        attention.padding_mask(torch.tensor(lengths), 4)


def test_padding_changes_nothing() -> None:
    """Whatever stands in the pads, real rows are what they are without any."""
    x = draw(2, 1, 5, 4)
    keep = attention.padding_mask(torch.tensor([3, 5]), 5)
    y = attention.scaled_dot_product_attention(x, x, x, keep)
    noise = torch.where(keep.mT, x, 1e3 * torch.randn_like(x))
    again = attention.scaled_dot_product_attention(x, noise, noise, keep)
    assert_close(again, y, rtol=0, atol=0)
    build_lock = x[:1, :, :3]
    unpadded = attention.scaled_dot_product_attention(build_lock, build_lock, build_lock)
    assert_close(y[:1, :, :3], unpadded)


def test_additive_scores_pair_by_pair() -> None:
    """Each score is v . tanh(W_q q_i + W_k k_j), with q and k of unequal sizes."""
    q, k, v = draw(5, 6), draw(7, 4), draw(3)
    w_q, w_k = draw(6, 3), draw(4, 3)
    scores = attention.additive_scores(q, k, w_q, w_k, v)
    assert scores.shape == (5, 7)
    for i in range(5):
        for j in range(7):
            pair = w_q.T @ q[i] + w_k.T @ k[j]
            assert_close(scores[i, j], v @ torch.tanh(pair))


@pytest.mark.parametrize("count", [1, 3, 12])
def test_heads_are_slices_of_the_features(count: int) -> None:
    """Head h holds features h*D/H to (h+1)*D/H, and merging gives them back."""
    x = draw(2, 5, 12)
    split = heads.split_heads(x, count)
    assert_close(split, torch.stack(x.chunk(count, dim=-1), dim=1))
    assert_close(heads.merge_heads(split), x)


def test_features_must_split_evenly() -> None:
    """A number of heads that does not divide D raises."""
    with pytest.raises(ValueError, match="12 features do not split into 5 heads"):
        heads.split_heads(draw(2, 5, 12), 5)


@pytest.mark.parametrize("count", [1, 3, 6])
def test_multi_head_attention_is_torchs(count: int) -> None:
    """With the weights of nn.MultiheadAttention it gives the same."""
    module = nn.MultiheadAttention(12, count, bias=False, batch_first=True).double()
    x = draw(2, 5, 12)
    w_qkv, w_out = module.get_parameter("in_proj_weight"), module.out_proj.weight
    y = heads.multi_head_attention(x, w_qkv.T, w_out.T, count)
    assert_close(y, module(x, x, x)[0])


@pytest.mark.parametrize("base", [1e4, 100.0])
def test_sinusoid_entry_by_entry(base: float) -> None:
    """Even columns are sines, odd ones cosines, of pos / base**(2i/D)."""
    table = position.sinusoid(20, 6, base)
    for pos in range(20):
        for i in range(3):
            angle = pos / base ** (2 * i / 6)
            pair = torch.tensor([math.sin(angle), math.cos(angle)]).double()
            assert_close(table[pos, 2 * i : 2 * i + 2], pair, rtol=0, atol=1e-7)


@pytest.mark.parametrize("shape", [(7, 8), (2, 3, 7, 8)])
def test_rotate_is_a_complex_product(shape: Sequence[int]) -> None:
    """Pair i is multiplied by exp(i * position * theta_i)."""
    x, positions = draw(*shape), torch.arange(7)
    theta = 1e4 ** (-torch.arange(4, dtype=torch.float64) / 4)
    angles = torch.outer(positions.double(), theta)
    turns = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(x.view(*shape[:-1], 4, 2))
    expected = torch.view_as_real(pairs * turns).flatten(-2)
    assert_close(position.rotate(x, positions), expected)


def test_rotated_scores_know_the_distance_alone() -> None:
    """A shift of all positions changes no score."""
    q, k, here = draw(7, 8), draw(7, 8), torch.arange(7)
    scores = position.rotate(q, here) @ position.rotate(k, here).T
    shifted = position.rotate(q, here + 37) @ position.rotate(k, here + 37).T
    assert_close(shifted, scores)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rotate_keeps_the_dtype_and_the_angles(dtype: DType) -> None:
    """Angles are exact even where the dtype cannot hold the position."""
    x, far = draw(1, 8).to(dtype), torch.tensor([257])
    y = position.rotate(x, far)
    assert y.dtype == dtype
    exact = position.rotate(x.double(), far)
    assert_close(y.double(), exact, rtol=0, atol=4 * torch.finfo(dtype).eps)


def test_odd_features_have_no_pairs() -> None:
    """An odd D raises in both encodings."""
    with pytest.raises(ValueError, match="7 is odd"):
        position.sinusoid(4, 7)
    with pytest.raises(ValueError, match="7 is odd"):
        position.rotate(draw(4, 7), torch.arange(4))


@pytest.mark.parametrize("count", [1, 8, 12])
def test_alibi_falls_with_the_distance(count: int) -> None:
    """Each head has -m (i - j), with the slopes 2**(-8h/H)."""
    bias = position.alibi(count, 4)
    for head in range(count):
        slope = 2 ** (-8 * (head + 1) / count)
        rows = [[-slope * (i - j) for j in range(4)] for i in range(4)]
        assert_close(bias[head], torch.tensor(rows, dtype=torch.float64))


def test_encoder_layer_is_torchs() -> None:
    """Two Post-LN sublayers are nn.TransformerEncoderLayer."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    steady(layer)
    x = draw(2, 5, 8)
    assert_close(transformer.encoder_layer(layer, x), layer(x))


def test_decoder_layer_is_torchs() -> None:
    """Three Post-LN sublayers are nn.TransformerDecoderLayer, its mask inverted."""
    layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    steady(layer)
    x, memory, mask = draw(2, 5, 8), draw(2, 7, 8), attention.causal_mask(5)
    y = transformer.decoder_layer(layer, x, memory, mask)
    assert_close(y, layer(x, memory, tgt_mask=~mask))


def test_layers_refuse_pre_norm() -> None:
    """A Pre-LN layer raises: the functions would give something else."""
    x = draw(2, 5, 8)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
    decoder = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True, norm_first=True)
    with pytest.raises(ValueError, match="Pre-LN"):
        transformer.encoder_layer(encoder, x)
    with pytest.raises(ValueError, match="Pre-LN"):
        transformer.decoder_layer(decoder, x, x, attention.causal_mask(5))
