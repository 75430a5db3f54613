r"""Maths, in the delimiters that people write: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, environments.

What stands inside is TeX and is left alone: no emphasis, no escapes. A `$` opens maths when a
character other than white space follows it, and the next `$` closes it if no white space stands
before that one and no digit behind it; so `$5` and `$10` stay money. A `$` in inline code is code.

`\(` is CommonMark's escape of a bracket as well. It opens maths if what follows, up to `\)`, reads
as TeX does. So do `\\(`, as it is written for other renderers of MathJax, and Anki's own `[$]`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from verideck.markdown import mathjax
from verideck.markdown.faults import report
from verideck.markdown.positions import State
from verideck.problems import Code, Severity

_STEP = re.compile(r"\\.|(`++).*?(?<!`)\1(?!`)|\$\$|\$|[^\\`$]+|.", re.DOTALL)
"""An escaped character, inline code, dollars, or a run of anything else."""
_HARMLESS_NEXT = re.compile(r"[\s\d.,;:!?)\]}\"'、，。；：！？）】」”’–—$]|$")
"""What follows a dollar that is not meant to open maths: white space, a price, punctuation."""
_PADDED = re.compile(
    r"[ \t]+(?=[^$`\n]*(?:\\[A-Za-z]|[\^_=]))[^$`\n]{1,200}?(?<!\\)\$(?![A-Za-z\d])"
)
"""What follows a dollar that would open maths, if it had no blank behind it: TeX and a dollar."""
_PRICE_BEFORE = re.compile(r"[\d]\s?\$[.,;:!?)\]–—、，。；：！？）】」”’\s]")
"""A price with its sign behind it, as in `5 $.`."""
_SIGNS_OF_TEX = re.compile(r"[\\^_={}<>]")
_BLANK_WORD = r"(?<![^\s(/+\-\[\"“‘*#])(?<![-+*/]\s)[^\W\d_]{2,}(?![^\s,;.:)?!\]\"”’*]|\s[-+*/])"
_FOREIGN_LETTER = r"[^\W\d_\x00-\u03ff\u1d00-\u2fff\U0001d400-\U0001d7ff]"
_PROSE = re.compile(rf"{_BLANK_WORD}|{_FOREIGN_LETTER}|[、。，；：！？—]|\s[→…≈]\s")
"""A word with blanks around it and no operator beside it, or what only prose has: a letter of a
script in which no formula is written, a wide mark, or a sign between blanks."""
_WIDE_CLAUSE = re.compile(rf"[。，；：！？]{_FOREIGN_LETTER}")
_RANGE = re.compile(r"[-−]\d[\d.,]*")
"""What stands between the signs of a range of prices, `5$-10$`."""
_OF_NUMBERS = frozenset("0123456789.,;，；、/ \nkKmM")
_SEPARATORS = frozenset(",;，；、/ ")
"""What a list of numbers is made of, and what divides it: maths, or what stands between prices."""
_SIGN = re.compile(r"(?<!\\)\$")
_SHELL = re.compile(r"[A-Z_][A-Z0-9_]+\b|\{|\(")
"""What follows the dollar of a shell's variable, `$PATH`, and of `${x}` and `$(command)`."""
_VARIABLES = re.compile(
    r"[{(]?[A-Za-z_][\w{}()\[\].>/\"'-]*[/:][\"']?\$[A-Za-z_{]|[^\\^_={}$`\n]*[(\[]\$[A-Za-z_{]"
    r"|\{[A-Z_]+\}\$[A-Z_]",
    re.ASCII,
)
"""What follows the dollar of a variable before another one, `$dir/$file`: it ends as no formula."""
_CELLS = re.compile(r"(?:[A-Z]{1,3}|(?<=[A-Z]\$))\d+[-+*/:;,&()]+\$[A-Z]{1,3}\$?\d")
"""What follows a dollar of one cell of a spreadsheet, with another cell behind an operator."""

