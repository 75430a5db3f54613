"""Which variable a name means, where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from verideck.proof.python.child.flow import Key
from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())


@dataclass(frozen=True, slots=True)
class Scope:
    """A module, a class or a function, with the names that are bound in it."""

    name: str
    bound: frozenset[str]
    outer: Scope | None = None
    is_class: bool = False
    parameters: frozenset[str] = frozenset()

    def key(self, name: str) -> Key:
        """The variable that a name means here."""
        scope: Scope = self
        while scope.outer is not None:
            if name in scope.bound and (scope is self or not scope.is_class):
                return scope.name, name
            scope = scope.outer
        return scope.name, name
