"""Targets, loss, learning rate and dropout, against PyTorch's own; and the pictures' data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib").use("agg")

# Only with torch there can the rest be imported.
import matplotlib.pyplot as plt  # noqa: E402
import torch.nn.functional as F  # noqa: E402, N812
from torch import nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import figures_training, training  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def build_lock() -> Iterator[None]:
    """Make every test draw the same numbers alone as in company, and leave no figure."""
    torch.manual_seed(0)
    yield
    plt.close("all")


def test_shift_right_puts_each_token_one_later() -> None:
    """Position i of the input is target i - 1, the first is BOS."""
    tokens = torch.tensor([[5, 6, 7], [8, 9, 2]])
    assert training.shift_right(tokens, bos=1).tolist() == [[1, 5, 6], [1, 8, 9]]


@pytest.mark.parametrize("eps", [0.0, 0.1, 1.0])
def test_smoothed_labels_are_a_distribution(eps: float) -> None:
    """They add up to 1, and the true class keeps 1 - eps + eps / K."""
    q = training.smooth_labels(torch.tensor([2, 0]), 5, eps)
    assert_close(q.sum(-1), torch.ones(2).double())
    assert q[0, 2].item() == pytest.approx(1 - eps + eps / 5)
    assert q[0, 1].item() == pytest.approx(eps / 5)


@pytest.mark.parametrize("eps", [0.0, 0.1, 0.5])
def test_label_smoothing_loss_is_torchs(eps: float) -> None:
    """F.cross_entropy mixes with the uniform distribution over all K classes."""
    logits, target = 3 * torch.randn(6, 7).double(), torch.randint(7, (6,))
    expected = F.cross_entropy(logits, target, label_smoothing=eps)
    assert_close(training.label_smoothing_loss(logits, target, eps), expected)


@pytest.mark.parametrize("eps", [-0.1, 1.1])
def test_a_share_outside_of_0_to_1_is_refused(eps: float) -> None:
    """It would be no distribution."""
    with pytest.raises(ValueError, match="eps is a probability"):
        training.smooth_labels(torch.tensor([0]), 5, eps)
    with pytest.raises(ValueError, match="p is a share below 1"):
        training.dropout(torch.ones(3), eps, training=True)


def test_noam_is_a_torch_scheduler() -> None:
    """LambdaLR, whose steps are counted from 0, gives the same rates."""
    parameter = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=1.0)
    rates = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: training.noam(s + 1, 64, 10))
    for step in range(1, 40):
        assert rates.get_last_lr()[0] == pytest.approx(training.noam(step, 64, 10))
        optimiser.step()
        rates.step()


def test_noam_peaks_at_the_end_of_the_warm_up() -> None:
    """Linear up to there, then as the inverse root."""
    peak = training.noam(4000)
    assert peak == pytest.approx(1 / math.sqrt(512 * 4000))
    assert training.noam(1000) == pytest.approx(peak / 4)
    assert training.noam(16000) == pytest.approx(peak / 2)
    assert max(range(1, 20000), key=training.noam) == 4000


def test_noam_has_no_step_0() -> None:
    """Its inverse root would be a division by 0."""
    with pytest.raises(ValueError, match="counted from 1"):
        training.noam(0)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5])
def test_dropout_is_torchs(p: float) -> None:
    """The same values but for which are dropped; the mean stays; eval is the identity."""
    x = torch.ones(100_000, dtype=torch.float64)
    ours, torchs = training.dropout(x, p, training=True), F.dropout(x, p)
    assert set(ours.tolist()) == set(torchs.tolist())
    assert ours.mean().item() == pytest.approx(1, abs=0.02)
    assert training.dropout(x, p, training=False) is x


def test_the_last_layers_gradient_falls_with_the_depth_of_pre_norm_alone() -> None:
    """Xiong et al. 2020, theorem 1: constant, and as the inverse root."""
    post, pre = figures_training.draw_last_layer((4, 16))
    assert post[1] / post[0] == pytest.approx(1, abs=0.25)
    assert pre[1] / pre[0] == pytest.approx(0.5, abs=0.125)


def test_the_curves_are_those_of_the_functions() -> None:
    """What is drawn is what training computes."""
    lead, hard, soft = figures_training.draw_smoothed_loss(0.1, 10)
    assert hard.argmin() == len(lead) - 1
    assert lead[soft.argmin()].item() == pytest.approx(math.log(0.91 / 0.01), abs=0.05)
    own, causal, cross = figures_training.draw_masks(5, 6)
    assert own.all()
    assert causal.sum() == 5 * 6 / 2
    assert cross.shape == (5, 6)
    post, pre = (figures_training.mean_gradients(6, norm_first=kind) for kind in (False, True))
    assert post[-1] > pre[-1]
