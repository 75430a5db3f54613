"""Files: how they are called in a place, and how they are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def place_name(file: Path, root: Path) -> str:
    """How a file is called in a `Place`: relative to the project if it is inside of it."""
    whole = absolute(file)
    inside = whole.is_relative_to(root.absolute())
    return (whole.relative_to(root.absolute()) if inside else whole).as_posix()


def absolute(path: Path) -> Path:
    """The path from the top, without any `..` in it."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps them, `resolve` ends links


def write_whole(file: Path, content: bytes) -> None:
    """Write the content beside the file's place, then rename it.

    Whoever reads the file finds the former content or the new one, never a part; where writing
    fails or is interrupted, the former stands and nothing is left beside it. Raises OSError.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        if file.exists():
            beside.chmod(file.stat().st_mode)
        beside.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
