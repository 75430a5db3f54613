"""Normalisation as the cards show it: against PyTorch's modules, its gradients and its fusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
from tensors import draw  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.utils.fusion import fuse_linear_bn_eval  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from snippets import norm  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence


SHAPES = [(8, 8), (2, 5, 8), (2, 3, 4, 8)]
"""Shapes (..., D); with equal sizes a forgotten keepdim broadcasts in silence."""


@pytest.fixture(autouse=True)
def seed() -> None:
    """Make every test draw the same numbers alone as in company."""
    torch.manual_seed(0)


@pytest.mark.parametrize("spread", [1.0, 0.03])
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm_is_the_module(shape: Sequence[int], spread: float) -> None:
    """With nn.LayerNorm's parameters it gives its output, shape and gradient."""
    module = nn.LayerNorm(8, eps=1e-3).double()
    x = draw(*shape, spread=spread).requires_grad_()
    y = norm.layer_norm(x, module.weight, module.bias, module.eps)
    assert y.shape == x.shape
    assert_close(y, module(x))
    (own,) = torch.autograd.grad(y.pow(3).sum(), x)
    (theirs,) = torch.autograd.grad(module(x).pow(3).sum(), x)
    assert_close(own, theirs)


@pytest.mark.parametrize("spread", [1.0, 0.03])
@pytest.mark.parametrize("shape", SHAPES)
def test_rms_norm_is_the_module(shape: Sequence[int], spread: float) -> None:
    """With nn.RMSNorm's parameter it gives its output, shape and gradient."""
    module = nn.RMSNorm(8, eps=1e-3).double()
    x = draw(*shape, spread=spread).requires_grad_()
    y = norm.rms_norm(x, module.weight, 1e-3)
    assert y.shape == x.shape
    assert_close(y, module(x))
    (own,) = torch.autograd.grad(y.pow(3).sum(), x)
    (theirs,) = torch.autograd.grad(module(x).pow(3).sum(), x)
    assert_close(own, theirs)


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 4), (3, 8, 2, 5)])
def test_batch_norm_follows_the_module(shape: Sequence[int]) -> None:
    """Over many batches its running statistics stay nn.BatchNorm's, and so does evaluation."""
    module = (nn.BatchNorm1d(8) if len(shape) < 4 else nn.BatchNorm2d(8)).double()
    running = norm.Statistics(torch.zeros(8).double(), torch.ones(8).double())
    for _ in range(20):
        x = 1 + draw(*shape, spread=0.1)
        y, running = norm.batch_norm_train(x, module.weight, module.bias, running)
        assert y.shape == x.shape
        assert_close(y, module(x))
    assert_close(running.mean, module.running_mean)
    assert_close(running.var, module.running_var)
    module.eval()
    y = norm.batch_norm_eval(x, module.weight, module.bias, running)
    assert_close(y, module(x))


def test_folding_is_torchs_fusion() -> None:
    """A folded Linear is Linear and BN in evaluation, and what PyTorch's own fusion makes."""
    linear, module = nn.Linear(6, 8).double(), nn.BatchNorm1d(8).double()
    with torch.no_grad():
        module.weight.copy_(draw(8))
        module.bias.copy_(draw(8))
        for _ in range(5):
            module(linear(1 + draw(32, 6)))
    module.eval()
    running = norm.Statistics(*map(module.get_buffer, ("running_mean", "running_var")))
    weight, bias = norm.fold_batch_norm(linear, module.weight, module.bias, running)
    fused = fuse_linear_bn_eval(linear.eval(), module)
    assert_close(weight, fused.weight)
    assert_close(bias, fused.bias)
    x = draw(5, 6)
    assert_close(x @ weight.T + bias, module(linear(x)))
