"""The warm parent: imports what the cards import, once, and forks the workers.

It never executes an author's code. What it is told comes through a socket, whose descriptor is its
first argument: `{"import": [...], "words": [...]}`, with names as `needs` has them;
`{"packages": {...}}`, which it need not look up then; `{"worker": true}` with the worker's socket.
Its second argument is the folder of the run. What it imports, it puts on a `shelf`. It ends, and
all its workers do, when the other side of that socket is gone; so does what is left of a card that
has killed its worker, and the folder.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import itertools
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from verideck.proof.python.child import imports
from verideck.proof.python.child.import_stash import STASH
from verideck.proof.python.host import worker
from verideck.proof.python.host.preload import PRELOADS
from verideck.proof.python.wire import descendants, versions
from verideck.proof.python.wire.channel import receive
from verideck.proof.python.wire.process import PAGES
from verideck.proof.python.wire.scratch import remove
from verideck.proof.sandbox import kernel


def main() -> None:
    """Serve until nobody asks any more."""
    control, folder = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # what is imported stays: to look for garbage in it is in vain
    os.environ.pop(PAGES, None)  # of no use to a fork, and none of a card's variables
    if not kernel.missing():
        kernel.ready()
    descendants.adopt()
    sys.meta_path.insert(0, STASH)
    workers: list[int] = []
    while message := receive(control):
        if "worker" in message:
            _, (descriptor, *_), _, _ = socket.recv_fds(control, 1, 1)
            workers.append(_fork(control, socket.socket(fileno=descriptor), folder))
        elif "packages" in message:
            versions.know(message["packages"])
        else:
            _warm(message["import"], message["words"])
    control.close()
    for pid in workers:
        os.waitpid(pid, 0)
    descendants.end_own()
    remove(folder)
    os._exit(0)  # libraries take their time to say farewell


def _fork(control: socket.socket, channel: socket.socket, folder: Path) -> int:
    imports.remember()
    gc.freeze()  # a collection in a fork would copy every page it looks at
    if pid := os.fork():
        channel.close()
        return pid
    control.close()
    gc.enable()
    worker.serve(channel, folder)
    os._exit(0)


def _warm(modules: Sequence[str], words: Sequence[str]) -> None:
    with _silence(), warnings.catch_warnings(action="ignore"):
        for name in modules:
            module, _, attribute = name.partition(":")
            for each in itertools.accumulate(module.split("."), "{}.{}".format):
                with STASH.putting_away(), contextlib.suppress(Exception):
                    _import(each)
            with STASH.putting_away(), contextlib.suppress(Exception):
                _import(module, attribute)
        torch = sys.modules.get("torch") or STASH.modules().get("torch")
        if torch:
            torch.set_num_threads(1)  # a fork of a parent with more of them would hang
        for name in sorted(PRELOADS.keys() & set(words)) if torch else ():
            # What torch imports now is not put away: it keeps what it has found.
            with contextlib.suppress(Exception):
                PRELOADS[name](importlib.import_module("torch"))


def _import(module: str, attribute: str = "") -> None:
    """Do what `import module`, or `from module import attribute`, would do, if there is one."""
    if importlib.util.find_spec(module):
        found = importlib.import_module(module)
        if attribute and not hasattr(found, attribute):
            _import(f"{module}.{attribute}")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let no library greet its user from here."""
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    for number, _ in kept:
        os.dup2(nothing, number)
    os.close(nothing)
    try:
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
