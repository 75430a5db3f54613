"""Tensors and layers to compare the deck's snippets with; for whoever has torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def draw(*shape: int, spread: float = 1.0) -> Tensor:
    """Return random float64 numbers around 0."""
    numbers: Tensor = spread * torch.randn(shape, dtype=torch.float64)
    return numbers


def steady(layer: nn.Module) -> nn.Module:
    """Turn a layer to float64 in eval mode, with no parameter at its initial 0 or 1."""
    layer = layer.double().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return layer
