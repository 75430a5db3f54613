"""How fast an audit is, and whether its score tells strong assertions from weak ones.

The same five snippets stand in three decks, several times in each: with assertions on shapes alone,
with assertions on a property of the values, and with a comparison with the library's own
implementation. `--quick` takes each snippet once. Run it with the Python beside `verideck`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import first_edition
import measure
from corpus import SETTINGS
from first_edition import EDITIONS
from measure import FIRST, TODAY, Bound, Cost, Costs, Time, Work, of_edition

SNIPPETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "layer-norm": (
        """\
import torch

def layer_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, correction=0, keepdim=True)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta

x, gamma, beta = torch.randn(4, 8), torch.rand(8), torch.rand(8)
y = layer_norm(x, gamma, beta)
""",
        {
            "weak": "assert y.shape == (4, 8)",
            "middle": "z = (y - beta) / gamma\nassert z.mean(-1).abs().max() < 1e-4",
            "strong": "z = torch.nn.functional.layer_norm(x, [8], gamma, beta)\n"
            "torch.testing.assert_close(y, z)",
        },
    ),
    "attention": (
        """\
import math
import torch

def attention(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v

q, k, v = torch.randn(3, 5, 8).unbind()
mask = torch.ones(5, 5, dtype=torch.bool).tril()
y = attention(q, k, v, mask)
""",
        {
            "weak": "assert y.shape == (5, 8)",
            "middle": "assert torch.allclose(y[0], v[0])",
            "strong": "z = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)\n"
            "torch.testing.assert_close(y, z)",
        },
    ),
    "rms-norm": (
        """\
import torch

def rms_norm(x, gamma, eps=1e-6):
    return gamma * x / torch.sqrt(x.square().mean(-1, keepdim=True) + eps)

x, gamma = torch.randn(4, 8), torch.rand(8) + 1
y = rms_norm(x, gamma)
""",
        {
            "weak": "assert y.shape == x.shape",
            "middle": "assert torch.equal(y.sign(), x.sign())",
            "strong": "z = torch.nn.functional.rms_norm(x, [8], gamma, 1e-6)\n"
            "torch.testing.assert_close(y, z)",
        },
    ),
    "cross-entropy": (
        """\
import torch

def cross_entropy(logits, target):
    log_p = logits - logits.logsumexp(-1, keepdim=True)
    return -log_p.gather(-1, target[:, None]).mean()

logits, target = torch.randn(6, 4), torch.randint(4, (6,))
loss = cross_entropy(logits, target)
""",
        {
            "weak": "assert loss.shape == ()",
            "middle": "assert loss > 0",
            "strong": "z = torch.nn.functional.cross_entropy(logits, target)\n"
            "torch.testing.assert_close(loss, z)",
        },
    ),
    "positions": (
        """\
import math
import torch

def sinusoidal(length, width):
    position = torch.arange(length)[:, None]
    rate = torch.exp(-torch.arange(0, width, 2) * math.log(10000) / width)
    table = torch.empty(length, width)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)
    return table

y = sinusoidal(7, 6)
""",
        {
            "weak": "assert y.shape == (7, 6)",
            "middle": "assert torch.allclose(y[:, 0::2] ** 2 + y[:, 1::2] ** 2, torch.ones(7, 3))",
            "strong": "angle = torch.tensor([[p / 10000 ** (2 * i / 6) for i in range(3)]\n"
            "                      for p in range(7)])\n"
            "z = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)\n"
            "torch.testing.assert_close(y, z)",
        },
    ),
}
"""The shown code, and what is asserted on it: weak, middle, strong."""


CARDS = 4
"""How often each snippet stands in a deck."""
TWICE = 0.5
"""What a mutant may take at most of what it takes the first edition."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the audit of one deck came to, and what it took, start and torch's import included."""

    mutants: int
    killed: int
    survived: int
    uncovered: int
    crashed: int
    equivalent: int
    costs: Costs

    @property
    def score(self) -> float:
        """The share that the assertions notice."""
        return self.killed / (self.killed + self.survived)

    @property
    def rate(self) -> float:
        """Mutants in a second."""
        return self.mutants / self.costs.wall


