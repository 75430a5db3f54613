"""Imports in a card's process: the project's modules are rewritten, libraries get seeds."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType

from verideck.proof.python.child.assertions import Recorder
from verideck.proof.python.child.import_stash import STASH
from verideck.proof.python.child.sources import Sources, Text
from verideck.proof.python.child.tracer import NAME, Part
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.versions import Installed, claims, names_in, stamp

use_own_builtins(globals())

OnImport = Callable[[ModuleType], None]
"""Called with a library as soon as it has been imported."""

_CALLS_ASSERTION = re.compile(r"assert_|assert[A-Z]|unittest|testing")
DISTRIBUTIONS = Installed()
"""Of this process: it does not outlive a change of what is installed."""


class Imports(importlib.abc.MetaPathFinder):
    """Finds modules as Python does, and looks into the project's folder first."""

    def __init__(
        self,
        sources: Sources,
        recorder: Recorder,
        after: Mapping[str, OnImport],
        part_of: Callable[[Path], Part],
    ) -> None:
        """Take the project's sources, and by library what is called after its import.

        `part_of` says what of a file of the project the card shows.
        """
        self.part_of = part_of
        self.sources = sources
        self.root = sources.root
        self.recorder = recorder
        self.own: set[str] = set()
        """The top-level packages that are the project's."""
        self._asked: dict[Path, dict[str, list[str]]] = {}
        self._local: tuple[Path, ...] = ()
        self._asserting: dict[str, OnImport] = {
            "numpy.testing": self._count,
            "torch.testing": self._count,
            "unittest.case": self._count_methods,
        }
        self._may_assert = False
        """Whether a text of the author's names an assertion of a library."""
        self._after = {**after, **self._asserting}
        sources.on_compile = self._heed

    def install(self, further: Iterable[Path] = ()) -> None:
        """Find every import from now on; call at once for libraries that are imported already.

        Modules are also looked for in `further` folders of the project, after its own.
        """
        folders = [each for each in dict.fromkeys(further) if each.is_dir() and each != self.root]
        sys.path[:0] = map(str, [self.root, *folders])
        self._local = tuple(folders)
        for folder in folders:
            for each in names_in(folder):
                name = each.partition(".")[0]
                if name in sys.modules and _is_module(folder / each):
                    _forget(name)
        sys.meta_path.insert(0, self)
        self._call_for(sys.modules)
        STASH.on_show = self._call_for

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module as Python does; its loader calls what is registered for it."""
        self._ask(fullname, path)
        if not self._is_local(fullname) and (spec := STASH.find_spec(fullname, path, target)):
            return spec
        spec = self._folder(fullname, path) or importlib.machinery.PathFinder.find_spec(
            fullname, path, target
        )
        if spec is None or spec.loader is None or spec.origin is None:
            return spec
        origin = Path(spec.origin)
        if origin.is_relative_to(self.root) and not is_installed(origin, self.root):
            self.own.add(fullname.partition(".")[0])
            if isinstance(spec.loader, importlib.machinery.SourceFileLoader):
                spec.loader = _ProjectLoader(fullname, spec.origin, self)
        elif fullname in self._after:
            _then(spec.loader, self._after[fullname])
        return spec

    def _call_for(self, modules: Mapping[str, ModuleType]) -> None:
        """Call what is registered for some of these modules."""
        for name, on_import in self._after.items():
            if name in modules and (self._may_assert or name not in self._asserting):
                on_import(modules[name])

    def _heed(self, code: str) -> None:
        """Count the assertions of libraries from the first text on that may call one.

        To wrap them takes a while, and most cards use none.
        """
        if not self._may_assert and _CALLS_ASSERTION.search(code):
            self._may_assert = True
            for name, count in self._asserting.items():
                if name in sys.modules:
                    count(sys.modules[name])

    def _folder(
        self, fullname: str, path: Sequence[str] | None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a folder of modules of the project, even without an `__init__.py`.

        Python prefers a package of that name to such a folder, wherever it is installed.
        """
        if path is not None or f"{fullname}/*.py" not in self._asked[self.root][fullname]:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(self.root)])

    def _is_local(self, fullname: str) -> bool:
        """Whether a further folder of the project has what a library is called, too."""
        top = fullname.partition(".")[0]
        found = (self._asked.get(folder, {}).get(top, ()) for folder in self._local)
        return any(each.endswith(".py") for names in found for each in names)

    def _ask(self, fullname: str, path: Sequence[str] | None) -> None:
        """Remember the files of the project that a name could mean, whether it is found or not."""
        name = fullname.rpartition(".")[2]
        places = [str(self.root), *sys.path] if path is None else path
        for place in places:
            if str(place).startswith(str(self.root)) and not is_installed(Path(place), self.root):
                names = self._asked.setdefault(Path(place), {})
                if name not in names:
                    names[name] = claims(Path(place), {name})

    def asked(self) -> dict[Path, dict[str, list[str]]]:
        """By folder of the project: the names that were looked for, and what claimed them."""
        return {folder: dict(names) for folder, names in self._asked.items()}

    def module(self, file: Path) -> ModuleType:
        """Import a file of the project under the name that other files import it by."""
        name = ".".join(file.relative_to(self.root).with_suffix("").parts)
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            if module.__file__ == str(file):
                return module
        # The name is taken, or is no identifier: the file is a module all the same.
        loader = _ProjectLoader(f"_included_{name}", str(file), self)
        spec = importlib.util.spec_from_file_location(loader.name, file, loader=loader)
        assert spec
        module = importlib.util.module_from_spec(spec)
        sys.modules[loader.name] = module
        loader.exec_module(module)
        return module

    def named(self) -> list[tuple[str, str]]:
        """The distributions that the author's code imports by name, with their versions."""
        names = self.sources.imported - self.own - sys.stdlib_module_names
        return sorted(set(DISTRIBUTIONS.distributions(names)))

    def _count(self, testing: ModuleType) -> None:
        self._count_each(testing, "assert_")

    def _count_methods(self, case: ModuleType) -> None:
        self._count_each(vars(case)["TestCase"], "assert", of_object=True)

    def _count_each(self, owner: object, prefix: str, *, of_object: bool = False) -> None:
        for name, check in list(vars(owner).items()):
            if name.startswith(prefix) and callable(check):
                setattr(owner, name, self.recorder.counting(check, of_object=of_object))


