"""The warm parent: imports what the cards import, once, and forks the workers.

It executes no author's code and imports no module of the project. The first argument is the
descriptor of a socket, through which it is sent `Control` messages; the second one is the folder of
what its cards leave on the disk. What it imports is hidden in the `import_stash`.

It ends when the other side of the socket is closed. Its workers, whatever processes are left of
cards that killed their worker, and the folder go with it.
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
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from verideck.proof.python.child import imports
from verideck.proof.python.child.import_stash import STASH
from verideck.proof.python.host import worker
from verideck.proof.python.host.preload import PRELOADS
from verideck.proof.python.wire import descendants
from verideck.proof.python.wire.channel import receive, send
from verideck.proof.python.wire.messages import (
    CONTROL,
    KnowPackages,
    NewRun,
    NewWorker,
    Preload,
    State,
)
from verideck.proof.python.wire.process import PAGES
from verideck.proof.python.wire.scratch import remove
from verideck.proof.sandbox import kernel

_PATIENCE = 1.0
"""Seconds in which a worker ends that was killed, or whose channel was closed."""


def main() -> None:
    """Serve until the socket is closed."""
    control, folder = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    with contextlib.suppress(OSError):
        os.chdir(folder)  # libraries read settings where they are imported: not in the project
    sys.argv = [""]  # a module that is a program takes no word of ours for its own
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # imported modules stay: there is no garbage to be found in them
    os.environ.pop(PAGES, None)  # a fork has no use for it, and no card sees it
    if not kernel.missing():
        kernel.prepare()
    descendants.adopt()
    sys.meta_path.insert(0, STASH)
    workers: set[int] = set()
    while message := receive(control, CONTROL):
        match message:
            case NewWorker():
                _, (descriptor, *_), _, _ = socket.recv_fds(control, 1, 1)
                workers.add(_fork(control, socket.socket(fileno=descriptor), folder))
            case KnowPackages():
                imports.DISTRIBUTIONS.know(message.packages)
            case Preload():
                _preload(message.modules, message.words)
            case NewRun():
                workers = _tidied(workers, message.workers)
                with contextlib.suppress(OSError):
                    send(control, State(imports.is_outdated()))
    control.close()
    for pid in workers:
        os.waitpid(pid, 0)
    descendants.end_own()
    remove(folder)
    os._exit(0)  # libraries take their time to shut down


def _tidied(workers: set[int], expected: int) -> set[int]:
    """The workers that have not ended. What is left of the cards of others is ended.

    Waits until no more are left than are expected: one that was killed closes its channel first.
    """
    deadline = time.monotonic() + _PATIENCE
    while workers := {pid for pid in workers if os.waitpid(pid, os.WNOHANG) == (0, 0)}:
        if len(workers) <= expected or time.monotonic() > deadline:
            break
        time.sleep(0.001)
    descendants.end_own(but=workers)
    return workers


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


def _preload(modules: Sequence[str], words: Sequence[str]) -> None:
    with _silence(), _unwarned():
        for name in modules:
            module, _, attribute = name.partition(":")
            for each in itertools.accumulate(module.split("."), "{}.{}".format):
                with STASH.putting_away(), contextlib.suppress(Exception, SystemExit):
                    _import(each)
            with STASH.putting_away(), contextlib.suppress(Exception, SystemExit):
                _import(module, attribute)
        torch = sys.modules.get("torch") or STASH.modules().get("torch")
        if torch:
            torch.set_num_threads(1)  # a fork of a parent with more of them would hang
        for name in sorted(PRELOADS.keys() & set(words)) if torch else ():
            # What torch imports now is not hidden: torch keeps references to it.
            with contextlib.suppress(Exception):
                PRELOADS[name](importlib.import_module("torch"))


def _import(module: str, attribute: str = "") -> None:
    """Do what `import module`, or `from module import attribute`, would do, if there is one."""
    if importlib.util.find_spec(module):
        found = importlib.import_module(module)
        if attribute and not hasattr(found, attribute):
            _import(f"{module}.{attribute}")


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """Ignore what libraries warn of when they are imported, and keep the filters that they set.

    One that would hold for all warnings of a category of Python's own is not kept: a card that
    does not import the library would have it, too.
    """
    with warnings.catch_warnings(action="ignore"):
        before = list(warnings.filters)
        yield
        added = [each for each in warnings.filters if each not in before]
    narrow = (each for each in added if each[1] or each[3] or each[2].__module__ != "builtins")
    warnings.filters = [*narrow, *warnings.filters]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Discard what libraries print when they are imported."""
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
