"""How the time grows with a text, however it is written: no stranger's text may take for ever.

`python benchmarks/growth.py` doubles each pattern from 10,000 to 1,000,000 characters, in places
of a card where it can stand, and prints what did not keep the bounds; `--all` prints every line,
`--reported` leaves all out that was never slow, `--pattern '[a]('` every other pattern.
The exit code is 1 if a bound is not kept. `tests/test_growth.py` asserts the same of small sizes.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from verideck.history.numbering import Past, numbered
from verideck.markdown import dialect
from verideck.memo import row_of
from verideck.model import Place, ProvenCard, Source
from verideck.problems import RULE_NAMES, Problems
from verideck.proof.expected import difference
from verideck.proof.languages import VERIFIERS
from verideck.render.fields import rendered
from verideck.render.highlight import Highlighter
from verideck.rules import configured
from verideck.rules.lint import lint
from verideck.source.config import SourceConfig
from verideck.source.includes import IncludedFiles
from verideck.storage.store import Store

LEAST, MOST = 10_000, 1_000_000
GROWTH = 1.3
"""How much more time a character of a longer text may take than one of 10,000."""
FOR_ONE = 10.0
"""Microseconds for a character: of the patterns that were reported."""
FOR_ANY = 40.0
"""Of all others. Those which are a block for every few characters take the most."""
NOISE = 0.05
"""Seconds that the machine may add."""

REPORTED = ["$a ", "`a ", "{eval}`", "[a](", "{{c1::a}}", "[", "==a", "{{c1::"]
"""What was once read in the square of its length, or took hundreds of microseconds."""
SIBLINGS = [
    "![](", "![", "![](a){:a b ", "![](a){:a b} ",
    "![a", "![a][", "[[a]", "[a]", "[a][", "[a](b", '[a](b "', "[a](b (", "[a](<b",
    "[a](b) ", "[a]: b\n", "[a]:\n", "[a]: <\n", "[a\n", "]", "**", "*a ",
    "** a:** ", "**a **", "*a_ ", "_", "_a ",
    "_a*",
    "***a", "~~", "~~a ", "a**b", "*_~~[", "<", "<a:", "<a href=", "<http://a", "&", "&#", "&amp;",
    "|", "| ", "a|b\n", "$", "$$", "$$a ", "$}$ ", "${$ ", "$$\na\n", "\\", "\\(", "\\*", "`",
    "{a}`", "{eval}``a` ", "> ", ">", "> a\n", "> a\nb\n", ">-\na\n", ">1.\na\n",
    "> #\na\n", "> >\na\n", "- >\na\n", ">\n", "- ", "- a\n", "-\n", "- - ",
    "1. a\n", "1) ", "+\n", "> - ", "# a\n", "a\n=\n", "***\n", "a\n", "a  \n", "\n", "    a\n",
    "```\n", "~~~\n", "~~~ {", "{{c1::a::", "{{c1::`", "{{c1::$a ", "{{c1::{{c2::", "{{c1::{{ }} ",
    "{{c1::{ }} ", "${{c1::a}}$ ", "`{{c1::a}}` ", "==", "==a== ", "::", "{", "}}", "{#", "{#a ",
    '{source="', "{a=b", "!", "word ", "a, ", "归一化，", "“", "「", "还是", "纬度 ", "√a", "；",
    "\\(a ", "\\(a\\) ", "\\[", "\\[\n", "$$a\n", "\\\\(", "[$]", "[$]a[/$]", "<anki-mathjax>",
    "\\begin{align}", "\\begin{align}\n", "\\begin{align}\\begin{split}", "$5 a ", "5$, ",
    "[^a]", "[^a]: b\n", "[^a]:\n", "^[", "^[a] ", "- [ ] a\n", "> [!note]\n", "> [!tip]- a\n\n",
    "a\n: b\n", ": ", "a\n\n: b\n\n", "https://a.b/", "https://a.b ", "www.", "a@b.cd ", "@", "a@",
    "|a|b|\n|-|-|\n|`|`|$|\n", "|-\n", "a|b\n-|\n", "\\|", "https://a.b)",
    "1,111", '."', '"a', "`torch.x` ", "# audit: ", " ", "\t", "\u00a0", "Q: ", "Q: a\n", "[sound:",
    "<!--", "<!--\n", "<!-- a -->", "<!-- a -->\n", "> <!--\n", "- <!--\n", "-->", "%%", "%%\n",
    "%%a%% ", "%% a\n", "<b>", "</b>", "<b>a</b> ", "<b><i>", "<b>*a ", "<code>", "<code>`",
    "<br>", "<div>\n", "<div>\n\n", "<div>\n\n</div>\n\n", "</div>\n", "<td>*a", "<table><tr><td>",
    "<details>\n", "<img src=", '<img src="a">', '<span a="', "<b\n", "<script>", "<pre>\n",
    "> <div>\n", "a\n</b>\n", "a <b>\n</b>\n", "- a\n</b>\n", "<b>\n\na\n</b>\n", "</br>",
    "[[", "[[a|", "[[a]] ", "[[a|b]] ", "[[a#", "![[a", "![[a.png|", "![[a]] ",
    " ^a\n", "[[#^a]] ^a\n\n", "^a\n\n[[b]]\n\n", "א ", "- א\n", "> א\n", "א\n\n", "|א|b|\n|-|-|\n",
]  # fmt: skip

PLACES: Mapping[str, Callable[[str], str]] = {
    "an answer": "## What?\n\n{}\n".format,
    "a question": "## {}\n\nanswer\n".format,
    "a cloze card": lambda text: f"## A {{{{c1::b}}}}\n\n{text}\n",
    "text": "## What?\n\n~~~~~~text\n{}\n~~~~~~\n".format,
    "code": "## What?\n\n~~~~~~python\n{}\n~~~~~~\n".format,
    "code that is hidden": lambda text: f"## A {{{{c1::b}}}}\n\n~~~~~~c\n{text}\n~~~~~~\n",
    "maths": lambda text: f"## A {{{{c1::b}}}}\n\n$$\n{text}\n$$\n",
    "an attribute": lambda text: f'## What? {{source="{text}"}}\n\nanswer\n',
    "attributes": lambda text: f"## What? {{{text}\n\nanswer\n",
    "an info string": "## What?\n\n~~~~~~python {}\na\n~~~~~~\n".format,
    "front matter": "---\ndeck: {}\n---\n## a\n\nb\n".format,
    "a list": "- {}\n  - b\n".format,
    "a file": "{}".format,
    "before its ends": "## What?\n\n{} ) ]( }}}} == $ `\n".format,
}
"""Where a pattern may stand, by what it is."""

_OF_SIBLINGS = ("an answer", "a cloze card", "code that is hidden")

FORMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "a file of spaced-repetition": ("{}", (
        "a question::an answer\n", "::", ":::", "a:", "a question\n?\nan answer\n\n", "?\n",
        "a\n?\n", "some ==hidden== text\n\n", "{{a}} ", "{{a", "a {{question::b}}\n", "+++\n",
        "#flashcards ", "#flashcards/a\n", "a <!--SR:", "<!--SR:\n", "- a question::an answer\n",
    )),
    "a file of obsidian-to-anki": ("{}", (
        "START\n", "START\nBasic\na\nBack: b\nEND\n", "STARTI [Basic] ", "STARTI ", "ENDI ",
        "STARTI [a] b Back: c ENDI ", "TARGET DECK\n", "START\nA\nB: c\n", "END\n", "ID: 1\n",
    )),
    "a note of obsidian-to-anki": ("START\nCloze\n{}\nEND\n", (
        "{a} ", "{1:a", "{", "Back: a\n", "ID: ",
    )),
    "a file of heading": ("## What?\n\n{}", (
        "<details>\n\n", "<details>\n\n## a\n\n</details>\n\n", "### a?\n", "### 1. a\n",
        "## Answer\n", "## a?   ", "## Answer:::", "# 1 ", "a\nb\n---\n",
    )),
    "a file of logseq": ("{}", (
        "- a question #card\n", "- a question #card\n\t- an answer\n", "- a #card\n  id:: b\n",
        "a:: b\n", "- #card ", "- a {{cloze b}}\n", "- {{cloze ", "- #a ", "- a\n\n",
    )),
    "a block of logseq": ("- a #card {}\n", (
        "{{cloze a}} ", "{{cloze ", "{{c1 ", "#[[a", "#a ", "#card ",
    )),
    "an indented fold": ("<details>\n    <summary>a</summary>\n    ```\n\n{}\n</details>\n", (
        "    b\n", "\n", "    ```\n",
    )),
    "a file of details": ("{}", (
        "<details>\n", "<summary>", "</summary>", "<details><summary>a</summary>b</details>\n",
        "<details", "<summary ", "<details><summary>", "`<summary>", "</details>",
        "<details>\n<summary>show</summary>\n", "<details></details>", "<summary></summary>",
        "<details><summary>a</summary>", "<details><summary>a</summary>b</details>",
        "a\n<details><summary>b</summary>c</details>\n", "<details><summary>a</summary><br>\n",
        "# a?\n<details><summary>b</summary>c</details>\n", "<br>\n",
    )),
    "a file of numbered": ("{}", (
        "1. ### a\n", "1. ### a\n   b\n\n", "- # a\n  - # b\n", "1. #\n",
    )),
    "a file of hashcards": ("{}", (
        "C: [a] b\n\n", "C: ", "C:\n", "Q: a\nA: b\n\n", "Q:\n", "A:\n", "C: [", "---\n",
        "C: a\n---\n",
    )),
    "a text of hashcards": ("C: {}\n", ("[a] ", "[a", "[", "]", "[[a] ", "[a](b) ")),
    "a file of mdanki": ("{}", ("## a\n\n%\n\nb\n\n", "%\n", "## a\n[#b]()\n", "[#a]() ", "[#a](")),
    "a file of md2anki": ("{}", (
        "## a (66b3661f-e22e-4986-a50d-569fdac454ad)\n\nb\n\n---\n\nc\n", "# a (123456)\n", "# a (",
        "## Subdeck: a\n", "## a\n\n`{=:b:=}`\n\n", "`{=:a:=}`\n", "`{=:a", "---\n",
    )),
    "a file of sides": ("{}", (
        "~~a~~ ", "~~a _b_~~ ", "~~1 ", "~~a _b", "---\n", "a\n---\n", "a\n\n---\n\n", "{{a}} ",
        "{{1::a", "{{a", "_a_\n\n",
    )),
}  # fmt: skip
"""By a place in the form of another tool, whose name is its last word: the text around the
patterns, and the patterns."""

OUTPUTS: Mapping[str, Callable[[int], tuple[str, str]]] = {
    "...aab": lambda n: (f"...{'a' * (n // 2)}b...", "a" * (n // 2)),
    "...aab...aab": lambda n: ("...aab" * (n // 12), "a" * (n // 2)),
    "...a...a": lambda n: ("...a" * (n // 8) + "b", "a" * (n // 2)),
    "...abac": lambda n: ("..." + "ab" * (n // 8) + "ac...", "ab" * (n * 3 // 8)),
    "...1.0 1.0": lambda n: ("..." + "1.0 " * (n // 12) + "2.0...", "1.0 " * (n // 6)),
    "...1.0 2.0...": lambda n: ("..." + "1.0 2.0..." * (n // 20), "1.01 " * (n // 10)),
    "1.0": lambda n: ("1.0 " * (n // 8), "1.01 " * (n // 10)),
    "torch 1.0": lambda n: ("torch 1.0 " * (n // 20), "torch 1.01 " * (n // 20)),
    "...   b": lambda n: ("..." + " " * (n // 2) + "b...", " " * (n // 2)),
    "lines": lambda n: ("...1.0\n" * (n // 14) + "b", "1.0\n" * (n // 8)),
    "111.5": lambda n: ("1" * (n // 2) + ".5", "1" * (n // 2) + ".6"),
}
"""An expected output, and what was printed, by how the first begins."""

_CONFIG = SourceConfig(
    Path(__file__).parent, "d", verify=False, proved=frozenset(VERIFIERS), rules=RULE_NAMES
)


@dataclass(frozen=True, slots=True)
class Case:
    """Something to do with a text of any length."""

    pattern: str
    place: str
    run: Callable[[int], None]
    bound: float = FOR_ANY

    @property
    def was_slow(self) -> bool:
        """Whether it once took the square of its length, or hundreds of µs a character."""
        return self.pattern in REPORTED or self.place in {"an output", "an included file"}

    def seconds(self, size: int, rounds: int) -> float:
        """The least time that it takes, of some rounds: what is more is the machine's."""
        least = float("inf")
        for _ in range(rounds):
            dialect._remembered.cache_clear()  # noqa: SLF001 - each round parses anew
            gc.disable()
            started = time.process_time()
            self.run(size)
            least = min(least, time.process_time() - started)
            gc.enable()
        return least


