"""Shows text of a project as what it is: no character of it acts on a terminal, a log or a reader.

One rule for whatever is printed: names of files and decks, questions, what code printed, errors.
"""

from __future__ import annotations

import re
import unicodedata

PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
"""Unicode's pictures of control characters."""

_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""The categories of what is not seen and does something: controls (those of C1, too), formats
(directions, zero width, tags), halves of surrogate pairs, separators of lines and paragraphs."""
_FILLERS = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
"""Letters and marks that are not seen."""
_FILLER = re.compile(f"[{''.join(map(chr, _FILLERS))}]")


class _Shown(dict[int, int | str]):
    """What is printed for each character; of the million that there are, those that came up."""

    def __missing__(self, code: int) -> int | str:
        category = unicodedata.category(chr(code))
        shown: int | str = code
        if category == "Cs":  # a byte of a name that is no text, as Python writes it
            shown = f"\\u{code:04x}"
        elif category in _ACTING or code in _FILLERS:
            shown = f"<U+{code:04X}>"
        self[code] = shown
        return shown


_LINE = _Shown({**PICTURES, ord("\t"): ord("\t")})
_LINES = _Shown({**_LINE, ord("\n"): ord("\n")})
_ANYWHERE = re.compile(r"(?<=##)(?=\w*\[)")
_COMMAND = re.compile(rf"{_ANYWHERE.pattern}|^(?=\s*::)", re.MULTILINE)
"""Where a command of a build server begins in a log: `##[…]` anywhere, `::` in front of a line."""


def line(text: str) -> str:
    """Return text as one line that can be printed; a line feed is shown like any control."""
    return _without(_COMMAND, _shown(text, _LINE))


def lines(text: str) -> str:
    """Return text as lines that can be printed, where line feeds are ours, or wanted."""
    return _without(_COMMAND, _shown(text, _LINES))


def data(text: str) -> str:
    """Return text as `lines` does for a command's own words, which begin no line."""
    return _without(_ANYWHERE, _shown(text, _LINES))


def _without(commands: re.Pattern[str], text: str) -> str:
    """Return text in which no command begins: most texts hold nothing that begins one."""
    may_begin = "::" in text or "##" in text
    return commands.sub(r"\\", text) if may_begin else text


def _shown(text: str, table: _Shown) -> str:
    """Return what is printed of a text: most texts hold nothing that acts, and are left alone."""
    is_plain = text.replace("\n", "").isprintable() if table is _LINES else text.isprintable()
    if is_plain and (text.isascii() or not _FILLER.search(text)):
        return text
    return text.translate(table)
