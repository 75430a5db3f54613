"""Work that forks of this process share.

The pools of `concurrent.futures` cannot be interrupted: where a process is killed while it sends a
large result, the thread of the pool that receives it waits for the rest of it for ever.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from selectors import EVENT_READ, DefaultSelector
from typing import TypeVar

from verideck.proof.python.wire.process import die_with_parent

Piece = TypeVar("Piece")


def shared(
    work: Callable[[Piece], bytes], pieces: Sequence[Piece]
) -> Generator[tuple[Piece, bytes], None, None]:
    """Yield pieces of work with what `work` returns for them, as it comes.

    A piece is left out if its process ends early: killed, for want of memory, or by an exception.
    The processes end when the generator is closed. Only bytes come back, and nothing is unpickled.
    """
    context = multiprocessing.get_context("fork")
    count = min(os.cpu_count() or 1, len(pieces))
    running: dict[Connection, tuple[BaseProcess, Iterator[Piece]]] = {}
    selector = DefaultSelector()
    try:
        with _signals_waiting():
            for number in range(count):
                share = pieces[number::count]
                receiving, sending = context.Pipe(duplex=False)
                process: BaseProcess = context.Process(
                    target=_serve, args=(work, share, sending, os.getpid()), daemon=True
                )
                process.start()
                sending.close()  # so that it ends with its process
                running[receiving] = process, iter(share)
                selector.register(receiving, EVENT_READ, receiving)
        while running:
            for ready, _ in selector.select():
                receiving = ready.data
                process, share_left = running[receiving]
                try:
                    yield next(share_left), receiving.recv_bytes()
                except (EOFError, OSError, StopIteration):
                    selector.unregister(receiving)
                    process.join()
                    receiving.close()
                    del running[receiving]
    finally:
        selector.close()
        for receiving, (process, _) in running.items():
            process.kill()
            process.join()
            receiving.close()


def _serve(
    work: Callable[[Piece], bytes], pieces: Sequence[Piece], sending: Connection, parent: int
) -> None:
    """Work in a process of its own: it ends with its parent, which alone decides about Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for sent in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    die_with_parent(None, parent)
    gc.freeze()  # to look for circles in what was forked would copy every page of it
    gc.set_threshold(_OFTEN)
    with suppress(Exception):  # who is left without a result does the work again, and hears of it
        for piece in pieces:
            sending.send_bytes(work(piece))


_OFTEN = 5_000
"""Objects after which a fork looks for circles: it holds little of its own to be looked through."""
_ENDING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
"""The signals by which a command is ended."""


@contextmanager
def _signals_waiting() -> Iterator[None]:
    """Have signals wait while processes are forked: what they raise in a fork's hooks is lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