class _ProjectLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of the project from its source, never from a cache."""

    def __init__(self, fullname: str, path: str, imports: Imports) -> None:
        super().__init__(fullname, path)
        self._imports = imports

    def get_code(self, fullname: str) -> CodeType:
        file = Path(self.path)
        source = self._imports.sources.text(file, self.get_source(fullname) or "")
        part = self._imports.part_of(file)
        return self._imports.sources.compiled(Text(source, file), "exec", part)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[NAME] = self._imports.recorder
        super().exec_module(module)


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or any(path.glob("*.py"))


def _forget(library: str) -> None:
    """Have a library imported anew that another card needs, or what is found in its place."""
    if library not in sys.stdlib_module_names and library != _OURS:
        for name in [each for each in sys.modules if f"{each}.".startswith(f"{library}.")]:
            del sys.modules[name]


def is_installed(file: Path, root: Path) -> bool:
    """Whether a file is a library's in a virtual environment inside of the project."""
    prefix = Path(sys.prefix)
    return file.is_relative_to(prefix) and prefix.is_relative_to(root)


def _then(loader: importlib.abc.Loader, on_import: OnImport) -> None:
    """Call `on_import` with a module as soon as it has been executed."""
    execute = loader.exec_module

    def execute_and_call(module: ModuleType) -> None:
        execute(module)
        on_import(module)

    loader.exec_module = execute_and_call  # type: ignore[method-assign]


INSTALLED = tuple(f"{place}{os.sep}" for place in (sys.prefix, sys.base_prefix))
_OURS = __name__.partition(".")[0]
_PACKAGES = {_OURS, f"{_OURS}.proof", f"{_OURS}.proof.python"}
_ROOMS = tuple(
    f"{_OURS}.proof.{room}" for room in ("python.child", "python.host", "python.wire", "sandbox")
)
_MESSAGES = "msgspec"
"""The library that `wire.messages` is made with."""
_before: list[str] = []
"""The last module that was imported before the fork, if there is one."""
_in_use_before: set[tuple[str, str]] = set()
_outside_before: dict[str, object] = {}
"""The files of modules imported by then, outside of every installation, with their stamps."""


def remember() -> None:
    """Look at all modules that are imported before a fork, so that the fork need not."""
    imported = {**sys.modules, **STASH.modules()}
    _in_use_before.update(_distributions(imported))
    in_use(frozenset())  # what they require is looked up now
    for name, module in imported.items():
        if name.partition(".")[0] != _OURS and (file := _loose(module)):
            _outside_before.setdefault(file, stamp(Path(file)))
    _before[:] = list(sys.modules)[-1:]


def new() -> list[str]:
    """The modules imported since `remember`, the last first.

    Looking at the others would copy every page of memory that they are on.
    """
    since = itertools.takewhile(lambda name: name not in _before, reversed(sys.modules))
    return [name for name in since if not STASH.holds(name)]


def uninstalled() -> Iterator[Path]:
    """The source files of imported modules outside of every installation."""
    fresh = (_loose(sys.modules.get(name)) for name in new() if not _executes_cards(name))
    yield from map(Path, [*_outside_before, *filter(None, fresh)])


def _executes_cards(name: str) -> bool:
    """Whether a module is ours and in a card's process anyway: a proof's key covers its code."""
    return name in _PACKAGES or name.startswith(_ROOMS)


def outside() -> dict[str, object]:
    """The files of such modules that were imported before the fork, with their stamps."""
    return _outside_before


def is_outdated() -> bool:
    """Whether such a file has changed since its module was imported."""
    return any(stamp(Path(file)) != seen for file, seen in _outside_before.items())


def _loose(module: ModuleType | None) -> str:
    """The source file of a module outside of every installation; else empty."""
    file = str(getattr(module, "__file__", None) or "")
    return file if file.endswith(".py") and not file.startswith(INSTALLED) else ""


def in_use(named: AbstractSet[str]) -> list[tuple[str, str]]:
    """Every distribution of which a module is imported, with its version.

    verideck itself imports msgspec. It counts if the author's code imports it, which `named` tells,
    or if another of the distributions requires it.
    """
    found = dict(_in_use_before | _distributions(new()))
    others = found.keys() - {_MESSAGES, _OURS}
    if _MESSAGES not in named and not any(map(_may_use_messages, others)):
        found.pop(_MESSAGES, None)
    return sorted(found.items())


@cache
def _may_use_messages(distribution: str) -> bool:
    """Whether a distribution requires msgspec, under whichever condition."""
    required = importlib.metadata.requires(distribution) or ()
    return any(each.startswith(_MESSAGES) for each in required)


def _distributions(names: Iterable[str]) -> set[tuple[str, str]]:
    tops = {name.partition(".")[0] for name in names}
    return set(DISTRIBUTIONS.distributions(tops & DISTRIBUTIONS.packages().keys()))
