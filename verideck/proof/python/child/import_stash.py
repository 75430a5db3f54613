"""Modules that a warm parent has imported and a card has not: put away until somebody imports them.

Whoever imports `a.b` makes `b` an attribute of `a`, for everybody in the process. A fork would find
there what other cards import, and prove code that fails wherever it runs alone. So what an import
brings is taken out of `sys.modules` again, and off the packages that were there before; whoever
imports it in a fork gets it back, whole, together with whatever it needed itself.

An import that adds nothing to the packages that were there before, as torch's does, hides nothing
and stays where it is: a card cannot see it without importing it.
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
    """What one import brought."""

    modules: Mapping[str, ModuleType]
    added: tuple[tuple[ModuleType, str, ModuleType], ...]
    """Packages that were there before, with the attributes that they were given."""
    needed: tuple[_Bundle, ...]
    """What it took from the shelf."""
    hidden: bool = False

    def hide(self) -> None:
        """Leave no trace of it."""
        self.hidden = True
        for name in self.modules:
            sys.modules.pop(name, None)
        for package, name, _ in self.added:
            vars(package).pop(name, None)

    def show(self) -> Iterator[_Bundle]:
        """Bring it back, with what it needed; yields what was not there."""
        if self.hidden:
            self.hidden = False
            for each in self.needed:
                yield from each.show()
            sys.modules.update(self.modules)
            for package, name, module in self.added:
                setattr(package, name, module)
            yield self


class ImportStash(importlib.abc.MetaPathFinder):
    """Finds what was put away; asked before any other finder."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._bundles: dict[str, _Bundle] = {}
        self._shown: list[_Bundle] = []
        self.on_show: Callable[[Mapping[str, ModuleType]], None] = lambda _: None
        """Told of the modules that come back."""

    def modules(self) -> dict[str, ModuleType]:
        """All that was ever put away."""
        return {name: bundle.modules[name] for name, bundle in self._bundles.items()}

    def holds(self, name: str) -> bool:
        """Whether a module was ever put away."""
        return name in self._bundles

    @contextmanager
    def putting_away(self) -> Iterator[None]:
        """Put away what is imported meanwhile."""
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
        """Find a module that was put away; looking for it does not bring it back."""
        del path, target
        bundle = self._bundles.get(fullname)
        if bundle is None or not bundle.hidden:
            return None
        spec = copy.copy(bundle.modules[fullname].__spec__)
        if spec is not None:
            spec.loader = _Shown(self, fullname, bundle)
        return spec

    def show(self, bundle: _Bundle) -> None:
        """Bring back what one import brought."""
        for each in bundle.show():
            self._shown.append(each)
            self.on_show(each.modules)


class _Shown(importlib.abc.Loader):
    """Loads a module that has been executed already."""

    def __init__(self, shelf: ImportStash, name: str, bundle: _Bundle) -> None:
        self._shelf = shelf
        self._module = bundle.modules[name]
        self._bundle = bundle
        self._spec = self._module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        del spec
        self._shelf.show(self._bundle)
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def _added(
    modules: Mapping[str, ModuleType], before: set[str]
) -> Iterator[tuple[ModuleType, str, ModuleType]]:
    """The modules among these that became attributes of libraries' packages of before.

    The standard library's packages are let be: its modules import one another in all directions,
    and no card's imports are executed for it in advance.
    """
    for name, module in modules.items():
        package, _, last = name.rpartition(".")
        top = package.partition(".")[0]
        if package in before and top not in sys.stdlib_module_names:
            parent = sys.modules[package]
            if vars(parent).get(last) is module:
                yield parent, last, module


STASH = ImportStash()
"""This process's own."""
