"""Modules that a warm parent has imported, hidden until a card imports them itself.

An import of `a.b` makes `b` an attribute of `a` for the whole process. A fork would find there what
other cards import, and prove code that fails where it runs alone. So the modules that an import has
added are taken out of `sys.modules` again, and off the packages that were imported before. An
import of one of them in a fork brings all of them back, with the hidden modules that they need.

An import that adds nothing to the packages that were imported before, as torch's, is not hidden: a
card cannot see it without importing it.
"""

from __future__ import annotations

import copy
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType


@dataclass(eq=False, slots=True)
class _Bundle:
    """The modules that one import added."""

    modules: Mapping[str, ModuleType]
    added: tuple[tuple[ModuleType, str, ModuleType], ...]
    """Packages that were imported before, with the attributes that they were given."""
    needed: tuple[_Bundle, ...]
    """The hidden modules that it imported."""
    hidden: bool = False

    def hide(self) -> None:
        """Remove every trace of the modules."""
        self.hidden = True
        for name in self.modules:
            sys.modules.pop(name, None)
        for package, name, _ in self.added:
            vars(package).pop(name, None)

    def show(self) -> Iterator[_Bundle]:
        """Bring the modules back, with those that they need; yields each bundle that was hidden."""
        if self.hidden:
            self.hidden = False
            for each in self.needed:
                yield from each.show()
            sys.modules.update(self.modules)
            for package, name, module in self.added:
                setattr(package, name, module)
            yield self


class ImportStash(importlib.abc.MetaPathFinder):
    """Finds hidden modules. It must be the first finder in `sys.meta_path`."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._bundles: dict[str, _Bundle] = {}
        self._shown: list[_Bundle] = []
        self.on_show: Callable[[Mapping[str, ModuleType]], None] = lambda _: None
        """Called with the modules that come back."""

    def modules(self) -> dict[str, ModuleType]:
        """All modules that were ever hidden."""
        return {name: bundle.modules[name] for name, bundle in self._bundles.items()}

    def holds(self, name: str) -> bool:
        """Whether a module was ever hidden."""
        return name in self._bundles

    @contextmanager
    def putting_away(self) -> Iterator[None]:
        """Hide what is imported inside of this context."""
        before = set(sys.modules)
        self._shown = []
        yield
        needed = tuple(self._shown)
        before.update(*(each.modules for each in needed))
        modules = {name: sys.modules[name] for name in list(sys.modules) if name not in before}
        added = tuple(_added(modules, before))
        if added or needed:
            bundle = _Bundle(modules, added, needed)
            self._bundles |= dict.fromkeys(modules, bundle)
            bundle.hide()
        for each in needed:
            each.hide()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a hidden module; only loading it brings it back."""
        del path, target
        bundle = self._bundles.get(fullname)
        if bundle is None or not bundle.hidden:
            return None
        spec = copy.copy(bundle.modules[fullname].__spec__)
        if spec is not None:
            spec.loader = _Shown(self, fullname, bundle)
        return spec

    def show(self, bundle: _Bundle) -> None:
        """Bring back the modules of a bundle."""
        for each in bundle.show():
            self._shown.append(each)
            self.on_show(each.modules)


class _Shown(importlib.abc.Loader):
    """Loads a module that has been executed already."""

    def __init__(self, stash: ImportStash, name: str, bundle: _Bundle) -> None:
        self._stash = stash
        self._module = bundle.modules[name]
        self._bundle = bundle
        self._spec = self._module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        del spec
        self._stash.show(self._bundle)
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def _added(
    modules: Mapping[str, ModuleType], before: set[str]
) -> Iterator[tuple[ModuleType, str, ModuleType]]:
    """The modules that became attributes of packages that were imported before.

    Packages of the standard library are left alone: its modules import one another in all
    directions, and none of them is preloaded for a card.
    """
    for name, module in modules.items():
        package, _, last = name.rpartition(".")
        top = package.partition(".")[0]
        if package in before and top not in sys.stdlib_module_names:
            parent = sys.modules[package]
            if vars(parent).get(last) is module:
                yield parent, last, module


STASH = ImportStash()
"""That of this process."""
