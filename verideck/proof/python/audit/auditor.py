"""Asks of a card's assertions whether they could have caught a mistake, and whether luck held them.

Every mutant is executed as the card is: alone, within limits, in the box. One that an assertion
refuses is killed; one that fails otherwise has crashed and says nothing; one under which all that
assertions read, and every output that is compared, is as it was, is equivalent; floating-point
numbers may differ by rounding noise. The rest survive.
Then the card runs again with the same seed, and with others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from verideck.model import Audit, Place, Role, Snippet, Survivor
from verideck.problems import Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.audit.mutations import Mutant, ignored, mutants
from verideck.proof.python.child.values import steady
from verideck.proof.python.parent import expected, proof_cache
from verideck.proof.python.parent.prover import Python, unexecuted
from verideck.proof.python.parent.request import request_of, steps_of
from verideck.proof.python.parent.verdicts import read
from verideck.proof.python.wire.channel import Message
from verideck.proof.python.wire.run import End, ExecutorError, Run
from verideck.storage.cache import Cache
from verideck.storage.store import key

_KILLS = {"assertion-failed", "assertion-swallowed", "exception-expected"}
"""Problems that an assertion finds."""
_GRACE, _TIMES = 5.0, 10.0
"""A mutant has this many seconds, and this many times what the card itself takes."""


_NOISE = 4
"""Units in the last place, of the largest number of a value, by which rounding may move it."""


@dataclass(frozen=True, slots=True)
class Read:
    """A value that an assertion read, see `comparison.traced`."""

    digest: str
    numbers: tuple[float, ...]
    unit: float
    outline: str
    place: tuple[str, int]

    def agrees(self, other: Read) -> bool:
        """Whether two values are the same but for rounding noise."""
        if self.digest == other.digest:
            return True
        kinds = [(each.outline, each.unit, len(each.numbers)) for each in (self, other)]
        if not self.unit or kinds[0] != kinds[1]:
            return False
        sizes = (abs(each) for each in (*self.numbers, *other.numbers) if math.isfinite(each))
        noise = _NOISE * self.unit * max(sizes, default=0.0)
        return all(
            one == two or (one != one and two != two) or abs(one - two) <= noise  # noqa: PLR0124 - NaN
            for one, two in zip(self.numbers, other.numbers, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a run came to, as far as an audit asks."""

    problem: str = ""
    place: tuple[str, int] = ("", 0)
    message: str = ""
    read: tuple[Read, ...] = ()
    printed: tuple[str, ...] = ()
    """What is compared with an output on the card."""
    seconds: float = 0.0

    def agrees(self, other: _Outcome) -> bool:
        """Whether another run read and printed the same."""
        same = len(self.read) == len(other.read) and self.printed == other.printed
        return same and not self.moved(other)

    def moved(self, other: _Outcome) -> list[Read]:
        """What was read and is not the same in another run."""
        pairs = zip(self.read, other.read, strict=False)
        return [one for one, two in pairs if not one.agrees(two)]


