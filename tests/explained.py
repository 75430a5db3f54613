"""Makes what `verideck explain` tells: of each code its meaning, a case of the manual, and a mend.

`python tests/explained.py` writes it; a test holds it to what this would write.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from spec_cases import SPEC, Case, Fence, cases

import verideck
from verideck.problems import Code

FILE = Path(verideck.__file__).parent / "cli/explained.json"
PAGES = ("problems.md", "markdown.md", "lint.md")
_TOLD = re.compile(r" \[([a-z-]+)\]$", re.MULTILINE)
_NEEDS = re.compile(r" \((?:torch|matplotlib|distributed|sandbox|Linux)\)$")
_PATH = re.compile(r"path=(\S+)")


def written() -> str:
    """The text of the file."""
    every = [case for page in PAGES for case in cases(SPEC / page)]
    mends = {case.heading: case for case in cases(SPEC / "mended.md")}
    explained = {
        code: {
            "means": meaning,
            "case": _shown(_simplest(code, every)),
            "mended": _shown(mends[code]) if code in mends else None,
        }
        for code, meaning in _meanings()
    }
    return json.dumps(explained, indent=1, ensure_ascii=False) + "\n"


def _meanings() -> Iterator[tuple[str, str]]:
    """Each code with the sentence that stands under it."""
    source = (Path(verideck.__file__).parent / "problems.py").read_text(encoding="utf-8")
    (enum,) = (
        each
        for each in ast.parse(source).body
        if isinstance(each, ast.ClassDef) and each.name == "Code"
    )
    for member, below in zip(enum.body, enum.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(below, ast.Expr):
            value, sentence = ast.literal_eval(member.value), ast.literal_eval(below.value)
            yield Code(value), " ".join(sentence.split())


def _simplest(code: str, every: list[Case]) -> Case:
    """The shortest of the cases that tell of the fewest other codes."""
    told = [case for case in every if f" [{code}]\n" in case.expected.text]
    found = [case for case in told if not any(map(_is_odd, case.given))] or told
    return min(found, key=lambda case: (len(_codes(case)), _length(case)))


def _codes(case: Case) -> set[str]:
    return set(_TOLD.findall(case.expected.text))


def _is_odd(fence: Fence) -> bool:
    """Whether what a file holds is not what the manual shows."""
    return "escaped" in fence.options or "repeated" in fence.options or fence.word == "link"


def _length(case: Case) -> int:
    return sum(len(each.text) for each in (*case.given, case.expected))


def _shown(case: Case) -> dict[str, object]:
    return {
        "heading": _NEEDS.sub("", case.heading),
        "files": [[_name(each), each.text] for each in case.given],
        "told": case.expected.text,
    }


def _name(fence: Fence) -> str:
    found = _PATH.search(fence.options)
    return found[1] if found else "cards/card.md"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
