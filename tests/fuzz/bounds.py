"""The time and the memory that an input may cost: they follow from its length."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fuzz.area import Check

SECONDS = 1.0
"""Of any input, on a busy machine."""
SECONDS_A_BYTE = 60e-6
"""An input is read three times by its check: as it is, again, and with its cards named."""
MEGABYTES = 400
"""That one input may add to the process."""
ADDRESSES = 3_000_000_000
"""Bytes of addresses that the whole process may have."""


class EndlessError(BaseException):
    """An input takes far longer than it may. No code that is fuzzed catches this."""


def allowed(data: bytes) -> float:
    """The seconds that an input may take."""
    return SECONDS + SECONDS_A_BYTE * len(data)


def limit_addresses() -> None:
    """Let this process have no more memory than fuzzing needs."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))


def bounded(check: Check, data: bytes, slowness: float = 1.0) -> None:
    """Check an input within its time and memory; code that is instrumented takes longer.

    Raises AssertionError where it takes more, EndlessError where it takes ten times as long.
    """
    seconds = allowed(data) * slowness
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    with _alarm(10 * seconds):
        check(data)
    took = time.process_time() - begun
    assert took <= seconds, f"too slow: {len(data)} bytes take {took:.1f} s"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    assert grown <= MEGABYTES, f"too large: {len(data)} bytes take {grown:.0f} MB"


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(_: int, __: FrameType | None) -> None:
        raise EndlessError(f"still running after {seconds:.0f} s")

    # The processor's time: others may need the machine.
    former = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)
