"""THE WAY: the stages in their order. Start reading here.

Each stage takes values, returns values, and reports to one sink. What is open for many runs comes
along as a `Run`: the settings, the lock, what is remembered, who executes, and who listens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from verideck.events import CardRendered
from verideck.history.changes import changes, stale
from verideck.history.lock import NAME, Lock, lock_file
from verideck.history.scope import Scope
from verideck.history.stamp import stamp
from verideck.model import Card, DeckContents, Kind, Note, Place, ProvenCard, ShownDeck, Stats
from verideck.problems import Problems
from verideck.proof.audit import audit, is_noticed
from verideck.proof.verify import Proving
from verideck.render.foreign_html import check_retired
from verideck.result import Built, Result, Run
from verideck.source.collect import Collected, Files, collect
from verideck.targets import shows_cards
from verideck.targets.deliver import deliver
from verideck.targets.packages import former_notes


def check(run: Run, files: Files, problems: Problems, *, audits: bool) -> Result:
    """Markdown -> cards -> proofs -> identities -> notes: everything but package."""
    proving = Proving(run.executors)
    found = collect(files, run.memo, problems, proving.add, run.selection)
    proven = proving.finish(problems, run.on_event)
    if audits:
        proven = audit(proven, run.executors, run.settings.audit_floor, problems, run.on_event)
    scope = scope_of(found, run.settings.root)
    known = run.identified(found.cards, scope, problems)
    notes = tuple(noted(run, proven, known, problems, found.every))
    opened = {file for each in proven for proof in each.proofs for file in proof.files}
    inputs = found.files | found.context_files | found.included | opened
    inputs |= run.look.files | run.memo.images() | {NAME} | {each.place.path for each in problems}
    read = inputs, scope, run.lock, known, found.documents, found.refused
    return Result(tuple(problems), Stats(), found.forms, found.cards, tuple(proven), notes, *read)


def scope_of(found: Collected, root: Path) -> Scope:
    """What of the project was read: it decides which notes have lost their cards."""
    return Scope(
        root, found.is_whole, found.files, found.context_files, found.context_cards,
        found.unanswered, found.doubtful, found.is_complete,
    )  # fmt: skip


def noted(
    run: Run, proven: Sequence[ProvenCard], known: Mapping[Place, Card], problems: Problems,
    every: Sequence[Card] = (),
) -> Iterator[Note]:  # fmt: skip
    """Render the cards that hold and are identified. Tell what is wrong with any card's look."""
    floor = run.settings.audit_floor
    for each in proven:
        card = known.get(each.card.place)
        if card and is_noticed(each, floor) and (note := run.memo.note(each, card)):
            run.on_event(CardRendered(note))
            yield note
    problems.extend(run.memo.told(known, every))


def stamped(
    run: Run, result: Result, output: Path, build_time: int, *, locked: bool = False
) -> tuple[DeckContents, Lock]:
    """The deck as it is to be packaged, and the lock that remembers it.

    With `locked` it will not be written: it need not learn the text of a note that is left out.
    """
    root = run.settings.root
    files = [] if locked and not result.ok else [root / run.settings.output, output]
    former = partial(former_notes, files, root)
    scope = replace(result.scope, holds=result.ok)
    return stamp(result.notes, run.lock, scope, former, build_time, run.look.note_types)


def package(
    run: Run, scope: Scope, output: Path, deck: tuple[DeckContents, Lock], problems: Problems,
    *, locked: bool,
) -> Built | None:  # fmt: skip
    """Deliver what was `stamped`. With `locked`, a lock that would be written is an error."""
    contents, after = deck
    if locked and run.lock != after:
        problems.report(stale(run.lock, after, scope))
    found = (check_retired(note, NAME) for note in contents.notes if note.retired)
    problems.extend(filter(None, found))
    if problems.has_errors:
        return None
    beside = {} if locked else lock_file(run.settings.root, run.lock, after)
    receipt = deliver(contents, output, beside, run.settings.root, run.store, problems)
    happened = tuple(changes(run.lock, after, scope))
    return Built.of(contents, receipt.path, receipt.sha256, happened) if receipt else None


def show(run: Run, result: Result, output: Path, layout: str, problems: Problems) -> Built | None:
    """Deliver to whoever reads without Anki: nothing is stamped, and the lock stays as it is."""
    from verideck.render.shown import shown  # noqa: PLC0415 - a package has no MathML

    cards, types = {card.place: card for card in result.cards}, run.look.note_types
    give = partial(shown, problems=problems, as_cards=shows_cards(output))
    notes = tuple(give(each, cards[each.place], types[each.kind]) for each in result.notes)
    deck = ShownDeck(run.settings.title, run.settings.lang, types[Kind.BASIC].css, notes, layout)
    receipt = deliver(deck, output, {}, run.settings.root, run.store, problems)
    told = tuple(problems)
    return Built(receipt.path, receipt.sha256, len(notes), problems=told) if receipt else None