def cases() -> Iterator[Case]:
    """Every pattern in every place, and what else is done with a stranger's text."""
    for pattern in [*REPORTED, *SIBLINGS]:
        for place in PLACES if pattern in REPORTED else _OF_SIBLINGS:
            bound = FOR_ONE if pattern in REPORTED and place == "an answer" else FOR_ANY
            yield Case(pattern, place, _reading(pattern, PLACES[place]), bound)
    for place, (around, patterns) in FORMS.items():
        text = f"---\nsyntax: {place.rsplit(' ', 1)[-1]}\n---\n{around}"
        for pattern in patterns:
            yield Case(pattern, place, _reading(pattern, text.format))
    for pattern, texts in OUTPUTS.items():
        yield Case(pattern, "an output", _comparing(texts))
    for line in ("# region a{}b", "/* region a{}*/ x"):
        yield Case(line.format("  "), "an included file", _including(line))


def _reading(pattern: str, place: Callable[[str], str]) -> Callable[[int], None]:
    """Find the cards of a file, render and lint them."""

    def run(size: int) -> None:
        text = (pattern * (size // len(pattern) + 1))[:size]
        highlighter = Highlighter(Store(None))
        row = row_of(_CONFIG, Source("a.md", place(text), ()), highlighter)
        for card in row.found.cards:
            numbers = numbered(card.deletions, Past())[0]
            rendered(ProvenCard(replace(card, numbers=numbers), ()), _CONFIG.root, highlighter)
        lint(row.found.cards, configured({}, lambda _: Place(""), Problems(), "full"), {"a.md"})

    return run


def _comparing(texts: Callable[[int], tuple[str, str]]) -> Callable[[int], None]:
    def run(size: int) -> None:
        difference(*texts(size))

    return run


def _including(line: str) -> Callable[[int], None]:
    def run(size: int) -> None:
        included = IncludedFiles(Path("/"))
        text = f"# region x\n{line.format(' ' * size)}\na\n# endregion x\n"
        included._texts["a.py"] = text  # noqa: SLF001 - the file is not what is measured
        included.find("a.py", "", "x")

    return run


def complaints(case: Case, sizes: list[int], growth: float = GROWTH) -> Iterator[str]:
    """Yield what of a case does not keep the bounds."""
    first = case.seconds(sizes[0], rounds=2)
    for size in sizes[1:]:
        linear = first * size / sizes[0]
        allowed = min(growth * linear, case.bound * 1e-6 * size) + NOISE
        seconds = case.seconds(size, rounds=1)
        if seconds > allowed:  # was it the machine? Then both are measured in the same minute
            linear = case.seconds(sizes[0], rounds=3) * size / sizes[0]
            seconds = case.seconds(size, rounds=3)
        if seconds > growth * linear + NOISE:
            yield f"{size:,} characters take {seconds / linear:.1f} times what they should"
        if seconds > case.bound * 1e-6 * size + NOISE:
            yield f"{size:,} characters take {seconds / size * 1e6:.1f} µs each"


def doubled(least: int = LEAST, most: int = MOST) -> list[int]:
    """The sizes from one to another, each twice the one before."""
    sizes = [least]
    while sizes[-1] * 2 < most:
        sizes.append(sizes[-1] * 2)
    return [*sizes, most]


def main() -> None:
    """Measure all cases, and end with 1 if one does not keep the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="print what keeps the bounds, too")
    parser.add_argument("--most", type=int, default=MOST, help="the largest text")
    parser.add_argument("--reported", action="store_true", help="only what was once slow")
    parser.add_argument("--pattern", help="only this one")
    given = parser.parse_args()
    broken = number = 0
    asked = (case for case in cases() if given.pattern in {None, case.pattern})
    chosen = (case for case in asked if case.was_slow or not given.reported)
    for number, case in enumerate(chosen, 1):  # noqa: B007 - the last is told
        found = list(complaints(case, doubled(most=given.most)))
        broken += bool(found)
        if found or given.all:
            print(f"{case.pattern!r:18} {case.place:20} {'; '.join(found) or 'kept'}", flush=True)
    print(f"{number} patterns in their places, {broken} do not keep the bounds")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