class Auditor:
    """Audits the Python snippets of cards that have been proved."""

    def __init__(self, config: ExecutionConfig, stop: Event) -> None:
        """Start nothing before it is needed; end what runs when `stop` is set."""
        self.python = Python(replace(config, cache=None), stop)
        self.cache = Cache(config.cache, "audits")
        self.seeds = config.seeds

    @property
    def width(self) -> int:
        """How many cards at a time are worth it."""
        return self.python.width

    def cached(self, snippets: Sequence[Snippet]) -> Audit | None:
        """What a former audit found, if nothing has changed since."""
        request = request_of(snippets, self.python.config)
        entry = self.cache.find(self._key(snippets))
        if entry is None or not proof_cache.holds(entry, request):
            return None
        audit: Any = entry.get("audit")
        return _unpacked(audit, steps_of(snippets)) if proof_cache.fits(audit, _PACKED) else None

    def expect(self, snippets: Sequence[Snippet]) -> None:
        """Get ready for snippets that are about to be audited."""
        self.python.expect(snippets)

    def execute(self, snippets: Sequence[Snippet]) -> Audit | Problem:
        """Execute every mutant of a card, and the card under other seeds."""
        if refusal := self.python.refusal(snippets):
            return refusal
        try:
            return self._audited(snippets)
        except ExecutorError as error:
            return unexecuted(snippets, error, self.python.config)

    def close(self) -> None:
        """End whatever runs."""
        self.python.close()

    def _audited(self, snippets: Sequence[Snippet]) -> Audit:
        request = {**request_of(snippets, self.python.config), "trace": True}
        run = self.python.engine.run(request)
        reports, last = read(run.lines, len(request["steps"]))
        original = _came_to(snippets, request, run)
        if last is None or original.problem:
            flaky = original.message or "it does not hold when it is run again"
            return Audit(flaky=flaky, flaky_place=_placed(original, snippets))
        audit = self._mutated(snippets, request, original)
        audit = self._reseeded(audit, snippets, request, original)
        if not audit.flaky:  # what failed once, by chance or by a busy machine, is asked again
            entry = {**proof_cache.entry(request, reports, last), "lines": None}
            packed = _packed(audit, steps_of(snippets))
            self.cache.keep(self._key(snippets), {**entry, "audit": packed})
        return audit

    def _key(self, snippets: Sequence[Snippet]) -> str:
        shown = [
            [
                each.options.role,
                each.options.tolerance,
                each.code,
                each.origin.line if each.options.include else 0,
            ]
            for each in snippets
        ]
        run_key = proof_cache.run_key(request_of(snippets, self.python.config))
        return key("audit", run_key, shown, self.seeds)

    # Mutation

    def _mutated(self, snippets: Sequence[Snippet], request: Message, original: _Outcome) -> Audit:
        timeout = min(request["limits"]["timeout"], _GRACE + _TIMES * original.seconds)
        limited = {**request, "limits": {**request["limits"], "timeout": timeout}}
        audit = Audit()
        for place, mutant, changed in _changed(snippets, limited):
            outcome = self._outcome(snippets, changed)
            if outcome.problem in _KILLS:
                what = "killed"
            elif outcome.problem:
                what = "crashed"
            elif original.agrees(outcome):
                what = "equivalent"
            else:
                what = "survivors"
            if mutant.advisory:
                if what in {"survivors", "equivalent"}:
                    audit = replace(audit, advised=(*audit.advised, place))
                continue
            audit = replace(audit, mutants=audit.mutants + 1)
            if what == "survivors":
                moved = _moved(original, outcome)
                survivor = Survivor(place, mutant.before, mutant.after, moved)
                audit = replace(audit, survivors=(*audit.survivors, survivor))
            else:
                audit = replace(audit, **{what: getattr(audit, what) + 1})
        return audit

    def _outcome(self, snippets: Sequence[Snippet], request: Message) -> _Outcome:
        return _came_to(snippets, request, self.python.engine.run(request))

    # Seeds

    def _reseeded(
        self, audit: Audit, snippets: Sequence[Snippet], request: Message, original: _Outcome
    ) -> Audit:
        """The audit, with the first seed that breaks the card, if one does."""
        again = self._outcome(snippets, request)
        if again.problem:
            flaky = again.message.split("\n")[0]
            return replace(audit, flaky=flaky, flaky_place=_placed(again, snippets))
        moved = original.moved(again)
        restless = [each for each in moved if not ignored(_line_at(each.place, snippets, request))]
        if restless or not (moved or original.agrees(again)):
            flaky = "what its assertions read differs from one run to the next"
            where = replace(again, place=restless[0].place if restless else again.place)
            return replace(audit, flaky=flaky, flaky_place=_placed(where, snippets))
        unprinted = [each for each in snippets if each.options.role is not Role.OUTPUT]
        for seed in range(1, self.seeds + 1):
            outcome = self._outcome(unprinted, {**request, "seed": seed})
            if outcome.problem and not ignored(_line_at(outcome.place, snippets, request)):
                first = outcome.message.split("\n")[0]
                place = _placed(outcome, snippets)
                return replace(audit, flaky=f"with seed {seed}: {first}", flaky_place=place)
        return audit


def read_of(told: Mapping[str, Any]) -> Read:
    """What a report tells of a value that was read."""
    place = (told["file"], told["line"])
    return Read(told["print"], tuple(told["numbers"]), told["unit"], told["outline"], place)


def _came_to(snippets: Sequence[Snippet], request: Message, run: Run) -> _Outcome:
    """What a run says to an audit: the first failure, or all that assertions read."""
    reports, last = read(run.lines, len(request["steps"]))
    error = next((report["error"] for report in reports if report["error"]), None)
    if error:
        place = (str(error["path"]), int(error["line"]))
        return _Outcome(error["code"], place, error["message"])
    if last is None:
        ended = "it did not come to its end"
        return _Outcome("time-limit" if run.end is End.TIME else "ended-early", message=ended)
    printed = _compared(snippets, reports)
    for output, text in printed:
        if expected.difference(output.code, text, output.options.tolerance):
            place = (output.place.path, output.place.line)
            return _Outcome("assertion-failed", place, "it prints something else")
    return _Outcome(
        read=tuple(map(read_of, last["read"])),
        printed=tuple(steady(text) for _, text in printed),
        seconds=sum(report["seconds"] for report in reports),
    )