_TEX = re.compile(r"[\\^_={}<>+]")
_WORD = re.compile(r"[^\W\d_]{3}")
_COMMAND = re.compile(r"\\(?:[A-Za-z]{2}|[,;:!])")
_OWN_LINES = re.compile(r"[ \t]*\n.*\n[ \t]*", re.DOTALL)
"""What stands between brackets that end a line and begin one."""
_ESCAPED = re.compile(r"\A\^|`|\]\(|\\[_\[]|[^\W\d_]{3}|[^\x00-\x7f]{2}|\+\+")
"""What stands in brackets that a converter to Markdown has escaped, where no blank leads it."""

_ENVIRONMENT = re.compile(r"\\begin\{([A-Za-z]+\*?)\}")


class _Pair(NamedTuple):
    """What maths stands between."""

    opens: str
    closes: str
    displayed: bool
    """Whether it stands in a line of its own."""
    is_escape: bool = False
    """Whether it means something else in CommonMark, so that what stands inside decides."""


_PAIRS: Sequence[_Pair] = (
    _Pair(r"\\(", r"\\)", displayed=False, is_escape=True),
    _Pair(r"\\[", r"\\]", displayed=True, is_escape=True),
    _Pair(r"\(", r"\)", displayed=False, is_escape=True),
    _Pair(r"\[", r"\]", displayed=True, is_escape=True),
    _Pair("[$]", "[/$]", displayed=False),
    _Pair("[$$]", "[/$$]", displayed=True),
    _Pair("<anki-mathjax>", "</anki-mathjax>", displayed=False),
    _Pair('<anki-mathjax block="true">', "</anki-mathjax>", displayed=True),
)
_DOLLARS = _Pair("$$", "$$", displayed=True)


