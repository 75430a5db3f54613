"""`verideck push`: which way into Anki it takes, what it tells before, and what afterwards."""

from __future__ import annotations

import json
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from verideck import inert
from verideck.cli import printing, report
from verideck.cli.formats.as_json import VERSION
from verideck.cli.report import amount
from verideck.history.changes import MOST_SHOWN
from verideck.model import short
from verideck.problems import BuildFailedError
from verideck.project import Project
from verideck.push_choices import Choices, Retired, Usual
from verideck.push_plan import NoteFate, Plan, PlannedNote, Pushed, PushError, RetiredNote
from verideck.result import Result
from verideck.targets.anki import dialog
from verideck.targets.anki.connect import HOST, Connect
from verideck.targets.anki.receiver import Receiver


def chosen(
    usual: Usual, *, profile: str, moves: bool | None, retired: str | None, sync: bool | None
) -> Choices:
    """Return what is wanted of a push: what the command line says, else what is usual."""
    return Choices(
        profile or usual.profile,
        usual.moves if moves is None else moves,
        Retired(retired) if retired else usual.retired,
        usual.sync if sync is None else sync,
    )


@contextmanager
def receiver_of(usual: Usual, collection: Path | None) -> Iterator[Receiver | None]:
    """What takes a push; None where only Anki's own dialog does. Raises PushError."""
    if collection:
        receiver = _closed(collection)
        try:
            yield receiver
        finally:
            receiver.close()
        return
    running = Connect(usual.port, usual.key)
    yield running if running.is_there() else None


def _closed(file: Path) -> Receiver:
    try:
        from verideck.targets.anki.collection import Closed  # noqa: PLC0415 - an extra, and slow
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("verideck"):
            raise
        raise PushError(f"{error.name} is not installed", "pip install 'verideck[anki]'") from error
    return Closed(file)


def pushed_again(project: Project, result: Result, output: Path, usual: Usual) -> str:
    """Push what a save came to, as is usual; return what is told of it, nothing if nothing changed.

    Whatever is in the way is told too, and the next save tries again. No note is suspended or
    deleted: between two saves, a card that is put elsewhere is nowhere.
    """
    choices = chosen(usual, profile="", moves=None, retired=Retired.KEEP, sync=None)
    try:
        with receiver_of(usual, None) as receiver:
            if receiver is None:
                return f"not pushed: no Anki with AnkiConnect is at {HOST}:{usual.port}"
            plan = project.plan(result, receiver, choices, output)
            if plan.refusals:
                return format_plan(plan, every=False)
            if plan.is_empty:
                return ""
            return format_pushed(project.push(result, receiver, plan), receiver.taken_back)
    except PushError as error:
        return _lines(_with_hint(f"not pushed: {error}", error.hint))


