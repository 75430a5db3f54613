"""`verideck_setup` of conftest.py: Python that is executed before every card below its folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from verideck.model import Passage, Place

_NAME = "verideck_setup"


def setup_above(file: Path, root: Path, config: pytest.Config) -> Sequence[Passage]:
    """Return the set-up of all conftest.py at or above a file, the outermost first.

    Its places are those of a project in the folder `root`. Raises pytest.UsageError where it is no
    text that stands in its file.
    """
    found = [each for each in _modules(config) if file.is_relative_to(_file(each).parent)]
    found.sort(key=lambda module: len(_file(module).parts))
    return [_passage(module, root) for module in found]


def _modules(config: pytest.Config) -> Iterator[ModuleType]:
    for plugin in config.pluginmanager.get_plugins():
        if isinstance(plugin, ModuleType) and _NAME in vars(plugin):
            yield plugin


def _file(module: ModuleType) -> Path:
    return Path(module.__file__ or "")


def _passage(module: ModuleType, root: Path) -> Passage:
    """A module's set-up, with its place: what fails in it is told at its line."""
    file = _file(module)
    for node in ast.parse(file.read_bytes()).body:
        match node:
            case (
                ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)) as text_
                )
                | ast.AnnAssign(
                    target=ast.Name(id=name), value=ast.Constant(value=str(text)) as text_
                )
            ) if name == _NAME and text == vars(module)[_NAME]:
                return Passage(text, Place(_path(file, root), _first_line(text_, text)))
    raise pytest.UsageError(
        f"{file}: {_NAME} must be a text of Python code that stands in this file, "
        f'as {_NAME} = """…"""'
    )


def _first_line(node: ast.Constant, text: str) -> int:
    """The line of a text's first line: the next one, where a backslash stands behind the quotes."""
    lines = (node.end_lineno or node.lineno) - node.lineno
    return node.lineno + max(0, lines - text.count("\n"))


def _path(file: Path, root: Path) -> str:
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()
