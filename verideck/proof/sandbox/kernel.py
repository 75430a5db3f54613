"""The sandbox of a card's process: the Linux kernel holds it, and all that the process starts.

Landlock (through sandlock) restricts files and signals: nothing is written outside of the scratch
folder, nothing is read but the project, Python and the system's libraries, no other process gets a
signal; what is hidden in the project is not read either. Landlock does not cover the network, nor
calls that change a file without opening it: a filter refuses these (`calls`). The privileges of
root are given up. None of it needs privileges, and none can be undone.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from verideck.proof.sandbox import calls, landlock, privileges
from verideck.proof.sandbox.readable import readable

NAME = "Landlock and seccomp"

_LANDLOCK_CREATE_RULESET = 444
_ABI_WITH_SIGNALS = 6

_SINKS = ("/dev/null", "/dev/zero", "/dev/full")
_SHARED_MEMORY = ("/dev/shm",)  # noqa: S108 - no file of ours is made there


def extra(name: str) -> str:
    """What to do if an extra of verideck is missing; it is in no package index."""
    return f"which the extra [{name}] brings: pip install '<folder of verideck>[{name}]'"


@cache
def missing() -> str:
    """Why there is no sandbox on this system; empty if there is one."""
    if sys.platform != "linux":
        return "it is made of Linux's Landlock and seccomp"
    for package in ("sandlock", "pyseccomp"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed, {extra('sandbox')}"
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return "the library libseccomp is not installed"
    abi = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < _ABI_WITH_SIGNALS:
        return "this kernel's Landlock cannot keep signals (Linux 6.12 can)"
    return ""


def available(*, asked: bool) -> str:
    """The name of the sandbox that a card is put into; empty without one, or if it is not asked."""
    return NAME if asked and not missing() else ""


def prepare() -> None:
    """Import what `enter` needs, so that a fork need not."""
    import sandlock  # noqa: F401, PLC0415 - only where there is a sandbox

    calls.program()


def survey(root: Path) -> None:
    """Look at the project's folder, so that a fork need not."""
    if not missing():
        readable(root)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that this process can enter."""

    listed: list[str]
    """What can be read, as far as sandlock knows it."""
    written: list[str]
    rules: int
    """The descriptor of the rules that say which files can be read."""

    def enter(self) -> None:
        """Put this process into the sandbox, for good.

        Raises OSError, or sandlock's error, if the kernel refuses.
        """
        import sandlock  # noqa: PLC0415 - only where there is a sandbox

        sandlock.confine(sandlock.Sandbox(fs_readable=self.listed, fs_writable=self.written))
        landlock.restrict(self.rules)
        privileges.drop()
        calls.restrict()
        _entered.append(NAME)


def around(root: Path, scratch: Path, *, shared_memory: bool = False) -> Sandbox:
    """The sandbox of a project: it lists folders, so it is made before anybody watches what is.

    In it, what is not hidden in the project's folder `root` can be read, and `scratch` can be
    written; with `shared_memory` also what other processes share. Raises OSError.
    """
    may = readable(root)
    outside = [*_SINKS, *(_SHARED_MEMORY if shared_memory else ())]
    written = [str(scratch), *(each for each in outside if Path(each).exists())]
    return Sandbox(may.listed, written, landlock.ruleset(may.read, written))


_entered: list[str] = []


def entered() -> str:
    """The name of the sandbox that this process is in; empty if it is in none."""
    return "".join(_entered)
