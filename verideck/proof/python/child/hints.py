"""Hints at what an exception of a snippet most often means, for who meets it first.

A hint is chosen by the exception alone; what the system and the sandbox refuse is in `failures`.
"""

from __future__ import annotations

import builtins
import contextlib
import re
import sys
from collections.abc import Callable
from difflib import get_close_matches
from types import FrameType

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_EXTRAS = {"distributed": "dask", "pyseccomp": "sandbox", "sandlock": "sandbox"}
"""What the extras of verideck install."""
_LONGEST_PART = 40


def hint(error: BaseException) -> str:
    """What to write instead of what has raised an exception; empty if nothing is known of it."""
    with contextlib.suppress(Exception):  # an author's exception may raise whatever it is asked
        return next((told for known in _HINTS if (told := known(error))), "")
    return ""


def _unknown_name(error: BaseException) -> str:
    if not isinstance(error, NameError) or isinstance(error, UnboundLocalError):
        return ""
    innermost = _innermost(error)
    known = {*innermost.f_locals, *innermost.f_globals, *vars(builtins)} if innermost else set()
    close = get_close_matches(
        error.name or "", [each for each in known if each[:2] != "__"], 1, 0.8
    )
    meant = f"did you mean {close[0]}? " if close else ""
    return (
        f"{meant}cards share nothing: what several need stands in a ```python {{.setup}}; "
        'pseudo-code is marked {.no-run reason="…"}, or its whole file by `verify: off`'
    )


def _innermost(error: BaseException) -> FrameType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame if trace else None


def _missing_file(error: BaseException) -> str:
    if not isinstance(error, FileNotFoundError) or str(error.filename or "/").startswith("/"):
        return ""
    return (
        "what lies beside the Markdown file is found by its relative path, all else of the project "
        'as Path(__file__).parent / "…"'
    )


def _missing_module(error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    name = error.name.partition(".")[0]
    if name in sys.modules:
        return ""
    wanted = f"verideck[{_EXTRAS[name]}]" if name in _EXTRAS else name
    return f"cards are executed by {sys.executable}: install {wanted} there"


def _nobody_answers(error: BaseException) -> str:
    asked = isinstance(error, EOFError) and "reading a line" in str(error)
    return "nobody answers input(): assign the text in its place" if asked else ""


def _no_debugger(error: BaseException) -> str:
    if (type(error).__module__, type(error).__qualname__) != ("bdb", "BdbQuit"):
        return ""
    return "nobody answers a debugger: `pytest --pdb --verideck-executor here` gives it a terminal"


_HINTS: tuple[Callable[[BaseException], str], ...] = (
    _unknown_name,
    _missing_file,
    _missing_module,
    _nobody_answers,
    _no_debugger,
)
"""Each tells its hint for an exception that it knows."""


def name_of(kind: type) -> str:
    """The name by which a fence can announce a class of exceptions or warnings."""
    if kind.__module__ == "__main__" or getattr(builtins, kind.__qualname__, None) is kind:
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def announcement(error: BaseException, name: str) -> str:
    """How a fence announces an exception; empty for one that no card is about."""
    if not isinstance(error, Exception) or isinstance(error, AssertionError | ImportError):
        return ""
    with contextlib.suppress(Exception):  # as in `hint`
        announced = f'{{raises="{name}" match="{_part(str(error))}"}}'
        return f"if the card is about this exception, announce it: {announced}"
    return ""


def _part(text: str) -> str:
    """A part of an exception's message that can stand in the braces of a fence as it is."""
    pieces = [each.strip(" ,:;'") for each in re.split(r"[^\w ,:;'-]+", text)]
    longest = max(pieces, key=len)
    if len(longest) <= _LONGEST_PART:
        return longest or "^$"
    return longest[:_LONGEST_PART].rpartition(" ")[0] or longest[:_LONGEST_PART]
