"""What it costs to read thousands of other people's notes, beside a bare parser of the same files.

`python benchmarks/reading.py` prints the table; `--write` also puts it into README.md here, and
`--profile` prints instead where the first reading spends its time. Nothing is executed.
"""

from __future__ import annotations

import os
import pstats
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import measure
from measure import TODAY, VERIDECK, Bound, Cost, Time, Work, bound, of_edition

NOTES, FEW = 10_000, 200
FOLDERS = 100
READING, AGAIN = "reading", "nothing changed"
MEGABYTE = 1_000_000
MOST_MEMORY = 300 * MEGABYTE
SETTINGS = '[tool.verideck]\nnamespace = "notes"\ncards = "notes"\nverify = false\n'

BARE = """\
from pathlib import Path
from markdown_it import MarkdownIt

markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
for file in sorted(Path("notes").rglob("*.md")):
    markdown.render(file.read_text(encoding="utf-8"))
"""

_WORDS = """
attention layer norm token embedding gradient weight score softmax residual stream head query key
value cache position rotation width depth batch sequence mask causal encoder decoder expert router
注意力 归一化 残差 嵌入 梯度 权重 分数 概率 查询 键值 缓存 位置 旋转 宽度 深度 批量 序列 掩码
"""
WORDS = _WORDS.split()
SHAPES = (
    "{0} {1} of the {2} is **{3}**, and `{4}` takes it from [[{5}]]; see [the {6}](https://{7}.org/a).\n",
    "{0}的{1}是**{2}**，而`{3}`由 {4} 决定：$x_{{{5}}} = \\frac{{1}}{{2}}$。\n",
    "- {0} {1} {2}\n- {3} *{4}* {5}\n    - {6} {7} {0} {1}\n- [ ] {2} {3}\n",
    "1. {0} {1} {2} {3}\n2. {4} {5} ~~{6}~~\n3. ==${7}$== {0}\n",
    "| {0} | {1} | {2} |\n|---|:-:|--:|\n| {3} {4} | `{5}` | 1 |\n| {6} | {7} | 2 |\n",
    "> [!note] {0} {1}\n> {2} {3} {4} {5}\n",
    "```python\ndef {0}({1}):\n    return {2} * 2  # {3} {4}\n```\n",
    "```bash\ncat {0}.txt | sort -u\n```\n",
    "$$\n{0}_{{i}} = \\sum_j {1}_{{j}} {2}\n$$\n",
    "{0} {1} {2}, {3} {4} {5} {6} {7}: {0} {1} {2} {3} {4}. {5} {6} {7} {0} {1} {2} {3}.\n",
    "{0}<br>{1} <kbd>{2}</kbd> and {3}<sup>2</sup>; {4} &amp; {5} – “{6}” {7}.\n",
)  # fmt: skip
"""What an answer is made of, each with places for words."""
LENGTH = 2_500
"""Bytes of a note, about."""


def write(folder: Path, count: int) -> int:
    """Write a project of so many notes; the same bytes each time. Returns how many bytes."""
    (folder / "notes").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    total = 0
    for number, text in enumerate(_notes(count)):
        place = folder / "notes" / f"{number % FOLDERS:02}"
        place.mkdir(exist_ok=True)
        total += (place / f"note_{number:05}.md").write_bytes(text.encode())
    return total


def _notes(count: int) -> Iterator[str]:
    chance = random.Random(1)  # noqa: S311 - no secret
    for number in range(count):
        parts = [
            f"---\naliases: [note {number}]\ntags: [{WORDS[number % 30]}]\n---\n# Note {number}\n"
        ]
        length = 0
        while length < LENGTH:
            words = chance.choices(WORDS, k=8)
            question = f"## What is {' '.join(words[:4])} in {number}-{len(parts)}?\n"
            answer = "\n".join(
                shape.format(*chance.choices(WORDS, k=8)) for shape in chance.sample(SHAPES, 3)
            )
            parts.append(f"{question}\n{answer}")
            length += len(parts[-1].encode())
        yield "\n".join(parts)


def _read(folder: Path, _: int, *, first: bool, sampled: bool = False) -> Cost:
    if first:
        shutil.rmtree(folder / ".verideck", ignore_errors=True)
    cost, _said = measure.run((VERIDECK, "check", "-q"), folder, sampled=sampled)
    return cost


def table(scratch: Path, count: int, rounds: int) -> str:
    """Read the notes for the first time and again, and let the bare parser do it.

    Each round reads them again after some first reading: that of the round before, if its turn is
    earlier. The memory is that of a reading which is not timed: to look at it takes time of both
    cores.
    """
    size = write(scratch, count)
    memory = _read(scratch, 0, first=True, sampled=True).memory
    bare = (sys.executable, "-c", BARE)
    works = [
        Work("bare", lambda _: measure.run(bare, scratch)[0]),
        Work(of_edition(TODAY, READING), partial(_read, scratch, first=True)),
        Work(of_edition(TODAY, AGAIN), partial(_read, scratch, first=False)),
    ]
    costs = measure.in_turn(works, rounds)
    bounds = [
        bound(costs, READING, "bare", Time.WALL, 1.5),
        bound(costs, AGAIN, READING, Time.WALL, 0.05),
    ]
    if memory:
        most = f"{MOST_MEMORY // MEGABYTE} MB"
        bounds.append(Bound(READING, most, "memory", memory / MOST_MEMORY, 1.0))
    facts = f"{count:,} notes of {size / MEGABYTE:.1f} MB"
    return measure.report(measure.about(facts, rounds), bounds, costs)


def profile(folder: Path, count: int) -> None:
    """Print where the first reading spends its time; on one core, so that it forks for nothing."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    write(folder, count)
    found = folder / "profile"
    command = (sys.executable, "-m", "cProfile", "-o", found, "-m", "verideck", "check", "-q")
    measure.run(command, folder)
    stats = pstats.Stats(str(found)).strip_dirs()
    stats.sort_stats("tottime").print_stats(40)
    stats.sort_stats("cumulative").print_stats(60)


def main() -> None:
    """Measure, print, and maybe write."""
    parser = measure.arguments(__doc__, rounds=3)
    parser.add_argument("--profile", action="store_true", help="profile the first reading instead")
    given = parser.parse_args()
    count = FEW if given.quick else NOTES
    with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
        if given.profile:
            profile(Path(scratch, "profile"), count)
        else:
            report = table(Path(scratch), count, given.rounds)
            measure.tell("reading", report, write=given.write)


if __name__ == "__main__":
    main()
