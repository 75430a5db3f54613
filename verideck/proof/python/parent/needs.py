"""What cards will import, read from their code before it is executed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from verideck.storage.files import decoded
from verideck.storage.reading import Limit, read


def needed(code: str, folders: Sequence[Path]) -> tuple[list[str], set[str]]:
    """The library modules that code and the project's modules in it import, and all its words.

    The project's modules are those in one of its `folders`.

    `a.b` is a module; `a:b` is an attribute of a module, or a module in a package. It is written
    for what a `from` names and for an attribute of an imported name (`numpy.random`), because some
    packages import their modules only on access. Code that is not Python imports nothing.
    """
    modules: dict[str, None] = {}
    words: set[str] = set()
    seen: set[Path] = set()
    waiting = [code]
    while waiting:
        for name, used in _names(waiting.pop()):
            words |= used
            file = next(filter(None, (_of_project(name, each) for each in folders)), None)
            if file is None:
                if _top(name) not in sys.stdlib_module_names and not _is_program(name):
                    modules[name] = None
            elif file not in seen:
                seen.add(file)
                waiting.append(_text(file, folders))
    return list(modules), words


def _text(file: Path, folders: Sequence[Path]) -> str:
    try:
        return decoded(read(file, Limit.TEXT, folders))
    except (OSError, UnicodeDecodeError):
        return ""


def _top(name: str) -> str:
    return name.replace(":", ".").partition(".")[0]


def _is_program(name: str) -> bool:
    """Whether importing a module starts a program: that is left to the card, in its sandbox."""
    return "__main__" in name.replace(":", ".").split(".")


def any_of_project(modules: Iterable[str], root: Path) -> bool:
    """Whether one of these modules, named as `needed` does, is the project's."""
    return any(_of_project(name, root) for name in set(map(_top, modules)))


def _of_project(name: str, root: Path) -> Path | None:
    """The file of a module of the project; None for a library's, or a folder without modules."""
    top = root / _top(name)
    if not top.with_suffix(".py").exists() and not any(top.glob("*.py")):
        return None
    path = root.joinpath(*name.replace(":", ".").split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


_LONGEST = 1_000_000
"""Characters of code that is looked at: its tree takes 400 times as much memory. What longer code
imports, its card imports itself."""


@lru_cache(maxsize=4096)
def _names(code: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The names that code may import, the shorter first, each with all words of the code."""
    if len(code) > _LONGEST:
        return ()
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    bound: dict[str, str] = {}
    found: list[str] = []
    for node in ast.walk(tree):
        for name, module in _bindings(node):
            bound[name] = module
            found.append(module)
    chains = [_chain(node, bound) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    attributes = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    dotted = [name.replace(":", ".") for name in found]
    words = frozenset({*attributes, *(name.rpartition(".")[2] for name in dotted)})
    every = sorted(dict.fromkeys([*found, *filter(None, chains)]), key=_depth)
    return tuple((name, words) for name in every)


def _depth(name: str) -> int:
    return name.count(".") + name.count(":")


def _bindings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that an import binds, and the modules that they may stand for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], alias.name
            if not alias.asname:
                yield alias.name.partition(".")[0], alias.name.partition(".")[0]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield "", node.module
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}:{alias.name}"


def _chain(node: ast.Attribute, bound: dict[str, str]) -> str:
    """`module.attribute`, where the attribute of an imported module might be a module."""
    if isinstance(node.value, ast.Name) and node.value.id in bound:
        return f"{bound[node.value.id].replace(':', '.')}:{node.attr}"
    return ""
