"""How fast an audit is, and whether its score tells strong assertions from weak ones.

The same five snippets stand in three decks: with assertions on shapes alone, with assertions on a
property of the values, and with a comparison with the library's own implementation. Run it with the
Python beside `verideck`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import measure
from corpus import SETTINGS

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


@dataclass(frozen=True, slots=True)
class Row:
    """What the audit of one deck came to."""

    strength: str
    mutants: int
    killed: int
    survived: int
    crashed: int
    equivalent: int
    seconds: float

    @property
    def score(self) -> float:
        """The share that the assertions notice."""
        return self.killed / (self.killed + self.survived)


def main() -> None:
    """Audit the three decks and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the table in README.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [_audited(strength, Path(folder, strength)) for strength in _strengths()]
    measure.tell("audit", table(rows), write=arguments.write)


def _strengths() -> Iterator[str]:
    _, asserted = SNIPPETS["layer-norm"]
    yield from asserted


def _audited(strength: str, folder: Path) -> Row:
    cards = "\n".join(
        f"## What is {name}? {{#{name}}}\n\nThis.\n\n```python\n{code}```\n\n"
        f"```python {{.check}}\n{asserted[strength]}\n```\n"
        for name, (code, asserted) in SNIPPETS.items()
    )
    (folder / "cards").mkdir(parents=True)
    (folder / "cards" / "five.md").write_text(cards, encoding="utf-8")
    settings = f"{SETTINGS}\n[tool.verideck.audit]\nfloor = 0\nseeds = 1\n"
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("verideck")), "audit", "--format", "json"]
    started = time.perf_counter()
    run = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
    seconds = time.perf_counter() - started
    report = json.loads(run.stdout)
    audits = report["cards"]
    assert len(audits) == len(SNIPPETS), report["problems"]
    counted = {
        name: sum(each[name] for each in audits)
        for name in ("mutants", "killed", "crashed", "equivalent")
    }
    survived = sum(len(each["survivors"]) for each in audits)
    return Row(strength, survived=survived, seconds=seconds, **counted)


def table(rows: list[Row]) -> str:
    """The rows as Markdown, with how many mutants there are in a second."""
    lines = [
        "| assertions | mutants | killed | survived | crashed | equivalent | score | mutants/s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.strength} | {row.mutants} | {row.killed} | {row.survived} | {row.crashed} "
        f"| {row.equivalent} | {row.score:.2f} | {row.mutants / row.seconds:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
