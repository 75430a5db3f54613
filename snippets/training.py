"""What the original Transformer was trained with: targets, loss, learning rate, dropout.

Sources: Vaswani et al. 2017 (arXiv:1706.03762) §3.1, §5.3, §5.4; Szegedy et al. 2015
(arXiv:1512.00567) §7 for label smoothing; Srivastava et al. 2014 for dropout, here in
its inverted form, which is torch's. N is a number of tokens, K of classes.
"""

import torch
from torch import Tensor


def shift_right(tokens: Tensor, bos: int) -> Tensor:
    """(B, T) targets -> (B, T) decoder inputs: BOS, then all but the last."""
    start = torch.full_like(tokens[:, :1], bos)  # (B, 1)
    return torch.cat((start, tokens[:, :-1]), -1)


def smooth_labels(target: Tensor, classes: int, eps: float) -> Tensor:
    """(N,) -> (N, K): (1 - eps) * onehot + eps / K.

    An eps outside 0..1 raises ValueError.
    """
    if not 0 <= eps <= 1:
        msg = f"eps is a probability, not {eps}"
        raise ValueError(msg)
    one_hot = torch.eye(classes, dtype=torch.float64)[target]  # (N, K)
    return (1 - eps) * one_hot + eps / classes


def label_smoothing_loss(logits: Tensor, target: Tensor, eps: float) -> Tensor:
    """(N, K), (N,) -> (): mean cross-entropy with the smoothed labels."""
    q = smooth_labels(target, logits.size(-1), eps)  # (N, K)
    return -(q * logits.log_softmax(-1)).sum(-1).mean()


def noam(step: int, d_model: int = 512, warmup: int = 4000) -> float:
    """Return the rate of step 1, 2, ...; step 0 raises ValueError."""
    if step < 1:
        msg = f"steps are counted from 1, not {step}"
        raise ValueError(msg)
    rise = step * warmup**-1.5
    fall = step**-0.5
    return float(d_model**-0.5 * min(rise, fall))


def dropout(x: Tensor, p: float, *, training: bool) -> Tensor:
    """Set a share p to 0 and scale the rest by 1 / (1 - p).

    Where training is False x is returned. A p outside 0..1, or 1
    itself, raises ValueError.
    """
    if not 0 <= p < 1:
        msg = f"p is a share below 1, not {p}"
        raise ValueError(msg)
    if not training:
        return x
    keep = torch.rand_like(x) >= p
    return x * keep / (1 - p)
