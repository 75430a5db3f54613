"""What of TeX Anki's MathJax shows: its environments, and no command that acts outside."""

from __future__ import annotations

import re

from verideck.markdown import cloze
from verideck.problems import Code

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)

_STARRED = frozenset(
    [
        "align", "alignat", "Bmatrix", "bmatrix", "cases", "dcases", "drcases", "eqnarray",
        "equation", "flalign", "gather", "matrix", "multline", "pmatrix", "rcases", "Vmatrix",
        "vmatrix", "xalignat",
    ]
)  # fmt: skip
ENVIRONMENTS = frozenset(
    {
        *_STARRED,
        *(f"{name}*" for name in _STARRED),
        *("aligned", "alignedat", "array", "CD", "displaymath", "gathered", "math", "smallmatrix"),
        *("split", "subarray"),
    }
)
"""The environments that MathJax has in Anki."""

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


_COMMAND = re.compile(r"\\(?:([A-Za-z]+)|.)", re.DOTALL)
_MARKS = re.compile(r"\{\{c[\d,]+::|(?:::[^{}]*)?\}\}")
_LINK = "a link is written in Markdown, beside the maths: [text](address)"
_LOOK = r"\boxed, \color, \colorbox, \mathbf and the like change how maths looks"
_PACKAGE = "leave it out: Anki has all packages that it will ever have"
_DEFINITION = r"write out what it stands for; \operatorname{name} is an upright name"
_DEFINES = """
    def gdef edef xdef let newcommand renewcommand providecommand newenvironment renewenvironment
    DeclareMathOperator DeclarePairedDelimiter DeclarePairedDelimiters DeclarePairedDelimiterX
    DeclarePairedDelimitersX DeclarePairedDelimiterXPP DeclarePairedDelimitersXPP Newextarrow
    newtagform renewtagform usetagform definecolor
"""
UNSAFE = (
    dict.fromkeys(["href"], _LINK)
    | dict.fromkeys(["class", "style", "cssId", "data", "mmlToken", "bbox", "fcolorbox"], _LOOK)
    | dict.fromkeys(["unicode"], "write the character itself")
    | dict.fromkeys(["require", "setOptions", "mathtoolsset"], _PACKAGE)
    | dict.fromkeys(_DEFINES.split(), _DEFINITION)
)
"""The commands of Anki's MathJax that act on more than their formula, each with what to write.

They make links, styles, classes and ids of any kind, load packages, or define: a definition holds
in every formula that is shown later, also in those of other decks.
"""


def readings(tex: str) -> tuple[str, ...]:
    """Return TeX as it is written, and as it reads without the marks of its deletions."""
    if "{{c" not in tex:
        return (tex,)
    return tex, cloze.find(tex)[0], _MARKS.sub("", tex)


def unsafe(tex: str) -> tuple[str, int] | None:
    """Return the first command that acts on more than its formula, and where it stands, if any.

    Where a deletion divides its name, it stands at the beginning.
    """
    for number, text in enumerate(readings(tex)):
        for command in _COMMAND.finditer(text):
            if command[1] in UNSAFE:
                return command[1], 0 if number else command.start()
    return None


def disarmed(tex: str) -> str:
    """Return TeX in which no command acts on more than its formula: its name is text.

    Where deletions divide such a name, they are left out.
    """
    tex = _COMMAND.sub(_as_text, tex)
    return tex if unsafe(tex) is None else _COMMAND.sub(_as_text, readings(tex)[-1])


def _as_text(command: re.Match[str]) -> str:
    return rf"\ {command[1]}" if command[1] in UNSAFE else command.group()


def unsafe_problem(name: str) -> tuple[Code, str, str]:
    """Return the code, message and hint of the problem with a command of `UNSAFE`."""
    message = rf"\{name} would act in Anki on more than this formula"
    return Code.MATHS_UNSAFE, message, UNSAFE[name]
