"""Carries a plan out, in the order in which nothing is lost, and reads back what is there.

A sync comes first, for a card's row belongs to the device that wrote it last; text comes before
cards, for a card is only moved when its note is there, and cards are looked at once more right
before; what ends Anki's undo comes last. Whatever ends a push half-way, the same push does the rest
when it is run again: the lock remembers it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from verideck.push_choices import Retired
from verideck.push_plan import Collection, Plan, Pushed, PushError
from verideck.storage.writing import write_whole
from verideck.targets.anki.receiver import Asked, Receiver

Again = Callable[[Collection], Plan]
"""Plans the same push for what a collection holds now."""


def push(
    receiver: Receiver, plan: Plan, again: Again, asked: Asked, package: Callable[[Plan], Path]
) -> Pushed:
    """Carry a plan out. `package` makes the file that is imported.

    Raises PushError where something is refused, or fails; a push that is run again does the rest.
    """
    require_none_refused(plan)
    if plan.is_empty:
        return Pushed.nothing(plan)
    told: list[str] = []
    if plan.choices.sync:
        plan = _synced(receiver, plan, again, asked, told)
    elif plan.writes_cards and plan.choices.sync is None:
        told.append(f"{_what(plan)} needs a sync before: say --sync, or --no-sync without one")
        plan = _text_only(plan)
    is_empty = plan.is_empty
    backup = "" if is_empty else receiver.backup()
    if plan.imports:
        receiver.bring(package(plan))
    if plan.writes_cards:
        plan = _still_so(plan, _looked(receiver, plan, again, asked), told)
    if plan.in_review and plan.choices.retired is Retired.DELETE and plan.retired:
        told.append("no note was deleted, as a card is being asked: push again after the review")
    _write_cards(receiver, plan)
    if not is_empty:
        receiver.refresh(plan.basis.contents.notes[0].deck)
    left = _looked(receiver, plan, again, asked)
    return Pushed(plan, left, tuple(told), backup)


def require_none_refused(plan: Plan) -> None:
    """Raise PushError with the first reason why a plan is refused, if there is one."""
    for refusal in plan.refusals:
        raise PushError(refusal.message, refusal.hint)


def _synced(receiver: Receiver, plan: Plan, again: Again, asked: Asked, told: list[str]) -> Plan:
    """The plan after a sync; of text alone where there was none."""
    try:
        receiver.sync()
    except PushError as error:
        if plan.writes_cards:
            told.append(f"{_what(plan)} was left out, for there was no sync: {error}")
        else:
            told.append(f"there was no sync: {error}")
        return _text_only(plan)
    plan = _looked(receiver, plan, again, asked)
    require_none_refused(plan)
    return plan


def _looked(receiver: Receiver, plan: Plan, again: Again, asked: Asked) -> Plan:
    """The plan for what is there now. Raises PushError for another profile than was told."""
    found = again(receiver.read(asked))
    if found.profile != plan.profile:
        raise PushError(
            f"Anki has opened the profile {found.profile} meanwhile",
            "push again, and name the profile by --profile",
        )
    return found


def _still_so(plan: Plan, now: Plan, told: list[str]) -> Plan:
    """Of what was told of cards, what is to be done by what is there right before.

    An import takes its time, and a learner does not wait: a card may be in a filtered deck by now,
    a note be deleted, a review have begun. Raises PushError for what is refused now.
    """
    require_none_refused(now)
    movable = {card for each in now.moved for card in each.cards}
    suspendable = set(now.suspended)
    had = {each.guid: each.note for each in now.retired}
    moves = tuple(
        replace(each, cards=tuple(card for card in each.cards if card in movable))
        for each in plan.moved
        if movable.intersection(each.cards)
    )
    retired = tuple(
        replace(each, unsuspended=tuple(c for c in each.unsuspended if c in suspendable))
        if plan.choices.retired is Retired.SUSPEND
        else each
        for each in plan.retired
        if had.get(each.guid) == each.note
    )
    moves = moves if plan.choices.moves else plan.moves
    still = replace(plan, moves=moves, retired=retired, in_review=now.in_review)
    if _cards(still) != _cards(replace(plan, in_review=now.in_review)):
        told.append("some cards are no longer as they were when this was planned, and were left")
    return still


def _cards(plan: Plan) -> object:
    """What a plan does to cards."""
    moved = {card for each in plan.moved for card in each.cards}
    return moved, set(plan.suspended), {each.note for each in plan.deleted}


def _text_only(plan: Plan) -> Plan:
    choices = replace(plan.choices, moves=False, retired=Retired.KEEP)
    return replace(plan, basis=replace(plan.basis, choices=choices))


def _what(plan: Plan) -> str:
    """Name what of a plan changes more than text."""
    parts = [
        ("moving cards", plan.moved),
        ("suspending cards", plan.suspended),
        ("deleting notes", plan.deleted),
    ]
    return " and ".join(name for name, wanted in parts if wanted)


def _write_cards(receiver: Receiver, plan: Plan) -> None:
    if plan.suspended:
        receiver.suspend(plan.suspended)
    if plan.deleted:
        receiver.delete([each.note for each in plan.deleted])
    by_deck = sorted(plan.moved, key=lambda each: each.deck)
    for deck, moves in groupby(by_deck, key=lambda each: each.deck):
        receiver.move([card for each in moves for card in each.cards], deck)


@contextmanager
def sent(root: Path, built: Path) -> Iterator[Callable[[Plan], Path]]:
    """What makes the file that is imported: the package that was built, or one beside it.

    A learner who lacks a retired note is sent none, for Anki would take it as a note without cards.
    The file beside the package stands where whatever can read that one can read it, and is removed
    in the end. Raises PushError where it cannot be written.
    """
    from verideck.targets import apkg, packages  # noqa: PLC0415 - most commands package nothing

    beside = built.with_name(f"{built.stem}.push{built.suffix}")

    def package(plan: Plan) -> Path:
        if plan.sent is plan.basis.contents:
            return built
        try:
            if beside.exists():
                packages.require_ours(beside)
            write_whole(beside, apkg.package(plan.sent), root)
        except (OSError, ValueError) as error:
            raise PushError(f"{beside} cannot be written: {error}") from error
        return beside

    try:
        yield package
    finally:
        with suppress(OSError, ValueError):
            packages.require_ours(beside)
            beside.unlink()
