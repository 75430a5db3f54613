"""What the blocks of today's language models have that the original's have not.

Sources: Shazeer 2020 (arXiv:2002.05202) §2 for SwiGLU, Touvron et al. 2023 (arXiv:2302.13971)
§2.2 for its width, Henry et al. 2020 (arXiv:2010.04245) and Dehghani et al. 2023
(arXiv:2302.05442) for normalised queries and keys, here by RMSNorm as most models do.
"""

import math

from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from snippets.norm import rms_norm


def swiglu(
    x: Tensor,
    w_gate: Tensor,
    w_up: Tensor,
    w_down: Tensor,
) -> Tensor:
    """(..., D) -> (..., D); weights (D, F), (D, F), (F, D), no bias."""
    hidden = F.silu(x @ w_gate) * (x @ w_up)  # (..., F)
    return hidden @ w_down  # (..., D)


def swiglu_width(size: int, multiple: int = 256) -> int:
    """Return two thirds of 4 D, rounded up to a multiple."""
    width = 8 * size // 3
    return -(-width // multiple) * multiple


def qk_norm_scores(
    q: Tensor,
    k: Tensor,
    gain_q: Tensor,
    gain_k: Tensor,
) -> Tensor:
    """(..., L, D), (..., S, D), gains (D,) twice -> (..., L, S)."""
    q, k = rms_norm(q, gain_q), rms_norm(k, gain_k)
    return q @ k.mT / math.sqrt(q.size(-1))
