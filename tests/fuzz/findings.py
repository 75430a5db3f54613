"""What was found: its kind, its smallest input, and the file that keeps it."""

from __future__ import annotations

import hashlib
import re
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.area import Area
from fuzz.bounds import bounded

FOUND = Path(__file__).parent / "found"
"""The inputs that broke a promise once, in a folder for each area. They are tests now."""


def kind_of(error: BaseException) -> str:
    """A name for what went wrong, the same for each input that goes wrong in the same way."""
    told = re.sub(r"\W*\d[\w.]*\W*|'[^']*'|\"[^\"]*\"|\([^)]*\)", " ", str(error).partition(":")[0])
    words = re.findall(r"[A-Za-z]+", told)[:8] if isinstance(error, AssertionError) else []
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if "/verideck/" in each.filename or "/fuzz/" in each.filename]
    place = ours[-1] if ours else frames[-1]
    # An alarm rings anywhere in a loop.
    where = (
        [] if type(error).__name__ == "EndlessError" else [Path(place.filename).stem, place.name]
    )
    return "-".join([type(error).__name__, *where, *words])


def failure(area: Area, data: bytes, folder: Path, slowness: float = 1.0) -> BaseException | None:
    """What is wrong with an input; None if it keeps all promises."""
    return failure_of(lambda data: bounded(area.check(folder), data, slowness), data)


def failure_of(check: Callable[[bytes], None], data: bytes) -> BaseException | None:
    """What a check of an input ends in; None if nothing is wrong."""
    try:
        check(data)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it was found
        return error
    return None


def minimised(check: Callable[[bytes], None], data: bytes, seconds: float) -> bytes:
    """A smaller input with a failure of the same kind, as far as there is time to find one."""
    error = failure_of(check, data)
    if error is None:
        return data
    kind, deadline = kind_of(error), time.monotonic() + seconds
    size = len(data) // 2
    while size and time.monotonic() < deadline:
        smaller = next(_failing(check, kind, data, size, deadline), None)
        if smaller is None:
            size //= 2
        else:
            data = smaller
            size = min(size, len(data) // 2)
    return data


def _failing(
    check: Callable[[bytes], None], kind: str, data: bytes, size: int, deadline: float
) -> Iterator[bytes]:
    """The inputs without a span of that size that fail in the same way."""
    for start in range(0, len(data), size):
        if time.monotonic() > deadline:
            return
        shorter = data[:start] + data[start + size :]
        error = failure_of(check, shorter)
        if error is not None and kind_of(error) == kind:
            yield shorter


def save(folder: Path, kind: str, data: bytes, suffix: str) -> Path:
    """Write an input under the name of its kind."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(data).hexdigest()[:6]
    file = folder / f"{kind[:80]}-{digest}{suffix}"
    file.write_bytes(data)
    return file


def cases(name: str) -> list[Path]:
    """The saved inputs of an area."""
    return sorted(each for each in (FOUND / name).glob("*") if each.is_file())