class FromPage:
    """Pushes that are asked for in the preview's page: what was shown is done, and nothing else."""

    def __init__(self, project: Project, output: Path, usual: Usual) -> None:
        """Push what is checked into a running Anki. `usual` is what is chosen at first."""
        self._project = project
        self._output = output
        self._usual = usual
        self._shown: tuple[str, Plan] | None = None
        """The plan that the page has, by the name under which it may be confirmed."""

    @property
    def acts(self) -> Mapping[str, Callable[[object], Callable[[Result], Mapping[str, object]]]]:
        """What the page may ask for, by its names."""
        return {"plan": self._planning, "push": self._pushing}

    def _planning(self, asked: object) -> Callable[[Result], Mapping[str, object]]:
        choices = _page_choices(asked, self._usual)
        return lambda result: self._told(lambda receiver: self._plan(result, receiver, choices))

    def _pushing(self, asked: object) -> Callable[[Result], Mapping[str, object]]:
        name = str(asked.get("confirms", "")) if isinstance(asked, dict) else ""
        if not name:
            raise ValueError("that confirms no plan")
        return lambda result: self._told(lambda receiver: self._push(result, receiver, name))

    def _told(self, act: Callable[[Receiver], Mapping[str, object]]) -> Mapping[str, object]:
        """What an act comes to, or what is in its way."""
        try:
            with receiver_of(self._usual, None) as receiver:
                if receiver:
                    return act(receiver)
                message = f"no Anki with AnkiConnect is at {HOST}:{self._usual.port}"
                return {"error": message, "hint": "start Anki, with that add-on"}
        except PushError as error:
            return {"error": str(error), "hint": error.hint}
        except BuildFailedError as failure:
            count = report.format_count(failure.problems)
            return {"error": f"the deck is not built: {count}", "hint": "the page shows them"}

    def _plan(self, result: Result, receiver: Receiver, choices: Choices) -> Mapping[str, object]:
        plan = self._project.plan(result, receiver, choices, self._output)
        return self._show(plan, receiver)

    def _show(self, plan: Plan, receiver: Receiver, said: str = "") -> Mapping[str, object]:
        self._shown = secrets.token_urlsafe(), plan
        waits = plan.writes_cards and plan.choices.sync is None
        may = not plan.refusals and (plan.imports or (plan.writes_cards and not waits))
        facts = as_facts(plan)
        named = [each for each in facts["notes"] if each["fate"] != NoteFate.UNTOUCHED]
        return {
            "said": said,
            "into": receiver.name,
            "plan": {**facts, "notes": named},
            "choices": {
                "moves": plan.choices.moves,
                "retired": plan.choices.retired,
                "sync": plan.choices.sync,
            },
            "confirms": self._shown[0] if may else "",
            "counted": _summary(plan) if may or waits else _NOTHING,
            "deletes": 0 if waits else len(plan.deleted),
            "means": _MEANS,
            "doubt": _DOUBT,
            "warns": _WAITS if waits else _PHONE if plan.writes_cards else "",
        }

    def _push(self, result: Result, receiver: Receiver, name: str) -> Mapping[str, object]:
        """Do what was confirmed, unless the cards or the learner's notes are others since."""
        if self._shown is None or self._shown[0] != name:
            raise PushError("another plan has been shown since", "look at it, in the page")
        shown = self._shown[1]
        basis = shown.basis
        plan = self._project.plan(
            result, receiver, basis.choices, self._output, build_time=basis.build_time
        )
        if plan != shown:
            return self._show(plan, receiver, "what a push does has changed: look at it again")
        self._shown = None
        pushed = self._project.push(result, receiver, plan)
        told = format_pushed(pushed, receiver.taken_back)
        printing.out(told)
        return {"done": told.split("\n"), "pushed": as_facts(pushed.plan, pushed)["pushed"]}


def _page_choices(asked: object, usual: Usual) -> Choices:
    """What the page has sent; what is usual, where it has sent nothing. Raises ValueError."""
    if asked == {}:
        return chosen(usual, profile="", moves=None, retired=None, sync=None)
    if not (isinstance(asked, dict) and asked.keys() == {"moves", "retired", "sync"}):
        raise ValueError("these are no choices of a push")
    moves, retired, sync = asked["moves"], asked["retired"], asked["sync"]
    if not (isinstance(moves, bool) and (sync is None or isinstance(sync, bool))):
        raise ValueError("these are no choices of a push")
    return Choices(usual.profile, moves, Retired(retired), sync)