def rule(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match maths between dollars: a token `math_inline` or `math_inline_double`."""
    markup = "$$" if state.src.startswith("$$", state.pos) else "$"
    start = state.pos + len(markup)
    end = _closing(state.src, start, state.posMax, markup)
    if end is None:
        second_of_two = state.src.endswith("$", 0, state.pos)
        if markup == "$$" or not (second_of_two or _HARMLESS_NEXT.match(state.src, start)):
            _unclosed(state, markup, markup)
        elif not second_of_two and _PADDED.match(state.src, start, state.posMax):
            message = "this $ opens no maths, as a blank stands behind it"
            _warn(state, message, r"write no blank inside of $…$; if it is no maths, write \$")
        return False
    if markup == "$" and (instead := _no_maths(state.src, start, end)):
        message = f"this $ is read as {instead}, and opens no maths"
        _warn(state, message, r"write \$; maths is never misread between \( and \)")
        return False
    if not silent:
        _push(state, start, end, markup, displayed=markup == "$$")
    state.pos = end + len(markup)
    return True


def between(state: State, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Match maths between other delimiters, or an environment."""
    pair = next((each for each in _PAIRS if state.src.startswith(each.opens, state.pos)), None)
    if pair is None:
        return _environment(state, silent)
    start = state.pos + len(pair.opens)
    end = _first_end(state, pair.opens, pair.closes, start)
    if end is None:
        if not pair.is_escape or (pair.displayed and state.src[start : start + 1] in {"", "\n"}):
            _unclosed(state, pair.opens, pair.closes)
        return False
    behind = end + len(pair.closes)
    follows_word = state.pos > 0 and re.match(r"[A-Za-z0-9]", state.src[state.pos - 1])
    is_beside = bool(follows_word) or (pair.displayed and state.src.startswith("(", behind))
    if pair.is_escape and not _reads_as_tex(state.src[start:end], pair, is_beside=is_beside):
        return False
    if not silent:
        _push(state, start, end, pair.opens, displayed=pair.displayed)
    state.pos = behind
    return True


def _environment(state: State, silent: bool) -> bool:  # noqa: FBT001 - as a rule has it
    found = _ENVIRONMENT.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    opens, closes = found.group(), rf"\end{{{found[1]}}}"
    if found[1] not in mathjax.ENVIRONMENTS:
        _warn(state, f"{opens} is text here: MathJax has no such environment", "show it in a fence")
        return False
    end = _first_end(state, opens, closes, found.end())
    if end is None:
        _unclosed(state, opens, closes)
        return False
    end += len(closes)
    if not silent:
        _push(state, state.pos, end, opens, displayed=True)
    state.pos = end
    return True


def _first_end(state: State, opens: str, closes: str, start: int) -> int | None:
    """Return where maths ends; None if nothing closes it, or it opens once more before."""
    end, again = state.first(closes, start), state.first(opens, start)
    if not start < end <= state.posMax - len(closes):
        return None
    return None if start <= again < end else end


def _reads_as_tex(content: str, pair: _Pair, *, is_beside: bool = False) -> bool:
    r"""Tell maths from an escaped bracket: `\(E\)` from `\(see below\)`, `\[x\]` from `\[a_b\]`.

    What has lines of its own is a formula; else nothing is that stands directly beside a word, or
    before the address of a link.
    """
    if pair.displayed and _OWN_LINES.fullmatch(content):
        return True
    if is_beside:
        return False
    has_signs = bool(_TEX.search(content))
    if not pair.displayed:
        return has_signs or (content.strip() != "" and not _WORD.search(content))
    is_text = not content[:1].isspace() and bool(_ESCAPED.search(content))
    return bool(_COMMAND.search(content)) or (has_signs and not is_text)


def _no_maths(text: str, start: int, end: int) -> str:
    """Return what a pair of dollars rather is than maths; empty if it is maths."""
    if _PRICE_BEFORE.match(text, max(start - 2, 0)) or _PRICE_BEFORE.match(text, max(start - 3, 0)):
        return "the sign of a price"
    if _are_prices(text, start, end) or _is_between_prices(text, start, end):
        return "the sign of a price"
    if _CELLS.match(text, start):
        return "a spreadsheet's"
    is_shell = _SHELL.match(text, start) and _SHELL.match(text, end + 1)
    if is_shell or _VARIABLES.match(text, start):
        return "a shell's"
    return ""


def _are_prices(text: str, start: int, end: int) -> bool:
    """Tell whether prose stands between two dollars, and numbers beside both: `5$/month or 50$`.

    Behind a number it may be the end of one price alone.
    """
    is_behind = text[max(start - 2, 0) : start - 1].isdecimal()
    if not (is_behind or text[start].isdecimal()) or _SIGNS_OF_TEX.search(text, start, end):
        return False
    if text[end - 1].isdecimal():
        return bool(_PROSE.search(text, start, end))
    return is_behind and bool(_WIDE_CLAUSE.search(text, start, end))


@lru_cache(maxsize=4)
def _signs(text: str) -> Sequence[int]:
    """Return where the dollars of a text are that no backslash guards."""
    return [found.start() for found in _SIGN.finditer(text)]


def _is_between_prices(text: str, start: int, end: int) -> bool:
    """Tell whether only numbers stand between two dollars, and others beside them have no partner.

    Of `$5 and $10, 5$ and 10$` the two in the middle are no more maths than the others.
    """
    if _RANGE.fullmatch(text, start, end):
        return text[max(start - 2, 0) : start - 1].isdigit()
    inside = text[start:end]
    if not (_OF_NUMBERS.issuperset(inside) and _SEPARATORS.intersection(inside)):
        return False
    signs = _signs(text)
    before, behind = bisect_left(signs, start - 1), len(signs) - bisect_right(signs, end)
    return before % 2 == 1 or behind % 2 == 1


def _warn(state: State, message: str, hint: str) -> None:
    report(state, Code.MATHS_UNCLOSED, message, hint, Severity.WARNING)


def _unclosed(state: State, opens: str, closes: str) -> None:
    inside = "without a blank before it" if closes == "$" else "before the next blank line"
    hint = rf"close it with {closes} {inside}"
    if opens.startswith("$"):
        hint += rf"; if it is no maths, write \{opens}" if opens == "$" else r"; or write \$\$"
    _warn(state, f"this {opens} opens maths and is never closed", hint)


def _push(state: State, start: int, end: int, markup: str, *, displayed: bool) -> None:
    token = state.push("math_inline_double" if displayed else "math_inline", "math", 0)
    content = state.src[start:end]
    if state.content:
        content = state.content.barred(content, start)
    content = content.strip()
    if content.count(r"\|") % 2 and state.content and state.content.bars:
        message = r"\| in maths is a double bar, also in a table"
        report(state, Code.MARK_UNREAD, message, r"a single one is \mid or \vert", Severity.WARNING)
    if markup == "$" and content[:1] == content[-1:] == "`" and content.strip("`"):
        content = content.strip("`").strip()
    token.content, token.markup = content, markup
    if mathjax.is_unbalanced(token.content):
        report(state, *mathjax.UNBALANCED)
    if found := mathjax.unsafe(state.src[start:end]):
        before = state.pos
        state.pos = start + found[1]
        report(state, *mathjax.unsafe_problem(found[0]))
        state.pos = before


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
    """Match displayed maths over several lines, or alone on one: a token `math_block`."""
    begin = state.bMarks[start_line] + state.tShift[start_line]
    pair = _block_pair(state.src, begin)
    if pair is None:
        return False
    first = state.src[begin : state.eMarks[start_line]].rstrip()
    inside = first[len(pair.opens) :]
    if pair.closes in inside:
        # Text behind the closing dollars makes it a paragraph with maths in it.
        content = inside.removesuffix(pair.closes)
        if content == inside or pair.closes in content or not content.strip():
            return False
        if pair.is_escape and not _reads_as_tex(content, pair):
            return False
        last_line = start_line
    else:
        found = _last_line(state, start_line, end_line, pair.closes)
        if found is None:
            return False
        last_line = found
    is_environment = pair.opens.startswith("\\begin")
    if silent:
        return not (is_environment and _opens_above(state, start_line))
    content = state.getLines(start_line, last_line + 1, state.blkIndent, keepLastLF=False).strip()
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = content if is_environment else _inside(content, pair)
    token.markup = pair.opens
    token.map = [start_line, last_line + 1]
    state.line = last_line + 1
    return True


def _opens_above(state: StateBlock, line: int) -> bool:
    """Whether the line above ends with what opens maths, which an environment then is a part of."""
    above = state.src[state.bMarks[line - 1] : state.eMarks[line - 1]].rstrip()
    return above.endswith(("$$", "\\["))


def _inside(content: str, pair: _Pair) -> str:
    return content[len(pair.opens) : len(content) - len(pair.closes)].strip()


def _block_pair(text: str, begin: int) -> _Pair | None:
    if text.startswith("$$", begin):
        return _DOLLARS
    if found := _ENVIRONMENT.match(text, begin):
        closes = rf"\end{{{found[1]}}}"
        is_known = found[1] in mathjax.ENVIRONMENTS
        return _Pair(found.group(), closes, displayed=True) if is_known else None
    return next(
        (each for each in _PAIRS if each.displayed and text.startswith(each.opens, begin)), None
    )


_ENDS = "verideck-ends-of-maths"
"""Key of the parser's environment: by what closes a block, the lines that were looked at, and the
line that was found."""


def _last_line(state: StateBlock, start_line: int, end_line: int, closes: str) -> int | None:
    """Return the line that closes a block of maths; None if a blank or outer line comes first.

    What was found is remembered: each line of a text may open maths that is never closed.
    """
    known: dict[object, tuple[range, int | None]] = state.env.setdefault(_ENDS, {})
    key = closes, state.level, state.blkIndent, end_line
    looked_at, found = known.get(key, (range(0), None))
    if start_line + 1 in looked_at:
        return found
    found = None
    line = start_line + 1
    for line in range(start_line + 1, end_line):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if not text or state.sCount[line] < state.blkIndent:
            break
        if text.endswith(closes):
            found = line
            break
    known[key] = range(start_line + 1, line + 1), found
    return found


def is_fence(token: Token) -> bool:
    """Return whether a fence is a block of maths: `math`, as GitHub has it, `{math}` in MyST."""
    return token.type == "fence" and token.info.strip().strip("{}.").lower() == "math"


def take(fence: Token) -> None:
    """Make a block of maths of a fence."""
    fence.type, fence.tag, fence.content = "math_block", "math", fence.content.strip()
