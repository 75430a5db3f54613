"""Shows the progress of a run: as a bar on a terminal, as plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event as Ended
from threading import Lock, Thread
from typing import Any

import click

from verideck import inert
from verideck.cli import printing, report
from verideck.events import (
    Audited,
    CardFailed,
    CardProven,
    Counted,
    Event,
    Executing,
    Listener,
    unheard,
)
from verideck.model import Place


@contextmanager
def shown(*, quiet: bool, audits: bool) -> Iterator[Listener]:
    """Yield a listener that shows progress; none is shown if `quiet`.

    If `audits`, a table of audits follows the run, so there are no lines for single audits.
    """
    with ExitStack() as stack:
        if quiet:
            yield unheard
        elif sys.stderr and sys.stderr.isatty():
            yield _Bar(stack).hear
        else:
            yield _Lines(shows_audits=not audits).hear


class _Bar:
    """A progress bar, with the card that has been running longest, and for how long."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._bar: Any = None
        self._started = 0.0
        self._done = 0
        self._lock = Lock()
        """The bar is drawn by whoever hears events, and by whoever tells the time."""
        self._is_ticking = False
        self._waiting: list[Place] = []
        self._running: dict[Place, float] = {}
        """When each card began: as many at once as there are cores, in their order."""

    def hear(self, event: Event) -> None:
        match event:
            case Counted():
                self._stack.close()
                self._started, self._done = time.monotonic(), 0
                label = "auditing" if event.audits else "proving"
                bar = click.progressbar(
                    length=event.cards, label=label, file=sys.stderr, item_show_func=str
                )
                self._bar = self._stack.enter_context(bar)
            case Executing():
                self._waiting = [card.place for card in event.cards]
                self._begin()
                if not self._is_ticking:  # an audit executes, too, under the same eyes
                    self._is_ticking = True
                    self._stack.enter_context(_every_second(self._tell))
            case CardProven() | Audited():
                self._advance(event.card.place)
            case CardFailed():
                self._advance(event.place)

    def _begin(self) -> None:
        """Note which cards begin, as others have ended."""
        while self._waiting and len(self._running) < (os.cpu_count() or 1):
            self._running[self._waiting.pop(0)] = time.monotonic()

    def _advance(self, place: Place) -> None:
        with self._lock:
            self._done += 1
            self._running.pop(place, None)
            self._begin()
        self._tell(1, place)

    def _tell(self, ended: int = 0, last: Place | None = None) -> None:
        """Draw the bar, with what runs; where nothing does, with the card that ended last."""
        with self._lock:
            now = time.monotonic()
            rate = self._done / max(now - self._started, 1e-3)
            longest = min(self._running, key=lambda each: self._running[each], default=None)
            told = f"{last.path}:{last.line}" if last else ""
            if longest:
                seconds = now - self._running[longest]
                told = f"{longest.path}:{longest.line} for {seconds:.0f} s"
            with contextlib.suppress(OSError):  # a terminal that is gone; the run goes on
                self._bar.update(ended, inert.line(f"{told} {rate:.1f}/s"))
                self._bar.render_progress()


@contextmanager
def _every_second(tell: Callable[[], None]) -> Iterator[None]:
    """Call a function each second, in a thread, until this is left."""
    ended = Ended()

    def run() -> None:
        while not ended.wait(1):
            tell()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class _Lines:
    """A line for each card that was executed."""

    def __init__(self, *, shows_audits: bool) -> None:
        self._shows_audits = shows_audits

    def hear(self, event: Event) -> None:
        match event:
            case CardProven() if any(p.assertions and not p.reused for p in event.proofs):
                held = sum(proof.assertions for proof in event.proofs)
                seconds = sum(proof.seconds for proof in event.proofs)
                place = event.card.place
                line = f"proved {place.path}:{place.line} ({held} held, {seconds:.1f} s)"
                printing.passing(line)
            case Audited() if self._shows_audits and not event.audit.reused:
                place, result = event.card.place, report.format_audit(event.audit)
                printing.passing(f"audited {place.path}:{place.line} ({result})")