def _changed(
    snippets: Sequence[Snippet], request: Message
) -> Iterator[tuple[Place, Mutant, Message]]:
    """Every mutant of the shown code, where it is, and the request that executes it."""
    for number, snippet in enumerate(steps_of(snippets)):
        if snippet.options.role is not Role.SHOWN:
            continue
        if snippet.options.include:
            path, first = snippet.options.include, snippet.origin.line
            last = first + snippet.code.rstrip("\n").count("\n")
            source = Path(request["root"], path).read_text(encoding="utf-8-sig")
            for mutant in mutants(source, first, last):
                overlay = {path: mutant.code}
                yield Place(path, mutant.line), mutant, {**request, "overlay": overlay}
        else:
            for mutant in mutants(snippet.code):
                steps = list(request["steps"])
                steps[number] = {**steps[number], "code": mutant.code}
                line = snippet.origin.line + mutant.line - 1
                place = Place(snippet.origin.path, line, snippet.origin.column)
                yield place, mutant, {**request, "steps": steps}


def _compared(
    snippets: Sequence[Snippet], reports: Sequence[Mapping[str, Any]]
) -> list[tuple[Snippet, str]]:
    """The outputs on the card, each with what the step above it printed."""
    found: list[tuple[Snippet, str]] = []
    remaining = iter(reports)
    printed = ""
    for snippet in snippets:
        if snippet.options.role is Role.OUTPUT:
            found.append((snippet, printed))
        else:
            printed = str(next(remaining, {"stdout": ""})["stdout"])
    return found


def _moved(original: _Outcome, outcome: _Outcome) -> float | None:
    """How far the values that assertions read moved at most; None if they are no numbers."""
    apart = [
        abs(one - other)
        for before, after in zip(original.read, outcome.read, strict=False)
        for one, other in zip(before.numbers, after.numbers, strict=False)
    ]
    return max((each for each in apart if each > 0), default=None)


def _line_at(place: tuple[str, int], snippets: Sequence[Snippet], request: Message) -> str:
    """A line of the author's: of a fence, or of a file of the project."""
    path, number = place
    for snippet in snippets:
        lines = snippet.code.split("\n")
        if snippet.origin.path == path and 0 <= number - snippet.origin.line < len(lines):
            return lines[number - snippet.origin.line]
    with suppress(OSError, UnicodeDecodeError, IndexError):
        text = Path(request["root"], path).read_text(encoding="utf-8-sig")
        return text.split("\n")[number - 1]
    return ""


def _placed(outcome: _Outcome, snippets: Sequence[Snippet]) -> Place:
    path, line = outcome.place
    return Place(path, line) if line else steps_of(snippets)[0].place


# In the cache, places in fences are told from their fence: cards move.


def _packed(audit: Audit, steps: Sequence[Snippet]) -> dict[str, Any]:
    packed = asdict(audit)
    survivors = (each["place"] for each in packed["survivors"])
    for place in (*survivors, *packed["advised"]):
        place["fence"] = _fence_of(place, steps)
        place["line"] -= steps[place["fence"]].place.line if place["fence"] >= 0 else 0
    return packed


def _fence_of(place: Mapping[str, Any], steps: Sequence[Snippet]) -> int:
    for number, step in enumerate(steps):
        lines = range(1 if step.options.include else step.code.count("\n") + 2)
        if step.place.path == place["path"] and place["line"] - step.place.line in lines:
            return number
    return -1


_PLACE: proof_cache.Shape = {"path": str, "line": int, "column": int, "fence": int}
_PACKED: proof_cache.Shape = {
    "mutants": int,
    "killed": int,
    "crashed": int,
    "equivalent": int,
    "survivors": [{"before": str, "after": str, "moved": (None, float), "place": _PLACE}],
    "advised": [_PLACE],
    "flaky": str,
    "flaky_place": None,
    "reused": bool,
}
"""The form of an audit that is kept: it is not flaky."""


def _unpacked(packed: dict[str, Any], steps: Sequence[Snippet]) -> Audit:
    def placed(place: dict[str, Any]) -> Place:
        fence = min(place["fence"], len(steps) - 1)
        first = steps[fence].place if fence >= 0 else Place(place["path"], 0)
        return Place(first.path, first.line + place["line"], place["column"])

    survivors = tuple(
        Survivor(**{**each, "place": placed(each["place"])}) for each in packed["survivors"]
    )
    advised = tuple(map(placed, packed["advised"]))
    return Audit(**{**packed, "survivors": survivors, "advised": advised, "reused": True})
