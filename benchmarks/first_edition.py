"""verideck's first edition, whose figures stand beside today's: installed from the history.

It lives in an environment of its own, `.venv-first`, with the versions of its own constraints.txt.
What snippets import, torch, is taken from the environment that runs the benchmark, so that it is
the same for both. `bare.py` runs in it too, so that its versions stay as they are.
"""

from __future__ import annotations

import io
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import measure
from measure import FIRST, ROOT, TODAY, make_environment, run

COMMIT = "488bee0057a40f0995031a249241c0cd2a1f1f54"
FOLDER = ROOT / ".venv-first"
PYTHON = FOLDER / "bin" / "python"
VERIDECK = FOLDER / "bin" / "verideck"
EDITIONS = {TODAY: measure.VERIDECK, FIRST: VERIDECK}
"""The command of each edition."""


def prepare() -> None:
    """Make the environment, unless it is there for this commit and this Python."""
    torch_from = sysconfig.get_path("purelib")
    made_of = f"{COMMIT}\n{sys.version}\n{torch_from}\n"
    make_environment(FOLDER, made_of, "the first edition", lambda: _install(torch_from))


def _install(torch_from: str) -> None:
    source = _unpacked(FOLDER / "source")
    # From files: not every pip takes a git+file:// address with an extra.
    words = ("-c", source / "constraints.txt", f"{source}[sandbox]")
    run((PYTHON, "-m", "pip", "install", "--quiet", *words), ROOT)
    _, packages = run(
        (PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"), ROOT
    )
    Path(packages.strip(), "torch_from.pth").write_text(f"{torch_from}\n", encoding="utf-8")


def _unpacked(folder: Path) -> Path:
    """Write the commit's files into a folder, which is made; return it."""
    done = subprocess.run(  # noqa: S603 - a constant
        ("git", "archive", COMMIT),  # noqa: S607 - the git that is on the PATH
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    if done.returncode:
        sys.exit(f"the first edition is not in this clone's history: fetch {COMMIT[:7]}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
