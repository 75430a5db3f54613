"""TeX -> MathML, for pages that no script sets formulas on: the one door to math-core.

Browsers show MathML Core without a script. math-core says what it does not know, where others show
the name of a command in place of what it means.
"""

from __future__ import annotations

import re
from functools import cache

from math_core import LatexError, LatexToMathML

_LONGEST = 20_000
"""Characters of a formula."""
_DEEPEST = 100
"""How deep groups may stand in each other, and how many commands may follow each other and nothing
else: math-core takes some of the stack for each."""
_GROUP = re.compile(
    r"\\(?:[\\{}\[\]]|(?P<left>left|begin)(?![A-Za-z])|(?P<right>right|end)(?![A-Za-z]))"
    r"|(?P<open>[{\[])|(?P<close>[}\]])"
)
_LENGTH = r"\[\s*+[-+]?[\d.,]++\s*+(?:pt|em|ex|mu|px|pc|mm|cm|in)\s*+\]"
_OPTION = re.compile(
    rf"(?P<row>\\\\)\*?\s*+(?:{_LENGTH})?"
    r"|(?P<fraction>\\cfrac)\s*+\[[lrc]\]"
    r"|(?P<block>\\begin\s*+\{(?:aligned|array|gathered)\})\s*+\[[tbc]\]"
    rf"|(?P<bracket>\\(?:under|over)bracket)(?:\s*+{_LENGTH}){{1,2}}"
    r"|\\."
)
"""What math-core takes for text and MathJax for an option: the space below a row, to which side a
numerator is set, which of its rows a block stands on, how thick a bracket is. What is text for
MathJax, too, stays: `\\begin{cases}[ll]`, `\\hline[2pt]`."""
_CHAIN = re.compile(rf"(?:\\[A-Za-z]++\s*+|[\^_]\s*+){{{_DEEPEST}}}")


class TexError(ValueError):
    """A formula that is not converted; the text says why."""


def mathml(tex: str, *, display: bool) -> str:
    """Return a formula as an element `math`, on a line of its own if `display`. Raises TexError."""
    if len(tex) > _LONGEST or _depth(tex) > _DEEPEST or _CHAIN.search(tex):
        raise TexError("it is too large")
    try:
        plain = _OPTION.sub(_without_option, tex)
        return _converter().convert_with_local_state(plain, displaystyle=display)
    except LatexError as error:
        why = re.sub(r"^\d+: ", "", str(error)).rstrip(".")
        raise TexError(why[:1].lower() + why[1:]) from None


def _without_option(found: re.Match[str]) -> str:
    return found[found.lastgroup or 0]


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(fancy_error=False, allow_unreliable_rendering=True)


def _depth(tex: str) -> int:
    """Return how deep groups stand in each other."""
    deepest = depth = 0
    for found in _GROUP.finditer(tex):
        if found["open"] or found["left"]:
            depth += 1
            deepest = max(deepest, depth)
        elif found["close"] or found["right"]:
            depth = max(depth - 1, 0)
    return deepest
