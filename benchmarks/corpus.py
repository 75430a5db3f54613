"""The snippets that are proved, and their Markdown: the same bytes each time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

FILES = 5
"""Over how many files the snippets are spread."""

RECORD = r"executed (\S+) ([01]) ([01])"
"""What a recorded snippet prints: its id, and whether a snippet before it left a mark in the names
that it sees, and in the interpreter that runs it. Its code does not match."""

SETTINGS = """\
[tool.verideck]
namespace = "verideck-benchmark"
deck = "Benchmark"
lang = "en"
output = "dist/benchmark.apkg"
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A question, its answer, and the code that proves it."""

    id: str
    name: str
    answer: str
    code: str
    recorded: bool = False
    """It prints, and a fence for what it prints stands beneath it."""

    @property
    def assertions(self) -> int:
        """How many assertions verideck counts: none stands in a loop, what is printed is one."""
        tree = ast.walk(ast.parse(self.code))
        return sum(isinstance(node, ast.Assert) for node in tree) + self.recorded


@dataclass(frozen=True, slots=True)
class _Topic:
    """What snippets of several sizes and seeds are made from."""

    id: str
    name: str
    answer: str
    code: str


_TOPICS = (
    _Topic(
        "layer-norm",
        "layer norm",
        "Each row is brought to mean 0 and variance 1.",
        """\
x = torch.randn($length, $width)
mean = x.mean(-1, keepdim=True)
variance = x.var(-1, keepdim=True, correction=0)
y = (x - mean) / torch.sqrt(variance + 1e-5)
assert y.shape == ($length, $width)
assert torch.allclose(y.mean(-1), torch.zeros($length), atol=1e-5)
assert torch.allclose(y, torch.nn.functional.layer_norm(x, ($width,)), atol=1e-5)
""",
    ),
    _Topic(
        "softmax",
        "softmax",
        "The exponentials of the scores, divided by their sum.",
        """\
z = torch.randn($length, $width)
e = torch.exp(z - z.amax(-1, keepdim=True))
p = e / e.sum(-1, keepdim=True)
assert torch.allclose(p.sum(-1), torch.ones($length))
assert torch.allclose(p, torch.softmax(z, -1), atol=1e-6)
""",
    ),
    _Topic(
        "attention",
        "masked attention",
        "A key that is masked out gets no weight at all.",
        """\
q, k, v = torch.randn(3, 2, $length, $width)
mask = torch.ones($length, $length, dtype=torch.bool).tril()
scores = q @ k.mT / $width**0.5
weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
assert weights[:, 0, 1:].sum() == 0
assert torch.allclose(weights @ v, expected, atol=1e-5)
""",
    ),
    _Topic(
        "rms-norm",
        "RMS norm",
        "Each row is divided by its root mean square; its mean stays where it is.",
        """\
def rms_norm(x, gain, epsilon=1e-6):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * gain

x = torch.randn($length, $width)
y = rms_norm(x, torch.ones($width))
assert torch.allclose(y.square().mean(-1), torch.ones($length), atol=1e-3)
assert torch.allclose(rms_norm(7 * x, torch.ones($width)), y, atol=1e-3)
""",
    ),
    _Topic(
        "rope",
        "rotary position embedding",
        "Queries and keys are turned, so that their product depends on their distance alone.",
        """\
def rope(x, position):
    half = x.size(-1) // 2
    angle = position * 10000.0 ** (-torch.arange(half, dtype=x.dtype) / half)
    a, b = x[:half], x[half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()])

q, k = torch.randn(2, $width, dtype=torch.float64)
assert torch.allclose(rope(q, $length).norm(), q.norm())
assert torch.allclose(rope(q, 5) @ rope(k, 2), rope(q, 5 + $length) @ rope(k, 2 + $length))
""",
    ),
    _Topic(
        "cosine-similarity",
        "cosine similarity",
        "The product of two vectors whose lengths have been divided away.",
        """\
a, b = torch.randn(2, $length, $width)
similarity = (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))
assert similarity.shape == ($length,)
assert torch.allclose(similarity, torch.cosine_similarity(a, b, dim=-1), atol=1e-6)
""",
    ),
    _Topic(
        "gradient",
        "the gradient of a squared error",
        "Autograd comes to what the derivation on paper comes to.",
        """\
