"""The interpreter of one card, where cards are not forked from a warm parent.

On Linux it forks the card's process before the card imports anything, waits for it, and adopts the
processes that the card leaves behind, so that they can be counted and ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from verideck.proof.python.child import child, process_env
from verideck.proof.python.wire import descendants
from verideck.proof.python.wire.messages import REQUEST
from verideck.proof.python.wire.process import die_with_parent
from verideck.proof.python.wire.scratch import Scratch, remove

_HOLDS = sys.platform == "linux"


def main() -> None:
    """Execute the card whose folder and whose parent's process id are the arguments."""
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    if _HOLDS:
        _hold(folder, parent)
    request = REQUEST.from_text(sys.stdin.buffer.read())
    report = process_env.report_on(os.dup(1))
    child.run(request, report, Scratch.of(folder))
    child.leave()


def _hold(folder: Path, parent: int) -> None:
    """Fork the card's process and return in it; the holder ends as the card did.

    If the parent is gone, even before this call, the card's processes end with the holder, and the
    card's folder is removed.
    """
    if sys.platform == "win32":
        return

    def clear(*_: object) -> None:
        descendants.end_own()
        remove(folder)
        os._exit(1)

    signal.signal(signal.SIGTERM, clear)
    die_with_parent(signal.SIGTERM, parent)
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
        with contextlib.suppress(OSError):  # SIGKILL cannot be handled
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
