"""Cards as a learner sees them: Anki's own page in a real browser, by day, by night, on a phone."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from verideck.result import Result

pytest.importorskip("playwright", reason="make test installs it")
pytest.importorskip("_aqt", reason="make test installs it")

from look_page import KINDS
from pictures import CHROMIUM, EVERY_MODE, MODES, SMALL, Mode, photograph
from projects import DOT, Project, project

MOMENT = 1_800_000_000

pytestmark = pytest.mark.browser

EVERYTHING = r"""---
lang: zh-CN
---
# 样张

## 所有东西都在一张卡片上？ {#all .reversed source="A et al. 2017, §3" hint="想一想 $x_i$"}

正文 `inline = {"a": 1}` 与 $\frac{a_i}{b_i} < \infty$，**粗体**，~~删除~~，==高亮==。

$$\operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}+M\right)V=\sum_{i=1}^{n}\sum_{j=1}^{n}\frac{e^{z_i-m}}{\sum_{k}e^{z_k-m}}\,\alpha_{ij}\beta_{ij}\gamma_{ij}\delta_{ij}\epsilon_{ij}\zeta_{ij}\eta_{ij}$$

- 一
  - 二
    1. 三

> 引文 “quoted”

| 甲 | 乙乙乙乙乙乙 | 丙 | 丁 |
|---|---|--:|---|
| $O(n^2)$ | 很长很长很长很长很长很长很长很长的一格 | 1.5 | `x[::2]` |

```python
def a_function_with_a_long_name(argument, another_argument, yet_another_one):
    # 注释：一行长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长
    return f"{argument!r}" + str(another_argument @ yet_another_one) if argument else None
print("printed")
a_function_with_a_long_name("", 1, 2)
```

```output
printed
```

```python {raises="ValueError" match="long"}
raise ValueError("a message that is long enough to be wider than the screen of any phone " * 2)
```

```python {.no-run reason="没有 GPU"}
cuda()
```

![图](../图 1.svg)

---

补充：$a$。

## 键入？ {#typed .type}

LayerNorm

说明。

## 填空 {#cloze .cloze}

LN 在 ==最后一维== 上，$y=\gamma{{c2::\frac{x-\mu}{\sqrt{\sigma^{2}}}}}$，见 `{{c3::x.mean(-1)}}`。

```python
mean = {{c4::sum(x for x in {1, 2, 3})}} / 3
assert mean == 2
```
"""

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100">'
    '<rect width="300" height="100" fill="teal"/></svg>'
)


def faults(
    made: Project, checked: Result, folder: Path, modes: Sequence[Mode] = (*MODES, SMALL)
) -> list[str]:
    """Look at every card of a deck in every mode; returns what is wrong."""
    package = folder / "deck.apkg"
    made.package(checked, str(package))
    if not CHROMIUM.exists():
        assert "CI" not in os.environ, "CI installs chromium"
        pytest.skip("no chromium here, and not ours to install")
    pictures = photograph(package, None, modes=modes)
    assert pictures
    return [
        f"{picture.name}: {'overflow' if picture.overflow else picture.broken}"
        for picture in pictures
        if picture.overflow or picture.broken
    ]


def test_everything_that_a_card_can_hold_fits(tmp_path: Path) -> None:
    """No card is wider than the screen, no formula fails, no picture is missing."""
    made = project(tmp_path, {"样张.md": EVERYTHING, "图 1.svg": DRAWING})
    assert faults(made, made.check(), tmp_path) == []


WIDE = """---
verify: false
---
## Which variants are there?

| variant | keys and values | parameters |
|---|---|--:|
| MultiHeadSelfAttention | num_key_value_heads | 17179869184 |
| GroupedQueryAttention | `num_key_value_groups` | 4294967296 |

## What does training keep?

| optimizer | parameters | activations | gradients | moments | master |
|---|---|---|---|--:|--:|
| Adam | checkpointed | recomputed | accumulated | 8 | 4 |

## What is where?

- In a list:

  > | implementation | concatenation | memory-efficient |
  > |---|---|---|
  > | `scaled_dot_product_attention` | ScaledDotProduct | $O(n)$ |

## What fits?

| variant | heads | parameters |
|---|---|--:|
| grouped-query | several | 4294967296 |

## What code fits?

| name | what it is |
|---|---|
| `scaled_dot_product` | 点积注意力 |
| `nn.MultiheadAttention` | 多头 |

## What has many columns?

| name | loss | steps | batch | heads | layers | width | seconds |
|---|---|---|---|---|---|---|---|
| `base` | 0.1 | 100 | 64 | 8 | 6 | 512 | 1.5 |

## What has more, and an address?

| head_0 | head_1 | head_2 | head_3 | head_4 | head_5 | head_6 | head_7 | head_8 | source |
|---|---|---|---|---|---|---|---|---|---|
| 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | https://example.org/a/path/without/any/place/to/break/at |

## What is a long sum in a line?

它是（$a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9 + a_{10} + a_{11} + a_{12} + a_{13}$）。

## What is in HTML?

<table><tr><th>implementation</th><th>concatenation</th><th>memory</th></tr>
<tr><td><code>scaled_dot_product_attention</code></td><td>ScaledDotProductAttention</td><td>7</td></tr>
</table>
"""


def test_a_table_of_long_words_fits_every_screen(tmp_path: Path) -> None:
    """Words that do not fit break, all others stay whole; no table scrolls, and no card."""
    made = project(tmp_path, {"wide.md": WIDE})
    checked = made.check()
    fields = "".join(field for note in checked.notes for field in note.fields.values())
    assert fields.count('class="table crowded') == 5
    assert fields.count('class="table crowded wide"') == 3
    assert fields.count('class="table"') == 2
    assert faults(made, checked, tmp_path, EVERY_MODE) == []


def test_a_card_of_every_kind_fits_every_screen(tmp_path: Path) -> None:
    """By day and by night, as `make pictures` shows it."""
    pytest.importorskip("matplotlib", reason="one of the cards draws")
    made = project(tmp_path, {"kinds.md": KINDS.read_text("utf-8"), "dot.png": DOT})
    assert faults(made, made.check(), tmp_path, EVERY_MODE) == []