x, y = torch.randn($length, $width), torch.randn($length)
w = torch.randn($width, requires_grad=True)
loss = (x @ w - y).square().mean()
loss.backward()
by_hand = 2 * x.mT @ (x @ w.detach() - y) / $length
assert loss.item() > 0
assert torch.allclose(w.grad, by_hand, atol=1e-4)
""",
    ),
    _Topic(
        "linear",
        "a linear layer",
        "A product with the transposed weight, and a bias.",
        """\
layer = torch.nn.Linear($width, $length)
x = torch.randn(4, $width)
y = x @ layer.weight.mT + layer.bias
assert y.shape == (4, $length)
assert torch.allclose(layer(x), y, atol=1e-5)
assert sum(p.numel() for p in layer.parameters()) == $width * $length + $length
""",
    ),
    _Topic(
        "cross-entropy",
        "cross entropy",
        "The mean negative logarithm of the probability that the right class was given.",
        """\
logits = torch.randn($length, $width)
target = torch.randint($width, ($length,))
picked = logits.log_softmax(-1)[torch.arange($length), target]
assert torch.allclose(-picked.mean(), torch.nn.functional.cross_entropy(logits, target))
""",
    ),
    _Topic(
        "batch-norm",
        "batch norm",
        "Each feature is brought to mean 0 and variance 1 over the batch.",
        """\
x = torch.randn($length, $width)
mean, variance = x.mean(0), x.var(0, correction=0)
y = (x - mean) / torch.sqrt(variance + 1e-5)
norm = torch.nn.BatchNorm1d($width)
assert torch.allclose(norm(x), y, atol=1e-4)
assert torch.allclose(norm.running_mean, 0.1 * mean, atol=1e-5)
""",
    ),
)


def torch_snippets(count: int) -> tuple[Snippet, ...]:
    """So many snippets that import torch; no two are the same."""
    return tuple(
        _snippet(_TOPICS[number % len(_TOPICS)], number // len(_TOPICS), seed=number)
        for number in range(count)
    )


def _snippet(topic: _Topic, variant: int, *, seed: int) -> Snippet:
    """A topic in its own sizes, with its own random numbers."""
    length, width = 6 + variant, 16 + 4 * variant
    code = f"import torch\n\ntorch.manual_seed({seed})\n{topic.code}"
    return Snippet(
        id=f"{topic.id}-{width}",
        name=f"{topic.name} at width {width}",
        answer=topic.answer,
        code=Template(code).substitute(length=length, width=width),
    )


def cheap_snippets(count: int) -> tuple[Snippet, ...]:
    """So many snippets that import nothing and cost next to nothing; no two are the same."""
    return tuple(
        Snippet(
            id=f"sum-{number}",
            name=f"the sum of the numbers below {number}",
            answer="Half of the product of the number and the one before it.",
            code=f"assert sum(range({number})) == {number * (number - 1) // 2}\n",
        )
        for number in range(1, count + 1)
    )


def recorded(snippet: Snippet) -> Snippet:
    """The same snippet, which at its end prints a line that RECORD matches."""
    marks = "int('_mark' in globals()), int(hasattr(builtins, '_mark'))"
    note = (
        "import builtins\n"
        f"print('executed', {snippet.id!r}, {marks})\n"
        "_mark = builtins._mark = True\n"
    )
    return replace(snippet, code=snippet.code + note, recorded=True)


def write_pages(folder: Path, snippets: Sequence[Snippet]) -> None:
    """Write the snippets as Markdown files into a folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(snippets) // FILES)
    for start in range(0, len(snippets), size):
        page = "\n".join(map(_markdown, snippets[start : start + size]))
        (folder / f"page_{start // size + 1}.md").write_text(page, encoding="utf-8")


def write_project(folder: Path, snippets: Sequence[Snippet]) -> None:
    """Write a deck project of the snippets into a folder, which is made if it is missing."""
    write_pages(folder / "cards", snippets)
    (folder / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")


def _markdown(snippet: Snippet) -> str:
    output = "\n```output\n?\n```\n" if snippet.recorded else ""
    return (
        f"## What is {snippet.name}? {{#{snippet.id}}}\n\n{snippet.answer}\n\n"
        f"```python\n{snippet.code}```\n{output}"
    )
