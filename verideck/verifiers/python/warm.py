"""The warm parent: imports what the cards import, once, and forks the workers.

It never executes an author's code. What it is told comes through a socket, whose descriptor is its
argument: `{"import": [...], "rehearse": [...]}`; `{"packages": {...}}`, which it need not look up
then; `{"worker": true}` with the worker's socket. It ends, and all its workers do, when the other
side of that socket is gone; so does what is left of a card that has killed its worker.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Any

from verideck.verifiers.python import box, imports, worker
from verideck.verifiers.python.wire import receive, send


def main() -> None:
    """Serve until nobody asks any more."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not box.missing():
        box.ready()
    worker.adopt()
    workers: list[int] = []
    while message := receive(control):
        if "worker" in message:
            _, (descriptor, *_), _, _ = socket.recv_fds(control, 1, 1)
            workers.append(_fork(control, socket.socket(fileno=descriptor)))
        elif "packages" in message:
            imports.know(message["packages"])
        else:
            _warm(message["import"], message["rehearse"])
    control.close()
    for pid in workers:
        os.waitpid(pid, 0)
    worker.end_descendants()
    os._exit(0)  # libraries take their time to say farewell


def ask_for_worker(control: socket.socket) -> socket.socket:
    """Have another worker forked; returns the socket through which it is asked."""
    ours, theirs = socket.socketpair()
    with theirs:
        send(control, {"worker": True})
        socket.send_fds(control, [b"w"], [theirs.fileno()])
    return ours


def _fork(control: socket.socket, channel: socket.socket) -> int:
    imports.remember()
    gc.freeze()  # a collection in a fork would copy every page it looks at
    if pid := os.fork():
        channel.close()
        return pid
    control.close()
    worker.serve(channel)
    os._exit(0)


def _warm(modules: Sequence[str], rehearsals: Sequence[str]) -> None:
    with _silence(), warnings.catch_warnings(action="ignore"):
        for name in modules:
            with contextlib.suppress(Exception):
                if importlib.util.find_spec(name):
                    importlib.import_module(name)
        torch = sys.modules.get("torch")
        if torch:
            torch.set_num_threads(1)  # a fork of a parent with more of them would hang
            for name in rehearsals:
                with contextlib.suppress(Exception):
                    REHEARSALS[name](torch)


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


def _compare(torch: Any) -> None:  # noqa: ANN401 - torch has one door, the snippets
    torch.testing.assert_close(torch.zeros(1), torch.zeros(1))


def _optimise(torch: Any) -> None:  # noqa: ANN401
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    weight.sum().backward()
    optimiser.step()


REHEARSALS: MappingProxyType[str, Callable[[Any], None]] = MappingProxyType(
    {"assert_close": _compare, "optim": _optimise}
)
"""What torch imports only when it is first used, hundreds of modules, by the word that uses it."""
