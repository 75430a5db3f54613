"""The position encodings that the cards show, against PyTorch's own and the papers' formulas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
import torch.nn.functional as F  # noqa: E402, N812
from tensors import draw  # noqa: E402
from torch import nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import position  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor
    from torch import dtype as DType  # noqa: N812

    Rotation = Callable[[Tensor, Tensor], Tensor]


@pytest.fixture(autouse=True)
def seed() -> None:
    """Make every test draw the same numbers alone as in company."""
    torch.manual_seed(0)


def half_of(size: int) -> Tensor:
    """Return the order of columns that makes interleaved pairs half-split ones."""
    order: Tensor = torch.arange(size).view(-1, 2).T.reshape(-1)
    return order


@pytest.mark.parametrize("shape", [(5, 8), (2, 5, 8), (2, 3, 12, 8)])
def test_learned_is_an_embedding_of_positions(shape: Sequence[int]) -> None:
    """It gives what nn.Embedding of 0..T-1 adds."""
    embedding = nn.Embedding(12, 8).double()
    x = draw(*shape)
    expected = x + embedding(torch.arange(shape[-2]))
    assert_close(position.learned(x, embedding.weight), expected)


def test_learned_has_no_row_above_its_maximum() -> None:
    """One token too many raises, as nn.Embedding does."""
    with pytest.raises(IndexError):
        position.learned(draw(13, 8), draw(12, 8))
    with pytest.raises(IndexError):
        nn.Embedding(12, 8)(torch.arange(13))


@pytest.mark.parametrize(("length", "limit"), [(1, 1), (5, 2), (5, 9)])
def test_relative_scores_pair_by_pair(length: int, limit: int) -> None:
    """Each score is q_i . (k_j + a[clip(j - i)]) / sqrt(D)."""
    q, k, table = draw(length, 6), draw(length, 6), draw(2 * limit + 1, 6)
    scores = position.relative_scores(q, k, table)
    assert scores.shape == (length, length)
    for i in range(length):
        for j in range(length):
            row = max(-limit, min(limit, j - i)) + limit
            assert_close(scores[i, j], q[i] @ (k[j] + table[row]) / math.sqrt(6))


def test_relative_scores_without_a_table_are_torchs() -> None:
    """A table of zeros leaves scaled dot-product attention."""
    q, k, v = draw(3, 5, 8)
    weights = position.relative_scores(q, k, torch.zeros(7, 8).double()).softmax(-1)
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    assert_close(weights @ v, expected)


def test_t5_buckets_are_the_references() -> None:
    """They are those of T5's code: exact below 8, logarithmic to 128, 15 and 31 from there on."""
    for distance in range(-300, 301):
        near, behind = abs(distance), distance > 0
        bucket = near if near < 8 else min(15, 8 + int(math.log2(near / 8) * 2))
        assert position.t5_bucket(torch.tensor([distance])).item() == bucket + 16 * behind


@pytest.mark.parametrize("turn", [position.rope, position.rope_half_split])
@pytest.mark.parametrize("shape", [(7, 8), (2, 3, 7, 8)])
def test_rope_keeps_shape_length_and_distance(turn: Rotation, shape: Sequence[int]) -> None:
    """Vectors keep their norms, position 0 its vectors, and scores know the distance alone."""
    q, k, here = draw(*shape), draw(*shape), torch.arange(7)
    describe = turn(q, here)
    assert describe.shape == q.shape
    assert_close(describe.norm(dim=-1), q.norm(dim=-1))
    assert_close(describe[..., 0, :], q[..., 0, :])
    scores = describe @ turn(k, here).mT
    assert_close(turn(q, here + 37) @ turn(k, here + 37).mT, scores)


@pytest.mark.parametrize("base", [1e4, 5e5])
def test_the_layouts_differ_by_an_order_of_columns(base: float) -> None:
    """Half-split on permuted columns is interleaved, permuted."""
    x, here, order = draw(2, 7, 8), torch.arange(7), half_of(8)
    expected = position.rope(x, here, base)[..., order]
    assert_close(position.rope_half_split(x[..., order], here, base), expected)
    mixed = position.rope_half_split(x, here, base) - position.rope(x, here, base)
    assert mixed.abs().max() > 0.1


def test_rope_is_a_complex_product() -> None:
    """Pair i is multiplied by exp(i * position * theta_i), as torch.polar gives it."""
    x, here = draw(2, 7, 8), torch.arange(7)
    angles = torch.outer(here.double(), position.frequencies(8))
    turns = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(x.view(2, 7, 4, 2))
    assert_close(position.rope(x, here), torch.view_as_real(pairs * turns).flatten(-2))
    assert position.rotate is position.rope


def test_rotate_half_is_a_quarter_turn() -> None:
    """Twice it turns round, and what it gives is orthogonal."""
    x = draw(3, 8)
    assert_close(position.rotate_half(position.rotate_half(x)), -x)
    assert_close((x * position.rotate_half(x)).sum(-1), torch.zeros(3).double())
    assert_close(position.rotate_half(x)[:, 4:], x[:, :4])


def test_odd_features_have_no_halves() -> None:
    """An odd D raises ValueError."""
    with pytest.raises(ValueError, match="7 is odd"):
        position.rope_half_split(draw(4, 7), torch.arange(4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_half_split_keeps_the_dtype_and_the_angles(dtype: DType) -> None:
    """Angles are exact even where the dtype cannot hold the position."""
    x, far = draw(1, 8).to(dtype), torch.tensor([257])
    y = position.rope_half_split(x, far)
    assert y.dtype == dtype
    exact = position.rope_half_split(x.double(), far)
    assert_close(y.double(), exact, rtol=0, atol=8 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("count", [1, 4, 8, 16])
def test_alibi_is_what_torch_adds(count: int) -> None:
    """As a float mask of SDPA it biases the scores, later keys hidden."""
    q, k, v = draw(3, count, 5, 8)
    bias = position.alibi(count, 5)
    assert bias.shape == (count, 5, 5)
    hidden = torch.ones(5, 5).triu(1).bool()
    mask = bias.masked_fill(hidden, -torch.inf)
    scores = q @ k.mT / math.sqrt(8) + mask
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    assert_close(scores.softmax(-1) @ v, expected)
    ratio = 2.0 ** (-8 / count)
    assert_close(bias[:, 1, 0], -(ratio ** torch.arange(1, count + 1).double()))
