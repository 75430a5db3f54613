"""Windows, longer contexts and the figures of the extension, against PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest

torch = pytest.importorskip("torch")
plt = pytest.importorskip("matplotlib.pyplot")

# Only with torch there can the rest be imported.
from tensors import draw  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.functional import scaled_dot_product_attention as by_torch  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import (  # noqa: E402
    context,
    figures_attention,
    figures_extension,
    position,
    windows,
)


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


# Windows and sinks


@pytest.mark.parametrize("window", [1, 3, 9])
def test_window_rows_sum_to_the_keys_in_reach(window: int) -> None:
    """Row i has min(i + 1, window) keys, the last of them itself."""
    mask = windows.window_mask(7, window)
    assert mask.sum(-1).tolist() == [min(i + 1, window) for i in range(7)]
    assert mask.diagonal().all()
    assert not mask.triu(1).any()


def test_sinks_stay_when_the_window_has_moved_on() -> None:
    """The first keys stay visible, and nothing later than the query does."""
    mask = windows.sink_mask(9, 3, 2)
    rows = [[j <= i and (i - j < 3 or j < 2) for j in range(9)] for i in range(9)]
    assert mask.tolist() == rows
    assert torch.equal(windows.sink_mask(9, 3, 0), windows.window_mask(9, 3))


# Longer contexts


def test_turning_by_given_frequencies_is_rope() -> None:
    """With RoPE's own frequencies it is RoPE, and the dtype stays."""
    x, at = draw(2, 7, 8), torch.arange(7)
    assert_close(context.turn(x, at, position.frequencies(8)), position.rope(x, at))
    assert context.turn(x.float(), at, position.frequencies(8)).dtype == torch.float32


def test_interpolation_divides_positions() -> None:
    """Slower frequencies and smaller positions are the same."""
    x, at = draw(2, 7, 8), torch.arange(7)
    slower = context.turn(x, at, context.interpolated(8, 4.0))
    assert_close(slower, position.rope(x, at / 4))


@pytest.mark.parametrize("size", [4, 64, 128])
@pytest.mark.parametrize("scale", [2.0, 8.0])
def test_ntk_keeps_the_first_and_divides_the_last(size: int, scale: float) -> None:
    """Between them the factors fall evenly in the logarithm."""
    factors = context.ntk_aware(size, scale) / position.frequencies(size)
    steps = torch.arange(size // 2).double() / (size // 2 - 1)
    assert_close(factors, scale**-steps)


def test_ntk_needs_two_pairs() -> None:
    """A single pair raises."""
    with pytest.raises(ValueError, match="one pair"):
        context.ntk_aware(2, 8.0)


def test_yarn_keeps_divides_and_blends() -> None:
    """Pair by pair it is the paper's ramp: 17 kept, 24 between, 23 divided."""
    theta, scaled = position.frequencies(128), context.yarn(128, 8.0, 2048)
    counts = {"kept": 0, "between": 0, "divided": 0}
    for before, after in zip(theta.tolist(), scaled.tolist(), strict=True):
        turns = 2048 * before / (2 * math.pi)
        ramp = min(1.0, max(0.0, (turns - 1) / 31))
        assert math.isclose(after, ramp * before + (1 - ramp) * before / 8)
        counts["divided" if turns < 1 else "between" if turns <= 32 else "kept"] += 1
    assert counts == {"kept": 17, "between": 24, "divided": 23}
    assert_close(context.yarn(128, 1.0, 2048), theta)


def test_yarns_factor_sharpens() -> None:
    """It is 1 without scaling, and the scores of scaled queries and keys grow by its square."""
    assert context.yarn_factor(1) == 1
    assert math.isclose(context.yarn_factor(8) ** 2, 1.459, abs_tol=5e-4)


# Pictures


PICTURES: tuple[Callable[[], object], ...] = (
    figures_extension.draw_windows,
    figures_extension.draw_scalings,
    figures_extension.draw_collapse,
)


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_open_one_figure(picture: Callable[[], object]) -> None:
    """Each leaves one figure open, and draws the same data again."""
    first, again = picture(), picture()
    assert len(plt.get_fignums()) == 2
    assert repr(first) == repr(again)


def test_distances_are_those_of_torchs_attention() -> None:
    """The tokens of one head without projections' bias come together as PyTorch's do."""
    pure = figures_extension.distances(2, figures_extension.attention_layer)
    drawn: Tensor = figures_attention.normal(32 + 22 * 64, 64)
    h, weights = drawn[:32], drawn[32:].view(2, 11, 64, 64) / 8
    for index, w in enumerate(weights):
        assert math.isclose(pure[index], (h - h.mean(0)).norm() / h.norm())
        q, k, v = (h @ w[:3])[:, None]
        h = by_torch(q, k, v)[0]
    assert math.isclose(pure[2], (h - h.mean(0)).norm() / h.norm(), rel_tol=1e-9)


def test_a_whole_block_is_torchs() -> None:
    """The block of the figure is a Pre-LN encoder layer of one head, without biases."""
    h, w = draw(5, 16), draw(11, 16, 16)
    layer = nn.TransformerEncoderLayer(16, 1, 64, 0.0, batch_first=True, norm_first=True).double()
    with torch.no_grad():
        for bias in (layer.self_attn.in_proj_bias, layer.self_attn.out_proj.bias):
            bias.zero_()
        layer.self_attn.in_proj_weight.copy_(torch.cat(list(w[:3].mT)))
        layer.self_attn.out_proj.weight.copy_(torch.eye(16))
        layer.linear1.weight.copy_(torch.cat(list(w[3:7].mT)))
        layer.linear2.weight.copy_(torch.cat(list(w[7:].mT), dim=1) / 2)
        layer.linear1.bias.zero_()
        layer.linear2.bias.zero_()
    assert_close(figures_extension.pre_ln_block(h, w), layer(h[None])[0].detach())
