"""Values as a failed assertion shows them, how far two of them are apart, and their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.chance import without_chance
from verideck.proof.python.wire.messages import LONGEST_OUTLINE, ReadValue

use_own_builtins(globals())

_ROUTINES = (
    FunctionType
    | MethodType
    | BuiltinFunctionType
    | MethodDescriptorType
    | ClassMethodDescriptorType
    | WrapperDescriptorType
    | MethodWrapperType
)
_LONGEST = 240
_SAMPLED = 64
_WHOLE = 4096
_DOUBLE = 2.0**-52
_UNITS = {"float64": _DOUBLE, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""By dtype, how far apart two neighbours at 1 are."""


def is_program(value: object) -> bool:
    """Whether a value is a function, a class or a module: a failure does not show these."""
    return isinstance(value, ModuleType | type | _ROUTINES)


def is_routine(value: object) -> bool:
    """Whether a value is a function or a method, of whatever kind.

    As `inspect.isroutine`, which would use the builtins that an author may have patched.
    """
    return isinstance(value, _ROUTINES)


def is_array(value: object) -> bool:
    """Whether a value is a tensor or an array of any library, also of a single number.

    An author's own class may have a `shape` that is something else, or that raises.
    """
    try:
        shape = None if isinstance(value, type) else getattr(value, "shape", None)
        return isinstance(shape, tuple) and hasattr(value, "dtype") and bool(_device(value))
    except Exception:  # noqa: BLE001 - whatever an author's property raises
        return False


