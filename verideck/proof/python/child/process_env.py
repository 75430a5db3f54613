"""The environment of one card's process: its folder, its streams, its limits, its seeds."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, BinaryIO, TextIO

from verideck.proof.python.child.untouched import use_own_builtins
from verideck.proof.python.wire.messages import Limits
from verideck.proof.python.wire.process import TELL_STACK, TEMPORARY
from verideck.proof.python.wire.scratch import MEGABYTE, Scratch

use_own_builtins(globals())


def redirect_streams(scratch: Scratch) -> int:
    """Give this process its folder, its streams and a way to report its stack.

    Returns the descriptor through which it reports its stack.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a warm parent does not heed it
    os.chdir(scratch.work)
    tempfile.tempdir = str(scratch.temporary)
    os.environ.update(dict.fromkeys(TEMPORARY, str(scratch.temporary)))
    appended = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, file, how in (
        (0, Path(os.devnull), os.O_RDONLY),
        (1, scratch.stdout.path, appended),
        (2, scratch.stderr.path, appended),
    ):
        opened = os.open(file, how)
        os.dup2(opened, number)
        os.close(opened)
    # These stay open for the process's life.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    # By lines, as on a terminal: what the card's processes print stands where it would there.
    sys.stdout = _writer(1)
    sys.stderr = _writer(2)
    stack = open(scratch.stack.path, "wb")  # noqa: SIM115, PTH123
    faulthandler.enable(stack, all_threads=False)
    if TELL_STACK and sys.platform != "win32":
        faulthandler.register(TELL_STACK, stack, all_threads=False)
    return stack.fileno()


def _writer(number: int) -> TextIO:
    """A stream that is written line by line: of a card that is ended, every line is there."""
    return open(number, "w", 1, "utf-8", "backslashreplace", closefd=False)


def limit(limits: Limits) -> None:
    """Let the system refuse what the limits do not allow. Windows has no such limits."""
    with contextlib.suppress(ImportError):
        import resource  # noqa: PLC0415 - not on Windows

        for kind, most in (
            (resource.RLIMIT_DATA, _data() + limits.memory * MEGABYTE),
            (resource.RLIMIT_FSIZE, limits.disk * MEGABYTE + limits.max_output),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):  # lower already
                resource.setrlimit(kind, (most, most))


def _data() -> int:
    """Bytes of data that this process already holds (Linux: proc_pid_status(5), VmData)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "VmData":
                return int(value.split()[0]) * 1024
    return 0


class Seeds:
    """Seeds the random generators: the same on every run, unless another seed is given."""

    def __init__(self, seed: int) -> None:
        """Take a seed; 0 is a proof's.

        With another one, the seeds that the author sets are moved too: a result should hold for
        other seeds than the author's.
        """
        self.seed = seed
        self.on_import: MappingProxyType[str, Callable[[ModuleType], None]] = MappingProxyType(
            {"random": self._random, "numpy.random": self._numpy, "torch": self._torch}
        )
        """By library: what is done with it as soon as it is imported."""

    def _moved(self, seed: object) -> object:
        if seed is None:
            return self.seed
        return seed + self.seed if self.seed and isinstance(seed, int) else seed

    def _random(self, _: ModuleType) -> None:
        original = random.Random.seed

        def seed(of: random.Random, a: object = None, version: int = 2) -> None:
            original(of, self._moved(a), version)  # type: ignore[arg-type] # as it was given

        random.Random.seed = seed  # type: ignore[method-assign,assignment]
        random.seed = random._inst.seed  # noqa: SLF001 - of the module's functions
        random.seed(0)

    def _numpy(self, numpy_random: Any) -> None:  # noqa: ANN401 - no door of ours
        numpy_random.bit_generator.randbits = lambda bits: self.seed % (1 << bits)  # default_rng()
        original, default = numpy_random.seed, numpy_random.default_rng
        numpy_random.seed = lambda seed=None: original(self._moved(seed))
        if self.seed:
            numpy_random.default_rng = lambda seed=None: default(self._moved(seed))
        original(self.seed)

    def _torch(self, torch: Any) -> None:  # noqa: ANN401 - no door of ours
        torch.set_num_threads(1)
        original = torch.manual_seed
        if self.seed:
            torch.manual_seed = lambda seed: original(self._moved(seed))
            torch.random.manual_seed = torch.manual_seed
            of_generator = torch.Generator.manual_seed

            class Generator(torch.Generator):  # type: ignore[misc]
                """A generator whose seeds are moved; torch's own is closed to patches."""

                def manual_seed(generator, seed: int) -> object:  # noqa: N805
                    return of_generator(generator, self._moved(seed))

            torch.Generator = Generator
        # The full call queues seeds for devices that are not there, with a stack trace for each.
        seed_all = original if torch.version.cuda else torch.default_generator.manual_seed
        seed_all(self.seed)


def report_on(descriptor: int) -> BinaryIO:
    """The stream of the report. It is closed in forks of the card, so they cannot write to it."""
    report = os.fdopen(descriptor, "wb")
    os.register_at_fork(after_in_child=report.close)
    return report
