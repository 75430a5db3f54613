"""Failures in a card's process: what happened, at which line of the author's."""

from __future__ import annotations

import errno
import inspect
import itertools
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType, TracebackType

from verideck.proof.python.child import not_python
from verideck.proof.python.child.assertions import verdict
from verideck.proof.python.child.hints import announcement, hint, name_of
from verideck.proof.python.child.sources import Sources
from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Finding
from verideck.proof.python.wire.scratch import SHARED_MEMORY
from verideck.proof.sandbox import kernel

use_own_builtins(globals())

_SHARES = re.compile(r"\bmultiprocessing\b.(synchronize|shared_memory|heap)\.py$")
_HIDDEN = re.compile(r"(^|/)\.[^./]")
_ATTRIBUTES = re.compile(r"chmod|chown|utime|xattr")
Place = tuple[str, int, int]
"""A file as reports name it, a line and a column."""
NOWHERE: Place = "", 0, 1
"""Where no line of the author's is known."""

_FAR = 20
"""How far back a cause is looked for: a card may chain its exceptions in a ring."""
_CALLS = 5
"""How many callers of a failing line are named."""


class Refusal(Exception):  # noqa: N818 - a verdict, not an error of ours
    """A step does not hold; carries the code and the hint of its problem."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """Name the problem's code, its message and what to do."""
        super().__init__(message)
        self.code, self.hint = code, hint


class Found(Exception):  # noqa: N818 - a verdict, not an error of ours
    """A step does not hold, at a place that is known."""

    def __init__(self, finding: Finding) -> None:
        """Carry what is reported, with its path as `Sources.own` names it."""
        super().__init__(finding.message)
        self.finding = finding


def failure(
    error: BaseException,
    first_line: int,
    sources: Sources,
    last_line: int = 0,
    told_in: str = "",
) -> Finding:
    """The report of an exception, at the author's innermost line. The message names its callers.

    `last_line` is that of the last statement of a fence that the card shows: such a fence may be
    about the exception that it ends with. `told_in` is a file, as reports name it, of which the
    innermost line is the place if one led there: the message names where it was raised then.
    """
    if isinstance(error, Found):
        return error.finding
    code, message, told = _verdict(error)
    cause = (error.__cause__ or error) if isinstance(error, Refusal) else error
    frames = list(_frames(cause.__traceback__, sources))
    if isinstance(cause, SyntaxError) and any(cause is each for each in sources.rejected):
        number = cause.lineno or first_line
        before, text = sources.line(str(cause.filename), number)
        frames.append((sources.own(cause.filename), number, before + (cause.offset or 1)))
        if cause is error:
            code, message, told = "syntax-error", f"{cause.msg}", not_python.meant(text)
    if code == "exception-raised" and not told and frames and 0 < last_line <= frames[0][1]:
        told = announcement(error, name_of(type(error)))
    own = [each for each in frames if each[0] == told_in and code != "syntax-error"]
    path, line, column = (own or frames or [NOWHERE])[-1]
    return Finding(
        code=code,
        message="\n".join([clean(message), *_way(frames, (path, line, column))]),
        path=path,
        line=line,
        column=max(column, 1),
        hint=clean(told),
    )


def _way(frames: Sequence[Place], told: Place) -> Iterator[str]:
    """Where an exception was raised, if it is told elsewhere, and the callers of that line."""
    places = dict.fromkeys(f"{path}:{line}" for path, line, _ in reversed(frames))
    here = f"{told[0]}:{told[1]}"
    way = list(places)
    if way and way[0] != here:
        yield f"raised at {way[0]}"
    yield from (f"called from {each}" for each in way[1 : _CALLS + 1] if each != here)


def _verdict(error: BaseException) -> tuple[str, str, str]:
    """The code, the message and the hint of a failure."""
    ended = "a card's code must run to its end; nothing after this point was executed"
    match error:
        case Refusal():
            return error.code, str(error), error.hint
        case AssertionError():
            return verdict(error) or ("assertion-failed", shown_error(error), "")
        case SystemExit():
            return "ended-early", f"the snippet ended the process with {shown_error(error)}", ended
    code, told = next(
        ((code, told) for code, meets, told in _SYSTEM if meets(error)),
        ("exception-raised", hint(error)),
    )
    return code, shown_error(error), told


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    in_torch = isinstance(error, RuntimeError) and "allocate memory" in shown_error(error)
    return isinstance(error, MemoryError) or in_torch


