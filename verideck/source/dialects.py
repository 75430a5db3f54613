"""The words by which a fence may call its code Python, and what becomes of each.

A reader takes all of them for Python. So each is executed, or told. To add one: a line in `NAMES`,
with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a word stands for."""

    reason: str
    """Why it is taken for this."""
    language: str = "python"
    """The language that it is, by its first name in Pygments."""
    session: bool = False
    """Whether it names a transcript with prompts, whatever its text is."""
    instead: str = ""
    """What to write instead, if it is not executed; empty if it is."""


_IN_PYTHON = "write ```python if it holds in Python 3 too"

NAMES: Mapping[str, Dialect] = MappingProxyType(
    {
        # Executed
        "python": Dialect("its name"),
        "py": Dialect("its files' ending"),
        "cpython": Dialect("its reference implementation"),
        "pypy": Dialect("an implementation; Pygments means PyPy's log, which is `pypylog`"),
        "graalpy": Dialect("an implementation"),
        "micropython": Dialect("an implementation"),
        "circuitpython": Dialect("an implementation"),
        "pyodide": Dialect("CPython in a browser"),
        "gpython": Dialect("gevent's interpreter"),
        "sage": Dialect("Pygments counts it as Python; `^` and `1/3` mean what Python means"),
        "starlark": Dialect("Pygments counts it as Python, of which it is a subset"),
        "bazel": Dialect("as starlark"),
        "pyi": Dialect("a stub is Python"),
        "numpy": Dialect("Python, in which Pygments knows NumPy's names"),
        "jupyter": Dialect("Org mode and editors call a kernel's code so"),
        "jupyter-python": Dialect("as Org mode calls a kernel's code"),
        "ipython": Dialect("a notebook's cell is Python, but for its magics, which are told"),
        # Sessions
        "pycon": Dialect("Pygments' name of a session", session=True),
        "python-console": Dialect("Pygments' name of a session", session=True),
        "python-repl": Dialect("editors' name of a session", session=True),
        "python-session": Dialect("a session", session=True),
        "pyrepl": Dialect("a session", session=True),
        "pyshell": Dialect("a session", session=True),
        "doctest": Dialect("Sphinx' name of a session", session=True),
        "ipythonconsole": Dialect("IPython's name of a session", session=True),
        # Told: other languages
        "jython": Dialect("is Python 2", "python2", instead=_IN_PYTHON),
        "rpython": Dialect("is Python 2", "python2", instead=_IN_PYTHON),
        "ironpython": Dialect("is Python on .NET", "python2", instead=_IN_PYTHON),
        "cython": Dialect("is compiled before it runs", "cython", instead=_IN_PYTHON),
        "pyrex": Dialect("is compiled before it runs", "cython", instead=_IN_PYTHON),
        "pyx": Dialect("is compiled before it runs", "cython", instead=_IN_PYTHON),
    }
)
"""By the word in lower case, without a version behind it."""

_PYTHON_2 = Dialect("is Python 2", "python2", instead=_IN_PYTHON)
_VERSIONED = re.compile(r"(?P<name>[ci]?python|pypy|py)-?(?P<major>[23])(?:\.?\d+)*t?")
"""`python3`, `py3.12`, `python-3.13t`, `python2.7`, `py27`."""

_PROMPT = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[ \t]*(?:>>>(?=[ \n]|\Z)|In \[\d+\]:)")
"""The beginning of a session, behind blank lines and comments."""


def dialect(word: str) -> Dialect | None:
    """Return what a word of a fence stands for; None if it is no name of Python."""
    word = word.lower()
    versioned = _VERSIONED.fullmatch(word)
    if word in NAMES or not versioned:
        return NAMES.get(word)
    named = NAMES.get(versioned["name"])
    return _PYTHON_2 if named and versioned["major"] == "2" else named


def begins_session(code: str) -> bool:
    """Return whether code begins with a prompt of Python or of IPython."""
    return _PROMPT.match(code) is not None
