"""The process in which inputs are tried, with atheris or without."""

from __future__ import annotations

import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from random import Random

from fuzz.area import Area
from fuzz.bounds import bounded, limit_addresses
from fuzz.findings import failure_of, kind_of, save

_INSTRUMENTED = ["verideck", "ruamel.yaml", "markdown_it"]
_SLOWNESS = 4.0
"""How much longer instrumented code may take."""
_LONGEST = 40_000


def fuzz(name: str, work: Path, seconds: float, seed: int, *, guided: bool) -> None:
    """Try inputs for a time. Each that fails is kept in `raw`, one for each kind of failure."""
    guided = guided and find_spec("atheris") is not None
    if guided:
        import atheris  # noqa: PLC0415 - an optional tool

        with atheris.instrument_imports(include=_INSTRUMENTED, enable_loader_override=False):
            from fuzz.areas import AREAS  # noqa: PLC0415 - instrumented
    else:
        from fuzz.areas import AREAS  # noqa: PLC0415 - see above
    limit_addresses()
    with tempfile.TemporaryDirectory() as folder:
        trial = _Trial(AREAS[name], work, Path(folder), seconds, _SLOWNESS if guided else 1.0)
        (_guided if guided else _plain)(trial, work, seed)


class _Trial:
    """Tries inputs of an area, counts them, and keeps what fails."""

    def __init__(
        self, area: Area, work: Path, folder: Path, seconds: float, slowness: float
    ) -> None:
        self.area, self.work, self.slowness = area, work, slowness
        self.check = area.check(folder)
        self.seconds, self.deadline = seconds, time.monotonic() + seconds
        self.seen: set[str] = set()
        self.count = int((work / "count").read_text())
        self.current = (work / "current").open("r+b", buffering=0)
        self.counted = time.monotonic()

    def __call__(self, data: bytes) -> None:
        """Try an input."""
        self.current.seek(0)
        self.current.write(data)
        self.current.truncate(len(data))
        self.count += 1
        if time.monotonic() - self.counted > 1:
            (self.work / "count").write_text(str(self.count))
            self.counted = time.monotonic()
        error = failure_of(lambda data: bounded(self.check, data, self.slowness), data)
        if error is not None and (kind := kind_of(error)) not in self.seen:
            self.seen.add(kind)
            save(self.work / "raw", kind, data, "")


def _plain(trial: _Trial, work: Path, seed: int) -> None:
    known = [file.read_bytes() for file in sorted((work / "corpus").glob("seed-*"))]
    number = 0
    while time.monotonic() < trial.deadline:
        number += 1
        random = Random(f"{seed} {number}")
        trial(trial.area.variant(random, known)[:_LONGEST])


def _guided(trial: _Trial, work: Path, seed: int) -> None:
    import atheris  # noqa: PLC0415 - an optional tool

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.2:
            return bytes(atheris.Mutate(data, size))
        return trial.area.variant(random, [data])[:size]

    flags = [
        f"-max_total_time={max(int(trial.seconds), 1)}", "-timeout=600", "-rss_limit_mb=0",
        f"-max_len={_LONGEST}", f"-seed={seed + 1}", "-len_control=0", "-print_final_stats=1",
        f"-artifact_prefix={work}/",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *flags, str(work / "corpus")], trial, custom_mutator=mutate)
    atheris.Fuzz()
