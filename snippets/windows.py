"""Which keys a window keeps, with and without attention sinks.

Sources: Jiang et al. 2023 (arXiv:2310.06825) §2 for windows, Xiao et al. 2023
(arXiv:2309.17453) §3 for sinks.
"""

import torch
from torch import Tensor

from snippets.attention import causal_mask


def window_mask(length: int, window: int) -> Tensor:
    """Return (T, T), True at the window last keys, itself included."""
    position = torch.arange(length)
    back = position[:, None] - position  # (T, T), how far behind
    return (back >= 0) & (back < window)


def sink_mask(length: int, window: int, sinks: int) -> Tensor:
    """Return (T, T), the window's keys and the first ones, for ever."""
    first = torch.arange(length) < sinks  # (T,)
    return causal_mask(length) & (window_mask(length, window) | first)
