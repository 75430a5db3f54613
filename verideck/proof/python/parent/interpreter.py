"""The command and the variables with which the interpreters that execute cards are started."""

from __future__ import annotations

import os
import sys

from verideck.proof.python.wire.process import PAGES, TEMPORARY

_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "LD_LIBRARY_PATH")
_FIXED = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS": "0",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
}
"""The same for every run: one thread also halves what torch costs. Headers that `torch.compile`
compiles beforehand take 156 MB and pay off in later processes alone; a card has none."""

_HUGE = "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=33554432"
"""A fork copies the table of its parent's pages; huge pages make it short (glibc's manual, Memory
Allocation Tunables). Other C libraries ignore it."""


def command(module: str, *arguments: str) -> list[str]:
    """The command that runs the `main` of a module of `host` in a Python of the same kind."""
    code = f"from verideck.proof.python.host.{module} import main; main()"
    return [sys.executable, "-P", "-s", "-c", code, *arguments]


def environment(hash_seed: int = 0) -> dict[str, str]:
    """The variables that an interpreter which executes one card is started with.

    Texts are hashed by the seed, which also decides the order of a set of them; 0 is a proof's.
    """
    kept = {name: os.environ[name] for name in TEMPORARY if name in os.environ}
    return {**kept, **variables(), **_FIXED, "PYTHONHASHSEED": str(hash_seed)}


def variables() -> dict[str, str]:
    """The caller's variables that a card sees too."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def to_fork_from(hash_seed: int = 0) -> dict[str, str]:
    """The variables that an interpreter is started with from which cards are forked."""
    return {**environment(hash_seed), PAGES: _HUGE}
