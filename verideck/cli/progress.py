"""Shows the progress of a run: as a bar on a terminal, as plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from verideck import inert
from verideck.cli import printing, report
from verideck.events import Audited, CardFailed, CardProven, Counted, Event, Listener, unheard
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
    """A progress bar, with the place of the last card and the rate in cards a second."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._bar: Any = None
        self._started = 0.0
        self._done = 0

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
            case CardProven() | Audited():
                self._advance(event.card.place)
            case CardFailed():
                self._advance(event.place)

    def _advance(self, place: Place) -> None:
        self._done += 1
        rate = self._done / max(time.monotonic() - self._started, 1e-3)
        with contextlib.suppress(OSError):  # a terminal that is gone; the run goes on
            self._bar.update(1, inert.line(f"{place.path}:{place.line} {rate:.1f}/s"))


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