class Pushing:
    """A push of one project."""

    def __init__(
        self,
        project: Project,
        output: Path,
        choices: Choices,
        build_time: int,
        *,
        form: str,
        quiet: bool,
    ) -> None:
        """Push into what `receiver` finds. `form` is human or json; `quiet` tells no summary."""
        self._project = project
        self._output = output
        self._choices = choices
        self._build_time = build_time
        self._is_json = form == "json"
        self._quiet = quiet or self._is_json

    @contextmanager
    def receiver(
        self, usual: Usual, collection: Path | None, *, dry_run: bool
    ) -> Iterator[Receiver | None]:
        """What takes the push, which is told. Raises PushError where a dry run has nothing."""
        with receiver_of(usual, collection) as receiver:
            if receiver is None and dry_run:
                message = f"no Anki with AnkiConnect is at {HOST}:{usual.port}"
                hint = "start it, or name a --collection; `verideck diff` tells of the last package"
                raise PushError(message, hint)
            self._tell(f"into {receiver.name if receiver else dialog.NAME}")
            yield receiver

    def run(self, result: Result, receiver: Receiver | None, *, dry_run: bool) -> None:
        """Plan, tell, push and tell; exit with 1 where the push is refused or fails."""
        if receiver is None:
            self._by_hand(result)
            return
        plan = self._project.plan(
            result, receiver, self._choices, self._output, build_time=self._build_time
        )
        if not (self._is_json and not dry_run and not plan.refusals):
            self._show(plan, every=dry_run)
        if plan.refusals:
            sys.exit(1)
        if dry_run:
            return
        try:
            pushed = self._project.push(result, receiver, plan)
        except PushError as error:
            self._fail(error)
        if self._is_json:
            printing.document(as_json(pushed.plan, pushed))
        else:
            self._tell(format_pushed(pushed, receiver.taken_back))
        if pushed.missing:
            sys.exit(1)

    def _show(self, plan: Plan, *, every: bool) -> None:
        if self._is_json:
            printing.document(as_json(plan))
            return
        text = format_plan(plan, every=every)
        if plan.refusals:
            printing.err(text)
        elif every or not self._quiet:
            printing.out(text)

    def _by_hand(self, result: Result) -> None:
        """Build, and let the learner press Import."""
        built = self._project.build(result, self._output, build_time=self._build_time)
        try:
            dialog.show(self._project.root / built.path, self._choices.profile)
        except PushError as error:
            self._fail(error)
        if self._choices != Choices(self._choices.profile):
            self._tell("the dialog imports: it moves, suspends, deletes and syncs nothing")
        if self._is_json:
            value = {"verideck": VERSION, "target": dialog.NAME, "path": built.path}
            printing.document(json.dumps(value, indent=2))
        else:
            self._tell(f"{built.path}: press Import in Anki's window")

    def _tell(self, text: str) -> None:
        if not self._quiet:
            printing.out(text)

    def _fail(self, error: PushError) -> None:
        printing.err(_lines(_with_hint(f"Error: {error}", error.hint)))
        sys.exit(1)


# What is told


_FIRST = (NoteFate.OVERWRITTEN, NoteFate.UPDATED, NoteFate.KEPT, NoteFate.NEW)
"""The order in which fates are told: what may be missed comes first."""
_MEANS = {
    NoteFate.OVERWRITTEN: "an edit of your own is lost: the author's is newer",
    NoteFate.KEPT: "an edit of your own is newer, and stays",
}
_DOUBT = "what goes may be an edit of your own: no build that is remembered was stamped so"
_NOTHING = "nothing to push: all of it is there"
_WAITS = "without a sync before, text alone is sent: choose what is done before cards are changed"
_PHONE = (
    "sync every other device first: what was reviewed there and has not been synced loses its "
    "interval on cards that are moved or suspended"
)


def format_plan(plan: Plan, *, every: bool) -> str:
    """Return what a push is going to do; `every` names all notes, else the first of each kind."""
    lines = [f"profile: {plan.profile}"]
    for refusal in plan.refusals:
        lines += _with_hint(f"refused: {refusal.message}", refusal.hint)
    if plan.refusals:
        return _lines([*lines, "nothing was written"])
    for fate in _FIRST:
        notes = [each for each in plan.notes if each.fate is fate]
        few = notes if every or fate in _MEANS else notes[:MOST_SHOWN]
        lines += [line for each in few for line in _of_note(each)]
        lines += [f"{fate}: and {len(notes) - len(few)} more"] * (len(few) < len(notes))
    lines += list(_of_cards(plan))
    lines += [f"the look of {name} becomes the author's" for name in plan.styles]
    if plan.writes_cards:
        lines.append(_PHONE)
    return _lines([*lines, f"a push: {_summary(plan)}"])


def _summary(plan: Plan) -> str:
    """Count what a push does, and the notes that it leaves as they are."""
    moved = sum(len(each.cards) for each in plan.moved)
    return _counted(plan.notes, moved, len(plan.suspended), len(plan.deleted))


def _of_note(note: PlannedNote) -> Iterator[str]:
    changes = "".join(f", {each}" for each in note.changes)
    yield f"{note.fate}{changes}  {note.place}  {note.id}  {short(_line(note.question))}"
    yield from (f"    {name}: {_line(edit)}" for name, edit in note.edits)
    if note.fate in _MEANS:
        yield f"    {_MEANS[note.fate]}"
    if note.is_doubtful:
        yield f"    {_DOUBT}"