def main() -> None:
    """Audit the three decks with both editions and print the table."""
    parser = measure.arguments(__doc__, rounds=3)
    arguments = parser.parse_args()
    first_edition.prepare()
    cards, rounds = (1, 1) if arguments.quick else (CARDS, arguments.rounds)
    with tempfile.TemporaryDirectory() as folder:
        decks = {(edition, strength): _deck(strength, Path(folder, edition, strength), cards)
                 for strength in _strengths() for edition in EDITIONS}  # fmt: skip
        found: dict[str, dict[str, Any]] = {}

        def work(edition: str, strength: str) -> Work:
            name = of_edition(edition, strength)

            def audit(_: int) -> Cost:
                deck = decks[edition, strength]
                shutil.rmtree(deck / ".verideck", ignore_errors=True)
                command = (EDITIONS[edition], "audit", "--format", "json")
                cost, said = measure.run(command, deck)
                found[name] = json.loads(said)
                return cost

            return Work(name, audit)

        costs = measure.in_turn([work(*each) for each in decks], rounds)
    rows = {name: _row(found[name], costs[name]) for name in costs}
    about = measure.about(f"{cards * len(SNIPPETS)} cards in each deck", rounds)
    measure.tell("audit", f"{about}\n\n{table(rows)}", write=arguments.write)


def _strengths() -> Iterator[str]:
    _, asserted = SNIPPETS["layer-norm"]
    yield from asserted


def _deck(strength: str, folder: Path, copies: int) -> Path:
    """Write a deck; what no two of its cards share is a number."""
    cards = "\n".join(
        f"## What is {name} {number}? {{#{name}-{number}}}\n\nThis.\n\n```python\n{code}```\n\n"
        f"```python {{.check}}\n{asserted[strength]}  # {number}\n```\n"
        for number in range(copies)
        for name, (code, asserted) in SNIPPETS.items()
    )
    (folder / "cards").mkdir(parents=True)
    (folder / "cards" / "all.md").write_text(cards, encoding="utf-8")
    settings = f"{SETTINGS}\n[tool.verideck.audit]\nfloor = 0\nseeds = 1\n"
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return folder


def _row(report: dict[str, Any], costs: Costs) -> Row:
    audits = report["cards"]
    assert audits, report["problems"]
    counted = {
        name: sum(each.get(name, 0) for each in audits)
        for name in ("mutants", "killed", "uncovered", "crashed", "equivalent")
    }
    survived = sum(len(each["survivors"]) for each in audits)
    return Row(**counted, survived=survived, costs=costs)


def table(rows: Mapping[str, Row]) -> str:
    """The bound, and what each deck came to, as Markdown."""
    rates = {
        edition: sum(rows[of_edition(edition, each)].mutants for each in _strengths())
        / sum(rows[of_edition(edition, each)].costs.wall for each in _strengths())
        for edition in EDITIONS
    }
    bound = Bound(
        "a mutant", "first edition", Time.WALL.value, rates[FIRST] / rates[TODAY], TWICE, 1.0
    )
    words = ("mutants", "killed", "survived", "uncovered", "crashed", "equivalent")
    lines = (
        (name, *(f"{getattr(row, word)}" for word in words), f"{row.score:.2f}", f"{row.rate:.1f}")
        for name, row in rows.items()
    )
    told = (
        f"The first edition makes {rates[FIRST]:.1f} mutants a second, and now there are "
        f"{rates[TODAY]:.1f}: {rates[TODAY] / rates[FIRST]:.2f} times as many."
    )
    return "\n\n".join(
        [
            measure.bound_table([bound]),
            measure.table(("assertions", *words, "score", "mutants/s"), lines),
            told,
        ]
    )


if __name__ == "__main__":
    main()
