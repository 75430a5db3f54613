"""The runs that are kept: under which key, and whether they still tell the truth."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from verideck.proof.python.parent import interpreter
from verideck.proof.python.wire.channel import Message
from verideck.proof.python.wire.versions import claims, content, version
from verideck.proof.sandbox import kernel
from verideck.storage.cache import Entry
from verideck.storage.store import key

_PLACES = ("line", "column")

Shape = type | None | list["Shape"] | tuple["Shape", ...] | dict[str, "Shape"]
"""The form of a value: of its type; nothing; a list of such, or of these in their order; any of
several; with these keys, where `_ANY` stands for all others."""
_ANY = ""

_REPORT: Shape = {
    "error": None,
    "value": str,
    "raised": str,
    "stdout": str,
    "figures": [str],
    "held": int,
    "seconds": float,
    "doubts": [{"path": str, "line": int, "message": str, "strict": str}],
}
_PAIRS: Shape = [[str, str]]
_ENTRY: Shape = {
    "reports": [_REPORT],
    "last": {
        "environment": _PAIRS,
        "box": str,
        "files": {_ANY: str},
        "modules": {_ANY: [[str], [str]]},
        "loaded": _PAIRS,
        "unseen": bool,
        _ANY: object,
    },
    "lines": (None, [[int]]),
    _ANY: object,
}
"""The form of a run that is kept."""


def run_key(request: Message) -> str:
    """What a run follows from: all that was asked for, but where it stands, and who executes it."""
    steps = [
        {name: value for name, value in step.items() if name not in _PLACES}
        for step in request["steps"]
    ]
    asked = {name: value for name, value in request.items() if name not in {"root", "steps"}}
    around = interpreter.variables()
    return key(asked, steps, around, sys.version, platform.machine(), _runner())


def entry(request: Message, reports: Sequence[Message], last: Message) -> Entry:
    """A run to be kept."""
    names = {Path(step["path"]).name for step in request["steps"]}
    said = "".join(f"{each['stdout']}{each['value']}{each['raised']}" for each in reports)
    tells_lines = any(name in said for name in names) or any(each["doubts"] for each in reports)
    return {"reports": reports, "last": last, "lines": _lines(request) if tells_lines else None}


def holds(kept: Entry, request: Message) -> bool:
    """Whether all that a kept run depended on is as it was.

    Whoever wrote it, an entry of another form holds nothing.
    """
    if not fits(kept, _ENTRY):
        return False
    try:
        last = kept["last"]
        root = Path(request["root"])
        boxed = bool(last["box"]) or not request["box"] or bool(kernel.missing())
        return (
            boxed
            and not last["unseen"]
            and len(kept["reports"]) == len(request["steps"])
            and kept["lines"] in (None, _lines(request))
            and all(content(root / name) == hashed for name, hashed in last["files"].items())
            and all(
                claims(root / folder, set(names)) == found
                for folder, (names, found) in last["modules"].items()
            )
            and all(version(name) == number for name, number in last["loaded"])
        )
    except ValueError:  # a path that is none
        return False


def fits(value: object, shape: Shape) -> bool:
    """Whether a value that JSON told has a form."""
    match shape:
        case None:
            return value is None
        case tuple():
            return any(fits(value, each) for each in shape)
        case list():
            shapes = shape * len(value) if isinstance(value, list) and len(shape) == 1 else shape
            return (
                isinstance(value, list)
                and len(value) == len(shapes)
                and all(map(fits, value, shapes))
            )
        case dict():
            return (
                isinstance(value, dict)
                and shape.keys() - {_ANY} <= value.keys()
                and all(
                    fits(each, shape.get(name, shape.get(_ANY, ()))) for name, each in value.items()
                )
            )
    whole = isinstance(value, int) and not isinstance(value, bool)
    if shape is int or shape is float:
        return whole or (shape is float and isinstance(value, float))
    return isinstance(value, shape)


def _lines(request: Message) -> list[list[int]]:
    """Where the steps stand: of account only where a run told its lines, or its file's name."""
    return [[step[name] for name in _PLACES] for step in request["steps"]]


@cache
def _runner() -> str:
    """The hash of the code that a card's process executes: nothing else can change its report."""
    hashed = hashlib.sha256()
    package = Path(__file__).parents[1]
    rooms = (package / "child", package / "wire", package.parent / "sandbox")
    for file in sorted(file for room in rooms for file in room.glob("*.py")):
        hashed.update(file.read_bytes())
    return hashed.hexdigest()
