"""A style sheet of Anki's for a browser: its night is what the reader's system says.

Anki marks a page by the classes `nightMode` and `night_mode`. No script sets them in a page of
ours, so their rules are said again, for readers who ask for dark pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"""/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|[{};]""", re.DOTALL
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_NIGHT = re.compile(r"\.night(?:Mode|_mode)(?![\w-])")
_BESIDE = re.compile(r"\.night(?:Mode|_mode)(?![\w-])\s*(?=\.card)")


def with_night(css: str) -> str:
    """Return a style sheet with its rules for the night, for a page on which `card` is the body."""
    night = "".join(f"{selector} {{{block}}}\n" for selector, block in _night(css))
    return (
        f"{css}\n@media screen and (prefers-color-scheme: dark) {{\n{night}}}\n" if night else css
    )


def _night(css: str) -> Iterator[tuple[str, str]]:
    """Yield the rules of the night, with selectors that hold by day as well."""
    for written, block in _rules(css):
        selectors = _COMMENT.sub("", written).split(",")
        asked = [each.strip() for each in selectors if _NIGHT.search(each)]
        if asked:
            by_day = (_NIGHT.sub("", _BESIDE.sub("", each)).strip() for each in asked)
            yield ", ".join(dict.fromkeys(filter(None, by_day))), block


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Yield the rules that stand in no other: a selector, and what stands in its braces."""
    begin = opened = depth = 0
    for found in _PIECE.finditer(css):
        mark = found[0]
        if mark == "{":
            depth += 1
            opened = found.end() if depth == 1 else opened
        elif mark == "}":
            depth -= 1
            if depth == 0:
                selector = css[begin : opened - 1].strip()
                if not _COMMENT.sub("", selector).strip().startswith("@"):
                    yield selector, css[opened : found.start()]
                begin = found.end()
            depth = max(depth, 0)
        elif mark == ";" and depth == 0:
            begin = found.end()
