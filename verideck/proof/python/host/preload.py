"""Functions of torch that import hundreds of modules on first use: called once before any fork."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any


def _compare(torch: Any) -> None:  # noqa: ANN401 - torch has one door, the snippets
    torch.testing.assert_close(torch.zeros(1), torch.zeros(1))


def _optimise(torch: Any) -> None:  # noqa: ANN401
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    weight.sum().backward()
    optimiser.step()


PRELOADS: MappingProxyType[str, Callable[[Any], None]] = MappingProxyType(
    {"assert_close": _compare, "optim": _optimise}
)
"""By the word in a card's code that shows that it will be used."""
