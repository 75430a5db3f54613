"""The large decks, of which nothing is executed: the same bytes each time."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

SETTINGS = """\
[tool.verideck]
namespace = "verideck-benchmark"
deck = "Benchmark"
output = "deck.apkg"
verify = false
"""

BUILDS = (".verideck", "cards.lock", "deck.apkg")
"""All that a build leaves in a project."""

ENGLISH = """
attention layer norm token embedding gradient weight score softmax residual stream head query key
value cache position rotation width depth batch sequence mask causal encoder decoder expert router
load balance learning rate warm-up decay momentum variance mean scale bias matrix product rank
memory bandwidth latency throughput precision rounding overflow underflow sampling temperature beam
search vocabulary merge byte prompt context window sink pruning distillation quantisation adapter
"""
CHINESE = """
注意力 归一化 残差 嵌入 梯度 权重 分数 概率 查询 键值 缓存 位置 旋转 宽度 深度 批量 序列 掩码 因果
编码 解码 专家 路由 负载 均衡 学习率 预热 衰减 动量 方差 均值 缩放 偏置 矩阵 乘积 内存 带宽
延迟 吞吐 精度 舍入 溢出 采样 温度 搜索 词表 合并 字节 提示 上下文 窗口 剪枝 蒸馏 量化 适配
训练 推理 收敛 稳定
"""


@dataclass(frozen=True, slots=True)
class Deck:
    """So many cards in so many files, and what an author has changed in them."""

    cards: int
    files: int
    answers: int = 0
    """So many cards have another answer than at first."""
    questions: int = 0
    """So many questions have another beginning than at first."""
    mixed: bool = False
    """Code, TeX, Chinese and tables in turn, instead of short prose in English and Chinese."""


def write(folder: Path, deck: Deck) -> None:
    """Write a deck project into a folder, and leave every file alone that is as it is to be."""
    _write(folder / "pyproject.toml", SETTINGS)
    cards = _cards(deck)
    size = deck.cards // deck.files
    for number in range(deck.files):
        page = "".join(islice(cards, size))
        _write(folder / "cards" / f"page_{number:04}.md", page)


def forget_builds(folder: Path) -> None:
    """Remove what builds have left in a project."""
    for name in BUILDS:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).unlink(missing_ok=True)


def _write(file: Path, text: str) -> None:
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def edit_answer(folder: Path, deck: Deck, number: int, said: str) -> None:
    """Write a card of a prose deck with something said at the end of its answer."""
    size = deck.cards // deck.files
    start = number // size * size
    page = "".join(
        _markdown(each, said if each == number else "") for each in range(start, start + size)
    )
    _write(folder / "cards" / f"page_{number // size:04}.md", page)


def _cards(deck: Deck) -> Iterator[str]:
    """The cards; what is changed is spread over all files."""
    for number in range(deck.cards):
        said = f" 另见 page {number}." if _is_chosen(number, deck.answers, deck.cards) else ""
        asked = "请说明 / explain: " if _is_chosen(number, deck.questions, deck.cards) else ""
        yield _markdown(number, said, asked, _MIXED if deck.mixed else _PROSE)


def _is_chosen(number: int, chosen: int, cards: int) -> bool:
    return bool(chosen) and number % (cards // chosen) == 0


_Kind = Callable[[int, random.Random], tuple[str, str]]
"""A way to make a question and its answer."""


def _english(number: int, drawn: random.Random) -> tuple[str, str]:
    asked, told = " ".join(_words(drawn, 4)), " ".join(_words(drawn, 12))
    return f"How does the {asked} change at {number}?", f"By its *{told}*, at most {number**2}."


def _chinese(number: int, drawn: random.Random) -> tuple[str, str]:
    asked, told = "的".join(_terms(drawn, 3)), "和".join(_terms(drawn, 8))
    return f"为什么{asked}在第 {number} 步会变?", f"因为**{told}**,最多 {number**2}。"


def _code(number: int, drawn: random.Random) -> tuple[str, str]:
    values, weights, total = (f"{word}_{number}" for word in _names(drawn, 3))
    answer = f"""\
The rows are divided by their root mean square:

```python
def {total}({values}, {weights}, epsilon=1e-{number % 7 + 3}):
    \"\"\"Scale every row by its weight.\"\"\"
    scaled = []
    for row, weight in zip({values}, {weights}, strict=True):
        square = sum(value * value for value in row) / len(row)
        scaled.append([weight * value / (square + epsilon) ** 0.5 for value in row])
    # {number} rows at the most
    return scaled[:{number}]
```
"""
    return f"How is `{total}` computed from `{values}`?", answer


def _tex(number: int, drawn: random.Random) -> tuple[str, str]:
    asked, told = " ".join(_words(drawn, 3)), " ".join(_words(drawn, 8))
    answer = f"""\
With $d_k = {number}$ and $Q, K \\in \\mathbb{{R}}^{{n \\times d_k}}$, by the *{told}*:

$$
\\mathrm{{softmax}}\\left(\\frac{{QK^\\top}}{{\\sqrt{{d_k}}}}\\right)_{{ij}}
= \\frac{{e^{{s_{{ij}} / \\sqrt{{{number}}}}}}}
       {{\\sum_{{l=1}}^{{n}} e^{{s_{{il}} / \\sqrt{{{number}}}}}}}
$$

so that $\\sum_j p_{{ij}} = 1$ for every $i \\le {number}$.
"""
    return f"What does the {asked} come to for $d_k = {number}$?", answer


def _long_chinese(number: int, drawn: random.Random) -> tuple[str, str]:
    asked, why = "的".join(_terms(drawn, 3)), "、".join(_terms(drawn, 6))
    first, second, third = ("和".join(_terms(drawn, 4)) for _ in range(3))
    answer = f"""\
因为**{why}**会一起变化,而第 {number} 步之后{first}不再稳定。

- 先看{second},它决定了*{asked}*的上界;
- 再看{third},最多 {number**2} 次就会收敛。

所以实践中常常先做{first},再调{second}。
"""
    return f"为什么{asked}在第 {number} 步会变?", answer


def _table(number: int, drawn: random.Random) -> tuple[str, str]:
    rows = "\n".join(
        f"| {word} | {term} | {(number + 1) * place} | `{word}_{number}` |"
        for place, (word, term) in enumerate(
            zip(_words(drawn, 5), _terms(drawn, 5), strict=True), start=1
        )
    )
    asked = " ".join(_words(drawn, 3))
    answer = f"""\
They differ in *four* ways:

| part | 名称 | steps | in code |
|---|---|---:|---|
{rows}
"""
    return f"Which parts does the {asked} have at step {number}?", answer


_PROSE: tuple[_Kind, ...] = (_english, _chinese)
_MIXED: tuple[_Kind, ...] = (_code, _tex, _long_chinese, _table)


def _markdown(
    number: int, said: str = "", asked: str = "", kinds: tuple[_Kind, ...] = _PROSE
) -> str:
    drawn = random.Random(number)  # noqa: S311 - no secret
    question, answer = kinds[number % len(kinds)](number, drawn)
    return f"## {asked}{question}\n\n{answer.rstrip()}{said}\n\n"


def _words(drawn: random.Random, count: int) -> list[str]:
    return drawn.sample(ENGLISH.split(), count)


def _terms(drawn: random.Random, count: int) -> list[str]:
    return drawn.sample(CHINESE.split(), count)


def _names(drawn: random.Random, count: int) -> list[str]:
    return [word.replace("-", "_") for word in _words(drawn, count)]
