"""Fuzzes one area, or each in turn, and saves what it finds: `run.py markdown --minutes 60`.

The inputs are made by grammars, and by changes of real ones. Where atheris is installed (`pip
install atheris`), the code tells which inputs are new to it, and these are changed on; without it,
inputs are drawn at random. A finding is made smaller and saved in `found/`, where
`tests/test_fuzz.py` reads it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

if not __package__:  # started as a file: its folder's modules are called `fuzz`, here as in tests
    sys.path[0] = str(Path(__file__).parents[1])
    sys.path.insert(1, str(Path(__file__).parents[2]))

_HERE = Path(__file__).resolve()
_WORK = _HERE.parents[2] / "build" / "fuzz"
_NAMES = ("front_matter", "markdown", "lock", "reports", "packages")
_SILENCE = 90.0
"""Seconds without a new input after which a process counts as hanging."""


def main() -> int:
    """Fuzz. Returns 1 if anything was found."""
    words = _arguments()
    if words.replay:
        return _replay(words.area, words.replay, words.smaller)
    if words.child:
        from fuzz.child import fuzz  # noqa: PLC0415 - it instruments what it imports

        fuzz(words.area, _work(words.area), words.minutes * 60, words.seed, guided=not words.plain)
        return 0
    names = _NAMES if words.area == "all" else (words.area,)
    found = [each for name in names for each in _fuzzed(name, words)]
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("area", choices=[*_NAMES, "all"])
    parser.add_argument("--minutes", type=float, default=1.0, help="of each area")
    parser.add_argument("--seed", type=int, default=0, help="other inputs for each")
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--replay", type=Path, help="check a file, as a test does")
    parser.add_argument("--smaller", action="store_true", help="save the smallest that fails alike")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _work(name: str) -> Path:
    return _WORK / name


def _fuzzed(name: str, words: argparse.Namespace) -> list[Path]:
    """The files of what was found in an area."""
    from fuzz.areas import AREAS  # noqa: PLC0415 - not where `child` instruments it
    from fuzz.findings import cases, save  # noqa: PLC0415 - see above

    work, area = _work(name), AREAS[name]
    for folder in ("corpus", "raw"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    for file in (work / "raw").glob("*"):
        file.unlink()
    (work / "count").write_text("0")
    with tempfile.TemporaryDirectory() as folder:
        for data in [*area.seeds(Path(folder)), *(each.read_bytes() for each in cases(name))]:
            save(work / "corpus", "seed", data, "")
    begun, rounds = time.monotonic(), 0
    deadline = begun + words.minutes * 60
    while time.monotonic() < deadline - 1:
        rounds += 1
        _round(name, words, (deadline - time.monotonic()) / 60, words.seed * 1000 + rounds)
    seen: set[str] = set()
    found: list[Path] = []
    for raw in sorted((work / "raw").glob("*"), key=lambda each: each.stat().st_size):
        kind = raw.name.rpartition("-")[0]
        saved = None if kind in seen else _confirmed(name, raw)
        if saved:
            seen.add(kind)
            found.append(saved)
            print(f"{name}: found {saved.relative_to(_HERE.parents[2])}", flush=True)
    minutes, count = (time.monotonic() - begun) / 60, int((work / "count").read_text())
    print(f"{name}: {minutes:.0f} min, {count:,} inputs, {len(found)} findings", flush=True)
    return found


def _round(name: str, words: argparse.Namespace, minutes: float, seed: int) -> None:
    """Fuzz in a process of its own until the time is over, or an input ends or hangs it."""
    work = _work(name)
    command = [
        sys.executable,
        str(_HERE),
        name,
        "--child",
        f"--minutes={minutes}",
        f"--seed={seed}",
    ]
    with (work / "log").open("ab") as log:
        child = subprocess.Popen(
            [*command, *(["--plain"] if words.plain else [])], stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    current = work / "current"
    current.write_bytes(b"")
    deadline = time.monotonic() + minutes * 60 + 30
    try:
        while child.poll() is None:
            time.sleep(0.2)
            silent = time.time() - current.stat().st_mtime > _SILENCE
            if silent or time.monotonic() > deadline:
                child.kill()
                child.wait()
                if silent:
                    _take(work, "Hangs")
                return
    finally:
        child.kill()
        child.wait()
    if child.returncode not in (0, None):
        _take(work, "Dies")
        time.sleep(1)


def _take(work: Path, kind: str) -> None:
    """Keep the input at which a process was."""
    from fuzz.findings import save  # noqa: PLC0415 - see `_fuzzed`

    save(work / "raw", kind, (work / "current").read_bytes(), "")


def _confirmed(name: str, raw: Path) -> Path | None:
    """The file of a finding that fails without instruments, too, made smaller; else None."""
    command = [sys.executable, str(_HERE), name, "--replay", str(raw), "--smaller"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    except subprocess.TimeoutExpired:
        from fuzz.areas import AREAS  # noqa: PLC0415 - see `_fuzzed`
        from fuzz.findings import FOUND, save  # noqa: PLC0415 - see above

        return save(FOUND / name, "Hangs", raw.read_bytes(), AREAS[name].suffix)
    lines = done.stdout.splitlines()
    return Path(lines[-1]) if done.returncode and lines else None


def _replay(name: str, file: Path, smaller: bool) -> int:  # noqa: FBT001 - a switch of the command
    """Check a file; returns 1 if it fails. With `smaller`, prints the smallest input's file."""
    import traceback  # noqa: PLC0415 - only here

    from fuzz.areas import AREAS  # noqa: PLC0415 - see `_fuzzed`
    from fuzz.bounds import bounded, limit_addresses  # noqa: PLC0415 - see above
    from fuzz.findings import FOUND, failure_of, kind_of, minimised, save  # noqa: PLC0415 - see above

    limit_addresses()
    area, data = AREAS[name], file.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        check = area.check(Path(folder))
        check(area.made(Random(0)))  # what is imported and cached counts not
        error = failure_of(lambda data: bounded(check, data), data)
        if error is None:
            return 0
        traceback.print_exception(error, limit=-12)
        if smaller:
            least = minimised(lambda data: bounded(check, data), data, 100)
            print(save(FOUND / name, kind_of(error), least, area.suffix))
    return 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
