"""Writes `docs/coming-from.md`: for each tool a table of what verideck makes of what it reads.

The rows are the cases of `spec/tools.md`: what a case shows and proves there is told here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cells import code
from spec_cases import SPEC, Case, cases

PAGE = Path(__file__).parents[1] / "docs" / "coming-from.md"
MANUAL = SPEC / "tools.md"

_INTRODUCTION = """\
# Coming from another tool

verideck reads the files of these tools as they are. The first form whose sign stands in a file is
taken; `syntax:` in its front matter, `syntax` in the settings, also for a folder, or `--syntax`
says it where there is none. `verideck check FILE` tells which form it took, why, and which lines
are on no card. Ids that a tool has written are kept as identities and stay where they are, so
whoever moves over can go back.

Each row is a [case of the manual](../tests/spec/tools.md), which is run; this page is written from
them (`pytest tests/test_coming_from.py --update-spec`). All else that Markdown has is read in the
same way in every form: `{#id}` and other attributes behind a question, code, maths, images, tables,
and what notes of Obsidian hold: links, embeds, ids of blocks, callouts, comments. [A
page](markdown.md) shows each construct.
"""
_CARD = re.compile(r"[^ ]+:\d+:\d+ \| (?P<kind>\w+)(?P<reversed> reversed)? \|")
_KINDS = {
    "basic": "card",
    "basic reversed": "card asked both ways",
    "typed": "card to be typed",
    "cloze": "cloze card",
}
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_MOST_LINES = 6
"""Of an example; the manual shows all of them."""


def page() -> str:
    """Return the text of the page."""
    by_heading = {case.heading: case for case in cases(MANUAL)}
    return "\n".join([_INTRODUCTION, *_sections(by_heading)])


def _sections(by_heading: dict[str, Case]) -> Iterator[str]:
    _, *chapters = re.split(r"^# ", _without_fences(MANUAL.read_text("utf-8")), flags=re.MULTILINE)
    for chapter in chapters[1:]:
        title, _, text = chapter.partition("\n")
        introduction, *written = re.split(r"^## ", text, flags=re.MULTILINE)
        yield f"## {title}\n\n{introduction.strip()}\n"
        yield "| written for it | for example | becomes | with verideck |\n|---|---|---|---|"
        for each in written:
            heading, _, prose = each.partition("\n")
            yield _row(by_heading[heading], prose.strip().partition("\n\n")[0])
        yield ""


def _without_fences(text: str) -> str:
    return re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


def _row(case: Case, prose: str) -> str:
    heading = case.heading.replace("|", r"\|")
    told = " ".join(prose.split()).replace("|", r"\|")
    cells = heading, _example(case), _made(case.expected.text), told
    return f"| {' | '.join(cells)} |"


def _example(case: Case) -> str:
    """Return the first lines of what a case gives, each as code in a cell of a table."""
    text = _FRONT_MATTER.sub("", case.given[0].text)
    lines = [line for line in text.split("\n") if line.strip()]
    shown = [code(line.replace("\t", "    ")) for line in lines[:_MOST_LINES]]
    return "<br>".join([*shown, "…"] if lines[_MOST_LINES:] else shown)


def _made(expected: str) -> str:
    """Return how many cards of which kind a case expects."""
    found = Counter(
        f"{card['kind']}{card['reversed'] or ''}"
        for line in expected.split("\n")
        if (card := _CARD.match(line))
    )
    made = [_counted(count, _KINDS[kind]) for kind, count in found.items()]
    made += ["a warning"] if ": warning: " in expected else []
    return ", ".join(made) or "no card"


def _counted(count: int, what: str) -> str:
    return f"{count} {what.replace('card', 'cards', 1)}" if count > 1 else f"a {what}"
