"""The changes of the notes since the lock was written, for the summary of a build."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from verideck.history.lock import NAME, Entry, Lock
from verideck.history.scope import Scope
from verideck.model import Change, ChangeKind, Kind, Place, short
from verideck.problems import Code, Problem


def changes(before: Lock, after: Lock, scope: Scope) -> Iterator[Change]:
    """Yield the changes of each note in scope, in the order of the notes' ids.

    A note that was retired before yields nothing, unless it has a card again.
    """
    for entry in sorted(after.entries.values(), key=lambda each: each.identity.id):
        if scope.includes(entry):
            former = before.entries.get(entry.identity.guid)
            if former is entry and not entry.retired:  # most entries of most builds
                yield Change(ChangeKind.UNTOUCHED, entry.identity.id, after=entry.identity.question)
            else:
                yield from classify(former, entry)


def classify(former: Entry | None, entry: Entry) -> Iterator[Change]:
    """Yield the changes of one note; `former` comes from a lock or a package, None if it is new."""
    name, question = entry.identity.id, entry.identity.question
    if former is None:
        yield Change(ChangeKind.NEW, name, after=question)
    elif entry.retired and not former.retired:
        yield Change(
            ChangeKind.RETIRED if entry.last else ChangeKind.UNTAGGED, name, before=question
        )
    elif not entry.retired:
        edits = list(_of_an_edit(former, entry))
        yield from edits or [Change(ChangeKind.UNTOUCHED, name, after=question)]


def _of_an_edit(former: Entry, entry: Entry) -> Iterator[Change]:
    name, question = entry.identity.id, entry.identity.question
    if former.retired:
        yield Change(ChangeKind.RETURNED, name, after=question)
    if former.content != entry.content:
        if former.identity.question != question:
            yield Change(ChangeKind.REWORDED, name, former.identity.question, question)
        else:
            yield Change(ChangeKind.CHANGED, name, after=question)
    if former.deck != entry.deck:
        yield Change(ChangeKind.MOVED, name, former.deck, entry.deck)
    left = dict(entry.identity.numbers)
    for number, hidden in sorted(former.identity.numbers):
        if number not in left:
            before = hidden if entry.kind is Kind.CLOZE else ""
            yield Change(ChangeKind.EMPTIED, name, before, question)


def describe(change: Change) -> str:
    """Return a change as one line: its kind, the note's id, the text before and after."""
    before, after = (f'"{short(side)}"' if side else "" for side in (change.before, change.after))
    if change.kind is ChangeKind.EMPTIED:
        deletion = f"{before} in" if before else "the reverse of"
        return f"{change.kind}: {change.id} {deletion} {after}"
    return f"{change.kind}: {change.id} {' → '.join(filter(None, (before, after)))}"


MOST_SHOWN = 10
"""How many lines a list of changes has; further changes are counted."""


def stale(before: Lock, after: Lock, scope: Scope) -> Problem:
    """Return the problem of a build with `--locked` that would change the lock.

    Its message lists the changes between the two locks.
    """
    changed = [
        each for each in changes(before, after, scope) if each.kind is not ChangeKind.UNTOUCHED
    ]
    # Whether a text is at hand matters where the lock will be written, which is not here.
    lines = [
        describe(
            replace(each, kind=ChangeKind.RETIRED) if each.kind is ChangeKind.UNTAGGED else each
        )
        for each in changed
    ]
    listed = {each.id for each in changed}
    lines += [
        f'remembered otherwise: {entry.identity.id} "{short(entry.identity.question)}"'
        for guid, entry in after.entries.items()
        if entry != before.entries.get(guid) and entry.identity.id not in listed
    ]
    lines += [f"two lines of one note: {each.identity.id}" for each in before.merged]
    lines += [
        f"another note type: {kind}"
        for kind, former in before.note_types.items()
        if former != after.note_types[kind]
    ]
    more = [f"and {len(lines) - MOST_SHOWN} more"] if len(lines) > MOST_SHOWN else []
    return Problem(
        Code.LOCK_STALE,
        "\n".join(["the cards are not what was remembered here", *lines[:MOST_SHOWN], *more]),
        Place(NAME),
        "run `verideck build` without --locked, and commit cards.lock with the cards",
    )
