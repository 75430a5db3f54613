"""The process that executes a card's snippets: started, watched, ended with all it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from verideck.verifiers.bench import Bench

_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "LD_LIBRARY_PATH")
_FIXED = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""The same world for every run: one thread also halves what torch costs."""

_GLANCE = 0.02
"""Seconds between two looks at the limits."""


class End(Enum):
    """How the process came to its end."""

    BY_ITSELF = auto()
    TIME = auto()
    OUTPUT = auto()


class StoppedError(Exception):
    """The whole run is being broken off."""


@dataclass(frozen=True, slots=True)
class Run:
    """A process that is over."""

    lines: tuple[str, ...]
    """Its report, as far as it came."""
    end: End
    how: str
    """Its exit status or signal, and the last it wrote to standard error."""


def run(request: str, bench: Bench) -> Run:
    """Execute the steps of a request (see `child`) within the bench's limits.

    The report comes through the process's standard output, which the child keeps to itself before
    it gives the snippets another one: a snippet cannot report its own completion.
    """
    with tempfile.TemporaryDirectory(prefix="verideck-", ignore_cleanup_errors=True) as scratch:
        printed = Path(scratch, "stdout")
        told = Path(scratch, "stderr")
        work, temporary = Path(scratch, "work"), Path(scratch, "temporary")
        work.mkdir()
        temporary.mkdir()
        with told.open("wb") as stderr:
            process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
                [sys.executable, "-P", "-s", "-m", "verideck.verifiers.python.child", str(printed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=work,
                env=_environment(str(temporary)),
                start_new_session=True,
            )
        try:
            report, end = _watch(process, request.encode(), (printed, told), bench)
        finally:
            _end(process)
        last_words = told.read_bytes()[-2000:].decode("utf-8", "replace").strip().split("\n")[-1]
    how = _how(process.returncode) + (f": {last_words}" if last_words else "")
    complete, _, _ = report.rpartition(b"\n")
    return Run(tuple(complete.decode().splitlines()), end, how)


def _environment(temporary: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, **_FIXED, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)}


def _watch(
    process: subprocess.Popen[bytes], request: bytes, files: tuple[Path, ...], bench: Bench
) -> tuple[bytes, End]:
    deadline = time.monotonic() + bench.timeout
    pending: bytes | None = request
    while True:
        try:
            report, _ = process.communicate(pending, timeout=_GLANCE)
        except subprocess.TimeoutExpired as glance:
            pending = None
            so_far = glance.output or b""
        else:
            return report, End.OUTPUT if _size(files) > bench.max_output else End.BY_ITSELF
        if bench.stop.is_set():
            raise StoppedError
        if _size(files) > bench.max_output:
            return so_far, End.OUTPUT
        if time.monotonic() > deadline:
            return so_far, End.TIME


def _size(files: tuple[Path, ...]) -> int:
    return sum(file.stat().st_size for file in files if file.exists())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started, also when it is gone and they are not."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _how(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"signal {signal.Signals(-status).name}"
