"""What has become of the notes since the lock was written: told at the end of every build."""

from __future__ import annotations

from collections.abc import Iterator

from verideck.lock import Entry, Lock, Reach
from verideck.model import Change, Fate


def changes(before: Lock, after: Lock, reach: Reach) -> Iterator[Change]:
    """What became of each note that was in reach, in the order of their ids.

    A retired note is told of when it is retired, and no more.
    """
    for entry in sorted(after.entries.values(), key=lambda each: each.identity.id):
        if reach.covers(entry):
            yield from _of_one(before.entries.get(entry.identity.guid), entry)


def _of_one(former: Entry | None, entry: Entry) -> Iterator[Change]:
    name, question = entry.identity.id, entry.identity.question
    if former is None:
        yield Change(Fate.NEW, name, after=question)
    elif entry.retired and not former.retired:
        yield Change(Fate.RETIRED, name, before=question)
    elif not entry.retired:
        edits = list(_of_an_edit(former, entry))
        yield from edits or [Change(Fate.UNTOUCHED, name, after=question)]


def _of_an_edit(former: Entry, entry: Entry) -> Iterator[Change]:
    name, question = entry.identity.id, entry.identity.question
    if former.retired:
        yield Change(Fate.RETURNED, name, after=question)
    elif former.identity.question != question:
        yield Change(Fate.REWORDED, name, former.identity.question, question)
    elif former.content != entry.content:
        yield Change(Fate.CHANGED, name, after=question)
    if former.deck != entry.deck:
        yield Change(Fate.MOVED, name, former.deck, entry.deck)
    left = dict(entry.identity.numbers)
    for number, hidden in former.identity.numbers:
        if number not in left:
            yield Change(Fate.EMPTIED, name, before=hidden, after=question)
