"""A card that fails, executed once more: in pytest's own process, where a debugger sees it.

Nothing is isolated here: the code has the rights, the modules and the memory of the tests.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from verideck.model import EXECUTED, Passage, Place, Role, Snippet
from verideck.proof.python.child.called_tests import call_tests
from verideck.proof.python.wire.transcript import without_prompts

NAME = "here"
"""What the caller says to have it so."""


def traceback_of(
    setup: Sequence[Passage], snippets: Sequence[Snippet], root: Path
) -> TracebackType | None:
    """Execute what a card of a project executes, until it raises what it does not announce.

    Returns the traceback, which begins in the card's code; None if nothing was raised there.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    executed = [each for each in snippets if each.executable and each.options.role in EXECUTED]
    note = root / executed[-1].place.path
    with _in_folder(note.parent, [note.parent, root, root / "src"]):
        try:
            for passage in setup:
                _run(passage.text, root / passage.place.path, passage.place, names)
            for snippet in executed:
                with suppress(*_announced(snippet)):
                    _step(snippet, root, names)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the card raises
            return _in_the_card(error.__traceback__)
    return None


@contextmanager
def _in_folder(folder: Path, modules: Sequence[Path]) -> Iterator[None]:
    before = list(sys.path)
    sys.path[:0] = map(str, modules)
    try:
        with chdir(folder):
            yield
    finally:
        sys.path[:] = before


def _announced(snippet: Snippet) -> tuple[type[BaseException], ...]:
    """What may leave a snippet: its proof has told whether that is the right exception."""
    return (Exception, SystemExit) if snippet.options.raises else ()


def _step(snippet: Snippet, root: Path, names: dict[str, Any]) -> None:
    options, file = snippet.options, root / snippet.origin.path
    if options.include:
        path = Path(options.include).with_suffix("")
        module = vars(importlib.import_module(".".join(path.parts)))
        wanted = {options.symbol.split(".")[0]}
        names.update((k, v) for k, v in module.items() if k in wanted or not k.startswith("_"))
        return
    code = without_prompts(snippet.code) if snippet.session else snippet.code
    _run(code, file, snippet.origin, names)
    if options.role is Role.CHECK:
        call_tests(code, names, lambda _: False)


def _run(text: str, file: Path, place: Place, names: dict[str, Any]) -> None:
    """Execute a text at the lines at which its file has it."""
    names["__file__"] = str(file)
    padded = "\n" * (place.line - 1) + text
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(padded, str(file), "exec", flags, dont_inherit=True)
    outcome = eval(code, names)  # noqa: S307 - the caller has asked for it
    if inspect.iscoroutine(outcome):
        asyncio.run(outcome)


def _in_the_card(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames that lead to the card's code."""
    while trace and trace.tb_frame.f_code.co_filename in _OURS:
        trace = trace.tb_next
    return trace


_OURS = {__file__, call_tests.__code__.co_filename, asyncio.runners.__file__}