def _file_too_large(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EFBIG


def _changes_attributes(error: BaseException) -> bool:
    """Whether the sandbox refused a change of a file's attributes; not all such errors name one."""
    if not (isinstance(error, PermissionError) and error.errno == errno.EPERM):
        return False
    innermost = traceback.extract_tb(error.__traceback__)[-1:]
    return error.filename is not None or any(
        _ATTRIBUTES.search(each.line or "") for each in innermost
    )


def _refused_by_sandbox(error: BaseException) -> bool:
    """Whether the sandbox refused a file, a connection or the name of a host: the cause counts."""
    unknown_host = getattr(sys.modules.get("socket"), "gaierror", ())
    refused = any(
        isinstance(each, unknown_host)
        or (isinstance(each, PermissionError) and each.errno)
        or "operation not permitted" in _text(each).lower()  # a library's own exception
        for each in itertools.islice(_causes(error), _FAR)
    )
    return refused and bool(kernel.entered())


def _reads_hidden(error: BaseException) -> bool:
    """Whether the sandbox refused a hidden file."""
    if not (isinstance(error, PermissionError) and error.errno == errno.EACCES):
        return False
    named = isinstance(error.filename, str) and bool(_HIDDEN.search(error.filename))
    return named and bool(kernel.entered())


def _wants_shared_memory(error: BaseException) -> bool:
    """Whether the sandbox refused shared memory or a semaphore; few such errors name a file."""
    if not kernel.entered():
        return False
    if isinstance(error, PermissionError) and error.errno == errno.EACCES:
        innermost = traceback.extract_tb(error.__traceback__)[-2:]  # the last may be ours
        named = str(error.filename).startswith(f"{SHARED_MEMORY}/")
        return named or any(_SHARES.search(each.filename) for each in innermost)
    return "shared memory" in _text(error) and os.strerror(errno.EACCES) in _text(error)


def _causes(error: BaseException | None) -> Iterator[object]:
    """An exception and its causes; some libraries keep the cause as a `reason`."""
    while error is not None:
        yield error
        yield inspect.getattr_static(error, "reason", None)
        shown = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or shown


_SYSTEM = (
    (
        "memory-limit",
        _out_of_memory,
        "allow more by memory in [tool.verideck], or by {memory=…} on the fence: megabytes",
    ),
    (
        "disk-limit",
        _file_too_large,
        "allow more by disk in [tool.verideck], or by {disk=…} on the fence: megabytes",
    ),
    (
        "exception-raised",
        lambda error: _changes_attributes(error) and bool(kernel.entered()),
        "cards run in a sandbox, where no file's mode, owner or times change, not even their own",
    ),
    (
        "exception-raised",
        _wants_shared_memory,
        (
            "the sandbox has no shared memory, which pools, queues, locks and DataLoader workers "
            "need: allow it by shared_memory = true in [tool.verideck]"
        ),
    ),
    (
        "exception-raised",
        _reads_hidden,
        (
            "cards run in a sandbox, where hidden files are not read, those whose name or folder "
            "begins with a dot (.git, .env): give what a card reads another name"
        ),
    ),
    (
        "exception-raised",
        _refused_by_sandbox,
        (
            "cards run in a sandbox: no network, no files but the project's, no writing but where "
            'they run; what needs more is marked {.no-run reason="…"}'
        ),
    ),
)


def _frames(trace: TracebackType | None, sources: Sources) -> Iterator[Place]:
    """The author's own lines, outermost first."""
    for frame in traceback.extract_tb(trace):
        if sources.own(frame.filename) and frame.lineno:
            yield place(frame.filename, frame.lineno, frame.colno, sources)


def near(frame: FrameType | None, sources: Sources) -> Place:
    """The nearest place of the author's, in a frame or its callers; NOWHERE if there is none."""
    while frame is not None and not sources.own(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return NOWHERE
    instruction = itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    line, _, offset, _ = next(instruction, (None, None, None, None))
    return place(frame.f_code.co_filename, line or frame.f_lineno, offset, sources)


def place(filename: str, line: int, offset: int | None, sources: Sources) -> Place:
    """The place of a byte of a compiled line, as Python counts them, in the author's file."""
    before, text = sources.line(filename, line)
    characters = text.encode()[: offset or 0].decode(errors="ignore")
    return sources.own(filename), line, before + len(characters) + 1


def shown_error(error: BaseException) -> str:
    """An exception as `Type: text`."""
    text = _text(error)
    name = type(error).__qualname__
    return clean(f"{name}: {text}" if text else name)


def _text(error: object) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an author's __str__ may raise anything
        return "(whose text cannot be had)"


def clean(text: str) -> str:
    """Text that any stream can carry, cut to what a person reads."""
    return text.encode("utf-8", "backslashreplace").decode()[:4000]
