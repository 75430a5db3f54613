"""Follows what shown code computes into the variables that assertions read, while the card runs.

A shown fence bears on an assertion if its code was executed for a value that the assertion read. A
value comes from a step

- if the step itself bound the variable, or
- if a function that the step shows was entered while the value was computed, or
- if the value was computed from one that comes from the step, or was changed by a statement in
  which such a function was entered.

The hooks (`start`, `flow`, `after`, …) stand in the code that is not shown, between its statements
(see `tracer`). They do nothing once every shown step bears on an assertion that held. A step is a
bit, several are a mask. Where it cannot be told, a value comes from the step: a false alarm is
worse than what an audit will find.
"""

from __future__ import annotations

import builtins
import functools
import operator
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any, TypeVar

from verideck.proof.python.child.marks import Marks
from verideck.proof.python.child.reading import Use
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.child.values import is_program, state

use_own_builtins(globals())

Value = TypeVar("Value")
Key = tuple[str, str]
"""A variable: its scope, and its name. The scope of a module's own variables has no slash: it is
empty for the card's namespace."""

_FILES = {"builtins", "io", "_io", "os", "pathlib", "shutil", "sqlite3", "tempfile", "zipfile"}
"""Modules through which code reads what other code has left in the file system."""
_ALL = {"globals", "locals", "vars", "dir", "eval", "exec"}
"""Builtins that read variables without naming them."""
_PATCHED = "patched builtins"
"""In the place of a package: the builtins themselves."""
_MOST_WATCHED = 60
"""How many variables are compared before and after a statement."""


@dataclass(frozen=True, slots=True)
class Read:
    """A variable that an expression reads."""

    key: Key
    use: Use


@dataclass(frozen=True, slots=True)
class Site:
    """An expression in the author's code, with the variables that it reads and binds."""

    reads: tuple[Read, ...]
    attributes: tuple[str, ...] = ()
    binds: tuple[Key, ...] = ()
    bound_attributes: tuple[str, ...] = ()
    binds_in: tuple[Key, ...] = ()
    """Variables in which it binds an element or an attribute."""
    changes: tuple[Key, ...] = ()
    """Variables whose content it may change."""
    acts: bool = False
    """Whether it is a statement of its own, executed for its effects."""
    module: str = ""
    """The scope of its module."""
    step: int = -1
    """The number of the step that shows it; -1 if none does."""
    is_constant: bool = False
    """Whether it reads nothing but literals and builtins."""
    calls: bool = False
    """Whether it calls anything."""
    is_void: bool = False
    """Whether it reads nothing and calls nothing, whatever stands in it."""
    block: int = -1
    """The number of the block whose being reached is reported; -1 for none."""
    own: int = 0
    """The step that computes a local variable which it reads, as a bit."""
    is_foreign: bool = False
    """Whether it stands in code without hooks: then what its caller's statement entered counts."""


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What the text of a shown step says of it."""

    step: int
    values: tuple[Key, ...] = ()
    """Variables that it binds to what it computes."""
    inputs: tuple[Key, ...] = ()
    """Variables that it binds to what it makes from nothing of the card's."""
    reads: tuple[Key, ...] = ()
    actors: tuple[Key, ...] = ()
    """Variables by which it calls something for its effects."""
    changes: tuple[Key, ...] = ()
    """Variables of other steps whose content it may change."""
    outside: tuple[Key, ...] = ()
    """Variables that its functions may bind or change, whoever calls them."""
    functions: bool = False
    """Whether it defines functions or classes."""

    def with_more(self, more: StepFacts) -> StepFacts:
        """These facts, and those of another piece of the same step."""
        return StepFacts(
            self.step,
            (*self.values, *more.values),
            (*self.inputs, *more.inputs),
            (*self.reads, *more.reads),
            (*self.actors, *more.actors),
            (*self.changes, *more.changes),
            (*self.outside, *more.outside),
            functions=self.functions or more.functions,
        )

    @property
    def is_free(self) -> bool:
        """Whether it binds and defines nothing: then its assertions are all that it shows."""
        return not (self.values or self.inputs or self.functions)


@dataclass(slots=True)
class Began:
    """The state of affairs before a statement."""

    activity: tuple[int, ...]
    states: dict[Key, object] = field(default_factory=dict)


