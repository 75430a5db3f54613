"""Caches, shared heads, windows, tiles, longer contexts and gates, against PyTorch's own."""

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
from torch.nn.functional import silu  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import (  # noqa: E402
    block,
    cache,
    context,
    figures_attention,
    figures_extension,
    flash,
    position,
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


# The cache


@pytest.mark.parametrize("prompt", [0, 1, 4])
def test_decoding_is_the_causal_pass(prompt: int) -> None:
    """Token by token behind a prompt, with rotated keys, gives the rows of one causal pass."""
    q, k, v = draw(3, 2, 3, 6, 8)
    at = torch.arange(6)
    q, k = position.rope(q, at), position.rope(k, at)
    whole = by_torch(q, k, v, is_causal=True)
    past = k[..., :prompt, :], v[..., :prompt, :]
    for t in range(prompt, 6):
        new_q, new_k, new_v = (each[..., t : t + 1, :] for each in (q, k, v))
        out, past = cache.decode_step(new_q, new_k, new_v, past)
        assert_close(out, whole[..., t : t + 1, :])
    assert_close(past[0], k)
    assert_close(past[1], v)


def test_cache_bytes_are_those_of_the_tensors() -> None:
    """They are what two fp16 tensors for each layer take."""
    kept = torch.zeros(2, 3, 4, 5, 8, dtype=torch.float16)  # K and V, layers, heads, T, D
    assert cache.cache_bytes(3, 4, 8, tokens=5) == kept.numel() * kept.element_size()
    assert cache.cache_bytes(3, 4, 8, 5, width=4) == 2 * cache.cache_bytes(3, 4, 8, 5)


# Shared heads


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_grouped_queries_are_torchs(groups: int) -> None:
    """From MQA to MHA it is PyTorch's, and that of keys repeated group by group."""
    q, k, v = draw(2, 8, 5, 4), draw(2, groups, 7, 4), draw(2, groups, 7, 6)
    mask = torch.rand(5, 7) < 0.5
    mask[:, 0] = True
    out = cache.grouped_query_attention(q, k, v, mask)
    assert_close(out, by_torch(q, k, v, mask, enable_gqa=True))
    repeated_k, repeated_v = (each.repeat_interleave(8 // groups, 1) for each in (k, v))
    assert_close(out, by_torch(q, repeated_k, repeated_v, mask))
    if groups == 8:
        assert_close(out, by_torch(q, k, v, mask))


MASKS = ((5, 7), (1, 7), (2, 1, 1, 7), (2, 1, 5, 7), (2, 8, 5, 7), (1, 8, 1, 7))


@pytest.mark.parametrize("shape", MASKS)
@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_grouped_queries_take_every_mask_that_broadcasts(
    groups: int, shape: tuple[int, ...]
) -> None:
    """A mask of queries, of a sample's keys, or of single heads means what it means to PyTorch.

    The batch has as many samples as there are groups in one of the cases, where axes that are
    mistaken for one another raise nothing.
    """
    q, k = draw(2, 8, 5, 4), draw(2, groups, 7, 4)
    mask = torch.rand(shape) < 0.5
    mask[..., 0] = True
    out = cache.grouped_query_attention(q, k, k, mask)
    assert_close(out, by_torch(q, k, k, mask, enable_gqa=True))


def test_grouped_queries_refuse_a_mask_of_other_sizes() -> None:
    """A mask that cannot be broadcast raises, here as in PyTorch."""
    q, k, mask = draw(2, 8, 5, 4), draw(2, 2, 7, 4), torch.ones(3, 1, 1, 7).bool()
    with pytest.raises(RuntimeError):
        cache.grouped_query_attention(q, k, k, mask)
    with pytest.raises(RuntimeError):
        by_torch(q, k, k, mask, enable_gqa=True)


def test_heads_that_do_not_split_raise() -> None:
    """A number of groups that does not divide the heads raises, here as in PyTorch."""
    q, k = draw(1, 8, 5, 4), draw(1, 3, 5, 4)
    with pytest.raises(ValueError, match="8 query heads do not split into 3 groups"):
        cache.grouped_query_attention(q, k, k)
    with pytest.raises(RuntimeError):
        by_torch(q, k, k, enable_gqa=True)
    with pytest.raises(ValueError, match="into 3 groups"):
        cache.pool_heads(draw(8, 4, 2), 3)


def test_pooling_averages_neighbouring_heads() -> None:
    """Heads 0 and 1 make group 0; groups of equal heads lose nothing."""
    w = draw(8, 6, 4)
    pooled = cache.pool_heads(w, 4)
    assert_close(pooled[0], (w[0] + w[1]) / 2)
    assert_close(pooled[3], (w[6] + w[7]) / 2)
    assert_close(cache.pool_heads(pooled.repeat_interleave(2, 0), 4), pooled)


def test_latents_are_attended_to_as_their_keys_would_be() -> None:
    """Absorbed projections give what keys and values built from the latents give."""
    q, latent, w_uk, w_uv = draw(3, 5, 8), draw(7, 4), draw(3, 4, 8), draw(3, 4, 6)
    out = cache.latent_attention(q, latent, w_uk, w_uv)
    assert_close(out, by_torch(q[None], (latent @ w_uk)[None], (latent @ w_uv)[None])[0])


# Windows and sinks


@pytest.mark.parametrize("window", [1, 3, 9])
def test_window_rows_sum_to_the_keys_in_reach(window: int) -> None:
    """Row i has min(i + 1, window) keys, the last of them itself."""
    mask = cache.window_mask(7, window)
    assert mask.sum(-1).tolist() == [min(i + 1, window) for i in range(7)]
    assert mask.diagonal().all()
    assert not mask.triu(1).any()


def test_sinks_stay_when_the_window_has_moved_on() -> None:
    """The first keys stay visible, and nothing later than the query does."""
    mask = cache.sink_mask(9, 3, 2)
    rows = [[j <= i and (i - j < 3 or j < 2) for j in range(9)] for i in range(9)]
    assert mask.tolist() == rows
    assert torch.equal(cache.sink_mask(9, 3, 0), cache.window_mask(9, 3))


# Tiles


@pytest.mark.parametrize("spread", [1.0, 1e3])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_tiles_are_exact(size: int, spread: float) -> None:
    """Whatever the tile, it is PyTorch's attention, also for scores that would overflow."""
    q, k, v = draw(2, 3, 5, 4, spread=spread), draw(2, 3, 7, 4, spread=spread), draw(2, 3, 7, 6)
    assert_close(flash.attend_tiled(q, k, v, size), by_torch(q, k, v))


def test_statistics_in_one_pass_are_those_of_two() -> None:
    """They are the maximum and the shifted sum, of rising and of falling numbers."""
    z = torch.cat((draw(4, 9), torch.arange(9).expand(1, 9), -torch.arange(9).expand(1, 9)))
    top, total = flash.online_statistics(1e3 * z)
    assert_close(top, 1e3 * z.amax(-1))
    assert_close(top + total.log(), (1e3 * z).logsumexp(-1))


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_parts_merge_to_the_whole(cut: int) -> None:
    """Attention to two parts of the keys, joined, is attention to all of them."""
    q, k, v = draw(2, 3, 5, 4), draw(2, 3, 7, 4), draw(2, 3, 7, 6)
    parts = [
        flash.attend_part(q, k[..., part, :], v[..., part, :])
        for part in (slice(cut), slice(cut, None))
    ]
    out, lse = flash.merge(*parts[0], *parts[1])
    whole, whole_lse = flash.attend_part(q, k, v)
    assert_close(out, whole)
    assert_close(lse, whole_lse)
    assert_close(out, by_torch(q, k, v))


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


# Blocks


def test_swiglu_is_three_linear_layers() -> None:
    """It is torch's Linear and SiLU, with the weights transposed."""
    gate, up, down = (nn.Linear(*s, bias=False).double() for s in ((6, 10), (6, 10), (10, 6)))
    x = draw(2, 5, 6)
    weights = (layer.weight.T for layer in (gate, up, down))
    assert_close(block.swiglu(x, *weights), down(silu(gate(x)) * up(x)))


def test_swiglu_widths_are_llamas() -> None:
    """Touvron et al. 2023: the four models' hidden sizes, from Table 2's dimensions."""
    widths = [block.swiglu_width(size) for size in (4096, 5120, 6656, 8192)]
    assert widths == [11008, 13824, 17920, 22016]


def test_normalised_scores_are_torchs() -> None:
    """They are those of nn.RMSNorm's queries and keys, whatever the inputs' size."""
    q, k, gains = draw(3, 5, 8, spread=50), draw(3, 7, 8, spread=50), draw(2, 8)
    norms = [nn.RMSNorm(8, eps=1e-5).double() for _ in gains]
    with torch.no_grad():
        for norm, gain in zip(norms, gains, strict=True):
            norm.weight.copy_(gain)
    scores = block.qk_norm_scores(q, k, *gains)
    assert_close(scores, norms[0](q) @ norms[1](k).mT / math.sqrt(8))
    ones = torch.ones(2, 8, dtype=torch.float64)
    assert block.qk_norm_scores(q, q, *ones).max() <= math.sqrt(8)


# Pictures


PICTURES: tuple[Callable[[], object], ...] = (
    figures_extension.draw_caches,
    figures_extension.draw_windows,
    figures_extension.draw_scalings,
    figures_extension.draw_logits,
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
