"""A limit for code of others that may take for ever, such as a regular expression."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import NoReturn, TypeVar

Result = TypeVar("Result")


def within_cpu(
    seconds: float, work: Callable[[], Result], on_end: Callable[[float], object]
) -> Result:
    """Return what `work` does; raise TimeoutError in it if it takes more processor time.

    `on_end` is told how much it took.

    Only a main thread can be interrupted, and not on Windows: elsewhere there is no limit, and
    nothing is told. The timer itself says how much is left of it: to ask a clock for the time of a
    processor takes longer than most bodies.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        return work()
    before = signal.signal(signal.SIGVTALRM, _stop)
    timer = signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        return work()
    finally:
        left, _ = signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        signal.setitimer(signal.ITIMER_VIRTUAL, *timer)  # a profiler's, where there is one
        on_end(seconds - left)


def _stop(*_: object) -> NoReturn:
    raise TimeoutError
