"""The interpreter of one card, where cards are not forked from a warm parent.

On Linux it holds the card: it forks it before anything is imported, and adopts what the card leaves
behind, so that it can be counted and ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from verideck.proof.python.child import child, process_env
from verideck.proof.python.wire import descendants
from verideck.proof.python.wire.process import die_with_parent
from verideck.proof.python.wire.scratch import Scratch, remove

_HOLDS = sys.platform == "linux"


def main() -> None:
    """Be the card's process."""
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    if _HOLDS:
        _hold(folder, parent)
    request = json.loads(sys.stdin.buffer.read())
    report = process_env.report_on(os.dup(1))
    child.run(request, report, Scratch.of(folder))
    child.leave()


def _hold(folder: Path, parent: int) -> None:
    """Fork the card's process and return as it; hold on here, and end as it did.

    Where nobody is left to look after the card, be it from the beginning, its processes end with
    this one, and its folder is removed.
    """
    if sys.platform == "win32":
        return

    def clear(*_: object) -> None:
        descendants.end_own()
        remove(folder)
        os._exit(1)

    signal.signal(signal.SIGTERM, clear)
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:  # it ended before its end could be told
        clear()
    descendants.adopt()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(pid, signal.SIGUSR1))
    _, status = os.waitpid(pid, 0)
    descendants.end_own()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):  # of SIGKILL nobody changes what it does
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
