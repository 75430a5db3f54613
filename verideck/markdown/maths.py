r"""Maths: `$…$` in a line, `$$…$$` in a line or over several.

What stands inside is TeX and is left alone: no emphasis, no escapes. A `$` opens maths when a
character other than white space follows it, and the next `$` closes it if no white space stands
before that one and no digit behind it; so `$5` and `$10` stay money. A `$` in inline code is code.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

from verideck.markdown import cloze
from verideck.markdown.faults import report
from verideck.markdown.positions import State
from verideck.problems import Code

_STEP = re.compile(r"\\.|(`++).*?(?<!`)\1(?!`)|\$\$|\$|[^\\`$]+|.", re.DOTALL)
"""An escaped character, inline code, dollars, or a run of anything else."""
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_HARMLESS_NEXT = re.compile(r"[\s\d.,;:!?)\]}\"'、，。；：！？）】」”’$]|$")
"""What follows a dollar that is not meant to open maths: white space, a price, punctuation."""


UNBALANCED = (
    Code.MATHS_UNCLOSED,
    "a brace in this maths has no partner",
    r"TeX wants a } for every {; to show a brace, write \{ or \}",
)
"""The code, message and hint of the problem with unbalanced maths."""


def is_unbalanced(tex: str) -> bool:
    """Tell maths in which a brace has no partner: TeX would show an error in its place."""
    depth = 0
    for brace in _BRACE.findall(cloze.find(tex)[0]):
        depth += (brace == "{") - (brace == "}")
        if depth < 0:
            break
    return depth != 0


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match maths in a line: a token `math_inline` or `math_inline_double`."""
    markup = "$$" if state.src.startswith("$$", state.pos) else "$"
    start = state.pos + len(markup)
    end = _closing(state.src, start, state.posMax, markup)
    if end is None:
        second_of_two = state.src.endswith("$", 0, state.pos)
        if markup == "$$" or not (second_of_two or _HARMLESS_NEXT.match(state.src, start)):
            report(
                state,
                Code.MATHS_UNCLOSED,
                f"this {markup} opens maths and is never closed",
                rf"close it with {markup}; if it is no maths, write \$",
            )
        return False
    if not silent:
        token = state.push("math_inline_double" if markup == "$$" else "math_inline", "math", 0)
        token.content = state.src[start:end].strip()
        token.markup = markup
        if is_unbalanced(token.content):
            report(state, *UNBALANCED)
    state.pos = end + len(markup)
    return True


def _closing(text: str, start: int, limit: int, markup: str) -> int | None:
    """Return where the maths that begins at `start` ends, or None if it is not closed."""
    if start >= limit or (markup == "$" and text[start].isspace()):
        return None
    for step in _STEP.finditer(text, start, limit):
        if not step.group().startswith(markup):
            continue
        closes = markup == "$$" or _closes(text, step.start())
        return step.start() if closes and step.start() > start else None
    return None


def _closes(text: str, position: int) -> bool:
    """Tell a closing dollar from the next price: no white space before it, no digit behind."""
    return not text[position - 1].isspace() and not text[position + 1 : position + 2].isdigit()


def block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match `$$` over several lines, or alone on one: a token `math_block`."""
    begin = state.bMarks[start_line] + state.tShift[start_line]
    if not state.src.startswith("$$", begin):
        return False
    first = state.src[begin : state.eMarks[start_line]].rstrip()
    if "$$" in first[2:]:
        # Text behind the closing dollars makes it a paragraph with maths in it.
        if not first.endswith("$$") or first.count("$$") > 2 or not first[2:-2].strip():  # noqa: PLR2004 - opening and closing
            return False
        last_line = start_line
    else:
        found = _last_line(state, start_line, end_line)
        if found is None:
            return False
        last_line = found
    if silent:
        return True
    content = state.getLines(start_line, last_line + 1, state.blkIndent, keepLastLF=False)
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = content.strip()[2:-2].strip()
    token.markup = "$$"
    token.map = [start_line, last_line + 1]
    state.line = last_line + 1
    return True


def _last_line(state: StateBlock, start_line: int, end_line: int) -> int | None:
    """Return the line that closes a block of maths; None if a blank or outer line comes first."""
    for line in range(start_line + 1, end_line):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if not text or state.sCount[line] < state.blkIndent:
            return None
        if text.endswith("$$"):
            return line
    return None