_NOTHING = Began(())


class Flow:
    """What of the shown steps is in which variable."""

    def __init__(self, marks: Marks, shown: Sequence[bool]) -> None:
        """Take which of the card's steps are shown."""
        self.marks = marks
        self.sites: list[Site] = []
        self._wanted = sum(1 << number for number, each in enumerate(shown) if each)
        self._borne = 0
        self._activity = [0] * len(shown)
        self._holds: dict[Key, int] = {}
        self._attributes: dict[str, int] = {}
        self._free = 0
        self._packages: dict[str, int] = {}
        self._acting = 0
        self._current: dict[int, tuple[Began, Site]] = {}
        """The statement that is executed in a frame, by the frame's id."""
        self._begun: dict[int, Began] = {}
        self._conditions: dict[int, int] = {}
        self._lazy: set[int] = set()
        """The sites whose values are iterators."""
        self._step: tuple[StepFacts, Began] | None = None
        self._facts: dict[int, StepFacts] = {}
        self.nullable: set[str] = set()
        """Names of variables that are bound to what may be None."""
        self.imported: set[str] = set()
        """The names that imports have bound anywhere in the card."""

    @property
    def is_done(self) -> bool:
        """Whether every shown step bears on an assertion that held."""
        return self._borne & self._wanted == self._wanted

    def bears(self, step: int) -> bool:
        """Whether a step bears on an assertion that held; True for one that is not shown."""
        return not self._wanted >> step & 1 or bool(self._borne >> step & 1)

    # Steps

    def know(self, facts: StepFacts) -> None:
        """Take what a shown step is about to bind; it may be told in several pieces."""
        if before := self._facts.get(facts.step):
            facts = before.with_more(facts)
        bit = 1 << facts.step
        mask = bit
        for key in facts.reads:
            mask |= self._holds.get(key, 0)
        for key in facts.values:
            self._holds[key] = mask
        for key in facts.inputs:
            self._holds[key] = mask & ~bit if facts.functions else mask
        for key in facts.changes:
            self._add(key, bit)
        self._free = self._free & ~bit | (bit if facts.is_free else 0)
        self._facts[facts.step] = facts

    def begin_step(self, step: int) -> None:
        """Begin to execute a shown step, of which `know` was told."""
        if facts := self._facts.get(step):
            self._step = facts, Began(self._swept())

    def end_step(self, space: Mapping[str, object]) -> None:
        """Note what a shown step called for its effects, and what it entered."""
        if self._step is None:
            return
        facts, began = self._step
        self._step = None
        entered = self._since(began)
        for key in facts.values:
            self._add(key, entered)
        for step, other in self._facts.items():
            if entered >> step & 1:
                for key in other.outside:
                    self._add(key, 1 << facts.step)
        self._act(facts, space)

    def _act(self, facts: StepFacts, space: Mapping[str, object]) -> None:
        """Note what a step calls for its effects."""
        bit = 1 << facts.step
        for _, name in facts.actors:
            self._acting |= bit
            for package in _packages(space.get(name)):
                self._packages[package] = self._packages.get(package, 0) | bit

    def include(self, step: int, symbol: str) -> None:
        """Note the names that a shown include has put into the card's namespace."""
        facts = self._facts.get(step)
        for scope, name in (*facts.values, *facts.inputs) if facts else ():
            self._holds["", name] = self._holds[scope, name]
        if symbol:
            self._holds["", symbol] = 1 << step

    def hold(self, step: int) -> None:
        """Note that a step bears on an assertion: on what it printed or raised."""
        self._borne |= 1 << step

    # Hooks

    def start(self, number: int) -> Began:
        """Called before the expression of a site is evaluated."""
        if self.is_done:
            return _NOTHING
        site, frame = self.sites[number], sys._getframe(1)  # noqa: SLF001 - who is executed
        began = Began(self._swept(), self._states(site, frame))
        self._current[id(frame)] = began, site
        return began

    def flow(self, number: int, began: Began, value: Value) -> Value:
        """Called with the value of a site's expression; returns it."""
        if began is _NOTHING or self.is_done:
            return value
        site, frame = self.sites[number], sys._getframe(1)  # noqa: SLF001 - who is executed
        self._current.pop(id(frame), None)
        entered = self._since(began)
        mask = entered | self._read(site, frame)
        self._bind(site, mask)
        self._bind_in(site, mask, frame)
        if hasattr(value, "__next__"):
            self._lazy.add(number)
        self._conditions[number] = self._conditions.get(number, 0) | mask
        if entered or (site.acts and mask):
            after = self._states(site, frame)
            for key, before in began.states.items():
                if after.get(key) != before:
                    self._add(key, mask)
        return value

    def returned(self, number: int, began: Began, value: Value) -> Value:
        """Called with what a function returns that is not shown: its caller reads it."""
        if began is not _NOTHING and not self.is_done:
            mask = self._since(began) | self._read(self.sites[number], sys._getframe(1))  # noqa: SLF001
            self._count(mask)
        return value

    def called(self, number: int) -> None:
        """Called when a function that is not shown is entered: its parameters are the caller's."""
        if not self.is_done:
            self._bind(self.sites[number], self._calling(sys._getframe(2)))  # noqa: SLF001 - who calls

    def _calling(self, frame: FrameType | None) -> int:
        """The steps that the statement comes from which is executed in a frame or in a caller's."""
        while frame is not None:
            if current := self._current.get(id(frame)):
                began, site = current
                return self._since(began) | self._read(site, frame)
            frame = frame.f_back
        return 0

    def begin(self, number: int) -> None:
        """Called before a compound statement."""
        if not self.is_done:
            self._begun[number] = Began(self._swept())

    def turn(self, number: int, loop: int) -> None:
        """Called when a loop's body begins: an iterator may enter shown code with each turn."""
        if loop in self._lazy and number in self._begun and not self.is_done:
            mask = self._since(self._begun[number]) | self._conditions.get(loop, 0)
            if mask:
                self._bind(self.sites[number], mask)

    def caught(self, number: int, begun: int) -> None:
        """Called when an exception has been caught that has a name."""
        if begun in self._begun and not self.is_done:
            self._bind(self.sites[number], self._since(self._begun[begun]))

    def after(self, number: int, *conditions: int) -> None:
        """Called after a compound statement: what it bound depends on its conditions.

        Without conditions, on the shown code that was entered in it.
        """
        if self.is_done:
            return
        mask = 0
        for each in conditions:
            mask |= self._conditions.get(each, 0)
        if not conditions and number in self._begun:
            mask = self._since(self._begun[number])
        if mask:
            for key in self.sites[number].binds:
                self._add(key, mask)

    def bound(self, number: int) -> None:
        """Called when a definition or an import has bound its names anew."""
        if not self.is_done:
            self._bind(self.sites[number], 0)

    # Assertions

    def ask(self, number: int, frame: FrameType) -> Began:
        """Called before an assertion is evaluated in a frame."""
        site = self.sites[number]
        self.marks.ran[site.block] = 1
        if self.is_done:
            return _NOTHING
        began = Began(self._swept())
        self._current[id(frame)] = began, site
        return began

    def held(self, number: int, began: Began, frame: FrameType) -> None:
        """Called when an assertion has held."""
        if began is _NOTHING or self.is_done:
            return
        site = self.sites[number]
        if site.is_void:
            return
        mask = self._since(began) | self._read(site, frame) | site.own
        if self._step and self._step[0].step == site.step:
            self._act(self._step[0], frame.f_globals)
            mask |= self._read(site, frame)
        if site.is_foreign:
            mask |= self._calling(frame.f_back)
        if not site.is_constant:
            # What came from another process cannot be followed into a value.
            mask |= self._free | self.marks.elsewhere
        elif site.step >= 0 and site.calls:
            mask |= self._free & 1 << site.step
        self._borne |= mask

    def begin_anonymous(self) -> Began:
        """Called when a library's assertion begins that is no statement of its own."""
        return Began(self._swept())

    def announce(self, began: Began) -> None:
        """Called when a library's assertion held that is no statement of its own.

        In shown code it is about the block that it encloses.
        """
        if self._step:
            self._borne |= 1 << self._step[0].step
        self._borne |= self._since(began)

    def printed(self, first: int, began: Began) -> None:
        """Called when what was printed is what was expected, by the sites from `first` on."""
        mask = self._since(began)
        for number in range(first, len(self.sites)):
            mask |= self._conditions.get(number, 0)
        self._borne |= mask

    # Masks

    def _swept(self) -> tuple[int, ...]:
        steps = self.marks.sweep()
        if steps:
            self._count(steps)
        return tuple(self._activity)

    def _count(self, steps: int) -> None:
        for step in range(len(self._activity)):
            self._activity[step] += steps >> step & 1

    def _since(self, began: Began) -> int:
        """The steps whose shown code was entered since."""
        mask = 0
        for step, (before, now) in enumerate(zip(began.activity, self._swept(), strict=False)):
            if before != now:
                mask |= 1 << step
        return mask

    def _read(self, site: Site, frame: FrameType) -> int:
        """The steps that the values of a site's variables come from."""
        mask = 0
        for name in site.attributes:
            mask |= self._attributes.get(name, 0)
        for read in site.reads:
            # Shown code may be about what `inspect` finds; in a check it would be no more than that
            # the function is there.
            if read.use is not Use.EXAMINED or site.step >= 0:
                mask |= self._of(read, frame)
        return mask

    def _of(self, read: Read, frame: FrameType) -> int:
        scope, name = read.key
        if read.use is Use.THERE and name not in self.nullable:
            return 0
        held = self._holds.get(read.key, 0)
        if self._step and held and read.key in self._step[0].values:
            held |= self._since(self._step[1])
        value = _variables(scope, frame).get(name)
        if value is None:
            return held | self._of_builtin(name)
        if isinstance(value, ModuleType):
            return self._acted(value.__name__)
        if is_program(value):
            if isinstance(value, type):
                return held | self._acted(value.__module__)
            attribute = held if read.use in (Use.ATTRIBUTE, Use.EXAMINED) else 0
            return attribute | self._acted(getattr(value, "__module__", None) or "")
        return held

    def _of_builtin(self, name: str) -> int:
        """The steps that change what a builtin gives; it is also the name of what is not there."""
        if name == "open":
            return self._acting
        if name in _ALL:
            return functools.reduce(operator.or_, self._holds.values(), 0)
        return self._packages.get(_PATCHED, 0)

    def _acted(self, module: str) -> int:
        """The steps that changed the state of a module's package."""
        package = module.partition(".")[0]
        return self._packages.get(package, 0) | (self._acting if package in _FILES else 0)

    def _add(self, key: Key, mask: int) -> None:
        self._holds[key] = self._holds.get(key, 0) | mask

    def _bind(self, site: Site, mask: int) -> None:
        for key in site.binds:
            self._holds[key] = mask
        for name in site.bound_attributes:
            self._attributes[name] = self._attributes.get(name, 0) | mask

    def _bind_in(self, site: Site, mask: int, frame: FrameType) -> None:
        """Note that something was put into variables; a class is another one by that."""
        for key in site.binds_in:
            scope, name = key
            is_class = isinstance(_variables(scope, frame).get(name), type)
            self._holds[key] = mask if is_class else self._holds.get(key, 0) | mask

    def _states(self, site: Site, frame: FrameType) -> dict[Key, object]:
        """What the variables hold that a site may change, as far as it can be compared."""
        if not site.changes:
            return {}
        keys = dict.fromkeys(site.changes)
        if site.acts:
            latest = list(frame.f_globals)[-_MOST_WATCHED:]
            keys.update(dict.fromkeys((site.module, name) for name in latest))
        found: dict[Key, object] = {}
        for scope, name in keys:
            value = _variables(scope, frame).get(name)
            if value is not None and not is_program(value) and not name.startswith("__"):
                found[scope, name] = state(value)
        return found


def _variables(scope: str, frame: FrameType) -> Mapping[str, Any]:
    return frame.f_locals if "/" in scope else frame.f_globals


def _packages(value: object) -> Iterable[str]:
    """The packages that the name stands for by which something is called or changed."""
    if value is builtins:
        return (_PATCHED,)
    if value is None:
        return ("builtins",)
    named = value if isinstance(value, ModuleType) else None
    module = named.__name__ if named else getattr(value, "__module__", None)
    return {str(module or "").partition(".")[0], type(value).__module__.partition(".")[0]} - {
        "__main__",
        "builtins",
        "module",
        "",
    }
