"""What it costs to build a large deck again, beside reading its files and hashing them.

`python benchmarks/rebuild.py` prints the table; `--write` also puts it into README.md here.
`--profile` prints instead where a rebuild with nothing changed spends its time.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from verideck.cli.commands import main as verideck
from verideck.history import lock
from verideck.history.lock import Lock
from verideck.history.recognise import identified
from verideck.history.scope import Scope
from verideck.model import Card
from verideck.problems import Problem
from verideck.settings import Settings, load
from verideck.source.cards import parse
from verideck.source.read import read

README = Path(__file__).with_name("README.md")
MARKERS = ("<!-- rebuild -->", "<!-- /rebuild -->")
VERIDECK = Path(sys.executable).with_name("verideck")

CARDS = 10_000
FILES = 200
SHOWN = 25
"""How many functions a profile names."""

SETTINGS = """\
[tool.verideck]
namespace = "verideck-benchmark"
deck = "Benchmark"
output = "deck.apkg"
"""

FLOOR = """\
import hashlib
from pathlib import Path

for file in sorted(Path("cards").rglob("*.md")):
    hashlib.sha256(file.read_bytes()).hexdigest()
"""

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
class Edit:
    """What is done to the cards before a build."""

    name: str
    answers: int = 0
    """So many cards get another answer."""
    questions: int = 0
    """So many questions get another beginning."""
    first: bool = False
    """Nothing was built before."""


EDITS = (
    Edit("first build", first=True),
    Edit("rebuild, nothing changed"),
    Edit("rebuild, 10 cards changed", answers=10),
    Edit("rebuild, 100 questions reworded", questions=100),
)
MANY = 1_000
"""From so many reworded questions on, what each takes is more than noise."""
REWORDED = (0, 100, MANY, CARDS)
"""How many questions matching is given that nobody remembers."""


def main() -> None:
    """Measure, print, and maybe write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    parser.add_argument("--profile", action="store_true", help="print a profile instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="verideck-benchmark-") as scratch:
        deck = Path(scratch, "deck")
        write_project(deck)
        if given.profile:
            profile(deck)
            return
        times = compare(deck, given.rounds)
        _built(deck)
        matching = {count: matched(deck, count, given.rounds) for count in REWORDED}
    rebuild = median(times[EDITS[1].name])
    report = "\n\n".join([facts(given.rounds), table(times), growth(matching, rebuild)])
    print(report)
    if given.write:
        write(report)


def write_project(folder: Path, answers: int = 0, questions: int = 0) -> None:
    """Write the deck, in which so many cards have another answer or another question."""
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    size = CARDS // FILES
    texts = list(_cards(answers, questions))
    for number in range(FILES):
        page = "".join(texts[number * size : (number + 1) * size])
        (folder / "cards" / f"page_{number:03}.md").write_text(page, encoding="utf-8")


def _cards(answers: int, questions: int) -> Iterator[str]:
    """The cards; what is changed is spread over all files."""
    for number in range(CARDS):
        question, answer = (_chinese if number % 2 else _english)(number)
        if _chosen(number, questions):
            question = f"请说明 / explain: {question}"
        if _chosen(number, answers):
            answer = f"{answer} 另见 page {number}."
        yield f"## {question}\n\n{answer}\n\n"


def _english(number: int) -> tuple[str, str]:
    drawn = random.Random(number)  # noqa: S311 - no secret
    asked = " ".join(drawn.sample(ENGLISH.split(), 4))
    told = " ".join(drawn.sample(ENGLISH.split(), 12))
    return f"How does the {asked} change at {number}?", f"By its *{told}*, at most {number**2}."


def _chinese(number: int) -> tuple[str, str]:
    drawn = random.Random(number)  # noqa: S311 - no secret
    asked = "的".join(drawn.sample(CHINESE.split(), 3))
    told = "和".join(drawn.sample(CHINESE.split(), 8))
    return f"为什么{asked}在第 {number} 步会变?", f"因为**{told}**,最多 {number**2}。"


def _chosen(number: int, count: int) -> bool:
    return bool(count) and number % (CARDS // count) == 0


def compare(deck: Path, rounds: int) -> dict[str, list[float]]:
    """The seconds of each build, and of the floor, in turn."""
    times: dict[str, list[float]] = {"floor": [], **{edit.name: [] for edit in EDITS}}
    built = _built(deck)
    for number in range(rounds):
        times["floor"].append(_timed([sys.executable, "-c", FLOOR], deck))
        for edit in EDITS:
            write_project(deck, edit.answers, edit.questions)
            for name, content in built.items():
                (deck / name).write_bytes(content)
                if edit.first:
                    (deck / name).unlink()
            times[edit.name].append(_timed([VERIDECK, "build"], deck))
            print(f"{number + 1}: {edit.name} {times[edit.name][-1]:.2f} s", file=sys.stderr)
    return times


def _built(deck: Path) -> dict[str, bytes]:
    """What a build of the deck as it was at first makes."""
    write_project(deck)
    _timed([VERIDECK, "build"], deck)
    return {name: (deck / name).read_bytes() for name in (lock.NAME, "deck.apkg")}


def _timed(command: Sequence[str | Path], folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - the commands of this file
        command, cwd=folder, check=False, capture_output=True, encoding="utf-8"
    )
    taken = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return taken


def matched(deck: Path, count: int, rounds: int) -> float:
    """The processor's seconds in which all cards are known again, with so many questions reworded.

    The matching alone, in this process: the lock has been read, and the cards too. All of the
    cards reworded are matched once.
    """
    write_project(deck, questions=count)
    (settings,) = load(deck)
    (remembered,) = lock.read(deck)
    assert isinstance(settings, Settings)
    assert isinstance(remembered, Lock)
    sources = [each for each in read([], settings) if not isinstance(each, Problem)]
    cards = [each for each in parse(sources, settings) if isinstance(each, Card)]
    assert len(cards) == CARDS
    scope = Scope(settings.root, whole=True, built={each.path for each in sources})
    times = []
    for _ in range(1 if count == CARDS else rounds):
        started = time.process_time()
        known, problems = identified(cards, remembered, scope, settings.namespace)
        times.append(time.process_time() - started)
    guids = {each.identity.guid for each in known.values() if each.identity}
    again = len(guids & set(remembered.entries))
    print(f"{count} reworded: {again} known again, {len(problems)} unclear", file=sys.stderr)
    assert again + len(problems) >= CARDS * 0.99
    return median(times)


def facts(rounds: int) -> str:
    """Where it was measured, and how."""
    return (
        f"{CARDS:,} cards without code or ids in {FILES} files, medians of {rounds}; "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}."
    )


def table(times: dict[str, list[float]]) -> str:
    """A row for the floor and for each build."""
    floor, nothing = median(times["floor"]), median(times[EDITS[1].name])
    lines = [
        "| what | median s | least to most s | of the floor | of nothing changed |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, taken in times.items():
        row = (
            name,
            f"{median(taken):.2f}",
            f"{min(taken):.2f} to {max(taken):.2f}",
            f"{median(taken) / floor:.1f}",
            f"{median(taken) / nothing:.2f}",
        )
        lines.append(f"| {' | '.join(row)} |")
    legend = (
        "The floor is a Python process that reads the files and hashes them, its start included."
    )
    return "\n".join([*lines, "", legend])


def growth(matching: dict[int, float], rebuild: float) -> str:
    """What it takes to know the cards again, the more of them were reworded."""
    lines = [
        "| questions reworded | matching s | of the rebuild | ms for each of them |",
        "|---:|---:|---:|---:|",
    ]
    least = min(matching.values())
    for count, taken in matching.items():
        share = taken / (rebuild - least + taken)
        each = f"{1000 * (taken - least) / count:.2f}" if count >= MANY else ""
        lines.append(f"| {count:,} | {taken:.2f} | {share:.0%} | {each} |")
    few, many = ((matching[count] - least) / count for count in (MANY, CARDS))
    said = (
        f"Each of {CARDS:,} reworded questions takes {many / few:.1f} times what each of {MANY:,} "
        "takes; linear is about 1, quadratic about 10."
    )
    return "\n".join([*lines, "", said])


def profile(deck: Path) -> None:
    """Print where a rebuild with nothing changed spends its time."""
    _timed([VERIDECK, "build"], deck)
    profiler = cProfile.Profile()
    with chdir(deck), suppress(SystemExit):
        profiler.runcall(verideck, ["build"])
    stats = pstats.Stats(profiler).strip_dirs()
    stats.sort_stats("tottime").print_stats(SHOWN)
    stats.sort_stats("cumulative").print_stats("verideck|pack|lock|render|parse", SHOWN)


def write(report: str) -> None:
    """Put the report between the markers of the README."""
    begin, end = MARKERS
    before, found, rest = README.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        sys.exit(f"no {begin} … {end} in {README.name}: the report was not written")
    README.write_text(f"{before}{begin}\n\n{report}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
