"""Softmax, masks, several heads and their pictures, against PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest

torch = pytest.importorskip("torch")
plt = pytest.importorskip("matplotlib.pyplot")

# Only with torch there can the rest be imported.
from tensors import draw  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.attention.bias import causal_lower_right  # noqa: E402
from torch.nn.functional import scaled_dot_product_attention as by_torch  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import attention, figures_attention, heads  # noqa: E402


@pytest.fixture(autouse=True)
def seed() -> None:
    """Make every test draw the same numbers alone as in company."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_figures() -> Iterator[None]:
    """Close what a test has drawn."""
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("spread", [1.0, 1e4])
@pytest.mark.parametrize("dim", [-1, 0, 1])
def test_softmax_is_torchs(dim: int, spread: float) -> None:
    """Along any axis, and also where a bare exponential would overflow."""
    z = draw(3, 4, 5, spread=spread)
    assert_close(attention.softmax(z, dim), z.softmax(dim))
    assert_close(attention.softmax(z), z.softmax(-1))


def test_softmax_of_nothing_is_nan() -> None:
    """A row of -inf is NaN, as PyTorch's is; a row with one number is not."""
    z = torch.full((2, 3), -math.inf)
    z[1, 0] = 2.0
    assert_close(attention.softmax(z), z.softmax(-1), equal_nan=True)
    assert attention.softmax(z).isnan().all(-1).tolist() == [True, False]


def test_safe_softmax_is_what_torchs_attention_does() -> None:
    """A row without a key is zero, in attention too; all other rows are softmax's."""
    mask = torch.tensor([[True, False], [False, False]])
    q, k, v = draw(3, 1, 1, 2, 4)
    scores = (q @ k.mT / 2).masked_fill(~mask, -math.inf)
    assert_close(attention.safe_softmax(scores) @ v, by_torch(q, k, v, attn_mask=mask))
    z = draw(3, 5)
    assert_close(attention.safe_softmax(z), z.softmax(-1))


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3, 4)])
def test_softmax_jacobian_is_autograds(shape: tuple[int, ...]) -> None:
    """Row by row it is what autograd computes."""
    z = draw(*shape)
    rows = z.reshape(-1, shape[-1])
    by_rows = [torch.autograd.functional.jacobian(lambda row: row.softmax(-1), row) for row in rows]
    expected = torch.stack(by_rows).view(*shape, shape[-1])
    assert_close(attention.softmax_jacobian(z), expected)


@pytest.mark.parametrize(("queries", "keys"), [(1, 5), (3, 5), (4, 4)])
def test_lower_right_mask_is_torchs(queries: int, keys: int) -> None:
    """The last query sees every key, whatever the number of queries."""
    mask = attention.causal_mask_lower_right(queries, keys)
    assert mask[-1].all()
    assert mask.sum(-1).tolist() == [keys - queries + i + 1 for i in range(queries)]
    q, k, v = draw(1, 1, queries, 4), draw(1, 1, keys, 4), draw(1, 1, keys, 4)
    bias = causal_lower_right(queries, keys)
    assert_close(by_torch(q, k, v, attn_mask=mask), by_torch(q, k, v, attn_mask=bias))


def test_multi_head_attention_takes_a_mask() -> None:
    """True takes part here; PyTorch's module hides what is True."""
    module = nn.MultiheadAttention(12, 3, bias=False, batch_first=True).double()
    x, keep = draw(2, 5, 12), attention.padding_mask(torch.tensor([3, 5]), 5)
    w_qkv, w_out = module.get_parameter("in_proj_weight"), module.out_proj.weight
    y = heads.multi_head_attention(x, w_qkv.T, w_out.T, 3, keep)
    assert_close(y, module(x, x, x, key_padding_mask=~keep[:, 0, 0])[0])


@pytest.mark.parametrize("count", [1, 3])
def test_cross_attention_is_torchs(count: int) -> None:
    """Queries of one sequence, keys and values of another, whose pads are hidden."""
    module = nn.MultiheadAttention(12, count, bias=False, batch_first=True).double()
    x, memory = draw(2, 4, 12), draw(2, 6, 12)
    keep = attention.padding_mask(torch.tensor([3, 6]), 6)
    w = module.get_parameter("in_proj_weight").T
    w_out = module.out_proj.weight.T
    y = heads.multi_head_cross_attention(x, memory, w[:, :12], w[:, 12:], w_out, count, keep)
    hide = ~keep[:, 0, 0]
    assert_close(y, module(x, memory, memory, key_padding_mask=hide)[0])
    bare = heads.multi_head_cross_attention(x, memory, w[:, :12], w[:, 12:], w_out, count)
    assert_close(bare, module(x, memory, memory)[0])


SIZES = [4, 16, 64, 256, 1024]
FIGURES: dict[str, Callable[[], object]] = {
    "variance": lambda: figures_attention.draw_variance(SIZES, [float(size) for size in SIZES]),
    "saturation": lambda: figures_attention.draw_saturation(SIZES),
    "jacobian": figures_attention.draw_jacobian,
    "maps": lambda: figures_attention.draw_maps(torch.eye(3), torch.ones(3, 3) / 3),
    "rank": lambda: figures_attention.draw_rank(torch.ones(4), torch.zeros(4)),
}


@pytest.mark.parametrize("drawn", FIGURES.values(), ids=FIGURES)
def test_each_picture_is_one_figure(drawn: Callable[[], object]) -> None:
    """One figure is opened, and drawing it again returns the same numbers."""
    first = drawn()
    assert len(plt.get_fignums()) == 1
    assert drawn() == first


def test_pictures_show_what_they_say() -> None:
    """The drawn numbers are those of the formulas."""
    raw = [float(size) for size in SIZES]
    assert figures_attention.draw_variance(SIZES, raw) == [1.0] * len(SIZES)
    leads, norms = figures_attention.draw_jacobian(keys=4)
    assert leads[0] == 0
    assert norms[0] > norms[-1]
    figures_attention.draw_rank(torch.ones(4), torch.zeros(4))
    narrow, wide = plt.gca().get_lines()
    assert list(narrow.get_ydata()) == [1.0] * 4
    assert max(wide.get_ydata()) > 0  # a logarithm has no place for 0
