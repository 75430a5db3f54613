"""What is shown now, and what has changed since a browser was told.

One thread publishes, that of the project; the server's reads. Values are frozen, and are exchanged
whole.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from verideck.preview.shown import Deck

_REMEMBERED = 32
"""How many former decks a browser may have that is sent the difference only."""

Patch = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Run:
    """What is being done."""

    doing: str = "starting"
    """`checking`, `proving`, `auditing`; empty while there is nothing to do."""
    running: tuple[str, ...] = ()
    """The places of the cards whose code runs."""
    done: int = 0
    total: int = 0
    """How many cards ran, and how many are to."""


@dataclass(frozen=True, slots=True)
class Now:
    """All that is shown at a moment."""

    revision: int = 0
    """0 until a deck is there."""
    deck: Deck = field(default_factory=Deck)
    run: Run = field(default_factory=Run)


class Live:
    """Holds what is shown, and wakes whoever waits for a change."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self.instance = secrets.token_hex(6)
        """Names this server: revisions of another one say nothing here."""
        self.now = Now()
        self.is_closed = False
        self._former: deque[tuple[int, Deck]] = deque(maxlen=_REMEMBERED)
        self.wake: Callable[[], None] = lambda: None
        """Called after each change, in the thread that made it."""

    def publish(self, deck: Deck) -> None:
        """Show a deck."""
        revision = self.now.revision + 1
        self._former.append((revision, deck))
        self.now = Now(revision, deck, self.now.run)
        self.wake()

    def tell(self, run: Run) -> None:
        """Show what is being done."""
        self.now = Now(self.now.revision, self.now.deck, run)
        self.wake()

    def close(self) -> None:
        """End every stream."""
        self.is_closed = True
        self.wake()

    def former(self, identity: str) -> Deck | None:
        """The deck that a browser has; None where it is not remembered."""
        instance, _, revision = identity.partition("-")
        if instance != self.instance:
            return None
        known = dict(self._former)
        return known.get(int(revision)) if revision.isdecimal() else None

    def identity(self, now: Now) -> str:
        """The name of the deck that is shown."""
        return f"{self.instance}-{now.revision}"


def patch(before: Deck | None, after: Deck) -> Patch:
    """What makes the list of one deck that of another: keys and hashes, and nothing twice.

    `all` is the whole list; `set` has the positions whose hashes alone changed; `splice` takes so
    many away at a position, and puts others there. What else is equal is left out.
    """
    told: dict[str, object] = {}
    if before is None or before.problems != after.problems:
        told["problems"] = after.problems
    if before is None or before.summary != after.summary:
        told["summary"] = after.summary
    if before is None:
        return {**told, "all": _rows(after)}
    old, new = _rows(before), _rows(after)
    if [key for key, _ in old] == [key for key, _ in new]:
        pairs = enumerate(zip(old, new, strict=True))
        changed = [[number, now[1]] for number, (then, now) in pairs if then != now]
        return {**told, "set": changed} if changed else told
    return {**told, "splice": _splice(old, new)}


Row = tuple[str, str]


def _rows(deck: Deck) -> Sequence[Row]:
    return [(each.key, each.hash) for each in deck.notes]


def _splice(old: Sequence[Row], new: Sequence[Row]) -> list[object]:
    """Where the rows differ: the position, how many rows go, and those that come."""
    most = min(len(old), len(new))
    start = next((n for n in range(most) if old[n] != new[n]), most)
    end = next((n for n in range(most - start) if old[-1 - n] != new[-1 - n]), most - start)
    return [start, len(old) - start - end, new[start : len(new) - end]]
