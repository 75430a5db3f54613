"""The modules that a learner writes by hand, as the cards show them, are one program."""

from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

# Only with torch there can the rest be imported.
import math  # noqa: E402

import torch.nn.functional as F  # noqa: E402, N812
from projects import Project  # noqa: E402
from torch import Tensor, dtype, nn  # noqa: E402
from torch.testing import assert_close  # noqa: E402

from verideck.model import Role  # noqa: E402

CARDS = (
    "hand-mha-merge",
    "hand-mask",
    "hand-rope-turn",
    "hand-cache-append",
    "hand-cache-loop",
    "hand-sampling",
)
"""One card of each module: those that ask for several lines of a module show all of it."""


@functools.cache
def by_hand() -> SimpleNamespace:
    """What the cards show, in one namespace, as whoever wrote them all has it in one file."""
    cards = {card.id: card for card in Project(Path(__file__).parents[1]).cards()}
    names: dict[str, object] = {"torch": torch, "F": F, "nn": nn, "math": math}
    for card in CARDS:
        for snippet in cards[card].snippets:
            if snippet.options.role is Role.SHOWN:
                code = "\n".join(snippet.shown_lines().values())
                exec(compile(code, card, "exec"), names)  # noqa: S102 - the deck's own code
    return SimpleNamespace(**names)


def test_each_card_of_a_module_shows_the_same_module() -> None:
    """The cards that ask for other lines of a module show the module that is proved here."""
    shown: dict[str, set[str]] = {}
    for card in Project(Path(__file__).parents[1]).cards():
        if card.id.startswith(("hand-mha-", "hand-rope-")):
            code = {
                "\n".join(line.split("#")[0].rstrip() for line in snippet.shown_lines().values())
                for snippet in card.snippets
                if snippet.options.role is Role.SHOWN
            }
            shown.setdefault(card.id.rsplit("-", 1)[0], set()).update(code)
    assert {name: len(codes) for name, codes in shown.items()} == {"hand-mha": 1, "hand-rope": 1}


def test_a_step_with_a_cache_is_the_attention_of_before() -> None:
    """With the same weights, and all tokens at one place, Cached is SelfAttention, causal."""
    torch.manual_seed(0)
    own = by_hand()
    plain, cached = own.SelfAttention(16, 4), own.Cached(16, 4)
    cached.load_state_dict(plain.state_dict())
    x, lengths = torch.randn(3, 6, 16), torch.tensor([6, 4, 3])
    whole = plain(x, own.keep_mask(lengths, 6))
    nowhere = torch.zeros(6, dtype=torch.long)
    pairs = zip(x.split([3, 1, 2], 1), nowhere.split([3, 1, 2]), strict=True)
    parts = torch.cat([cached(part, at) for part, at in pairs], 1)
    for one, length in enumerate(lengths.tolist()):
        assert_close(parts[one, :length], whole[one, :length])


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
def test_they_generate_with_a_cache_what_they_do_without(precision: dtype) -> None:
    """The loop, the step with its cache and RoPE are one decoder, in either precision."""
    torch.manual_seed(0)
    own = by_hand()
    embed, layer, head = nn.Embedding(50, 16), own.Cached(16, 4), nn.Linear(16, 50)
    for part in (embed, layer, head):
        part.to(precision)

    def step(ids: Tensor, place: Tensor) -> Tensor:
        x = embed(ids)
        logits: Tensor = head(x + layer(x, place))
        return logits

    def anew(ids: Tensor) -> Tensor:
        layer.k = layer.v = None
        return step(ids, torch.arange(ids.size(1)))

    ids = torch.tensor([[3, 1, 4], [1, 5, 9]])
    out = own.generate(step, ids, 8)
    assert out.shape == (2, 3 + 8)
    assert layer.k.shape == (2, 4, 3 + 8 - 1, 4)
    assert layer.k.dtype == precision
    for length in range(3, 3 + 8):
        logits = anew(out[:, :length])[:, -1]
        chosen = logits.gather(-1, out[:, length : length + 1])[:, 0]
        # In bf16 two may be equal but for the order of a sum.
        assert_close(
            chosen, logits.amax(-1), rtol=0, atol=0.02 if precision is torch.bfloat16 else 0
        )
    drawn = own.sample(anew(ids)[:, -1], 1.0, 5, 0.9)
    assert drawn.shape == (2, 1)
    assert drawn.dtype == ids.dtype


def test_they_stay_on_the_device_of_their_input() -> None:
    """On torch's `meta` device a tensor made elsewhere is refused, as on a GPU."""
    own = by_hand()
    plain, cached = own.SelfAttention(16, 4).to("meta"), own.Cached(16, 4).to("meta")
    x = torch.empty(2, 5, 16, device="meta")
    keep = own.keep_mask(torch.empty(2, dtype=torch.long, device="meta"), 5)
    place = torch.empty(5, dtype=torch.long, device="meta")
    for out in (keep, plain(x, keep), cached(x, place), own.sample(x[:, -1], 1.0, 5, 0.9)):
        assert out.is_meta


def test_rope_keeps_the_precision_of_its_input_and_turns_in_a_better() -> None:
    """In bf16 a place beyond 256 is not there, so angles are taken in float32."""
    torch.manual_seed(0)
    own = by_hand()
    x, place = torch.randn(2, 3, 5, 8).bfloat16(), 1000 + torch.arange(5)
    turned = own.rope(x, place)
    assert turned.dtype == torch.bfloat16
    assert_close(turned, own.rope(x.float(), place).bfloat16(), rtol=0, atol=0)