def shortened(text: str) -> str:
    """Text on one line, cut to what a person reads."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def describe(value: object) -> str:
    """A value on one line; for tensors and arrays shape, dtype and device too."""
    try:
        text = shortened(repr(value))
    except Exception as error:  # noqa: BLE001 - an author's __repr__ may raise anything
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    if is_array(value):
        device = _device(value)
        there = "" if device == "cpu" else f", on {device}"
        text += f", shape {_shape(value)}, {getattr(value, 'dtype', '')}{there}"
    return text


def difference(values: Sequence[object]) -> str:
    """How far the first two arrays among some values are apart, and where; empty without two."""
    arrays: list[Any] = [value for value in values if is_array(value)]
    if len(arrays) < 2:  # noqa: PLR2004 - a difference has two sides
        return ""
    one, other = arrays[:2]
    for what in ("shape", "device"):
        sides = [_attribute(each, what) for each in (one, other)]
        if sides[0] != sides[1]:
            return f"the {what}s differ: {sides[0]} and {sides[1]}"
    types = f"the dtypes differ: {one.dtype} and {other.dtype}" if one.dtype != other.dtype else ""
    try:
        apart = _largest(one, other)
    except Exception:  # noqa: BLE001 - a hint that cannot be had is no reason to hide the failure
        apart = ""
    return "; ".join(filter(None, [apart, types]))


def _attribute(value: object, name: str) -> object:
    return _shape(value) if name == "shape" else _device(value)


def _device(value: object) -> str:
    return str(getattr(value, "device", "cpu"))


def _shape(value: object) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


def _largest(one: Any, other: Any) -> str:  # noqa: ANN401 - tensors or arrays, whichever are there
    apart = abs(one - other).reshape(-1).tolist()
    numbers = [(each, number) for number, each in enumerate(apart) if each == each]  # noqa: PLR0124 - not NaN
    lost = f"{len(apart) - len(numbers)} of {len(apart)} differences are NaN"
    if not numbers:
        return lost if apart else ""
    size, flat = max(numbers)
    if not size:
        return lost if len(numbers) < len(apart) else ""
    expected = abs(other.reshape(-1).tolist()[flat])
    relative = f", relative {size / expected:.4g}" if expected else ""
    index = []
    for extent in reversed(_shape(one)):
        flat, place = divmod(flat, extent)
        index.append(place)
    told = f"largest difference {size:.4g}{relative}, at {index[::-1]}"
    return told if len(numbers) == len(apart) else f"{told}; {lost}"


def fingerprint(value: object) -> str:
    """A digest of a value; equal values have the same in every process."""
    try:
        if is_array(value):
            kind = f"{getattr(value, 'dtype', '')} {_shape(value)} "
            content = kind.encode() + _content(value)
        else:
            text = f"{type(value).__name__} {without_chance(repr(value))}"
            content = text.encode("utf-8", "backslashreplace")
    except Exception:  # noqa: BLE001 - an author's __repr__ may raise anything
        content = type(value).__name__.encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _content(array: Any) -> bytes:  # noqa: ANN401 - a tensor or an array
    """The bytes of a tensor's or an array's numbers; their text where they have none.

    Text takes minutes where bytes take milliseconds.
    """
    try:
        array = array.detach().cpu().numpy() if hasattr(array, "detach") else array
        if not array.dtype.hasobject:
            return bytes(array.tobytes())
    except (AttributeError, RuntimeError, TypeError):  # a type that NumPy does not have
        pass
    return repr(array.tolist()).encode()


def traced(value: object, *, whole: bool, path: str = "", line: int = 0) -> ReadValue:
    """What an audit compares of a value that is read at a line of a file.

    The rounding unit is 0 for exact values, for objects, and where not all numbers are included:
    without `whole`, or where there are too many.
    """
    digest = fingerprint(value)
    try:
        most = _WHOLE + 1 if whole else _SAMPLED
        first: Any = value
        if is_array(value):
            first = first.reshape(-1)[:most].tolist()
        numbers = [float(each) for each in islice(_flat(first), most)]
        unit = _unit(value) if whole and len(numbers) <= _WHOLE else 0.0
        some = tuple(numbers if unit else numbers[:_SAMPLED])
        outline = _outline(value) if unit else ""
        if len(outline) > LONGEST_OUTLINE:
            outline = hashlib.sha256(outline.encode("utf-8", "backslashreplace")).hexdigest()
        return ReadValue(digest, some, unit, outline, path, line)
    except Exception:  # noqa: BLE001 - whatever an author's object raises when its numbers are read
        return ReadValue(digest, (), 0.0, "", path, line)


def _unit(value: object) -> float:
    if is_array(value):
        return _UNITS.get(str(getattr(value, "dtype", "")).rpartition(".")[2], 0.0)
    return _DOUBLE if isinstance(value, float | list | tuple) else 0.0


def _outline(value: object) -> str:
    """The structure of a value without its floating-point numbers."""
    if is_array(value):
        return f"{getattr(value, 'dtype', '')} {_shape(value)}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(_outline, value))})"
    return "float" if isinstance(value, float) else f"{type(value).__name__} {value!r}"


def _flat(value: object) -> Iterator[float]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, int | float):
        yield float(value)


_DEEP = 4
_MANY = 50


def state(value: object, deep: int = _DEEP) -> object:
    """What tells that an object has been changed in place: equal before and after if it was not.

    Tensors count their changes, arrays have their bytes, containers what they hold, other objects
    their attributes. What cannot be looked into is the same for ever.
    """
    try:
        if isinstance(value, str | bytes | int | float | complex | bool) or value is None:
            return value
        if hasattr(value, "_version") and is_array(value):
            grad = value.grad if getattr(value, "is_leaf", False) else None  # type: ignore[attr-defined]
            return id(value), value._version, None if grad is None else (id(grad), grad._version)  # noqa: SLF001
        if is_array(value):
            return id(value), hashlib.sha256(_content(value)).digest()
        if not deep or is_program(value):
            return id(value)
        below = value
        if isinstance(value, dict):
            below = [each for pair in islice(value.items(), _MANY) for each in pair]
        elif not isinstance(value, list | tuple | set | frozenset):
            below = list(islice(getattr(value, "__dict__", {}).values(), _MANY))
        inside = tuple(state(each, deep - 1) for each in islice(below, _MANY))  # type: ignore[call-overload]
        return id(value), len(value) if isinstance(value, dict | list | set) else 0, inside
    except Exception:  # noqa: BLE001 - whatever an author's object raises
        return id(value)