def _of_cards(plan: Plan) -> Iterator[str]:
    wanted = plan.choices.moves
    for each in plan.moves:
        what = "moved" if wanted else "in its former deck, and stays without --moves"
        where = f"{each.before} → {each.deck}"
        yield f"{what}: {each.id} {amount(len(each.cards), 'card')}, {where}"
    for spared in plan.spared:
        yield f"not moved: {spared.id} in {spared.deck}, as {spared.why}"
    for note in plan.retired:
        cards, reviews = amount(len(note.cards), "card"), amount(note.reviews, "review")
        fate = f"{_fate(plan, note)}  {note.id}  {short(_line(note.question))}"
        yield f"retired, {fate} ({cards}, {reviews})"


def _fate(plan: Plan, note: RetiredNote) -> str:
    """What becomes of a note that has lost its card, in a word."""
    match plan.choices.retired:
        case Retired.SUSPEND:
            return "suspended" if note.unsuspended else "suspended already"
        case Retired.DELETE if note in plan.deleted:
            return "deleted"
        case _:
            return "kept"


def format_pushed(pushed: Pushed, taken_back: str) -> str:
    """Return what is there after a push, and what is not."""
    lines = list(pushed.told)
    if pushed.plan.is_empty and not pushed.told:
        return _NOTHING
    done = _counted(
        pushed.arrived, len(pushed.moved), len(pushed.suspended), len(pushed.deleted), "nothing new"
    )
    lines += [
        f"not there as it should be: {each.id}  {short(_line(each.question))}"
        for each in pushed.missing
    ]
    lines.append(f"there now: {done}")
    lines += [f"a backup from before is in {pushed.backup}"] * bool(pushed.backup)
    return _lines([*lines, f"to take it back: {taken_back}"])


def as_json(plan: Plan, pushed: Pushed | None = None) -> str:
    """Return a plan as one JSON object, and what came of it."""
    return json.dumps(as_facts(plan, pushed), indent=2)


def as_facts(plan: Plan, pushed: Pushed | None = None) -> dict[str, Any]:
    """Return what JSON tells of a plan, and of what came of it."""
    value: dict[str, Any] = {
        "verideck": VERSION,
        "profile": plan.profile,
        "refused": [{"message": each.message, "hint": each.hint} for each in plan.refusals],
        "counts": {fate: sum(each.fate is fate for each in plan.notes) for fate in NoteFate},
        "notes": [
            {
                "id": each.id,
                "fate": each.fate,
                "question": each.question,
                "path": each.place.path,
                "line": each.place.line,
                "edits": dict(each.edits),
                "doubtful": each.is_doubtful,
            }
            for each in plan.notes
        ],
        "moves": [
            {"id": each.id, "from": each.before, "to": each.deck, "cards": len(each.cards)}
            for each in plan.moves
        ],
        "not_moved": [{"id": each.id, "deck": each.deck, "why": each.why} for each in plan.spared],
        "retired": [
            {
                "id": each.id,
                "question": each.question,
                "cards": len(each.cards),
                "reviews": each.reviews,
                "fate": _fate(plan, each),
            }
            for each in plan.retired
        ],
        "styles": list(plan.styles),
    }
    if pushed:
        value["pushed"] = {
            "arrived": len(pushed.arrived),
            "missing": [each.id for each in pushed.missing],
            "moved": len(pushed.moved),
            "suspended": len(pushed.suspended),
            "deleted": [each.id for each in pushed.deleted],
            "left_out": list(pushed.told),
            "backup": pushed.backup,
        }
    return value


def _counted(
    notes: Sequence[PlannedNote],
    moved: int,
    suspended: int,
    deleted: int,
    otherwise: str = "nothing",
) -> str:
    """Count notes by what becomes of them, and the cards and notes for which no import does it."""
    counts = Counter(each.fate for each in notes)
    told = [f"{counts[fate]:,} {fate}" for fate in NoteFate if counts[fate]]
    beside = (
        (moved, "card", "moved"),
        (suspended, "card", "suspended"),
        (deleted, "note", "deleted"),
    )
    told += [f"{amount(count, noun)} {done}" for count, noun, done in beside if count]
    return ", ".join(told) or otherwise


def _with_hint(line: str, hint: str) -> list[str]:
    return [line, f"  = hint: {hint}"] if hint else [line]


def _line(text: str) -> str:
    return " ⏎ ".join(text.split("\n"))


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(map(inert.line, lines))
